package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
)

// oneSender is a command about a sender of an account.
type oneSender struct {
	Account string `required:"" help:"The account."`
	Sender  string `required:"" help:"The sender: a name, a number or a short code."`
}

type senderAllow struct{ oneSender }

func (s senderAllow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		one, err := app.Queue.AllowSender(ctx, acc.ID, s.Sender)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"account": acc.Handle, "sender": one.Sender}, "%s may send as %s.", acc.Handle, one.Sender)
	})
}

type senderList struct {
	Account string `required:"" help:"The account."`
}

func (s senderList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Queue.AllowedSenders(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, one := range all {
			since := one.Created.UTC().Format(time.RFC3339)
			if err := c.say(t.out, map[string]any{"account": acc.Handle, "sender": one.Sender, "created": since}, "%s\tsince %s", one.Sender, since); err != nil {
				return err
			}
		}
		return nil
	})
}

type senderRemove struct{ oneSender }

func (s senderRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		if err := app.Queue.DisallowSender(ctx, acc.ID, s.Sender); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"account": acc.Handle, "removed": s.Sender}, "%s may not send as %s any more.", acc.Handle, s.Sender)
	})
}
