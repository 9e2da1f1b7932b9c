package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// campaignRef names one campaign of an account.
type campaignRef struct {
	Account  string `required:"" help:"The account."`
	Campaign string `arg:"" help:"The campaign's id (cmp_...)."`
}

func (r campaignRef) with(ctx context.Context, c *commands, do func(app *App, cam smsqueue.Campaign) error) error {
	return c.withAccount(ctx, r.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Campaign, r.Campaign)
		if err != nil {
			return err
		}
		cam, err := app.Queue.Campaign(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		return do(app, cam)
	})
}

type campaignList struct {
	Account string `required:"" help:"The account."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

func (l campaignList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Queue.Campaigns(ctx, acc.ID, 0, l.Limit)
		if err != nil {
			return err
		}
		for _, cam := range all {
			line := fmt.Sprintf("%s\t%s\t%s\t%d recipients\t%s", app.Names.Of(secrets.Campaign, cam.ID), cam.Created.UTC().Format(time.RFC3339),
				cam.State, cam.Counts.Total(), cam.Name)
			if err := c.say(t.out, campaignAnswer(app, cam), "%s", line); err != nil {
				return err
			}
		}
		return nil
	})
}

type campaignShow struct{ campaignRef }

func (s campaignShow) Run(ctx context.Context, c *commands, t terminal) error {
	return s.with(ctx, c, func(app *App, cam smsqueue.Campaign) error {
		why, err := app.Queue.Why(ctx, cam.Account, cam.ID)
		if err != nil {
			return err
		}
		answer, text := campaignAnswer(app, cam), campaignText(app, cam)
		if cam.Scheduled() {
			answer["start_at"], answer["zone"] = cam.Start.UTC().Format(time.RFC3339), cam.Zone
			text += "\n" + startText(cam)
		}
		if !cam.Windows.Empty() {
			answer["windows"] = cam.Windows.String()
			text += "\nmay go " + cam.Windows.String()
		}
		answer["waits"] = waitAnswers(why)
		for _, w := range why {
			text += "\n" + waitText(w)
		}
		return c.say(t.out, answer, "%s", text)
	})
}

func startText(cam smsqueue.Campaign) string {
	start := cam.Start
	if zone, err := time.LoadLocation(cam.Zone); err == nil {
		start = start.In(zone)
	}
	return fmt.Sprintf("starts %s (%s), in %s", start.Format("2006-01-02 15:04:05"), start.Location(), time.Until(start).Round(time.Second))
}

func waitAnswers(why []smsqueue.Wait) []map[string]any {
	all := []map[string]any{}
	for _, w := range why {
		one := map[string]any{"code": w.Code, "detail": w.Detail, "messages": w.Messages}
		if !w.Until.IsZero() {
			one["until"] = w.Until.UTC().Format(time.RFC3339)
		}
		all = append(all, one)
	}
	return all
}

func waitText(w smsqueue.Wait) string {
	text := fmt.Sprintf("waits: %s", strings.ReplaceAll(w.Code, "_", " "))
	if w.Detail != "" {
		text += " (" + w.Detail + ")"
	}
	if w.Messages > 0 {
		text += fmt.Sprintf(", %d messages", w.Messages)
	}
	if !w.Until.IsZero() {
		text += ", until " + w.Until.UTC().Format(time.RFC3339)
	}
	return text
}

type campaignPause struct{ campaignRef }

func (p campaignPause) Run(ctx context.Context, c *commands, t terminal) error {
	return p.turn(ctx, c, t, func(q *smsqueue.Queue) turn { return q.Pause })
}

type campaignResume struct {
	campaignRef
	MaxCost string `help:"Its new ceiling, as in 12.50. One that is held at its ceiling needs it."`
}

func (r campaignResume) Run(ctx context.Context, c *commands, t terminal) error {
	most, err := ceiling(r.MaxCost)
	if err != nil {
		return err
	}
	return r.turn(ctx, c, t, func(q *smsqueue.Queue) turn {
		return func(ctx context.Context, account, id int64) (smsqueue.Campaign, error) {
			return q.ResumeUpTo(ctx, account, id, most)
		}
	})
}

type campaignCancel struct{ campaignRef }

func (x campaignCancel) Run(ctx context.Context, c *commands, t terminal) error {
	return x.turn(ctx, c, t, func(q *smsqueue.Queue) turn { return q.Cancel })
}

type turn func(ctx context.Context, account, id int64) (smsqueue.Campaign, error)

func (r campaignRef) turn(ctx context.Context, c *commands, t terminal, which func(q *smsqueue.Queue) turn) error {
	return r.with(ctx, c, func(app *App, cam smsqueue.Campaign) error {
		cam, err := which(app.Queue)(ctx, cam.Account, cam.ID)
		if err != nil {
			return err
		}
		return c.say(t.out, campaignAnswer(app, cam), "%s is %s; %d are not sent to.", r.Campaign, cam.State,
			cam.Counts[smsqueue.Queued]+cam.Counts[smsqueue.Cancelled])
	})
}

type campaignResend struct {
	campaignRef
	Status []string  `help:"Only messages in these: unconfirmed, undelivered, expired, rejected, failed, cancelled, skipped. All of them, if none is given."`
	Reason []string  `help:"Only messages that ended for these reasons, as the campaign's outcomes list them."`
	From   time.Time `help:"Only messages that ended at this time (RFC 3339) or later."`
	Until  time.Time `help:"Only messages that ended before it."`
	Key    string    `help:"The same key takes effect once."`
}

func (r campaignResend) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, cam smsqueue.Campaign) error {
		f := smsqueue.AudienceFilter{Reasons: r.Reason, From: r.From, To: r.Until}
		for _, s := range r.Status {
			f.Statuses = append(f.Statuses, smsqueue.Status(s))
		}
		again, err := app.Queue.Resend(ctx, cam.Account, cam.ID, f, r.Key, fmt.Sprint(cam.ID, f))
		if err != nil {
			return err
		}
		return c.say(t.out, campaignAnswer(app, again), "%s goes to those whom %s did not reach.", app.Names.Of(secrets.Campaign, again.ID), r.Campaign)
	})
}

type campaignOutcomes struct{ campaignRef }

func (o campaignOutcomes) Run(ctx context.Context, c *commands, t terminal) error {
	return o.with(ctx, c, func(app *App, cam smsqueue.Campaign) error {
		all, err := app.Queue.Outcomes(ctx, cam.Account, cam)
		if err != nil {
			return err
		}
		for _, one := range all {
			answer := map[string]any{"status": one.Status, "reason": one.Reason, "messages": one.Messages}
			if err := c.say(t.out, answer, "%d\t%s\t%s", one.Messages, one.Status, one.Reason); err != nil {
				return err
			}
		}
		return nil
	})
}

type campaignRemaining struct{ campaignRef }

// Run lists everybody, page by page.
func (r campaignRemaining) Run(ctx context.Context, c *commands, t terminal) error {
	const page = 1000
	return r.with(ctx, c, func(app *App, cam smsqueue.Campaign) error {
		for before := int64(0); ; {
			all, err := app.Queue.Messages(ctx, cam.Account, smsqueue.MessageFilter{Campaign: cam.ID, Unsent: true, Before: before, Limit: page})
			if err != nil {
				return err
			}
			for _, m := range all {
				before = m.ID
				answer := map[string]any{"id": app.Names.Of(secrets.Message, m.ID), "to": m.Phone, "name": m.ContactName, "status": m.Status}
				if err := c.say(t.out, answer, "%s\t%s\t%s", m.Phone, m.Status, m.ContactName); err != nil {
					return err
				}
			}
			if len(all) < page {
				return nil
			}
		}
	})
}
