package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

// keeper is the account that a command is about; without one it is all accounts that
// say nothing.
type keeper struct {
	Account string `help:"The account; without one, what holds for accounts that say nothing."`
}

func (k keeper) with(ctx context.Context, c *commands, do func(app *App, account int64) error) error {
	return c.withApp(ctx, func(app *App) error {
		if k.Account == "" {
			return do(app, 0)
		}
		acc, err := app.Accounts.ByHandle(ctx, k.Account)
		if err != nil {
			return err
		}
		return do(app, acc.ID)
	})
}

type retentionShow struct{ keeper }

func (s retentionShow) Run(ctx context.Context, c *commands, t terminal) error {
	return s.with(ctx, c, func(app *App, account int64) error {
		kept, err := app.Privacy.Retention(ctx, account)
		if err != nil {
			return err
		}
		for _, k := range kept {
			answer, last := map[string]any{"class": k.Name, "says": k.Says}, "never run"
			if k.Fixed() {
				answer["hours"] = k.Hours
				if err := c.say(t.out, answer, "%s\t%d hours\tfixed", k.Name, k.Hours); err != nil {
					return err
				}
				continue
			}
			answer["days"], answer["min_days"], answer["max_days"] = k.Days, k.Min, k.Max
			if k.Held != nil {
				answer["hold"] = app.Names.Of(secrets.Hold, k.Held.ID)
			}
			if k.Last != nil {
				answer["last_run"] = retentionRunAnswer(*k.Last)
				last = utc(k.Last.Started) + " " + k.Last.Outcome
			}
			if err := c.say(t.out, answer, "%s\t%d days\t%s\t%s", k.Name, k.Days, k.Says, last); err != nil {
				return err
			}
		}
		return showHolds(ctx, c, t, app, account)
	})
}

func showHolds(ctx context.Context, c *commands, t terminal, app *App, account int64) error {
	holds, err := app.Privacy.Holds(ctx, account)
	for _, h := range holds {
		if err == nil {
			err = sayHold(c, t, app, h, "stands")
		}
	}
	return err
}

func sayHold(c *commands, t terminal, app *App, h privacy.Hold, what string) error {
	name, class := app.Names.Of(secrets.Hold, h.ID), h.Class
	if class == "" {
		class = "everything"
	}
	return c.say(t.out, map[string]any{"hold": name, "class": h.Class, "all_accounts": h.Account == 0, "reason": h.Reason, "since": utc(h.Since)},
		"hold %s\t%s\t%s since %s\t%q", name, class, what, utc(h.Since), h.Reason)
}

func retentionRunAnswer(r privacy.Run) map[string]any {
	answer := map[string]any{"class": r.Class, "outcome": r.Outcome, "count": r.Count, "started_at": utc(r.Started), "took_ms": r.Took.Milliseconds()}
	if !r.Oldest.IsZero() {
		answer["oldest_left"] = utc(r.Oldest)
	}
	return answer
}

type retentionSet struct {
	keeper
	Class string `required:"" help:"The class of data; varsel retention show lists them."`
	Days  int    `required:"" help:"For how many days it is kept; 0 says nothing, and what holds for all accounts holds."`
}

func (s retentionSet) Run(ctx context.Context, c *commands, t terminal) error {
	return s.with(ctx, c, func(app *App, account int64) error {
		if err := app.Privacy.SetRetention(ctx, account, s.Class, s.Days); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"class": s.Class, "days": s.Days}, "Said. What is too old goes with the next run (varsel retention run).")
	})
}

type retentionRun struct{ keeper }

func (r retentionRun) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, account int64) error {
		if r.Account == "" {
			if err := app.Privacy.RunRetention(ctx, time.Now()); err != nil {
				return err
			}
			return c.say(t.out, map[string]any{"done": true}, "What was too old of all accounts is gone.")
		}
		runs, err := app.Privacy.RunRetentionOf(ctx, account, time.Now())
		for _, one := range runs {
			if said := c.say(t.out, retentionRunAnswer(one), "%s\t%s\t%d\t%s", one.Class, one.Outcome, one.Count, one.Took.Round(time.Millisecond)); said != nil {
				return said
			}
		}
		return err
	})
}

type retentionHold struct {
	keeper
	Class  string `help:"Only this class of data."`
	Reason string `help:"Why, as the number of a case."`
	Lift   string `help:"Lift this hold instead."`
}

func (h retentionHold) Run(ctx context.Context, c *commands, t terminal) error {
	return h.with(ctx, c, func(app *App, account int64) error {
		if h.Lift == "" {
			held, err := app.Privacy.Hold(ctx, account, h.Class, h.Reason)
			if err != nil {
				return err
			}
			return sayHold(c, t, app, held, "stands")
		}
		id, err := app.Names.ID(secrets.Hold, h.Lift)
		if err == nil {
			err = app.Privacy.LiftHold(ctx, account, id)
		}
		if problem.Has(err, "hold_not_found") && h.Account == "" {
			return problem.New(problem.KindNotFound, "hold_not_found", "there is no such hold of all accounts: name the account with --account")
		}
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"lifted": h.Lift}, "The hold is lifted.")
	})
}
