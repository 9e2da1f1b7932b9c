package web

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// rollCallPage shows who has answered what, who is to be seen to, and who has not
// answered.
type rollCallPage struct {
	ID, Group  string // public ids
	Campaign   smsqueue.Campaign
	Progress   rollProgress
	Until      time.Time
	Words      []string // what counts as which choice
	MaySend    bool
	Choices    []choice // as they can be set by hand
	Alarms     []rollPersonRow
	Unclear    []rollPersonRow
	MoreAlarms bool
	MoreUnclear,
	HasUnanswered bool
	Reminders []link
	Once      string
	Remind    string // the text of the form
	Error     string // about it
	Show      string
	ShowWord  string
	Filters   []link
	People    []rollPersonRow
	Pager     pager
}

func (rollCallPage) template() string { return "rollcall" }

type rollPersonRow struct {
	Name, Phone string
	State, Word string // of the answer; the choice's label when there is one
	Alarm       bool
	Text        string
	At          time.Time
	Talk        string
	Sent        string // the status of the message that asked, of those who have not answered
	SentWord    string
}

// mostToSee is how many are shown of those who are to be seen to; the list of
// people has all.
const mostToSee = 20

func (w *site) rollCallNamed(c *fiber.Ctx, v visit) (watchable, smsqueue.Campaign, error) {
	id, err := w.Names.ID(secrets.Campaign, c.Params("id"))
	if err != nil {
		return watchable{}, smsqueue.Campaign{}, err
	}
	found, err := w.Queue.RollCall(v.ctx, v.Account.ID, id)
	return watchable{v.Account.ID, id}, found, err
}

func (w *site) rollCall(c *fiber.Ctx, v visit) error {
	of, found, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	return w.showRollCall(c, v, of, rollCallPage{Campaign: found, Remind: found.Text, Once: rand.Text()})
}

func (w *site) showRollCall(c *fiber.Ctx, v visit, of watchable, p rollCallPage) error {
	seen, err := w.rollCounts.look(v.ctx, of)
	if err != nil {
		return err
	}
	p.ID, p.Group = w.Names.Of(secrets.Campaign, of.id), w.Names.Of(secrets.Group, seen.campaign.Group)
	p.Campaign, p.Progress, p.Until = seen.campaign, v.say.rollProgress(seen, w.groupName), seen.campaign.AsksUntil()
	p.MaySend, p.HasUnanswered = maySend(v.Role), seen.count.Unanswered > 0
	for _, one := range seen.campaign.Asks.Choices {
		p.Choices = append(p.Choices, choice{Value: one.Key, Text: one.Label})
		p.Words = append(p.Words, strings.Join(append([]string{one.Key}, one.Words...), ", ")+" → "+one.Label)
	}
	if err := w.fillToSee(v, of, &p, seen.at); err != nil {
		return err
	}
	if err := w.fillPeople(c, v, of, &p); err != nil {
		return err
	}
	return render(c, p)
}

// fillToSee finds whose answer alarms, who is to be read, and what was sent to remind:
// not before they were counted, because a new count is what has pages read this anew.
func (w *site) fillToSee(v visit, of watchable, p *rollCallPage, counted time.Time) error {
	found, _, err := w.rollCounts.toSee.since(v.ctx, of, counted)
	if err != nil {
		return err
	}
	p.MoreAlarms, p.MoreUnclear = len(found.alarms) > mostToSee, len(found.unclear) > mostToSee
	p.Alarms = v.say.rollPeople(p.Campaign, found.alarms[:min(len(found.alarms), mostToSee)])
	p.Unclear = v.say.rollPeople(p.Campaign, found.unclear[:min(len(found.unclear), mostToSee)])
	for _, r := range found.reminders {
		p.Reminders = append(p.Reminders, link{Path: "/campaigns/" + w.Names.Of(secrets.Campaign, r.ID),
			Text: v.say.count("roll_reminded", r.Counts.Total(), "Text", r.Text)})
	}
	return nil
}

// fillPeople finds those whom the visitor wants to see, at first those who have not
// answered.
func (w *site) fillPeople(c *fiber.Ctx, v visit, of watchable, p *rollCallPage) error {
	f, show, err := rollFilter(p.Campaign, c.Query("show"))
	if err != nil {
		return err
	}
	if f.After, err = w.cursor(secrets.Message, c.Query("from")); err != nil {
		return err
	}
	f.Limit = pageSize + 1
	all, err := w.Queue.RollPeople(v.ctx, of.account, of.id, f)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Message, all[len(all)-1].Message)
	}
	path := "/roll-calls/" + p.ID
	p.Show, p.People = show, v.say.rollPeople(p.Campaign, all)
	p.Pager = turn(path, url.Values{"show": {show}}, c.Query("from"), next)
	for _, one := range append(rollShows(p.Campaign), showAll) {
		l := link{Path: path + "?" + url.Values{"show": {one}}.Encode() + "#people", Text: v.say.rollShow(p.Campaign, one), Here: one == show}
		if l.Here {
			p.ShowWord = l.Text
		}
		p.Filters = append(p.Filters, l)
	}
	return nil
}

// showAll is the list of everybody who was asked.
const showAll = "all"

