package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// billingJobs: the month is tried every hour, so that an account that could not be
// invoiced is as soon as it can; one that was is left alone.
func (a *App) billingJobs() []smsqueue.Job {
	return []smsqueue.Job{
		{Name: "invoice-months", Every: time.Hour, Run: func(ctx context.Context) error {
			_, _, err := a.Invoices.RunMonth(ctx, billing.RunOrder{}, time.Now())
			return err
		}},
		{Name: "dun", Every: time.Hour, Run: a.Ledger.Dun},
		{Name: "reconcile", Every: 24 * time.Hour, Run: func(ctx context.Context) error {
			_, _, err := a.reconcile(ctx)
			return err
		}},
		{Name: "reconcile-asked", Every: 2 * time.Second, Run: a.reconcileAsked},
	}
}

func (a *App) reconcile(ctx context.Context) (billing.Reconciliation, []billing.Difference, error) {
	r, found, err := a.Invoices.Reconcile(ctx, a.Queue.Traffic, time.Now())
	a.alarm(r, found)
	return r, found, err
}

// reconcileAsked does what was asked for in the console or over the API.
func (a *App) reconcileAsked(ctx context.Context) error {
	r, found, _, err := a.Invoices.RunAsked(ctx, a.Queue.Traffic, time.Now())
	a.alarm(r, found)
	return err
}

// alarm tells of each difference, with the names that its rows have outside.
func (a *App) alarm(r billing.Reconciliation, found []billing.Difference) {
	for _, d := range found {
		said := []any{"reconciliation", a.Names.Of(secrets.Reconciliation, r.ID)}
		for key, value := range a.difference(d) {
			said = append(said, key, value)
		}
		slog.Error("the books do not agree", said...)
	}
}

// difference names the rows that it is about.
func (a *App) difference(d billing.Difference) map[string]any {
	said := map[string]any{"kind": d.Kind, "expected": billing.Money(d.Expected), "found": billing.Money(d.Found)}
	for _, row := range []struct {
		key, prefix string
		id          int64
	}{{"account", secrets.Account, d.Account}, {"campaign", secrets.Campaign, d.Campaign}, {"entry", secrets.Entry, d.Entry}, {"invoice", secrets.Invoice, d.Invoice}} {
		if row.id != 0 {
			said[row.key] = a.Names.Of(row.prefix, row.id)
		}
	}
	if d.Detail != "" {
		said["detail"] = d.Detail
	}
	for _, rows := range []struct {
		key, prefix string
		ids         []int64
	}{{"messages", secrets.Message, d.Messages}, {"entries", secrets.Entry, d.Entries}} {
		var names []string
		for _, id := range rows.ids {
			names = append(names, a.Names.Of(rows.prefix, id))
		}
		if len(names) > 0 {
			said[rows.key] = names
		}
	}
	return said
}

type billingRun struct {
	Account    string `help:"Only this account."`
	Month      string `help:"2026-10; the one that ended last when it is left out."`
	Rate       string `help:"Of exchange, where VAT is due in another currency: how much of that one of --rate-from is."`
	RateFrom   string `help:"The currency of the invoices that the rate is for: EUR. Those in another have none."`
	RateSource string `help:"Whose rate it is: ECB, Norges Bank."`
	RateDate   string `help:"The day of the rate."`
}

func (b billingRun) Run(ctx context.Context, c *commands, t terminal) error {
	o, err := b.order()
	if err != nil {
		return err
	}
	return c.withApp(ctx, func(app *App) error {
		if b.Account != "" {
			acc, err := app.Accounts.ByHandle(ctx, b.Account)
			if err != nil {
				return err
			}
			o.Account = acc.ID
		}
		runs, _, err := app.Invoices.RunMonth(ctx, o, time.Now())
		if err != nil {
			return err
		}
		return c.sayRuns(ctx, app, t, runs)
	})
}

func (b billingRun) order() (o billing.RunOrder, err error) {
	if b.Month != "" {
		if o.Month, err = time.Parse("2006-01", b.Month); err != nil {
			return o, problem.Invalid("month", "%q is no month such as 2026-10", b.Month)
		}
	}
	if b.Rate == "" {
		return o, nil
	}
	o.From, o.Books.Source = b.RateFrom, b.RateSource
	if o.Books.Rate, err = plainDecimal(b.Rate); err != nil {
		return o, problem.Invalid("rate", "%q is no rate such as 11.452", b.Rate)
	}
	if o.Books.At, err = time.Parse(time.DateOnly, b.RateDate); err != nil {
		return o, problem.Invalid("rate_date", "%q is no day such as 2026-10-30", b.RateDate)
	}
	return o, nil
}

func (c *commands) sayRuns(ctx context.Context, app *App, t terminal, runs []billing.Run) error {
	for _, r := range runs {
		acc, err := app.Accounts.ByID(ctx, r.Account)
		if err != nil {
			return err
		}
		answer := map[string]any{"account": acc.Handle, "month": r.Month.Format("2006-01"), "state": r.State}
		said := r.Detail
		if r.Invoice != 0 {
			said = app.Names.Of(secrets.Invoice, r.Invoice)
			answer["invoice"] = said
		}
		if r.Reason != "" {
			answer["reason"], answer["detail"] = r.Reason, r.Detail
		}
		if err := c.say(t.out, answer, "%s\t%s\t%s\t%s", acc.Handle, answer["month"], r.State, said); err != nil {
			return err
		}
	}
	return nil
}

