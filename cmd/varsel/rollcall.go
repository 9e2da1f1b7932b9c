package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
	"github.com/varsel/varsel/smsqueue/window"
)

type rollCallStart struct {
	Account  string        `required:"" help:"The account."`
	Group    string        `required:"" help:"A group's name or id."`
	Text     string        `help:"The text; in the language that is usual in the account's country if empty: reply 1 if you are safe, 2 if you need help."`
	Choice   []string      `sep:"none" help:"KEY=LABEL or KEY=LABEL:WORD,WORD, once for each choice; 1 safe and 2 needs help if none is given."`
	Alarm    []string      `help:"The key of a choice whose people are shown first."`
	Language string        `enum:"en,nb,pl,account" default:"account" help:"Of the text and the choices, where they are not given."`
	Sender   string        `help:"One of the account's numbers; the only one if empty."`
	Lane     string        `help:"urgent, normal or bulk; urgent if empty."`
	Windows  string        `help:"When it may go where the recipients are, within the account's windows: 'Mon-Fri 08:00-20:00'; not for the lane urgent."`
	Close    time.Duration `default:"24h" help:"How long answers count."`
	Timeout  time.Duration `default:"15m" help:"How long to wait at the most."`
}

func (r rollCallStart) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, r.Account, func(app *App, acc accounts.Account) error {
		if err := app.haveWorker(ctx); err != nil {
			return err
		}
		text, question, err := r.question(acc)
		if err != nil {
			return err
		}
		g, err := findGroup(ctx, app, acc, r.Group)
		if err != nil {
			return err
		}
		windows, err := window.Parse(r.Windows)
		if err != nil {
			return err
		}
		cam, err := app.Queue.StartCampaign(ctx, acc.ID, smsqueue.NewCampaign{Group: g, Text: text, Sender: r.Sender, Lane: smsqueue.Lane(r.Lane), Windows: windows, Asks: question})
		if err != nil {
			return err
		}
		return sendCommand{Timeout: r.Timeout}.follow(ctx, c, t, app, cam)
	})
}

func (r rollCallStart) question(acc accounts.Account) (string, *rollcall.Question, error) {
	language := r.Language
	if language == "account" {
		language = rollcall.LanguageOf(acc.Region)
	}
	usual := rollcall.Suggest(language)
	text, q := r.Text, &rollcall.Question{Choices: usual.Choices, Close: r.Close}
	if text == "" {
		text = usual.Text
	}
	if len(r.Choice) == 0 {
		return text, q, nil
	}
	if r.Text == "" {
		return "", nil, problem.Invalid("text", "choices of your own need a text that asks for them")
	}
	q.Choices = nil
	for _, raw := range r.Choice {
		choice, err := readChoice(raw)
		if err != nil {
			return "", nil, err
		}
		q.Choices = append(q.Choices, choice)
	}
	return text, q, markAlarms(q, r.Alarm)
}

func readChoice(raw string) (c rollcall.Choice, err error) {
	key, rest, ok := strings.Cut(raw, "=")
	if !ok {
		return c, problem.Invalid("choice", "a choice is KEY=LABEL or KEY=LABEL:WORD,WORD, not %q", raw)
	}
	label, words, _ := strings.Cut(rest, ":")
	c = rollcall.Choice{Key: strings.TrimSpace(key), Label: strings.TrimSpace(label)}
	for _, w := range strings.Split(words, ",") {
		if w = strings.TrimSpace(w); w != "" {
			c.Words = append(c.Words, w)
		}
	}
	return c, nil
}

func markAlarms(q *rollcall.Question, keys []string) error {
	for _, key := range keys {
		found := false
		for i := range q.Choices {
			if q.Choices[i].Key == key {
				q.Choices[i].Alarm, found = true, true
			}
		}
		if !found {
			return problem.Invalid("alarm", "there is no choice %q", key)
		}
	}
	return nil
}

// oneRollCall is what the commands about one have in common.
type oneRollCall struct {
	Account string `required:"" help:"The account."`
	ID      string `arg:"" help:"The roll call: cmp_..."`
}

func (o oneRollCall) with(ctx context.Context, c *commands, do func(app *App, acc accounts.Account, id int64) error) error {
	return c.withAccount(ctx, o.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Campaign, o.ID)
		if err != nil {
			return err
		}
		return do(app, acc, id)
	})
}

type rollCallShow struct {
	oneRollCall
	People string `help:"List people instead: unanswered, unclear, answered, all, or the key of a choice."`
}

func (r rollCallShow) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, acc accounts.Account, id int64) error {
		cam, err := app.Queue.RollCall(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		if r.People != "" {
			return r.people(ctx, c, t, app, cam)
		}
		return showRollCall(ctx, c, t, app, cam)
	})
}

