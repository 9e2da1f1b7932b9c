package main

import (
	"context"
	"os"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/smsqueue"
)

type suppressionList struct {
	Account string `required:"" help:"The account."`
	Number  string `help:"Only this number."`
	Lifted  bool   `help:"Those that were lifted too."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

func (l suppressionList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Queue.Suppressions(ctx, acc.ID, smsqueue.SuppressionFilter{Phone: l.Number, Lifted: l.Lifted, Limit: l.Limit})
		if err != nil {
			return err
		}
		for _, s := range all {
			note := ""
			if !s.Stands() {
				note = "\tlifted " + utc(s.Lifted) + " (" + string(s.LiftedBy) + ")"
			}
			if err := c.say(t.out, suppressionAnswer(s), "%s\t%s\t%s\t%q%s", utc(s.Created), s.Phone, s.Reason, s.Note, note); err != nil {
				return err
			}
		}
		return nil
	})
}

func utc(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func suppressionAnswer(s smsqueue.Suppression) map[string]any {
	answer := map[string]any{"phone": s.Phone, "reason": s.Reason, "note": s.Note, "created_at": utc(s.Created)}
	if !s.Stands() {
		answer["lifted_at"], answer["lifted_by"] = utc(s.Lifted), s.LiftedBy
	}
	return answer
}

type suppressionAdd struct {
	Account string `required:"" help:"The account."`
	Number  string `required:"" help:"The number."`
	Note    string `help:"Why."`
}

func (a suppressionAdd) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, a.Account, func(app *App, acc accounts.Account) error {
		s, added, err := app.Queue.Suppress(ctx, acc.ID, smsqueue.NewSuppression{Phone: a.Number, Note: a.Note})
		if err != nil {
			return err
		}
		answer := suppressionAnswer(s)
		if answer["added"] = added; added {
			return c.say(t.out, answer, "Nothing is sent to %s any more.", s.Phone)
		}
		return c.say(t.out, answer, "Nothing has been sent to %s since %s (%s).", s.Phone, utc(s.Created), s.Reason)
	})
}

type suppressionRemove struct {
	Account string `required:"" help:"The account."`
	Number  string `required:"" help:"The number."`
}

func (r suppressionRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, r.Account, func(app *App, acc accounts.Account) error {
		if err := app.Queue.Unsuppress(ctx, acc.ID, r.Number); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"lifted": r.Number}, "%s can be sent to again.", r.Number)
	})
}

type suppressionImport struct {
	Account string `required:"" help:"The account."`
	File    string `required:"" type:"existingfile" help:"A list as CSV; of each row the first field with a number is taken."`
}

func (i suppressionImport) Run(ctx context.Context, c *commands, t terminal) error {
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error {
		done, err := app.Queue.ImportSuppressions(ctx, acc.ID, 0, file)
		if err != nil {
			return err
		}
		added, known, refused := done.Count(smsqueue.RowSuppressed), done.Count(smsqueue.RowKnown)+done.Count(smsqueue.RowRepeated), done.Refused()
		for _, r := range refused {
			if err := c.say(t.out, map[string]any{"row": r.Row, "reason": r.Reason}, "row %d\t%s", r.Row, r.Reason); err != nil {
				return err
			}
		}
		return c.say(t.out, map[string]any{"added": added, "known": known, "refused": len(refused)},
			"%d numbers are suppressed now, %d were before, %d rows have none.", added, known, len(refused))
	})
}

type suppressionSettings struct {
	Account      string  `required:"" help:"The account."`
	Replies      *bool   `negatable:"" help:"Answer stop, start and help."`
	Urgent       *bool   `negatable:"" help:"Send urgent messages to suppressed numbers too."`
	OptOutNumber *string `help:"One of the account's numbers, to which those text who cannot answer the sender: texts say {{opt_out_number}}. Empty for none."`
}

func (s suppressionSettings) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		o, err := app.Queue.OptOutSettings(ctx, acc.ID)
		if err != nil {
			return err
		}
		changed := given(&o.Replies, s.Replies)
		changed = given(&o.Urgent, s.Urgent) || changed
		if given(&o.Number, s.OptOutNumber) || changed {
			if err := app.Queue.SetOptOutSettings(ctx, acc.ID, o); err != nil {
				return err
			}
			if o, err = app.Queue.OptOutSettings(ctx, acc.ID); err != nil {
				return err
			}
		}
		number := o.Number
		if number == "" {
			number = "none"
		}
		return c.say(t.out, map[string]any{"replies": o.Replies, "urgent": o.Urgent, "opt_out_number": o.Number},
			"stop, start and help are answered: %v\nurgent messages go to suppressed numbers: %v\nwho cannot answer the sender texts: %s", o.Replies, o.Urgent, number)
	})
}

// suppressionListsJob forgets lists of numbers that were looked at.
func suppressionListsJob(q *smsqueue.Queue) smsqueue.Job {
	return smsqueue.Job{Name: "drop-suppression-lists", Every: 5 * time.Minute, Run: q.DropSuppressionLists}
}