type billingList struct {
	State string `help:"Only those: invoiced, nothing or skipped."`
	Limit int    `default:"200" help:"How many, the latest month first."`
}

func (b billingList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		runs, err := app.Invoices.Runs(ctx, billing.RunFilter{State: b.State, Limit: b.Limit})
		if err != nil {
			return err
		}
		return c.sayRuns(ctx, app, t, runs)
	})
}

type billingReconcile struct{}

func (billingReconcile) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		r, found, err := app.reconcile(ctx)
		if err != nil {
			return err
		}
		for _, d := range found {
			said := app.difference(d)
			var words []string
			for _, key := range slices.Sorted(maps.Keys(said)) {
				words = append(words, fmt.Sprintf("%s: %v", key, said[key]))
			}
			if err := c.say(t.out, said, "%s", strings.Join(words, "\t")); err != nil {
				return err
			}
		}
		answer := map[string]any{"id": app.Names.Of(secrets.Reconciliation, r.ID), "compared": r.Compared, "messages": r.Messages, "differences": r.Differences}
		if err := c.say(t.out, answer, "%d campaigns and invoices and %d messages were compared: %d differences", r.Compared, r.Messages, r.Differences); err != nil {
			return err
		}
		if r.Differences > 0 {
			return errSaid
		}
		return nil
	})
}

type billingUsage struct {
	Account   string `required:"" help:"The account."`
	From      string `required:"" help:"The first day: 2026-10-01."`
	To        string `required:"" help:"The last day."`
	By        string `default:"day" enum:"day,month" help:"day or month."`
	Campaigns bool   `help:"Each campaign for itself."`
	CSV       bool   `name:"csv" help:"Write CSV."`
}

func (b billingUsage) Run(ctx context.Context, c *commands, t terminal) error {
	f := billing.UsageFilter{By: b.By, Campaigns: b.Campaigns}
	for _, d := range []struct {
		field, text string
		into        *time.Time
	}{{"from", b.From, &f.From}, {"to", b.To, &f.To}} {
		var err error
		if *d.into, err = time.Parse(time.DateOnly, d.text); err != nil {
			return problem.Invalid(d.field, "%q is no day such as 2026-10-01", d.text)
		}
	}
	return c.withAccount(ctx, b.Account, func(app *App, acc accounts.Account) error {
		f.Account = acc.ID
		all, err := app.Invoices.Usage(ctx, f)
		if err != nil {
			return err
		}
		campaign := func(id int64) string { return app.Names.Of(secrets.Campaign, id) }
		if b.CSV {
			text, err := billing.UsageCSV(all, func(int64) string { return acc.Handle }, campaign)
			if err == nil {
				_, err = fmt.Fprint(t.out, text)
			}
			return err
		}
		for _, u := range all {
			answer := map[string]any{"from": u.Day.Format(time.DateOnly), "fees": u.Fees, "country": u.Country, "lane": u.Lane, "messages": u.Messages, "parts": u.Parts,
				"amount": billing.Money(u.Micro), "currency": u.Currency}
			if u.Campaign != 0 {
				answer["campaign"] = campaign(u.Campaign)
			}
			if err := c.say(t.out, answer, "%s\t%s\t%s\t%d\t%d\t%s %s", answer["from"], u.Country, u.Lane, u.Messages, u.Parts, answer["amount"], u.Currency); err != nil {
				return err
			}
		}
		return nil
	})
}

// billingCost says what a part costs at a carrier.
type billingCost struct {
	Carrier  string `required:"" help:"The carrier's name."`
	Country  string `default:"*" help:"NO; * for what is not listed."`
	Price    string `required:"" help:"Of one part: 0.031."`
	Currency string `required:"" help:"EUR, NOK, SEK, DKK, PLN or GBP."`
	From     string `help:"From the start of this day on (UTC); from now on when it is left out."`
}

func (b billingCost) Run(ctx context.Context, c *commands, t terminal) error {
	micro, err := billing.ReadPrice(b.Price)
	if err != nil {
		return err
	}
	cost := billing.Cost{Country: b.Country, Currency: b.Currency, Micro: micro}
	if b.From != "" {
		if cost.From, err = time.Parse(time.DateOnly, b.From); err != nil {
			return problem.Invalid("from", "%q is no day such as 2026-10-01", b.From)
		}
	}
	return c.withApp(ctx, func(app *App) error {
		carrier, err := app.Queue.Route(ctx, b.Carrier)
		if err != nil {
			return err
		}
		cost.Carrier = carrier.ID
		set, err := app.Invoices.SetCost(ctx, cost, time.Now())
		if err != nil {
			return err
		}
		return c.sayCost(t, set, carrier.Name)
	})
}

func (c *commands) sayCost(t terminal, cost billing.Cost, carrier string) error {
	answer := map[string]any{"carrier": carrier, "country": cost.Country, "price": billing.Money(cost.Micro), "currency": cost.Currency, "from": utc(cost.From)}
	return c.say(t.out, answer, "%s\t%s\t%s %s\t%s", carrier, cost.Country, answer["price"], cost.Currency, answer["from"])
}

type billingCosts struct{}

func (billingCosts) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		all, err := app.Invoices.Costs(ctx)
		if err != nil {
			return err
		}
		carriers, err := app.Queue.Routes(ctx)
		if err != nil {
			return err
		}
		names := map[int64]string{}
		for _, r := range carriers {
			names[r.ID] = r.Name
		}
		for _, cost := range all {
			if err := c.sayCost(t, cost, names[cost.Carrier]); err != nil {
				return err
			}
		}
		return nil
	})
}
