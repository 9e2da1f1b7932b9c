package web

import (
	"context"
	"strconv"
	"time"

	"github.com/varsel/varsel/smsqueue"
)

// rollCounts counts each roll call, and finds whom its page shows on top, once for all
// who look.
type rollCounts struct {
	queue *smsqueue.Queue
	count *lookout[smsqueue.RollCount]
	toSee *lookout[rollToSee]
}

// rollToSee is who is to be seen to, one more than the page shows of each, and what
// was sent to remind.
type rollToSee struct {
	alarms, unclear []smsqueue.RollPerson
	reminders       []smsqueue.Campaign
}

func newRollCounts(q *smsqueue.Queue) *rollCounts {
	r := &rollCounts{queue: q}
	r.count = newLookout(func(ctx context.Context, of watchable) (smsqueue.RollCount, error) {
		return q.CountRollCall(ctx, of.account, of.id)
	})
	r.toSee = newLookout(r.findToSee)
	return r
}

func (r *rollCounts) findToSee(ctx context.Context, of watchable) (s rollToSee, err error) {
	c, err := r.queue.RollCall(ctx, of.account, of.id)
	if err != nil {
		return s, err
	}
	if s.alarms, err = r.queue.RollAlarms(ctx, of.account, c, mostToSee+1); err != nil {
		return s, err
	}
	if s.unclear, err = r.queue.RollPeople(ctx, of.account, of.id, smsqueue.RollFilter{State: smsqueue.RollUnclear, Limit: mostToSee + 1}); err != nil {
		return s, err
	}
	s.reminders, err = r.queue.Reminders(ctx, of.account, of.id)
	return s, err
}

// forget has the next look count anew, after something was changed by hand.
func (r *rollCounts) forget(of watchable) {
	r.count.forget(of)
	r.toSee.forget(of)
}

// rollSnapshot is a roll call at one moment.
type rollSnapshot struct {
	campaign smsqueue.Campaign
	count    smsqueue.RollCount
	at       time.Time
}

func (r *rollCounts) look(ctx context.Context, of watchable) (s rollSnapshot, err error) {
	if s.campaign, err = r.queue.RollCall(ctx, of.account, of.id); err == nil {
		s.count, s.at, err = r.count.look(ctx, of)
	}
	return s, err
}

// rollEye looks at a roll call.
func rollEye(r *rollCounts) func(of watchable) eye[rollSnapshot] {
	return func(of watchable) eye[rollSnapshot] {
		return func(ctx context.Context) (rollSnapshot, error) { return r.look(ctx, of) }
	}
}

// over says that no answer counts any more.
func (s rollSnapshot) over() bool { return !s.campaign.TakesAnswers(s.at) }

// alarms are how many have chosen what alarms.
func (s rollSnapshot) alarms() (n int) {
	for _, key := range s.campaign.Asks.Alarms() {
		n += s.count.By[key]
	}
	return n
}

// rollProgress is a snapshot in the visitor's words.
type rollProgress struct {
	State     string    `json:"state"` // when it changes, the lists of the page are read anew
	Badge     string    `json:"badge"`
	StateWord string    `json:"state_word"`
	Percent   string    `json:"percent"`
	Handled   string    `json:"handled"`
	Total     string    `json:"total"`
	Counts    []tally   `json:"counts"`
	Segments  []segment `json:"segments"`
	Announce  string    `json:"announce"`
	At        time.Time `json:"-"`
	Over      bool      `json:"over"`

	Choices []rollFigure `json:"-"`
	Groups  []rollRow    `json:"-"`
}

// rollFigure is a count in the page's list, which leads to the people it counts.
type rollFigure struct {
	tally
	Show string // the parameter that shows them
}

// rollRow is a group, with a cell for each figure.
type rollRow struct {
	ID    string // its public id
	Name  string
	Asked tally
	Cells []tally
}

// rollProgress names groups as group does.
func (say *tongue) rollProgress(s rollSnapshot, group func(id int64) string) rollProgress {
	n := s.count.RollTally
	p := rollProgress{
		State: rollState(s), Badge: "running", StateWord: say.word("roll_state", "open"),
		Percent: say.percent(n.Answered(), n.Asked),
		Handled: say.text("roll_answered", "N", say.number(n.Answered()), "Total", say.number(n.Asked)),
		Total:   say.number(n.Asked), Segments: say.rollSegments(s), At: s.at, Over: s.over(),
	}
	if p.Over {
		p.Badge, p.StateWord = "finished", say.word("roll_state", "closed")
	}
	p.Announce = say.text("roll_announce", "State", p.StateWord, "Alarms", say.number(s.alarms()),
		"Percent", say.text("percent", "N", say.number(share(n.Answered(), n.Asked)/25*25)))
	for i, cell := range say.rollCells("all", s.campaign, n) {
		p.Choices = append(p.Choices, rollFigure{cell, rollShows(s.campaign)[i]})
		p.Counts = append(p.Counts, cell)
	}
	for _, g := range s.count.Groups {
		name := group(g.ID)
		row := rollRow{ID: name, Name: g.Name, Cells: say.rollCells(name, s.campaign, g.RollTally),
			Asked: tally{Name: name + "-asked", N: g.Asked, Count: say.number(g.Asked)}}
		p.Groups = append(p.Groups, row)
		p.Counts = append(append(p.Counts, row.Asked), row.Cells...)
	}
	return p
}

// rollState changes when somebody is to be seen to, or when it closes.
func rollState(s rollSnapshot) string {
	state := "open"
	if s.over() {
		state = "closed"
	}
	return state + "-" + strconv.Itoa(s.alarms()) + "-" + strconv.Itoa(s.count.Unclear)
}

// rollShows are the lists of people that the figures lead to, in their order.
func rollShows(c smsqueue.Campaign) (all []string) {
	for _, choice := range c.Asks.Choices {
		all = append(all, choicePrefix+choice.Key)
	}
	return append(all, string(smsqueue.RollUnclear), string(smsqueue.RollUnanswered))
}

// choicePrefix is before a choice's key where it stands beside states.
const choicePrefix = "choice-"

// rollCells are the figures of one row: each choice, unclear, and without an answer.
func (say *tongue) rollCells(row string, c smsqueue.Campaign, n smsqueue.RollTally) (all []tally) {
	add := func(name, word string, count int) {
		all = append(all, tally{Name: row + "-" + name, Word: word, N: count, Count: say.number(count)})
	}
	for i, choice := range c.Asks.Choices {
		add(strconv.Itoa(i), choice.Label, n.By[choice.Key])
	}
	add("unclear", say.word("roll_person", string(smsqueue.RollUnclear)), n.Unclear)
	add("unanswered", say.word("roll_person", string(smsqueue.RollUnanswered)), n.Unanswered)
	return all
}

func (say *tongue) rollSegments(s rollSnapshot) (all []segment) {
	n, alarms := s.count.RollTally, s.alarms()
	counts := []int{n.Answered() - n.Unclear - alarms, alarms, n.Unclear, n.Unanswered}
	for i, name := range []string{"delivered", "lost", "unconfirmed", "waiting"} {
		all = append(all, segment{Name: name, Word: say.word("roll_segment", name), Count: say.number(counts[i]), Share: say.percent(counts[i], n.Asked)})
	}
	lay(all, counts)
	return all
}
