package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/web"
)

// S16
func TestAnOperatorSetsTermsAndPaymentsAndTheAccountSeesItsBalance(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	w.operate()
	const path = "/installation/billing/acme"
	w.has(w.get("/installation/billing"), http.StatusOK, path, "Acme")
	w.has(w.post(path+"/terms", url.Values{"terms": {"limit"}, "limit": {"much"}}), http.StatusUnprocessableEntity, "Enter an amount such as", `value="much"`)
	w.has(w.post(path+"/terms", url.Values{"terms": {"unlimited"}, "suspend": {"366"}}), http.StatusUnprocessableEntity, "Enter days from 1 to 365", `value="366"`)
	wrong := w.post(path+"/terms", url.Values{"terms": {"limit"}, "limit": {"1,000"}})
	w.has(wrong, http.StatusUnprocessableEntity, "thousands or as decimals", `value="1,000"`, `<option value="limit" selected>`)
	w.has(w.post(path+"/terms", url.Values{"terms": {"unlimited"}, "suspend": {"x"}}), http.StatusUnprocessableEntity, `<option value="unlimited" selected>`)
	w.sent(w.post(path+"/terms", url.Values{"terms": {"limit"}, "limit": {"1\u00a0500,5"}}), path)
	w.has(w.get(path), http.StatusOK, `value="1500.50"`)
	w.has(w.get(path, "Accept-Language", "nb"), http.StatusOK, `value="1500,50"`)
	w.sent(w.post(path+"/terms", url.Values{"terms": {"limit"}, "limit": {"2.1250"}}), path)
	w.has(w.get(path, "Accept-Language", "pl"), http.StatusOK, `value="2,1250"`)
	w.has(w.post(path+"/payments", url.Values{"amount": {"5,000"}, "reference": {"bank 1"}}), http.StatusUnprocessableEntity, "thousands or as decimals", `id="amount-wrong"`, `value="5,000"`)
	w.sent(w.post(path+"/terms", url.Values{"terms": {"unlimited"}, "suspend": {"30"}}), path)
	w.has(w.get(path), http.StatusOK, `value="30"`)
	w.sent(w.post(path+"/terms", url.Values{"terms": {"prepaid"}}), path)
	w.has(w.post(path+"/payments", url.Values{"amount": {"-5"}, "reference": {"bank 1"}}), http.StatusUnprocessableEntity, "Enter an amount above zero")
	for range 2 {
		w.sent(w.post(path+"/payments", url.Values{"amount": {"0,10"}, "reference": {"bank 1"}}), path)
	}
	w.has(w.post(path+"/payments", url.Values{"amount": {"0.11"}, "reference": {"bank 1"}}), http.StatusConflict, "Another payment has this reference")
	w.has(w.post(path+"/payments/return", url.Values{"back": {"bank 2"}}), http.StatusNotFound, "no payment with this reference")
	for _, to := range []string{"+4790000001", "+4790000002"} {
		must(w.queue.Send(t.Context(), w.account.ID, smsqueue.Single{To: to, Text: "Hi"}))
	}
	if _, err := w.queue.Send(t.Context(), w.account.ID, smsqueue.Single{To: "+4790000003", Text: "Hi"}); !problem.Has(err, "no_funds") {
		t.Errorf("0.01 is left: %v", err)
	}
	w.golden("billing-nb", timed(w.get(path, "Accept-Language", "nb").body))
	for code := range map[string]bool{"en": true, "nb": true, "pl": true} {
		w.golden("billings-"+code, timed(w.get("/installation/billing", "Accept-Language", code).body))
	}

	w.client = newClient()
	w.signIn()
	for _, code := range []string{"en", "pl"} {
		w.golden("balance-"+code, timed(w.get("/balance", "Accept-Language", code).body))
	}
	if page := w.get("/balance?kind=payment").body; strings.Count(page, `<tr><th scope="row"`) != 1 || !strings.Contains(page, "/balance/ledger.csv?kind=payment") {
		t.Error("the filter does not hold")
	}
	w.has(w.get("/balance?kind=gift"), http.StatusUnprocessableEntity)
	w.has(w.get("/balance?until=2020-01-01"), http.StatusOK, "There are no such entries.")
	list := w.get("/balance/ledger.csv?country=no")
	if rows := strings.Split(strings.TrimSpace(list.body), "\r\n"); len(rows) != 3 || !strings.Contains(rows[1], "Set aside,Receivable,Set aside,0.045,EUR,1,1,NO,0.045,Normal,") {
		t.Errorf("%q", rows)
	}

	restore := web.CutCSV(2)
	if rows := strings.Split(strings.TrimSpace(w.get("/balance/ledger.csv").body), "\r\n"); len(rows) != 4 || !strings.HasPrefix(rows[3], "Only the newest 2 entries") {
		t.Errorf("%q", rows)
	}
	restore()

	w.client = newClient()
	w.operate()
	w.sent(w.post(path+"/payments/return", url.Values{"back": {"bank 1"}}), path)
	w.has(w.post(path+"/payments", url.Values{"amount": {"0,10"}, "reference": {"bank 1"}}), http.StatusConflict, "The payment with this reference went back")
	b := must(billing.NewLedger(w.db).Balance(t.Context(), w.account.ID))
	if b.Paid != 0 || b.Available() != -90_000 {
		t.Errorf("%+v", b)
	}
	w.has(w.get(path), http.StatusOK, "Nothing is available")
}

