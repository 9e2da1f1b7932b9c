package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type numberAdd struct {
	Account string `required:"" help:"The account that receives what is texted to it."`
	Number  string `required:"" help:"A number with + and country code, or a short code."`
	Carrier string `help:"The carrier it is at; any, if it is not given."`
}

func (n numberAdd) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, n.Account, func(app *App, acc accounts.Account) error {
		one, err := app.Queue.AddNumber(ctx, acc.ID, n.Number, n.Carrier)
		if err != nil {
			return err
		}
		one.Handle = acc.Handle
		return c.say(t.out, numberAnswer(one), "What is texted to %s goes to %s.", one.Number, acc.Handle)
	})
}

func numberAnswer(n smsqueue.Number) map[string]any {
	return map[string]any{"number": n.Number, "account": n.Handle, "carrier": n.Carrier, "created": n.Created.UTC().Format(time.RFC3339)}
}

type numberList struct{}

func (numberList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		all, err := app.Queue.Numbers(ctx)
		if err != nil {
			return err
		}
		for _, n := range all {
			at := n.Carrier
			if at == "" {
				at = "any carrier"
			}
			if err := c.say(t.out, numberAnswer(n), "%s\t%s\t%s", n.Number, n.Handle, at); err != nil {
				return err
			}
		}
		return nil
	})
}

type numberRemove struct {
	Number  string `required:"" help:"The number or short code."`
	Carrier string `help:"As it was added."`
}

func (n numberRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		if err := app.Queue.RemoveNumber(ctx, n.Number, n.Carrier); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"removed": n.Number}, "%s is no account's any more.", n.Number)
	})
}

type inboundList struct {
	Account string `xor:"whose" required:"" help:"The account."`
	Nobodys bool   `xor:"whose" required:"" help:"Those to numbers that no account has."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

func (i inboundList) Run(ctx context.Context, c *commands, t terminal) error {
	if i.Nobodys {
		return c.withApp(ctx, func(app *App) error { return i.list(ctx, c, t, app, smsqueue.Nobody) })
	}
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error { return i.list(ctx, c, t, app, acc.ID) })
}

func (i inboundList) list(ctx context.Context, c *commands, t terminal, app *App, account int64) error {
	all, err := app.Queue.Inbound(ctx, account, smsqueue.InboundFilter{Limit: i.Limit})
	if err != nil {
		return err
	}
	for _, m := range all {
		when, note := m.Received.UTC().Format(time.RFC3339), ""
		if m.Incomplete() {
			note = "\t(incomplete)"
		}
		answer := map[string]any{"id": app.Names.Of(secrets.Inbound, m.ID), "from": m.From, "to": m.To, "carrier": m.Carrier, "text": m.Text,
			"parts": m.Parts, "incomplete": m.Incomplete(), "received_at": when}
		if err := c.say(t.out, answer, "%s\t%s to %s\t%q%s", when, m.From, m.To, m.Text, note); err != nil {
			return err
		}
	}
	return nil
}
