package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type sendCommand struct {
	Account       string        `required:"" help:"The account."`
	To            string        `xor:"target" required:"" help:"A phone number."`
	Group         string        `xor:"target" required:"" help:"A group's name or id."`
	Text          string        `required:"" help:"The text."`
	Transliterate bool          `help:"Write the text in the GSM alphabet where a reader bears it: plain quotes, letters without marks."`
	Sender        string        `help:"The sender; the account's if empty."`
	Lane          string        `help:"urgent, normal or bulk; normal for a number, bulk for a group."`
	Wait          bool          `help:"Wait for the delivery receipts."`
	Timeout       time.Duration `default:"15m" help:"How long to wait at the most."`
}

// unconfirmedPatience is how long --wait waits for receipts of messages that
// the carrier never answered, when nothing else is open.
const unconfirmedPatience = 10 * time.Second

func (s sendCommand) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		if err := app.haveWorker(ctx); err != nil {
			return err
		}
		if s.To != "" {
			return s.toNumber(ctx, c, t, app, acc)
		}
		return s.toGroup(ctx, c, t, app, acc)
	})
}

func (s sendCommand) toNumber(ctx context.Context, c *commands, t terminal, app *App, acc accounts.Account) error {
	m, err := app.Queue.Send(ctx, acc.ID, smsqueue.Single{To: s.To, Text: s.Text, Transliterate: s.Transliterate, Sender: s.Sender, Lane: smsqueue.Lane(s.Lane)})
	if err != nil {
		return err
	}
	id := m.ID
	err = s.poll(ctx, app, func() (done bool, err error) {
		if m, err = app.Queue.Message(ctx, acc.ID, id); err != nil {
			return false, err
		}
		if !s.Wait {
			return m.Status != smsqueue.Queued && m.Status != smsqueue.Sending, nil
		}
		return !m.Status.Open() || m.Status == smsqueue.Unconfirmed && time.Since(m.QueuedAt) > unconfirmedPatience, nil
	})
	said := c.say(t.out, messageAnswer(app, m), "%s to %s: %s %s", app.Names.Of(secrets.Message, m.ID), m.Phone, m.Status, m.Reason)
	if err = errors.Join(err, said); err == nil && bad(m.Status) {
		err = errSaid
	}
	return err
}

func messageAnswer(app *App, m smsqueue.Message) map[string]any {
	return map[string]any{"id": app.Names.Of(secrets.Message, m.ID), "to": m.Phone, "status": m.Status, "reason": m.Reason, "code": m.Code,
		"parts": m.Parts, "possible_duplicate": m.PossibleDuplicate, "price": billing.Money(m.PriceMicro), "currency": m.Currency}
}

func (s sendCommand) toGroup(ctx context.Context, c *commands, t terminal, app *App, acc accounts.Account) error {
	g, err := app.Book.FindGroup(ctx, acc.ID, s.Group, func(name string) (int64, bool) {
		id, err := app.Names.ID(secrets.Group, name)
		return id, err == nil
	}, func(id int64) string { return app.Names.Of(secrets.Group, id) })
	if err != nil {
		return err
	}
	cam, err := app.Queue.StartCampaign(ctx, acc.ID, smsqueue.NewCampaign{Group: g.ID, Text: s.Text, Transliterate: s.Transliterate, Sender: s.Sender, Lane: smsqueue.Lane(s.Lane)})
	if err != nil {
		return err
	}
	id, handed := cam.ID, time.Time{}
	err = s.poll(ctx, app, func() (done bool, err error) {
		if cam, err = app.Queue.Campaign(ctx, acc.ID, id); err != nil {
			return false, err
		}
		if cam.State == smsqueue.CampaignHeld || cam.State == smsqueue.CampaignCancel || cam.State == smsqueue.CampaignFinished {
			return true, nil
		}
		if cam.State != smsqueue.CampaignSent {
			return false, nil
		}
		if handed.IsZero() {
			handed = time.Now()
		}
		return !s.Wait || cam.Counts[smsqueue.Sent] == 0 && time.Since(handed) > unconfirmedPatience, nil
	})
	said := c.say(t.out, campaignAnswer(app, cam), "%s", campaignText(app, cam))
	if err = errors.Join(err, said); err == nil && s.failed(cam) {
		err = errSaid
	}
	return err
}

func campaignAnswer(app *App, cam smsqueue.Campaign) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Campaign, cam.ID), "state": cam.State, "reason": cam.Reason, "recipients": cam.Counts.Total(),
		"without_number": cam.LeftOut.WithoutNumber, "invalid_number": cam.LeftOut.InvalidNumber, "shared_number": cam.LeftOut.SharedNumber,
		"sender_refused": cam.LeftOut.SenderRefused,
		"parts":          cam.Parts * cam.Counts.Total(), "cost": billing.Money(cam.ReservedMicro), "currency": cam.Currency}
	for _, status := range smsqueue.Statuses {
		answer[string(status)] = cam.Counts[status]
	}
	return answer
}

func campaignText(app *App, cam smsqueue.Campaign) string {
	text := fmt.Sprintf("%s to %s: %s %s\n%d recipients:", app.Names.Of(secrets.Campaign, cam.ID), cam.GroupName, cam.State, cam.Reason, cam.Counts.Total())
	for _, status := range smsqueue.Statuses {
		if n := cam.Counts[status]; n > 0 {
			text += fmt.Sprintf(" %d %s", n, status)
		}
	}
	return text + fmt.Sprintf("\nleft out: %d without a number, %d with an invalid one, %d who share one, %d whose country does not take the sender",
		cam.LeftOut.WithoutNumber, cam.LeftOut.InvalidNumber, cam.LeftOut.SharedNumber, cam.LeftOut.SenderRefused)
}

// failed says whether anybody was not reached, as far as the command waited.
func (s sendCommand) failed(cam smsqueue.Campaign) bool {
	if cam.State == smsqueue.CampaignHeld || cam.State == smsqueue.CampaignCancel {
		return true
	}
	for status, n := range cam.Counts {
		if n > 0 && bad(status) {
			return true
		}
	}
	return false
}

func bad(status smsqueue.Status) bool {
	switch status {
	case smsqueue.Queued, smsqueue.Sending, smsqueue.Sent, smsqueue.Delivered:
		return false
	}
	return true
}

// poll looks until it is done. Without --wait it does so only when this
// process does the work; another one goes on without us.
func (s sendCommand) poll(ctx context.Context, app *App, look func() (bool, error)) error {
	limit := time.After(s.Timeout)
	for {
		done, err := look()
		if err != nil || done || !s.Wait && app.worker == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return problem.New(problem.KindUnavailable, "wait_timeout", "not everything is answered after %s; it goes on", s.Timeout)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
