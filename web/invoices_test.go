package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/secrets"
)

// bill drafts an invoice for the account, and returns its name too.
func (w *world) bill() (billing.Invoice, string) {
	w.Helper()
	no := func(name, registration string) invoice.Party {
		return invoice.Party{Name: name, Registration: registration, Street: "Storgata 1", City: "Oslo", PostCode: "0155", Country: "NO",
			Endpoint: invoice.Endpoint{Scheme: "0192", ID: registration}}
	}
	s := billing.Seller{Party: no("Varsel AS", "923609016"), Payment: invoice.Payment{IBAN: "NO9386011117947"}, CreditPrefix: "K", Days: 14}
	s.VATID = "NO923609016MVA"
	must(w.invoices.SetSeller(w.Context(), s))
	must(w.invoices.SetCustomer(w.Context(), w.account.ID, billing.Customer{Party: no("Acme AS", "974760673"), Business: true, Currency: "NOK"}))
	day := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	inv := must(w.invoices.Draft(w.Context(), w.account.ID, billing.NewInvoice{Period: invoice.Period{From: day, To: day.AddDate(0, 0, 30)}, Lines: []billing.NewLine{
		{Name: "Directory integration", Quantity: decimal.NewFromInt(1), Unit: "MON", Price: decimal.NewFromInt(1099)},
		{Name: "SMS, parts to NO", Quantity: decimal.NewFromInt(12345), Unit: "C62", Price: decimal.RequireFromString("0.045")},
	}}))
	return inv, w.names.Of(secrets.Invoice, inv.ID)
}

// S16
func TestAnOperatorFinalisesADraftAndTheAccountDownloadsIt(t *testing.T) {
	w := newWorld(t)
	inv, name := w.bill()
	w.operate()
	path := "/installation/invoices/" + name
	w.golden("invoice-draft-nb", timeless(w.get(path, "Accept-Language", "nb").body))
	for code := range map[string]bool{"en": true, "nb": true, "pl": true} {
		w.golden("invoices-all-"+code, timeless(w.get("/installation/invoices", "Accept-Language", code).body))
	}
	w.has(w.get(path+"/finalise"), http.StatusOK, "It gets the next number", `action="`+path+`/finalise"`)
	w.has(w.get(path+"/pdf"), http.StatusNotFound)
	w.sent(w.post(path+"/finalise", url.Values{}), path)
	final := must(w.invoices.ByID(t.Context(), w.account.ID, inv.ID))
	w.golden("invoice-final-pl", timeless(w.get(path, "Accept-Language", "pl").body))
	w.has(w.get(path+"/cancel"), http.StatusConflict, "can only be credited")
	w.has(w.post(path+"/cancel", url.Values{}), http.StatusConflict, "can only be credited")

	w.client = newClient()
	w.signIn()
	w.has(w.get("/invoices"), http.StatusOK, final.Number, "/invoices/"+name+"/pdf")
	w.golden("invoices-en", timeless(w.get("/invoices").body))
	pdf, xml := w.get("/invoices/"+name+"/pdf"), w.get("/invoices/"+name+"/xml")
	if !strings.HasPrefix(pdf.body, "%PDF-") || pdf.header.Get("Content-Disposition") != `attachment; filename="`+final.Number+`.pdf"` {
		t.Errorf("%d %v", pdf.status, pdf.header)
	}
	if found := invoice.Check([]byte(xml.body)); len(found) > 0 || xml.header.Get("Content-Type") != "application/xml; charset=utf-8" {
		t.Errorf("%v %v", found, xml.header)
	}
	w.has(w.get("/installation/invoices"), http.StatusForbidden)
}

// timeless leaves out the day on which the test runs.
func timeless(page string) string {
	page = regexp.MustCompile(`\d{4}-\d{2}-\d{2}\b`).ReplaceAllString(page, "2000-01-01")
	return regexp.MustCompile(`\d{4}-0000`).ReplaceAllString(page, "2000-0000")
}

func TestADraftIsCancelledAndNobodyElseSeesIt(t *testing.T) {
	w := newWorld(t)
	_, name := w.bill()
	w.signIn()
	w.has(w.get("/invoices"), http.StatusOK, "There are no invoices yet.")
	w.has(w.get("/invoices/"+name+"/pdf"), http.StatusNotFound, "There is no such invoice.")
	w.operate()
	path := "/installation/invoices/" + name
	w.has(w.get(path+"/cancel"), http.StatusOK, "It takes no number")
	w.sent(w.post(path+"/cancel", url.Values{}), "/installation/invoices")
	w.has(w.get(path), http.StatusOK, "Cancelled")
	w.has(w.post(path+"/finalise", url.Values{}), http.StatusConflict, "The draft was cancelled.")
}

func TestInvoicesAreForManagers(t *testing.T) {
	w := newWorld(t)
	w.as("sender")
	w.has(w.get("/invoices"), http.StatusForbidden)
	if strings.Contains(w.get("/").body, `href="/invoices"`) {
		t.Error("the overview leads where they may not go")
	}
}
