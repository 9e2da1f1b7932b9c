package main

import (
	"context"
	"fmt"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type auditList struct {
	Account      string `xor:"whose" required:"" help:"The account."`
	Installation bool   `xor:"whose" required:"" help:"What was done to the installation."`
	Before       int64  `help:"Only entries before this number."`
	Limit        int    `default:"100" help:"How many, the newest first."`
}

func (l auditList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withChain(ctx, l.Account, func(app *App, account int64) error {
		all, err := audit.List(ctx, app.DB, account, l.Before, l.Limit)
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := c.say(t.out, entryAnswer(app, e), "%d\t%s\t%s\t%s\t%s\t%s", e.Seq, utc(e.At), actorText(app, e.Actor), e.Action, subjectText(app, e), textOf(e.Facts)); err != nil {
				return err
			}
		}
		return nil
	})
}

// withChain runs a command about the chain of an account, or of the installation when
// none is named.
func (c *commands) withChain(ctx context.Context, handle string, do func(app *App, account int64) error) error {
	if handle == "" {
		return c.withApp(ctx, func(app *App) error { return do(app, 0) })
	}
	return c.withAccount(ctx, handle, func(app *App, acc accounts.Account) error { return do(app, acc.ID) })
}

func entryAnswer(app *App, e audit.Entry) map[string]any {
	return map[string]any{"seq": e.Seq, "at": e.At.UTC().Format(time.RFC3339Nano), "action": e.Action, "actor": actorText(app, e.Actor),
		"subject": subjectText(app, e), "facts": e.Facts, "detail": e.Detail, "erased": e.Erased, "hash": e.Hash}
}

// actorText is who did something: its kind, and its name where it has one.
func actorText(app *App, a audit.Actor) string {
	switch {
	case a.Kind == audit.User && a.ID != 0:
		return app.Names.Of(secrets.User, a.ID)
	case a.Kind == audit.Key && a.ID != 0:
		return app.Names.Of(secrets.Key, a.ID)
	}
	return a.Kind
}

func subjectText(app *App, e audit.Entry) string {
	if e.Subject == "" || e.SubjectID == 0 {
		return e.Subject
	}
	return app.Names.Of(e.Subject, e.SubjectID)
}

func textOf(json any) string {
	if json == nil {
		return ""
	}
	return fmt.Sprintf("%s", json)
}

type auditVerify struct {
	Account      string `xor:"whose" required:"" help:"The account."`
	Installation bool   `xor:"whose" required:"" help:"What was done to the installation."`
	All          bool   `xor:"whose" required:"" help:"Every account, and the installation."`
	Head         string `help:"The hash that an earlier verification printed: refuse a chain that it is not in."`
	Entries      int64  `help:"How many entries that one counted."`
}

func (v auditVerify) Run(ctx context.Context, c *commands, t terminal) error {
	if (v.Head == "") != (v.Entries == 0) || v.Head != "" && v.All {
		return problem.Invalid("head", "give --head and --entries together, of one account")
	}
	if v.All {
		return c.withApp(ctx, func(app *App) error { return c.verifyAll(ctx, t, app) })
	}
	return c.withChain(ctx, v.Account, func(app *App, account int64) error {
		return c.verify(ctx, t, app, account, v.Account, audit.Head{Entries: v.Entries, Hash: v.Head})
	})
}

func (c *commands) verify(ctx context.Context, t terminal, app *App, account int64, handle string, kept audit.Head) error {
	if handle == "" {
		handle = "installation"
	}
	h, err := audit.VerifySince(ctx, app.DB, account, kept)
	if err != nil {
		return fmt.Errorf("%s: %w", handle, err)
	}
	return c.say(t.out, map[string]any{"chain": handle, "entries": h.Entries, "head": h.Hash}, "%s\t%d entries\t%s", handle, h.Entries, h.Hash)
}

// verifyAll goes on after a chain that is broken, and fails in the end.
func (c *commands) verifyAll(ctx context.Context, t terminal, app *App) error {
	wrong := c.verify(ctx, t, app, 0, "", audit.Head{})
	for after := int64(0); ; {
		some, err := app.Accounts.List(ctx, after, 100)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			return wrong
		}
		for _, acc := range some {
			if err := c.verify(ctx, t, app, acc.ID, acc.Handle, audit.Head{}); err != nil {
				fmt.Fprintln(t.err, err)
				wrong = err
			}
			after = acc.ID
		}
	}
}
