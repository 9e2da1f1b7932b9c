package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

type privacyFind struct {
	Account string `required:"" help:"The account."`
	Text    string `arg:"" help:"A number, an e-mail address, a contact's id or a part of a name."`
	Limit   int    `default:"20" help:"How many people."`
}

func (f privacyFind) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, f.Account, func(app *App, acc accounts.Account) error {
		found, err := app.Privacy.Find(ctx, acc.ID, f.Text, f.Limit)
		if err != nil {
			return err
		}
		for _, m := range found {
			counts, err := app.Privacy.Counts(ctx, m.Person)
			if err != nil {
				return err
			}
			held, words := map[string]int{}, []string{}
			for _, c := range counts {
				if held[c.Section] = c.N; c.N > 0 {
					words = append(words, fmt.Sprintf("%s %d", c.Section, c.N))
				}
			}
			if err := c.say(t.out, map[string]any{"ref": m.Ref, "names": m.Names, "numbers": m.Numbers, "emails": m.Emails, "held": held},
				"%s\t%s\t%s\t%s\t%s", m.Ref, strings.Join(m.Names, ", "), strings.Join(m.Numbers, ", "), strings.Join(m.Emails, ", "), strings.Join(words, ", ")); err != nil {
				return err
			}
		}
		return nil
	})
}

type privacyExport struct {
	Account  string `required:"" help:"The account."`
	Person   string `required:"" help:"A contact's id, a number, or what find answers as ref."`
	Format   string `default:"json" enum:"json,html" help:"json, or html to be read and printed."`
	Language string `default:"en" enum:"en,nb,pl" help:"Of the page."`
	Output   string `help:"File to write, readable by its owner alone; standard output when left out."`
}

func (e privacyExport) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		m, err := app.Privacy.Person(ctx, acc.ID, e.Person)
		if err != nil {
			return err
		}
		write := func(w io.Writer) error { return app.Privacy.ExportPerson(ctx, acc.ID, m, e.Format, e.Language, w) }
		if e.Output == "" {
			return write(t.out)
		}
		file, err := os.OpenFile(e.Output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if err := errors.Join(write(file), file.Close()); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"file": e.Output}, "Written to %s.", e.Output)
	})
}

type privacyErase struct {
	Account string `required:"" help:"The account."`
	Person  string `required:"" help:"A contact's id, a number, or what find answers as ref."`
	Reason  string `required:"" help:"Why; it stays, so it must not name the person."`
	Yes     bool   `required:"" help:"Yes, for good: it cannot be undone."`
}

func (e privacyErase) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		done, err := app.Privacy.Erase(ctx, acc.ID, e.Person, e.Reason)
		if err != nil {
			return err
		}
		still := []string{}
		for _, o := range done.Still {
			still = append(still, o.ID)
		}
		answer := erasureAnswer(app, done)
		answer["still_in_directory"] = still
		if err := c.say(t.out, answer, "Erased: %s.", app.Names.Of(secrets.Erasure, done.ID)); err != nil || len(still) == 0 || c.JSON {
			return err
		}
		return c.say(t.out, answer, "This person is still in the directory, and every sync is told of them and leaves them out. "+
			"Hide or remove them there: object id %s", strings.Join(still, ", "))
	})
}

func erasureAnswer(app *App, e privacy.Erasure) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Erasure, e.ID), "at": utc(e.At), "reason": e.Reason, "found": e.What, "replayed": e.Replayed}
	if !e.Lifted.IsZero() {
		answer["lifted_at"] = utc(e.Lifted)
	}
	return answer
}

type privacyList struct {
	Account string `required:"" help:"The account."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

func (l privacyList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Privacy.Erasures(ctx, acc.ID, 0, l.Limit)
		if err != nil {
			return err
		}
		for _, e := range all {
			note := ""
			if !e.Lifted.IsZero() {
				note = "\tlifted " + utc(e.Lifted)
			}
			if err := c.say(t.out, erasureAnswer(app, e), "%s\t%s\t%q%s", app.Names.Of(secrets.Erasure, e.ID), utc(e.At), e.Reason, note); err != nil {
				return err
			}
		}
		return nil
	})
}

type privacyLift struct {
	Account string `required:"" help:"The account."`
	Erasure string `required:"" help:"Its id, as list answers it."`
}

func (l privacyLift) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Erasure, l.Erasure)
		if err != nil {
			return err
		}
		e, err := app.Privacy.Lift(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		return c.say(t.out, erasureAnswer(app, e), "Lifted: whom it is of may come back. What was erased stays so.")
	})
}

type privacyReplay struct {
	From string `type:"existingfile" help:"The list of erasures; the installation's own when left out."`
}

func (r privacyReplay) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		done, err := app.Privacy.Replay(ctx, r.From)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"lines": done.Lines, "erased": done.Erased, "lifted": done.Lifted},
			"%d lines, %d erasures done again, %d lifted.", done.Lines, done.Erased, done.Lifted)
	})
}
