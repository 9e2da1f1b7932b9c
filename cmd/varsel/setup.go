package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/migrations"
)

type migrateCommand struct{}

func (migrateCommand) Run(ctx context.Context, c *commands, t terminal) error {
	d, err := db.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer d.Close()
	steps, err := migrations.Up(ctx, d)
	if err != nil {
		return err
	}
	return c.say(t.out, map[string]any{"steps": steps}, "The database is at the newest schema (%d steps taken).", steps)
}

type accountCreate struct {
	ID     string `required:"" help:"Its name in commands: small letters, digits, hyphens."`
	Name   string `required:"" help:"The organisation's name."`
	Region string `required:"" help:"Country code (NO, PL, ...): how numbers without a country code are read."`
	Sender string `help:"Sender of messages that name none."`

	Currency  string `default:"EUR" help:"Of its prices and invoices; it does not change."`
	Plan      string `help:"Its plan; the first one when it is left out."`
	PriceList string `help:"A price list of its own; its plan's when it is left out."`
}

func (a accountCreate) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		acc, err := app.Accounts.Create(ctx, accounts.Account{Handle: a.ID, Name: a.Name, Region: a.Region, Sender: a.Sender, Currency: a.Currency},
			func(ctx context.Context, tx *db.Tx, acc accounts.Account) error {
				return app.Plans.Open(ctx, tx, acc.ID, acc.Currency, billing.Assignment{Plan: a.Plan, List: a.PriceList})
			})
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"id": acc.Handle, "name": acc.Name, "region": acc.Region, "sender": acc.Sender, "currency": acc.Currency},
			"Account %s is open.", acc.Handle)
	})
}

type userCreate struct {
	Account       string `required:"" help:"The account."`
	Email         string `required:"" help:"The user's e-mail address."`
	Role          string `required:"" help:"owner, admin, sender or viewer."`
	PasswordStdin bool   `required:"" help:"Read the password from standard input."`
}

func (u userCreate) Run(ctx context.Context, c *commands, t terminal) error {
	password, err := readSecret(t.in)
	if err != nil {
		return err
	}
	return c.withAccount(ctx, u.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Accounts.CreateUser(ctx, acc.ID, u.Email, u.Role, password)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"id": app.Names.Of(secrets.User, id), "email": strings.ToLower(u.Email), "role": u.Role},
			"%s may sign in as %s of %s.", u.Email, u.Role, acc.Handle)
	})
}

// readSecret reads standard input up to its end, without the last line break.
func readSecret(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, 64*1024))
	return strings.TrimRight(string(text), "\r\n"), err
}

type apikeyCreate struct {
	Account string   `required:"" help:"The account."`
	Scopes  []string `required:"" help:"What the key may do, separated by commas; '*' is everything."`
	Owner   string   `help:"E-mail address of who answers for the key; it is flagged when they leave the directory."`
}

func (k apikeyCreate) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, k.Account, func(app *App, acc accounts.Account) error {
		key, secret, err := app.Accounts.CreateKey(ctx, acc.ID, k.Scopes, k.Owner)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"id": app.Names.Of(secrets.Key, key.ID), "key": secret, "scopes": key.Scopes}, "%s", secret)
	})
}

type apikeyList struct {
	Account string `required:"" help:"The account."`
}

func (k apikeyList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, k.Account, func(app *App, acc accounts.Account) error {
		keys, err := app.Accounts.Keys(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, key := range keys {
			id, flag := app.Names.Of(secrets.Key, key.ID), ""
			if !key.Flagged.IsZero() {
				flag = fmt.Sprintf(", whose owner left on %s", key.Flagged.Format(time.DateOnly))
			}
			answer := map[string]any{"id": id, "scopes": key.Scopes, "owner": key.Owner, "flagged": !key.Flagged.IsZero(),
				"created": key.Created.UTC().Format(time.RFC3339)}
			if err := c.say(t.out, answer, "%s: %s %s%s", id, strings.Join(key.Scopes, ","), key.Owner, flag); err != nil {
				return err
			}
		}
		return nil
	})
}
