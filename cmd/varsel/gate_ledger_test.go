package main

import (
	"github.com/varsel/varsel/billing"
)

// ledger are the values about terms and payments: there is a payment that can be
// returned, and enough of them that no step runs out of money.
func (f *fixtures) ledger() {
	ctx := f.t.Context()
	is := func(v string) func() string { return func() string { return v } }
	for _, account := range []int64{f.account.ID, f.other.ID} {
		_, err := f.app.Ledger.Pay(ctx, account, billing.Payment{Micro: 1_000_000_000, Reference: "gate"})
		must(f.t, err)
	}
	for name, value := range map[string]func() string{
		"setTerms terms": is("unlimited"), "recordPayment reference": is("gate 2"), "recordPayment amount": is(`{"amount":"5","currency":"EUR"}`), "returnPayment reference": is("gate"),
		"billing/account": is("acme"), "billing terms limit": is("500"), "billing payment reference": is("gate 3"), "billing payment amount": is("5"),
		"/installation/billing/:account/terms terms": is("unlimited"), "/installation/billing/:account/payments amount": is("5"),
		"/installation/billing/:account/payments reference": is("gate 4"), "/installation/billing/:account/payments/return back": is("gate"),
	} {
		f.values[name] = value
	}
}
