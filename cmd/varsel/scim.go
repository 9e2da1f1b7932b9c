package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// tenantURL is what Entra asks for under this name.
func tenantURL(app *App) string { return app.Config.publicURL() + directory.SCIMPath }

var errNoSCIM = problem.Conflict("no_connection", "no directory may write to this account yet: varsel directory scim-connect")

type scimConnect struct {
	Account string `required:"" help:"The account."`
	Name    string `default:"Microsoft Entra ID" help:"Of the first token, by which to tell it from others."`
}

func (s scimConnect) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		con, token, err := app.Directory.ConnectSCIM(ctx, acc.ID, s.Name)
		if err != nil {
			return err
		}
		answer := connectionAnswer(app, con)
		answer["tenant_url"], answer["token"] = tenantURL(app), token
		return c.say(t.out, answer, "Tenant URL:   %s\nSecret token: %s\nConnection %s is open. The token is not shown again.", tenantURL(app), token, answer["id"])
	})
}

type scimToken struct {
	oneConnection
	Name string `required:"" help:"By which to tell it from others."`
}

func (s scimToken) Run(ctx context.Context, c *commands, t terminal) error {
	return s.withKind(ctx, c, directory.FromSCIM, func(app *App, con directory.Connection) error {
		made, token, err := app.Directory.NewSCIMToken(ctx, con.Account, con.ID, s.Name)
		if err != nil {
			return err
		}
		answer := tokenAnswer(app, made)
		answer["tenant_url"], answer["token"] = tenantURL(app), token
		return c.say(t.out, answer, "%s", token)
	})
}

func tokenAnswer(app *App, made directory.SCIMToken) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Token, made.ID), "connection": app.Names.Of(secrets.Connection, made.Connection), "name": made.Name}
	for name, at := range map[string]time.Time{"created": made.Created, "used": made.Used, "revoked": made.Revoked} {
		if !at.IsZero() {
			answer[name] = at.UTC().Format(time.RFC3339)
		}
	}
	return answer
}

type scimTokens struct{ oneConnection }

func (s scimTokens) Run(ctx context.Context, c *commands, t terminal) error {
	return s.withKind(ctx, c, directory.FromSCIM, func(app *App, con directory.Connection) error {
		all, err := app.Directory.SCIMTokens(ctx, con.Account, con.ID)
		if err != nil {
			return err
		}
		for _, one := range all {
			answer := tokenAnswer(app, one)
			if err := c.say(t.out, answer, "%s: %s, %s", answer["id"], one.Name, tokenState(one)); err != nil {
				return err
			}
		}
		return nil
	})
}

func tokenState(one directory.SCIMToken) string {
	switch {
	case !one.Revoked.IsZero():
		return "revoked " + one.Revoked.UTC().Format(time.RFC3339)
	case one.Used.IsZero():
		return "never used"
	}
	return "last used " + one.Used.UTC().Format(time.RFC3339)
}

type scimRevoke struct {
	oneConnection
	Token string `required:"" help:"The token, as varsel directory scim-tokens lists them."`
}

func (s scimRevoke) Run(ctx context.Context, c *commands, t terminal) error {
	return s.withKind(ctx, c, directory.FromSCIM, func(app *App, con directory.Connection) error {
		id, err := app.Names.ID(secrets.Token, s.Token)
		if err != nil {
			return err
		}
		if err := app.Directory.RevokeSCIMToken(ctx, con.Account, con.ID, id); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"revoked": s.Token}, "Token %s is not accepted any more.", s.Token)
	})
}
