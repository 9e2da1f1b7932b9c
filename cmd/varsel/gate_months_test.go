package main

import (
	"time"

	"github.com/varsel/varsel/internal/secrets"
)

// months are the values about monthly runs, reconciliation and what carriers cost.
func (f *fixtures) months() {
	is := func(v string) func() string { return func() string { return v } }
	reconciliation := func() string {
		r, _, err := f.app.Invoices.Reconcile(f.t.Context(), nil, time.Now())
		must(f.t, err)
		return f.app.Names.Of(secrets.Reconciliation, r.ID)
	}
	days := 0
	later := func() string { // a cost is said once for each day
		days++
		return time.Now().AddDate(0, 0, days).Format("2006-01-02")
	}
	for name, value := range map[string]func() string{
		"reconciliations/id": reconciliation, "books/id": reconciliation, "?/usage.csv month": is("2026-10"),
		"/installation/books/costs carrier": is("main"), "/installation/books/costs price": is("0.031"), "/installation/books/costs currency": is("EUR"), "usage/format": is("csv"),
		"setCarrierCost carrier": is("main"), "setCarrierCost price": is(`{"amount":"0.031","currency":"EUR"}`),
		"billing usage from": is("2026-10-01"), "billing usage to": is("2026-10-31"), "billing cost carrier": is("main"), "billing cost price": is("0.031"),
		"billing cost currency": is("EUR"), "billing cost from": later,
	} {
		f.values[name] = value
	}
}
