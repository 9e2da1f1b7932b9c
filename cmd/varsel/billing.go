package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
)

type billingTerms struct {
	Account   string `required:"" help:"The account."`
	Prepaid   bool   `xor:"terms" required:"" help:"It pays in advance, and spends what it has paid."`
	Limit     string `xor:"terms" required:"" help:"It pays later, and owes at the most this, in its currency."`
	Unlimited bool   `xor:"terms" required:"" help:"It pays later, without a limit."`
	Suspend   int    `name:"suspend-after" placeholder:"DAYS" help:"Its directories are not followed while an invoice is unpaid so many days after it was due. 0, or left out: they always are."`
}

func (b billingTerms) Run(ctx context.Context, c *commands, t terminal) error {
	terms := billing.Terms{Prepaid: b.Prepaid, Unlimited: b.Unlimited, Suspend: b.Suspend}
	if b.Limit != "" {
		var err error
		if terms.Limit, err = billing.ReadAmount("limit", b.Limit); err != nil {
			return err
		}
	}
	return c.withAccount(ctx, b.Account, func(app *App, acc accounts.Account) error {
		if err := app.Ledger.SetTerms(ctx, acc.ID, terms); err != nil {
			return err
		}
		return c.sayBalance(ctx, app, acc, t)
	})
}

type billingPayment struct {
	Account   string `required:"" help:"The account."`
	Reference string `required:"" help:"The bank's. The same again is recorded once."`
	Amount    string `xor:"payment" required:"" help:"What was paid, without VAT, in the account's currency."`
	Returned  bool   `xor:"payment" required:"" help:"The payment with the reference went back or was none: the whole of it."`
	Invoice   string `help:"The invoice that it pays."`
}

func (p billingPayment) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, p.Account, func(app *App, acc accounts.Account) error {
		done, err := p.record(ctx, app, acc.ID)
		if err != nil {
			return err
		}
		return c.say(t.out, app.entryAnswer(done), "%s %s of %s %s %s", done.Kind, done.Reference, p.Account, billing.Money(done.Micro), done.Currency)
	})
}

func (p billingPayment) record(ctx context.Context, app *App, account int64) (billing.Posted, error) {
	if p.Returned {
		return app.Ledger.ReturnPayment(ctx, account, p.Reference)
	}
	paid := billing.Payment{Reference: p.Reference}
	var err error
	if paid.Micro, err = billing.ReadAmount("amount", p.Amount); err != nil {
		return billing.Posted{}, err
	}
	if p.Invoice != "" {
		if paid.Invoice, err = app.Names.ID(secrets.Invoice, p.Invoice); err != nil {
			return billing.Posted{}, err
		}
	}
	return app.Ledger.Pay(ctx, account, paid)
}

type billingBalance struct {
	Account string `required:"" help:"The account."`
}

func (b billingBalance) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, b.Account, func(app *App, acc accounts.Account) error { return c.sayBalance(ctx, app, acc, t) })
}

func (c *commands) sayBalance(ctx context.Context, app *App, acc accounts.Account, t terminal) error {
	b, err := app.Ledger.Balance(ctx, acc.ID)
	if err != nil {
		return err
	}
	answer := map[string]any{"currency": b.Currency, "owed": billing.Money(b.Receivable), "reserved": billing.Money(-b.Reserved), "unbilled": billing.Money(-b.Unbilled),
		"billed": billing.Money(-b.Billed), "rounding": billing.Money(-b.Rounding), "paid": billing.Money(b.Paid)}
	terms := "pays later, without a limit"
	switch {
	case b.Prepaid:
		answer["terms"], terms = "prepaid", "pays in advance"
	case b.Unlimited:
		answer["terms"] = "unlimited"
	default:
		answer["terms"], answer["limit"], terms = "limit", billing.Money(b.Limit), "pays later, up to "+billing.Money(b.Limit)+" "+b.Currency
	}
	if !b.Unlimited {
		answer["available"] = billing.Money(b.Available())
		terms += "; " + billing.Money(b.Available()) + " " + b.Currency + " is available"
	}
	if b.Suspend > 0 {
		answer["suspend_days"] = b.Suspend
		terms += fmt.Sprintf("; directories are suspended %d days after an invoice is due", b.Suspend)
	}
	if !b.Suspended.IsZero() {
		answer["suspended_at"] = utc(b.Suspended)
		terms += ", and have been since " + utc(b.Suspended)
	}
	return c.say(t.out, answer, "%s %s.\nowed %s %s, of it reserved %s and unbilled %s\nbilled %s, paid %s", acc.Handle, terms,
		answer["owed"], b.Currency, answer["reserved"], answer["unbilled"], answer["billed"], answer["paid"])
}

type billingLedger struct {
	Account   string `required:"" help:"The account."`
	Kind      string `help:"Only entries of this kind, such as charge or payment."`
	Country   string `help:"Only of numbers of this country."`
	Reference string `help:"Only what was posted for this."`
	Limit     int    `default:"100" help:"How many, the newest first."`
}

func (l billingLedger) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Ledger.Entries(ctx, acc.ID, billing.EntryFilter{Kind: billing.Kind(l.Kind), Country: strings.ToUpper(l.Country), Reference: l.Reference, Limit: l.Limit})
		if err != nil {
			return err
		}
		for _, p := range all {
			err := c.say(t.out, app.entryAnswer(p), "%s\t%s\t%s > %s\t%s %s\t%d parts\t%s\t%s\t%s", utc(p.At), p.Kind, p.Debit, p.Credit,
				billing.Money(p.Micro), p.Currency, p.Parts, p.Country, p.Lane, p.Reference)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *App) entryAnswer(p billing.Posted) map[string]any {
	answer := map[string]any{"id": a.Names.Of(secrets.Entry, p.ID), "at": utc(p.At), "kind": p.Kind, "debit": p.Debit, "credit": p.Credit, "amount": billing.Money(p.Micro),
		"currency": p.Currency, "messages": p.Messages, "parts": p.Parts, "country": p.Country, "part_price": billing.Money(p.Unit), "lane": p.Lane, "reference": p.Reference}
	if p.Campaign != 0 {
		answer["campaign"] = a.Names.Of(secrets.Campaign, p.Campaign)
	}
	if p.Invoice != 0 {
		answer["invoice"] = a.Names.Of(secrets.Invoice, p.Invoice)
	}
	return answer
}