// rollFilter reads which people are asked for; empty is those without an answer.
func rollFilter(c smsqueue.Campaign, show string) (f smsqueue.RollFilter, shown string, err error) {
	if show == "" {
		show = string(smsqueue.RollUnanswered)
	}
	if key, is := strings.CutPrefix(show, choicePrefix); is {
		if _, err := c.Asks.Choice(key); err != nil {
			return f, "", fiber.ErrNotFound
		}
		return smsqueue.RollFilter{Choice: key}, show, nil
	}
	switch state := smsqueue.RollState(show); {
	case slices.Contains(smsqueue.RollStates, state):
		return smsqueue.RollFilter{State: state}, show, nil
	case show == showAll:
		return f, show, nil
	}
	return f, "", fiber.ErrNotFound
}

func (say *tongue) rollShow(c smsqueue.Campaign, show string) string {
	if key, is := strings.CutPrefix(show, choicePrefix); is {
		if one, err := c.Asks.Choice(key); err == nil {
			return one.Label
		}
	}
	return say.word("roll_person", show)
}

func (say *tongue) rollPeople(c smsqueue.Campaign, all []smsqueue.RollPerson) (rows []rollPersonRow) {
	for _, p := range all {
		row := rollPersonRow{Name: p.Name, Phone: p.Phone, State: string(p.State()), Word: say.word("roll_person", string(p.State())),
			Text: p.Text, At: p.At, Talk: talkPath(p.Phone)}
		if !p.Answered {
			row.Sent, row.SentWord = string(p.Status), say.word("status", string(p.Status))
		}
		if one, err := c.Asks.Choice(p.Choice); err == nil {
			row.Word, row.Alarm = one.Label, one.Alarm
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *site) groupName(id int64) string { return w.Names.Of(secrets.Group, id) }

// rollLive streams how a roll call stands.
func (w *site) rollLive(c *fiber.Ctx, v visit) error {
	of, _, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	return serveLive(c, w.rolls, of, w.Stop, func(s rollSnapshot) telling {
		return telling{v.say.rollProgress(s, w.groupName), s.at, s.over()}
	})
}

// remind texts those who have not answered.
func (w *site) remind(c *fiber.Ctx, v visit) error {
	of, found, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	p := rollCallPage{Campaign: found, Once: c.FormValue("once"), Remind: strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n")}
	hash := formHash(p.Once, c.Params("id"), p.Remind)
	_, err = w.Queue.RemindRollCall(v.ctx, of.account, of.id, smsqueue.Reminder{Text: p.Remind, Key: "console " + hash, RequestHash: hash})
	if refused := problem.As(err); refused != nil {
		p.Error = v.say.problem(refused)
		return w.showRollCall(c.Status(statuses[refused.Kind]), v, of, p)
	}
	if err != nil {
		return err
	}
	w.rollCounts.forget(of)
	return c.Redirect("/roll-calls/"+c.Params("id"), fiber.StatusSeeOther)
}

func (w *site) confirmRollClose(c *fiber.Ctx, v visit) error {
	_, found, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	path := "/roll-calls/" + c.Params("id")
	return render(c, confirmPage{Title: v.say.text("roll_close_named", "Name", found.Name), Text: v.say.text("roll_close_text"), Button: v.say.text("roll_close"),
		Path: path + "/close", Back: path, Crumb: link{Path: path, Text: v.say.text("to_roll_call")}})
}

func (w *site) closeRollCall(c *fiber.Ctx, v visit) error {
	of, _, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Queue.CloseRollCall(v.ctx, of.account, of.id); err != nil {
		return err
	}
	w.rollCounts.forget(of)
	return c.Redirect("/roll-calls/"+c.Params("id"), fiber.StatusSeeOther)
}

// setAnswer puts somebody's answer by hand.
func (w *site) setAnswer(c *fiber.Ctx, v visit) error {
	of, _, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Queue.SetRollAnswer(v.ctx, of.account, of.id, c.FormValue("phone"), c.FormValue("choice")); err != nil {
		return err
	}
	w.rollCounts.forget(of)
	back := address("/roll-calls/"+c.Params("id"), url.Values{"show": {c.FormValue("show")}})
	return c.Redirect(back+"#people", fiber.StatusSeeOther)
}

// rollList is the people that the page shows, as a sheet.
func (w *site) rollList(c *fiber.Ctx, v visit) error {
	of, found, err := w.rollCallNamed(c, v)
	if err != nil {
		return err
	}
	f, _, err := rollFilter(found, c.Query("show"))
	if err != nil {
		return err
	}
	say := v.say
	out := newCSV(say, say.text("column_name"), say.text("column_number"), say.text("column_answer"), say.text("column_text"), say.text("column_time"))
	for f.Limit = 1000; ; {
		some, err := w.Queue.RollPeople(v.ctx, of.account, of.id, f)
		if err != nil {
			return err
		}
		for i, row := range say.rollPeople(found, some) {
			at := ""
			if !row.At.IsZero() {
				at = row.At.UTC().Format(time.RFC3339)
			}
			if err := out.row(row.Name, row.Phone, row.Word, row.Text, at); err != nil {
				return err
			}
			f.After = some[i].Message
		}
		if len(some) < f.Limit {
			return out.send(c, "roll-call.csv")
		}
	}
}
