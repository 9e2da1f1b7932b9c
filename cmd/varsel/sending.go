package main

import (
	"context"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// accountSending shows how an account sends; what is given is changed before.
type accountSending struct {
	Account       string  `required:"" help:"The account."`
	Windows       *string `help:"When bulk messages leave, where the recipient is: 'Mon-Fri 08:00-20:00, Sat 10:00-16:00'; empty is any time."`
	WindowsNormal *bool   `negatable:"" help:"The lane normal keeps to them too. Urgent never waits."`
	Zone          *string `help:"IANA, of recipients whose number tells none, and of the days and months below: Europe/Oslo."`
	PerHour       *int    `help:"Parts that leave in an hour at the most; what is over it waits. 0 is any number."`
	PerDay        *int    `help:"The same of a day."`
	PerMonth      *int    `help:"The same of a month."`
}

func (s accountSending) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		r, err := app.Queue.Rules(ctx, acc.ID)
		if err != nil {
			return err
		}
		changed, err := s.change(&r)
		if err != nil {
			return err
		}
		if changed {
			if err := app.Queue.SetRules(ctx, acc.ID, r); err != nil {
				return err
			}
		}
		return sayRules(c, t, r)
	})
}

func (s accountSending) change(r *smsqueue.Rules) (changed bool, err error) {
	if s.Windows != nil {
		if r.Windows, err = window.Parse(*s.Windows); err != nil {
			return false, err
		}
	}
	changed = s.Windows != nil
	changed = given(&r.Normal, s.WindowsNormal) || changed
	changed = given(&r.Zone, s.Zone) || changed
	changed = given(&r.PerHour, s.PerHour) || changed
	changed = given(&r.PerDay, s.PerDay) || changed
	return given(&r.PerMonth, s.PerMonth) || changed, nil
}

// given puts a flag's value in its place, if the flag was given.
func given[T any](what *T, flag *T) bool {
	if flag != nil {
		*what = *flag
	}
	return flag != nil
}

func sayRules(c *commands, t terminal, r smsqueue.Rules) error {
	windows := r.Windows.String()
	if windows == "" {
		windows = "any time"
	}
	lanes := "bulk"
	if r.Normal {
		lanes = "bulk and normal"
	}
	return c.say(t.out, map[string]any{"windows": r.Windows.String(), "windows_normal": r.Normal, "zone": r.Zone,
		"per_hour": r.PerHour, "per_day": r.PerDay, "per_month": r.PerMonth},
		"%s: %s\nzone: %s\nparts at the most (0: any number): %d an hour, %d a day, %d a month", lanes, windows, r.Zone, r.PerHour, r.PerDay, r.PerMonth)
}
