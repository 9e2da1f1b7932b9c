package main

import (
	"context"
	"os"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

type inviteAdd struct {
	Account  string `required:"" help:"The account."`
	Name     string `required:"" help:"What it is for, as in 'Summer party'."`
	Target   string `required:"" help:"Where it leads, for good: the address of a page, with https."`
	Ends     string `help:"From then on it leads nowhere: as 2027-03-28T18:00 in the account's time zone, or with an offset; never if empty."`
	Template string `help:"The name or id of a template of cards, whose QR style the code has; a plain one if empty."`
}

// Run makes an invite.
func (a inviteAdd) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, a.Account, func(app *App, acc accounts.Account) error {
		n := cards.NewInvite{Name: a.Name, Target: a.Target}
		if a.Template != "" {
			one, err := app.cardTemplate(ctx, acc.ID, a.Template)
			if err != nil {
				return err
			}
			n.Template = one.ID
		}
		if a.Ends != "" {
			var err error
			if n.Ends, _, _, err = app.Queue.StartTime(ctx, acc.ID, a.Ends, ""); err != nil {
				return err
			}
		}
		i, err := app.Cards.AddInvite(ctx, acc.ID, n, time.Now())
		if err != nil {
			return err
		}
		return sayInvite(c, t, app, i)
	})
}

func sayInvite(c *commands, t terminal, app *App, i cards.Invite) error {
	answer := map[string]any{"id": app.Names.Of(secrets.Invite, i.ID), "name": i.Name, "target": i.Target, "over": i.Over(time.Now())}
	link := ""
	if public := app.Config.reachableURL(); public != "" {
		link = cards.InviteAddress(public, i.Slug)
		answer["link"] = link
	}
	if !i.Ends.IsZero() {
		answer["ends_at"] = i.Ends.UTC()
	}
	state := "open"
	if answer["over"] == true {
		state = "over"
	}
	return c.say(t.out, answer, "%s\t%s\t%s\t%s\t%s", answer["id"], state, i.Name, link, i.Target)
}

type inviteList struct {
	Account string `required:"" help:"The account."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

// Run lists the account's invites.
func (l inviteList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Cards.Invites(ctx, acc.ID, 0, l.Limit)
		if err != nil {
			return err
		}
		for _, i := range all {
			if err := sayInvite(c, t, app, i); err != nil {
				return err
			}
		}
		return nil
	})
}

type oneInvite struct {
	Account string `required:"" help:"The account."`
	Invite  string `arg:"" help:"Its id."`
}

type inviteShow struct {
	oneInvite
	Code string `type:"path" help:"A file that the QR code is written to."`
	Form string `enum:"png,svg,pdf" default:"png" help:"Of the QR code: png, svg or pdf."`
}

// Run shows an invite, and writes its code where it is asked for.
func (s inviteShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Invite, s.Invite)
		if err != nil {
			return err
		}
		i, err := app.Cards.Invite(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		if s.Code != "" {
			file, err := app.Cards.InviteCode(ctx, i, app.Config.reachableURL(), cards.CodeForm(s.Form), time.Now())
			if err != nil {
				return err
			}
			if err := os.WriteFile(s.Code, file, 0o644); err != nil {
				return err
			}
		}
		return sayInvite(c, t, app, i)
	})
}

type inviteEnd struct{ oneInvite }

// Run lets an invite lead nowhere from now on.
func (e inviteEnd) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Invite, e.Invite)
		if err != nil {
			return err
		}
		i, err := app.Cards.EndInvite(ctx, acc.ID, id, time.Now())
		if err != nil {
			return err
		}
		return sayInvite(c, t, app, i)
	})
}