func showRollCall(ctx context.Context, c *commands, t terminal, app *App, cam smsqueue.Campaign) error {
	count, err := app.Queue.CountRollCall(ctx, cam.Account, cam.ID)
	if err != nil {
		return err
	}
	open := cam.TakesAnswers(time.Now())
	answer, text := rollAnswer(cam, count.RollTally), rollText(cam, cam.Name, count.RollTally)
	answer["id"], answer["takes_answers"] = app.Names.Of(secrets.Campaign, cam.ID), open
	groups := []map[string]any{}
	for _, g := range count.Groups {
		one := rollAnswer(cam, g.RollTally)
		one["id"], one["name"] = app.Names.Of(secrets.Group, g.ID), g.Name
		groups = append(groups, one)
		text += "\n" + rollText(cam, g.Name, g.RollTally)
	}
	answer["groups"] = groups
	if !open {
		text += "\nIt is closed."
	}
	return c.say(t.out, answer, "%s", text)
}

func rollAnswer(cam smsqueue.Campaign, n smsqueue.RollTally) map[string]any {
	by := map[string]int{}
	for _, choice := range cam.Asks.Choices {
		by[choice.Key] = n.By[choice.Key]
	}
	return map[string]any{"asked": n.Asked, "by_choice": by, "unclear": n.Unclear, "unanswered": n.Unanswered}
}

func rollText(cam smsqueue.Campaign, name string, n smsqueue.RollTally) string {
	text := name + ":"
	for _, choice := range cam.Asks.Choices {
		text += fmt.Sprintf(" %d %s,", n.By[choice.Key], choice.Label)
	}
	return text + fmt.Sprintf(" %d unclear, %d of %d without an answer", n.Unclear, n.Unanswered, n.Asked)
}

func (r rollCallShow) filter(cam smsqueue.Campaign) (f smsqueue.RollFilter, err error) {
	if _, err := cam.Asks.Choice(r.People); err == nil {
		return smsqueue.RollFilter{Choice: r.People}, nil
	}
	for _, state := range smsqueue.RollStates {
		if r.People == string(state) {
			return smsqueue.RollFilter{State: state}, nil
		}
	}
	if r.People == "all" {
		return f, nil
	}
	return f, problem.Invalid("people", "people are unanswered, unclear, answered, all, or a choice, not %q", r.People)
}

// rollPage is how many people are read at once.
const rollPage = 1000

func (r rollCallShow) people(ctx context.Context, c *commands, t terminal, app *App, cam smsqueue.Campaign) error {
	f, err := r.filter(cam)
	if err != nil {
		return err
	}
	for f.Limit = rollPage; ; {
		some, err := app.Queue.RollPeople(ctx, cam.Account, cam.ID, f)
		if err != nil {
			return err
		}
		for _, p := range some {
			if err := sayRollPerson(c, t, p); err != nil {
				return err
			}
			f.After = p.Message
		}
		if len(some) < f.Limit {
			return nil
		}
	}
}

func sayRollPerson(c *commands, t terminal, p smsqueue.RollPerson) error {
	answer := map[string]any{"phone": p.Phone, "name": p.Name, "state": p.State(), "choice": p.Choice, "text": p.Text, "message_status": p.Status}
	return c.say(t.out, answer, "%s\t%s\t%s\t%s\t%q", p.Phone, p.Name, p.State(), p.Choice, p.Text)
}

type rollCallAnswer struct {
	oneRollCall
	Number string `required:"" help:"Of somebody who was asked."`
	Choice string `required:"" help:"The key of what they chose."`
}

func (r rollCallAnswer) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, acc accounts.Account, id int64) error {
		p, err := app.Queue.SetRollAnswer(ctx, acc.ID, id, r.Number, r.Choice)
		if err != nil {
			return err
		}
		return sayRollPerson(c, t, p)
	})
}

type rollCallRemind struct {
	oneRollCall
	Text    string        `help:"The text; that of the roll call if empty."`
	Timeout time.Duration `default:"15m" help:"How long to wait at the most."`
}

func (r rollCallRemind) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, acc accounts.Account, id int64) error {
		if err := app.haveWorker(ctx); err != nil {
			return err
		}
		cam, err := app.Queue.RemindRollCall(ctx, acc.ID, id, smsqueue.Reminder{Text: r.Text})
		if err != nil {
			return err
		}
		return sendCommand{Timeout: r.Timeout}.follow(ctx, c, t, app, cam)
	})
}

type rollCallClose struct{ oneRollCall }

func (r rollCallClose) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, acc accounts.Account, id int64) error {
		cam, err := app.Queue.CloseRollCall(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		return showRollCall(ctx, c, t, app, cam)
	})
}
