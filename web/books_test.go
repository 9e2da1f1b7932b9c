package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
)

// charged is the ledger of so many parts to a country, as of a time.
func (w *world) charged(at time.Time, parts int, country, lane string) {
	w.Helper()
	first := must(w.db.NewIDs(w.Context(), 2))
	e := billing.Entry{ID: first, Account: w.account.ID, Kind: billing.KindReserve, Micro: int64(parts) * 45_000, Messages: parts, Parts: parts, Country: country, Unit: 45_000, Lane: lane}
	charge := e
	charge.ID, charge.Kind = first+1, billing.KindCharge
	if err := w.db.InTx(w.Context(), func(tx *db.Tx) error { return billing.Post(w.Context(), tx, at, e, charge) }); err != nil {
		w.Fatal(err)
	}
}

func TestUsageIsDrawnAndTabulated(t *testing.T) {
	w := newWorld(t)
	october := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
	w.charged(october, 1200, "NO", "bulk")
	w.charged(october.AddDate(0, 0, 3), 30, "SE", "urgent")
	w.charged(october.AddDate(0, -2, 0), 5000, "NO", "bulk")
	w.signIn()
	for code := range map[string]bool{"en": true, "nb": true, "pl": true} {
		page := w.get("/usage?month=2026-10", "Accept-Language", code)
		w.golden("usage-"+code, page.body)
		if strings.Contains(page.body, "style=") || strings.Count(page.body, `role="img"`) != 2 {
			t.Errorf("the plots of %s are not as they should be", code)
		}
	}
	w.has(w.get("/usage?month=2026-10"), http.StatusOK, "EUR 55.35", "the highest is EUR 54.00", `href="/usage?month=2026-11"`)
	w.has(w.get("/usage.csv?month=2026-10"), http.StatusOK, "Cost,Currency\r\n", "2026-10-05,NO,Bulk,1200,1200,54.00,EUR\r\n")
	w.has(w.get("/usage?month=2100-01"), http.StatusUnprocessableEntity)
	w.has(w.get("/usage"), http.StatusOK, "Nothing was charged")
}

// S16
func TestAnOperatorSeesWhetherTheBooksAgree(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	settled := time.Now().Add(-3 * time.Hour) // on the first, the month before is not run at once
	w.charged(settled.AddDate(0, -1, -settled.Day()+5), 1000, "NO", "bulk")
	w.operate()
	w.has(w.get("/installation/books"), http.StatusOK, "Nothing has been compared yet.", "No month has been run yet.")
	w.sent(w.post("/installation/books/run", url.Values{}), "/installation/books")
	w.has(w.get("/installation/books"), http.StatusOK, "Skipped", "It is not known yet whom invoices are from.")
	got := w.post("/installation/books/reconcile", url.Values{})
	w.has(w.get(got.header.Get("Location")), http.StatusOK, "Under way", "It goes on without this page")
	if _, _, asked, err := w.invoices.RunAsked(w.Context(), nil, time.Now()); !asked || err != nil {
		w.Fatalf("nothing was asked for (%v)", err)
	}
	page := w.get(got.header.Get("Location"))
	w.has(page, http.StatusOK, "ent_", "What messages cost and what was reserved", "What messages were charged and the ledger", "45.00")
	w.has(w.post("/installation/books/costs", url.Values{"carrier": {"main"}, "country": {"Norway"}, "price": {"0.03"}, "currency": {"EUR"}}), http.StatusUnprocessableEntity, "Write two letters")
	w.has(w.post("/installation/books/costs", url.Values{"carrier": {"main"}, "country": {"NO"}, "price": {"cheap"}, "currency": {"EUR"}}), http.StatusUnprocessableEntity, "Write a price")
	w.sent(w.post("/installation/books/costs", url.Values{"carrier": {"main"}, "country": {"no"}, "price": {"0,031"}, "currency": {"EUR"}}), "/installation/books")
	w.has(w.get("/installation/books"), http.StatusOK, "EUR 0.031", "2 differences")
	for code := range map[string]bool{"en": true, "nb": true, "pl": true} {
		w.has(w.get("/installation/books", "Accept-Language", code), http.StatusOK, "EUR")
	}
}
