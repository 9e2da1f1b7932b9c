package billing_test

import (
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// atHome is a desk whose customer pays in advance, in the seller's country and currency.
func atHome(t *testing.T, d *db.DB) (*billing.Invoices, *billing.Ledger) {
	t.Helper()
	b, ledger := desk(t, d), billing.NewLedger(d)
	s := norwegian()
	s.Currency = "EUR"
	if _, err := b.SetSeller(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SetCustomer(t.Context(), acme, billing.Customer{Party: norwegian().Party, Business: true, Currency: "EUR"}); err != nil {
		t.Fatal(err)
	}
	if err := ledger.SetTerms(t.Context(), acme, billing.Terms{Prepaid: true}); err != nil {
		t.Fatal(err)
	}
	return b, ledger
}

// S16
func TestWhatIsPaidInAdvanceIsNotDueAgain(t *testing.T) {
	for name, c := range map[string]struct {
		paid    int64 // micro-units, without VAT
		prepaid int64 // cents of 125.00
		due     bool
	}{
		"all of it": {100_000_000, 12500, false},
		"more":      {250_000_000, 12500, false},
		"a part":    {60_000_000, 7500, true},
		"nothing":   {0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				b, ledger := atHome(t, d)
				if c.paid > 0 {
					if _, err := ledger.Pay(t.Context(), acme, billing.Payment{Micro: c.paid, Reference: "bank 1"}); err != nil {
						t.Fatal(err)
					}
				}
				post(t, d, at("2026-10-05T10:00:00Z"), append(used(acme, 100, "NO", 10_000, "bulk"), fee(acme, 99_000_000, 99_000_000, "dir_1/2026-10-01"))...)
				inv, err := b.ByID(t.Context(), acme, run(t, b, november)[0].Invoice)
				if err != nil || inv.Gross != 12500 || inv.Prepaid != c.prepaid || inv.Due.IsZero() == c.due {
					t.Errorf("got %+v (%v)", inv, err)
				}
				doc, err := b.Document(t.Context(), acme, inv.ID)
				if err != nil || doc.Paid != c.prepaid {
					t.Errorf("%d is paid on the document (%v)", doc.Paid, err)
				}
				whole(t, d)
			})
		})
	}
}

func TestAnInvoiceByHandIsPaidFromWhatIsLeft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ledger := atHome(t, d)
		if _, err := ledger.Pay(t.Context(), acme, billing.Payment{Micro: 150_000_000, Reference: "bank 1"}); err != nil {
			t.Fatal(err)
		}
		n := billing.NewInvoice{Period: invoice.Period{From: day("2026-10-01"), To: day("2026-10-31")},
			Lines: []billing.NewLine{{Name: "Setting up", Quantity: dec("1"), Unit: "C62", Price: dec("100")}}}
		first, second := final(t, b, draft(t, b, n).ID), final(t, b, draft(t, b, n).ID)
		if first.Prepaid != 12500 || second.Prepaid != 6250 {
			t.Errorf("%d and %d are paid", first.Prepaid, second.Prepaid)
		}
		credit, err := b.Credit(t.Context(), acme, first.ID, billing.NewCredit{})
		if err != nil {
			t.Fatal(err)
		}
		if credit = final(t, b, credit.ID); credit.Prepaid != 0 || credit.Gross != 12500 {
			t.Errorf("the credit note is %+v", credit)
		}
		whole(t, d)
	})
}

func TestWhoPaysLaterIsAskedForTheWhole(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b, ledger := atHome(t, d)
	if err := ledger.SetTerms(t.Context(), acme, billing.Terms{Limit: 500_000_000}); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Pay(t.Context(), acme, billing.Payment{Micro: 100_000_000, Reference: "bank 1"}); err != nil {
		t.Fatal(err)
	}
	post(t, d, at("2026-10-05T10:00:00Z"), used(acme, 100, "NO", 10_000, "bulk")...)
	inv, err := b.ByID(t.Context(), acme, run(t, b, november)[0].Invoice)
	if err != nil || inv.Prepaid != 0 || inv.Due.Sub(inv.Issued) != 14*24*time.Hour {
		t.Errorf("got %+v (%v)", inv, err)
	}
}