// S16
func TestTheLedgersDaysAreTheSellers(t *testing.T) {
	w := newWorld(t)
	w.operate()
	const path = "/installation/billing/acme"
	w.sent(w.post(path+"/payments", url.Values{"amount": {"5"}, "reference": {"bank 1"}}), path)
	at := must(w.ledger.Entries(t.Context(), w.account.ID, billing.EntryFilter{Limit: 1}))[0].At
	for _, name := range []string{"Pacific/Kiritimati", "Pacific/Pago_Pago"} { // never on the same day
		w.sent(w.post("/installation/invoices/seller", with(sellerForm, "zone", name)), "/installation/invoices")
		day := at.In(must(time.LoadLocation(name))).Format(time.DateOnly)
		w.has(w.get(path+"?since="+day+"&until="+day), http.StatusOK, "bank 1", "midnight in "+name)
	}
}

func TestAnEntryOfTheLedgerLeadsToItsCampaign(t *testing.T) {
	w := newWorld(t)
	w.reserve(7, 100)
	w.signIn()
	w.has(w.get("/balance"), http.StatusOK, `<a href="/campaigns/`+w.names.Of(secrets.Campaign, 7)+`">Campaign`)
}

// timed leaves out the times at which the test ran.
func timed(page string) string {
	return regexp.MustCompile(`<time [^>]*>[^<]*</time>`).ReplaceAllString(page, "<time></time>")
}

// The forecast says whether what is available suffices.
func TestAForecastSaysWhetherTheMoneySuffices(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	w.signIn()
	group := w.staff() // two parts to Norway at 0.045, one to Poland at 0.028
	for _, test := range []struct {
		limit int64
		says  string
		short bool
	}{{118_000, "EUR\u00a00.118 is available.", false}, {117_999, "EUR\u00a00.117999 is available.", true}} {
		if err := w.ledger.SetTerms(t.Context(), w.account.ID, billing.Terms{Limit: test.limit}); err != nil {
			t.Fatal(err)
		}
		got := w.post("/campaigns/new", url.Values{"once": {"a"}, "group": {group}, "text": {"Hi"}, "lane": {"bulk"}, "do": {"preview"}})
		w.has(got, http.StatusOK, test.says)
		if strings.Contains(got.body, "does not suffice") != test.short {
			t.Errorf("of %d it is short: %v", test.limit, !test.short)
		}
	}
}
