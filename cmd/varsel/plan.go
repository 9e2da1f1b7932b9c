package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
)

type planList struct{}

func (planList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		all, err := app.Plans.All(ctx)
		if err != nil {
			return err
		}
		for _, p := range all {
			if err := c.sayPlan(t, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *commands) sayPlan(t terminal, p billing.Plan) error {
	price, includes := billing.Money(p.DirectoryMicro), strings.Join(p.Capabilities, ",")
	answer := map[string]any{"name": p.Name, "capabilities": p.Capabilities, "price_list": p.List.Name, "currency": p.List.Currency, "directory_price": price, "anchor": p.Anchor}
	return c.say(t.out, answer, "%s\t%s\t%s\t%s %s", p.Name, includes, p.List.Name, price, p.List.Currency)
}

type planSet struct {
	Name           string   `required:"" help:"Small letters, digits, hyphens."`
	Includes       []string `help:"What it includes besides messages, separated by commas: cards, directory; none for nothing. What is left out here and below stays as it is."`
	PriceList      string   `required:"" help:"Its price list."`
	DirectoryPrice string   `help:"A month, for each connected directory, in the price list's currency. A new plan needs it."`
	Anchor         int      `help:"Day of the month on which a directory's periods begin, of a new plan the 1st unless it is said."`
}

func (p planSet) Run(ctx context.Context, c *commands, t terminal) error {
	n := billing.NewPlan{Name: p.Name, Capabilities: p.Includes, List: p.PriceList, Anchor: p.Anchor}
	if slices.Equal(p.Includes, []string{"none"}) {
		n.Capabilities = []string{}
	}
	if p.DirectoryPrice != "" {
		micro, err := billing.ReadPrice(p.DirectoryPrice)
		if err != nil {
			return err
		}
		n.DirectoryMicro = &micro
	}
	return c.withApp(ctx, func(app *App) error {
		made, err := app.Plans.Set(ctx, n)
		if err != nil {
			return err
		}
		return c.sayPlan(t, made)
	})
}

type planAssign struct {
	Account   string `required:"" help:"The account."`
	Plan      string `required:"" help:"The plan."`
	PriceList string `help:"A price list of the account's own; its plan's when it is left out."`
	From      string `help:"A day such as 2026-12-01, from 00:00 UTC, or a time such as 2026-12-01T12:00:00Z; now when it is left out."`
}

func (p planAssign) Run(ctx context.Context, c *commands, t terminal) error {
	from, err := timeFrom(p.From)
	if err != nil {
		return err
	}
	return c.withAccount(ctx, p.Account, func(app *App, acc accounts.Account) error {
		term, err := app.Plans.Assign(ctx, acc.ID, billing.Assignment{Plan: p.Plan, List: p.PriceList, From: from})
		if err != nil {
			return err
		}
		return c.sayTerm(t, term)
	})
}

// timeFrom reads a day or a time; the zero time for an empty text.
func timeFrom(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, problem.Invalid("from", "%q is no day such as 2026-12-01, and no time such as 2026-12-01T12:00:00Z", text)
}

type planShow struct {
	Account string `required:"" help:"The account."`
}

func (p planShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, p.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Plans.Terms(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, term := range all {
			if err := c.sayTerm(t, term); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *commands) sayTerm(t terminal, term billing.Term) error {
	from, until := stamp(term.From), stamp(term.Until)
	answer := map[string]any{"plan": term.Plan.Name, "capabilities": term.Plan.Capabilities, "price_list": term.List().Name, "from": from, "until": until}
	return c.say(t.out, answer, "%s\t%s\t%s\t%s", term.Plan.Name, term.List().Name, from, until)
}

// stamp is a time as it is written for programs; empty for none.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
