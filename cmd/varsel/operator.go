package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
)

type operatorAdd struct {
	Email         string `required:"" help:"The user's e-mail address."`
	PasswordStdin bool   `help:"Read the password of a new user from standard input."`
}

func (o operatorAdd) Run(ctx context.Context, c *commands, t terminal) (err error) {
	password := ""
	if o.PasswordStdin {
		if password, err = readSecret(t.in); err != nil {
			return err
		}
	}
	return c.withApp(ctx, func(app *App) error {
		one, err := app.Accounts.AddOperator(ctx, o.Email, password)
		if err != nil {
			return err
		}
		return c.say(t.out, operatorAnswer(app, one), "%s may operate the installation.", one.Email)
	})
}

func operatorAnswer(app *App, o accounts.Operator) map[string]any {
	return map[string]any{"id": app.Names.Of(secrets.User, o.ID), "email": o.Email}
}

type operatorList struct{}

func (operatorList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		all, err := app.Accounts.Operators(ctx)
		if err != nil {
			return err
		}
		for _, o := range all {
			if err := c.say(t.out, operatorAnswer(app, o), "%s", o.Email); err != nil {
				return err
			}
		}
		return nil
	})
}

type operatorRemove struct {
	Email string `required:"" help:"The user's e-mail address."`
}

func (o operatorRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		if err := app.Accounts.RemoveOperator(ctx, o.Email); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"removed": o.Email}, "%s operates the installation no more; roles in accounts stay.", o.Email)
	})
}

type operatorKeyCreate struct {
	Name string `required:"" help:"What the key is for."`
}

func (o operatorKeyCreate) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		key, secret, err := app.Accounts.CreateOperatorKey(ctx, o.Name)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"id": app.Names.Of(secrets.Key, key.ID), "key": secret, "name": key.Name}, "%s", secret)
	})
}

type operatorKeyList struct{}

func (operatorKeyList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		keys, err := app.Accounts.OperatorKeys(ctx)
		if err != nil {
			return err
		}
		for _, key := range keys {
			id := app.Names.Of(secrets.Key, key.ID)
			answer := map[string]any{"id": id, "name": key.Name, "created": key.Created.UTC().Format(time.RFC3339)}
			if err := c.say(t.out, answer, "%s: %s", id, key.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

type operatorKeyRevoke struct {
	Key string `required:"" help:"The key's id, as operator key list shows it."`
}

func (o operatorKeyRevoke) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		id, err := app.Names.ID(secrets.Key, o.Key)
		if err != nil {
			return err
		}
		if err := app.Accounts.RevokeOperatorKey(ctx, id); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"revoked": o.Key}, "%s opens nothing any more.", o.Key)
	})
}
