package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

type sendCommand struct {
	Account       string        `required:"" help:"The account."`
	To            string        `xor:"target" required:"" help:"A phone number."`
	Group         string        `xor:"target" required:"" help:"A group's name or id."`
	Text          string        `xor:"what" required:"" help:"The text; to a group it may have fields, as in Hi {{first_name|there}}."`
	Template      string        `xor:"what" required:"" help:"A template's name or id; to a group."`
	Transliterate bool          `help:"Write the text in the GSM alphabet where a reader bears it: plain quotes, letters without marks."`
	Sender        string        `help:"The sender; the account's if empty."`
	Lane          string        `help:"urgent, normal or bulk; normal for a number, bulk for a group."`
	Preview       bool          `help:"Say what a campaign to the group would be, and send nothing."`
	MaxCost       string        `help:"The campaign holds before it would cost more, as in 12.50."`
	At            string        `help:"For a group: when it starts, as 2027-03-28T09:00 in the zone, or with an offset."`
	Zone          string        `help:"The zone of --at (IANA); the account's if empty."`
	Validity      time.Duration `help:"For a group: how long from its start the text is worth sending."`
	Windows       string        `help:"For a group: when it may go where the recipients are, within the account's windows: 'Mon-Fri 08:00-20:00'."`
	Wait          bool          `help:"Wait for the delivery receipts."`
	Timeout       time.Duration `default:"15m" help:"How long to wait at the most."`
}

// unconfirmedPatience is how long --wait waits for receipts of messages that
// the carrier never answered, when nothing else is open.
const unconfirmedPatience = 10 * time.Second

func (s sendCommand) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		if s.To != "" && (s.Template != "" || s.Preview || s.MaxCost != "" || s.Windows != "") {
			return problem.Invalid("to", "--template, --preview, --max-cost and --windows are for a group")
		}
		if s.Preview {
			n, _, err := s.campaign(ctx, app, acc)
			if err != nil {
				return err
			}
			return s.preview(ctx, c, t, app, acc.ID, n)
		}
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
	n, note, err := s.campaign(ctx, app, acc)
	if err != nil {
		return err
	}
	cam, err := app.Queue.StartCampaign(ctx, acc.ID, n)
	if err != nil {
		return err
	}
	if cam.Scheduled() && !s.Wait {
		return sayScheduled(c, t, app, cam, note)
	}
	return s.follow(ctx, c, t, app, cam)
}

// findGroup finds a group by its name or id.
func findGroup(ctx context.Context, app *App, acc accounts.Account, named string) (int64, error) {
	g, err := app.Book.FindGroup(ctx, acc.ID, named, func(name string) (int64, bool) {
		id, err := app.Names.ID(secrets.Group, name)
		return id, err == nil
	}, func(id int64) string { return app.Names.Of(secrets.Group, id) })
	return g.ID, err
}

// follow watches a campaign as far as the command waits, and says how it stands.
func (s sendCommand) follow(ctx context.Context, c *commands, t terminal, app *App, cam smsqueue.Campaign) error {
	id, handed := cam.ID, time.Time{}
	err := s.poll(ctx, app, func() (done bool, err error) {
		if cam, err = app.Queue.Campaign(ctx, cam.Account, id); err != nil {
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

// campaign is what is asked for, with what it names looked up.
func (s sendCommand) campaign(ctx context.Context, app *App, acc accounts.Account) (n smsqueue.NewCampaign, note window.Note, err error) {
	n = smsqueue.NewCampaign{Text: s.Text, Transliterate: s.Transliterate, Sender: s.Sender, Lane: smsqueue.Lane(s.Lane), Validity: s.Validity}
	if n.CeilingMicro, err = ceiling(s.MaxCost); err != nil {
		return n, note, err
	}
	if n.Windows, err = window.Parse(s.Windows); err != nil {
		return n, note, err
	}
	if n.Group, err = findGroup(ctx, app, acc, s.Group); err != nil {
		return n, note, err
	}
	if s.Template != "" {
		t, err := app.template(ctx, acc.ID, s.Template)
		if err != nil {
			return n, note, err
		}
		n.Template = t.ID
	}
	if s.At != "" {
		n.Start, n.Zone, note, err = app.Queue.StartTime(ctx, acc.ID, s.At, s.Zone)
	}
	return n, note, err
}

var amount = regexp.MustCompile(`^([0-9]{1,9})(?:[.]([0-9]{1,6}))?$`)

// ceiling is an amount in micro-units; 0 when there is none.
func ceiling(text string) (micro int64, err error) {
	if text == "" {
		return 0, nil
	}
	if m := amount.FindStringSubmatch(text); m != nil {
		micro, err = strconv.ParseInt(m[1]+(m[2] + "000000")[:6], 10, 64)
	}
	if err != nil || micro == 0 {
		return 0, problem.Invalid("max_cost", "%q is no amount above zero with at most six decimals", text)
	}
	return micro, nil
}

// sayScheduled says when a campaign starts, and what the clocks did to that time.
func sayScheduled(c *commands, t terminal, app *App, cam smsqueue.Campaign, note window.Note) error {
	answer, text := campaignAnswer(app, cam), app.Names.Of(secrets.Campaign, cam.ID)+" "+startText(cam)
	answer["start_at"], answer["zone"] = cam.Start.UTC().Format(time.RFC3339), cam.Zone
	switch note {
	case window.Skipped:
		answer["start_note"], text = note, text+"\nthe clocks skip the time that was given: it was moved forward as far as they are"
	case window.Twice:
		answer["start_note"], text = note, text+"\nthe clocks show the time that was given twice: the first is meant"
	}
	return c.say(t.out, answer, "%s", text)
}

func campaignAnswer(app *App, cam smsqueue.Campaign) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Campaign, cam.ID), "state": cam.State, "reason": cam.Reason, "recipients": cam.Counts.Total(),
		"without_number": cam.LeftOut.WithoutNumber, "invalid_number": cam.LeftOut.InvalidNumber, "shared_number": cam.LeftOut.SharedNumber,
		"suppressed": cam.LeftOut.Suppressed, "unresolved": cam.LeftOut.Unresolved, "too_long": cam.LeftOut.TooLong,
		"sender_refused": cam.LeftOut.SenderRefused,
		"parts":          cam.AllParts, "cost": billing.Money(cam.ReservedMicro), "currency": cam.Currency}
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
	return text + "\n" + leftOutText(cam.LeftOut)
}

func leftOutText(l smsqueue.LeftOut) string {
	text := fmt.Sprintf("left out: %d without a number, %d with an invalid one, %d who share one, %d who want no messages", l.WithoutNumber, l.InvalidNumber, l.SharedNumber, l.Suppressed)
	if l.Unresolved > 0 {
		text += fmt.Sprintf(", %d with a field that has no value", l.Unresolved)
	}
	if l.TooLong > 0 {
		text += fmt.Sprintf(", %d whose text is too long", l.TooLong)
	}
	if l.SenderRefused > 0 {
		text += fmt.Sprintf(", %d whose country does not take the sender", l.SenderRefused)
	}
	return text
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
