package main

import (
	"context"
	"os"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type priceCreate struct {
	Name     string `required:"" help:"Small letters, digits, hyphens."`
	Currency string `required:"" help:"Currency code, such as NOK."`
}

func (p priceCreate) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		l, err := app.PriceLists.Create(ctx, p.Name, p.Currency)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"name": l.Name, "currency": l.Currency}, "%s\t%s", l.Name, l.Currency)
	})
}

// ofList is a command about a price list.
type ofList struct {
	List string `required:"" help:"The price list."`
}

func (o ofList) with(ctx context.Context, c *commands, do func(app *App, l billing.PriceList) error) error {
	return c.withApp(ctx, func(app *App) error {
		l, err := app.PriceLists.ByName(ctx, o.List)
		if err != nil {
			return err
		}
		return do(app, l)
	})
}

type priceImport struct {
	ofList `embed:""`
	From   string `help:"A day such as 2026-12-01, from 00:00 UTC, or a time; now when it is left out."`
	File   string `arg:"" type:"existingfile" help:"CSV with the columns country, lane and price."`
}

func (p priceImport) Run(ctx context.Context, c *commands, t terminal) error {
	from, err := timeFrom(p.From)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(p.File)
	if err != nil {
		return err
	}
	prices, err := billing.ParsePrices(file)
	if err != nil {
		return err
	}
	return p.with(ctx, c, func(app *App, l billing.PriceList) error {
		v, err := app.PriceLists.Add(ctx, l.ID, from, prices)
		if err != nil {
			return err
		}
		return c.sayPriceVersion(app, t, v)
	})
}

func (c *commands) sayPriceVersion(app *App, t terminal, v billing.Version) error {
	answer := map[string]any{"id": app.Names.Of(secrets.PriceVersion, v.ID), "valid_from": stamp(v.From), "prices": v.Prices, "withdrawn_at": stamp(v.Withdrawn)}
	note := ""
	if !v.Withdrawn.IsZero() {
		note = "\twithdrawn"
	}
	return c.say(t.out, answer, "%s\t%s\t%d%s", answer["id"], answer["valid_from"], v.Prices, note)
}

type priceWithdraw struct {
	ofList  `embed:""`
	Version string `arg:"" help:"The version's id."`
}

func (p priceWithdraw) Run(ctx context.Context, c *commands, t terminal) error {
	return p.with(ctx, c, func(app *App, l billing.PriceList) error {
		id, err := app.Names.ID(secrets.PriceVersion, p.Version)
		if err != nil {
			return err
		}
		if err := app.PriceLists.Withdraw(ctx, l.ID, id); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"withdrawn": p.Version}, "The version is withdrawn.")
	})
}

type priceList struct {
	List string `help:"The price list whose versions are listed; the lists when it is left out."`
}

func (p priceList) Run(ctx context.Context, c *commands, t terminal) error {
	if p.List == "" {
		return c.withApp(ctx, func(app *App) error { return c.sayLists(ctx, app, t) })
	}
	return ofList{p.List}.with(ctx, c, func(app *App, l billing.PriceList) error {
		all, err := app.PriceLists.Versions(ctx, l.ID)
		if err != nil {
			return err
		}
		for _, v := range all {
			if err := c.sayPriceVersion(app, t, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *commands) sayLists(ctx context.Context, app *App, t terminal) error {
	all, err := app.PriceLists.All(ctx)
	if err != nil {
		return err
	}
	for _, l := range all {
		if err := c.say(t.out, map[string]any{"name": l.Name, "currency": l.Currency}, "%s\t%s", l.Name, l.Currency); err != nil {
			return err
		}
	}
	return nil
}

type priceShow struct {
	Account string `xor:"whose" required:"" help:"The account whose prices are written, as they are now."`
	List    string `xor:"whose" required:"" help:"The price list whose prices are written, as they are now."`
	Version string `help:"A version of the list, by its id, instead of what is valid now."`
}

func (p priceShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		book, err := p.book(ctx, app)
		if err != nil {
			return err
		}
		all, err := app.PriceLists.Prices(ctx, book)
		if err != nil {
			return err
		}
		if !c.JSON {
			return billing.WritePrices(t.out, all)
		}
		for _, one := range all {
			if err := c.say(t.out, map[string]any{"country": one.Country, "lane": one.Lane, "price": billing.Money(one.Micro)}, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// book is the version that is asked for.
func (p priceShow) book(ctx context.Context, app *App) (int64, error) {
	if p.Account != "" {
		acc, err := app.Accounts.ByHandle(ctx, p.Account)
		if err != nil {
			return 0, err
		}
		book, err := app.PriceLists.CurrentBook(ctx, acc.ID)
		return book.ID, err
	}
	l, err := app.PriceLists.ByName(ctx, p.List)
	if err != nil {
		return 0, err
	}
	if p.Version != "" {
		id, err := app.Names.ID(secrets.PriceVersion, p.Version)
		if err != nil {
			return 0, err
		}
		v, err := app.PriceLists.Version(ctx, l.ID, id)
		return v.ID, err
	}
	all, err := app.PriceLists.Versions(ctx, l.ID)
	if err != nil {
		return 0, err
	}
	if id := billing.Current(all, time.Now()); id != 0 {
		return id, nil
	}
	return 0, problem.Conflict("price_list_empty", "the price list %s has no prices that are valid now", l.Name)
}
