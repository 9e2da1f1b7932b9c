package main

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/secrets"
)

// invoices are the values about invoices: a draft or a final one whenever a step is
// for such a one.
func (f *fixtures) invoices() {
	ctx, app := f.t.Context(), f.app
	is := func(v string) func() string { return func() string { return v } }
	seller := invoice.Party{Name: "Varsel AS", Registration: "923609016", VATID: "923609016MVA", Street: "Storgata 1", City: "Oslo", PostCode: "0155", Country: "NO",
		Endpoint: invoice.Endpoint{Scheme: "0192", ID: "923609016"}}
	_, err := app.Invoices.SetSeller(ctx, billing.Seller{Party: seller, Payment: invoice.Payment{IBAN: "NO9386011117947"}, CreditPrefix: "K", Days: 14})
	must(f.t, err)
	buyer := invoice.Party{Name: "Acme AS", Registration: "974760673", Street: "Torget 2", City: "Bergen", PostCode: "5014", Country: "NO"}
	for _, account := range []int64{f.account.ID, f.other.ID} {
		_, err := app.Invoices.SetCustomer(ctx, account, billing.Customer{Party: buyer, Business: true, Currency: "NOK"})
		must(f.t, err)
	}
	draft := func() string { return app.Names.Of(secrets.Invoice, f.draft().ID) }
	final := func() string {
		inv, err := app.Invoices.Finalise(ctx, f.account.ID, f.draft().ID)
		must(f.t, err)
		return app.Names.Of(secrets.Invoice, inv.ID)
	}
	for name, value := range map[string]func() string{
		"invoices/id": final, "/installation/invoices/:id/credit": final, "id/finalise": draft, "id/credit": final, "kind/": is("pdf"),
		"/v1/installation/invoices/:id/cancel": draft, "/installation/invoices/:id/cancel": draft, "setBillingProfile email": is("bills@other.example"), "setBillingProfile currency": is("NOK"),
		"draftInvoice to": is("2026-10-31"), "draftInvoice lines": is(`[{"description":"SMS","quantity":"100","unit":"C62","unit_price":"0.045"}]`),

		"invoice": final, "invoice finalise invoice": draft, "invoice cancel invoice": draft, "invoice customer email": is("bills@acme.example"), "invoice customer currency": is("NOK"),
		"invoice seller iban": is("NO9386011117947"), "invoice draft from": is("2026-10-01"), "invoice draft to": is("2026-10-31"), "invoice draft line": is("100 C62 0.045 SMS"),
	} {
		f.values[name] = value
	}
	for field, value := range map[string]string{"name": seller.Name, "street": seller.Street, "city": seller.City, "country": seller.Country, "vat-id": seller.VATID, "registration": seller.Registration} {
		f.values["invoice seller "+field], f.values["invoice customer "+field] = is(value), is(value)
	}
	for _, operation := range []string{"setSeller ", "setBillingProfile "} {
		f.values[operation+"registration"], f.values[operation+"vat_id"] = is(seller.Registration), is(seller.VATID)
	}
	f.values["customers/account"] = is(f.account.Handle)
	for form, fields := range map[string]map[string]string{
		"/installation/invoices/seller": {"name": seller.Name, "street": seller.Street, "city": seller.City, "country": seller.Country, "vat_id": seller.VATID,
			"registration": seller.Registration, "iban": "NO9386011117947", "credit_prefix": "K", "days": "14"},
		"/installation/invoices/customers/:account": {"name": buyer.Name, "street": buyer.Street, "city": buyer.City, "country": buyer.Country,
			"registration": buyer.Registration, "currency": "NOK", "language": "nb", "business": "yes"},
		"/installation/invoices/new":        {"account": f.account.Handle, "from": "2026-10-01", "to": "2026-10-31", "description-1": "SMS", "quantity-1": "100", "unit-1": "C62", "price-1": "0.045"},
		"/installation/invoices/:id/credit": {"line": "1"},
	} {
		for field, value := range fields {
			f.values[form+" "+field] = is(value)
		}
	}
	// The register has numbers of the Union alone, and the walk's customer is in Norway.
	f.refusals["invoice vat-check"] = "European Union"
	f.answers["/v1/installation/accounts/:account/billing/vat-lookup"], f.answers["/installation/invoices/customers/:account/vat"] = []int{422}, []int{422}
	f.values["recordVATCheck vat_id"], f.values["recordVATCheck consultation"] = is(seller.VATID), is("1")
}

// draft is an invoice of the account's that has no number yet.
func (f *fixtures) draft() billing.Invoice {
	f.t.Helper()
	october := invoice.Period{From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)}
	inv, err := f.app.Invoices.Draft(f.t.Context(), f.account.ID, billing.NewInvoice{Period: october,
		Lines: []billing.NewLine{{Name: "SMS", Quantity: decimal.NewFromInt(100), Unit: "C62", Price: decimal.RequireFromString("0.045")}}})
	must(f.t, err)
	return inv
}
