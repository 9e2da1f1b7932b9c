package smsqueue

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
)

// AsksUntil is when a roll call takes no more answers; zero before it has started.
func (c Campaign) AsksUntil() time.Time {
	switch {
	case !c.AsksClosed.IsZero():
		return c.AsksClosed
	case c.Asks == nil || c.Started.IsZero():
		return time.Time{}
	}
	return c.Started.Add(c.Asks.Close)
}

// TakesAnswers says whether what is texted now counts.
func (c Campaign) TakesAnswers(now time.Time) bool {
	return c.Asks != nil && c.AsksClosed.IsZero() && (c.Started.IsZero() || now.Before(c.AsksUntil()))
}

// asker is the sender of a roll call, which has to be a number of the account's that
// the carrier brings answers from.
func (q *Queue) asker(ctx context.Context, acc accounts.Account, p plan, n NewCampaign) (string, error) {
	if err := n.Asks.Check(); err != nil {
		return "", problem.Invalid("asks", "%s", err)
	}
	numbers, err := q.answerable(ctx, acc.ID, p)
	if err != nil {
		return "", err
	}
	sender := strings.TrimSpace(n.Sender)
	if sender == "" {
		sender = acc.Sender
		if !isOneOf(numbers, sender) && len(numbers) == 1 {
			sender = numbers[0]
		}
	}
	switch {
	case isOneOf(numbers, sender):
		return sender, nil
	case len(numbers) == 0:
		return "", notAnswerable("nobody can answer a roll call: the account has no number that people can text (varsel number add)")
	}
	return "", notAnswerable("nobody can answer %q: choose one of the account's numbers as the sender: %s", sender, strings.Join(numbers, ", "))
}

func notAnswerable(format string, args ...any) error {
	p := problem.As(problem.Invalid("sender", format, args...))
	p.Code = "sender_not_answerable"
	return p
}

// AnswerableSenders are the account's numbers from which a text can be sent and
// answered over the carriers in use.
func (q *Queue) AnswerableSenders(ctx context.Context, account int64) ([]string, error) {
	p, err := q.enabledPlan(ctx)
	if err != nil {
		return nil, err
	}
	return q.answerable(ctx, account, p)
}

func (q *Queue) answerable(ctx context.Context, account int64, p plan) (all []string, err error) {
	numbers, err := q.NumbersOf(ctx, account)
	for _, n := range numbers {
		if (n.Route == 0 || p.onlyOver(n.Route, account, n.Number)) && !slices.Contains(all, n.Number) {
			all = append(all, n.Number)
		}
	}
	return all, err
}

func isOneOf(numbers []string, sender string) bool {
	return slices.ContainsFunc(numbers, func(n string) bool { return strings.TrimPrefix(n, "+") == strings.TrimPrefix(sender, "+") })
}

// RollTally counts people.
type RollTally struct {
	Asked      int
	By         map[string]int // by the key of the choice
	Unclear    int            // answered in words that are no choice
	Unanswered int
}

// Answered is how many have answered, clearly or not.
func (t RollTally) Answered() int { return t.Asked - t.Unanswered }

// add counts people whose answer is said: a choice, or nil for none.
func (t *RollTally) add(said *string, n int) {
	t.Asked += n
	switch {
	case said == nil:
		t.Unanswered += n
	case *said == "":
		t.Unclear += n
	default:
		if t.By == nil {
			t.By = map[string]int{}
		}
		t.By[*said] += n
	}
}

// RollGroup counts those of a group. Who is in several groups is counted in each.
type RollGroup struct {
	ID   int64
	Name string
	RollTally
}

// RollCount is how a roll call stands.
type RollCount struct {
	RollTally
	Groups []RollGroup // the account's that its recipients are in, the largest first
}

// mostRollGroups bounds how many groups a roll call is counted by.
const mostRollGroups = 50

// CountRollCall counts the answers to a roll call of the account's, in all and by
// group.
func (q *Queue) CountRollCall(ctx context.Context, account, campaign int64) (RollCount, error) {
	rows, err := selectRollTotals(ctx, q.db, account, campaign)
	if err == nil && len(rows) == 0 {
		rows, err = selectRollCount(ctx, q.db, account, campaign)
	}
	if err != nil {
		return RollCount{}, err
	}
	return rollCount(rows), nil
}

func rollCount(rows []rollCountRow) (c RollCount) {
	groups := map[int64]*RollGroup{}
	for _, r := range rows {
		if r.group == 0 {
			c.add(r.said, r.n)
			continue
		}
		if groups[r.group] == nil {
			groups[r.group] = &RollGroup{ID: r.group, Name: r.name}
		}
		groups[r.group].add(r.said, r.n)
	}
	for _, g := range groups {
		c.Groups = append(c.Groups, *g)
	}
	slices.SortFunc(c.Groups, func(a, b RollGroup) int {
		return cmp.Or(cmp.Compare(b.Asked, a.Asked), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	c.Groups = c.Groups[:min(len(c.Groups), mostRollGroups)]
	return c
}

// RollPerson is somebody who was asked, and what they said.
type RollPerson struct {
	Message  int64 // that asked
	Contact  int64
	Name     string
	Phone    string
	Status   Status
	Answered bool
	Choice   string // empty: unclear
	Text     string // as it was texted; empty when it was set by hand
	Inbound  int64  // that text, 0 when there is none
	At       time.Time
}

// State is where the answer stands.
func (p RollPerson) State() RollState {
	switch {
	case !p.Answered:
		return RollUnanswered
	case p.Choice == "":
		return RollUnclear
	}
	return RollAnswered
}

// RollState is where the answer of somebody who was asked stands.
type RollState string

const (
	RollAnswered   RollState = "answered" // by one of the choices
	RollUnclear    RollState = "unclear"
	RollUnanswered RollState = "unanswered"
)

// RollStates lists them.
var RollStates = []RollState{RollAnswered, RollUnclear, RollUnanswered}

// RollFilter chooses among those who were asked. Zero values choose all.
type RollFilter struct {
	State  RollState
	Choice string // the key of one; with it, State is of no account
	After  int64  // only messages with ids above it
	Limit  int
}

// RollPeople lists those who were asked, in the order of their numbers; nobody when
// the answers were removed after their time.
func (q *Queue) RollPeople(ctx context.Context, account, campaign int64, f RollFilter) ([]RollPerson, error) {
	return selectRollPeople(ctx, q.db, account, campaign, f)
}

// RollAlarms lists those whose answer alarms, who said so first on top.
func (q *Queue) RollAlarms(ctx context.Context, account int64, c Campaign, limit int) ([]RollPerson, error) {
	if c.Asks == nil {
		return nil, errNoRollCall
	}
	return selectRollAlarms(ctx, q.db, account, c.ID, c.Asks.Alarms(), limit)
}

var errNoRollCall = problem.New(problem.KindNotFound, "roll_call_not_found", "this campaign is no roll call")

// RollCall finds one of the account's campaigns that is a roll call.
func (q *Queue) RollCall(ctx context.Context, account, id int64) (Campaign, error) {
	c, err := q.Campaign(ctx, account, id)
	if err == nil && c.Asks == nil {
		err = errNoRollCall
	}
	return c, err
}

// openRollCall is one that takes answers.
func (q *Queue) openRollCall(ctx context.Context, account, id int64) (Campaign, error) {
	c, err := q.RollCall(ctx, account, id)
	if err == nil && !c.TakesAnswers(time.Now()) {
		err = problem.Conflict("roll_call_closed", "the roll call is closed")
	}
	return c, err
}

// CloseRollCall ends a roll call: what is texted from now on is a reply and counts
// no more. One that is closed stays as it is.
func (q *Queue) CloseRollCall(ctx context.Context, account, id int64) (Campaign, error) {
	c, err := q.RollCall(ctx, account, id)
	if err != nil || !c.TakesAnswers(time.Now()) {
		return c, err
	}
	if err := closeRollCall(ctx, q.db, account, id, time.Now()); err != nil {
		return Campaign{}, err
	}
	return q.Campaign(ctx, account, id)
}

// SetRollAnswer puts somebody's answer by hand, after their text was read or they
// were spoken to; raw is their number as people type it. It can be done after the
// roll call is closed.
func (q *Queue) SetRollAnswer(ctx context.Context, account, id int64, raw, choice string) (p RollPerson, err error) {
	c, err := q.RollCall(ctx, account, id)
	if err != nil {
		return p, err
	}
	if _, err := c.Asks.Choice(choice); err != nil {
		return p, problem.Invalid("choice", "there is no choice %q", choice)
	}
	phone, err := q.phoneOf(ctx, account, raw)
	if err != nil {
		return p, err
	}
	if totals, err := selectRollTotals(ctx, q.db, account, id); err != nil || len(totals) > 0 {
		return p, orElse(err, ErrAnswersGone)
	}
	to, err := messageTo(ctx, q.db, id, phone)
	if err != nil {
		return p, err
	}
	if to.id == 0 {
		return p, problem.New(problem.KindNotFound, "recipient_not_found", "the roll call has no recipient with that number")
	}
	event, err := q.db.NewIDs(ctx, 1)
	if err != nil {
		return p, err
	}
	a := rollAnswer{campaign: id, message: to.id, phone: phone, contact: to.contact, choice: choice, at: time.Now()}
	if err := setRollAnswer(ctx, q.db, account, a, event); err != nil {
		return p, err
	}
	return q.rollPerson(ctx, account, id, to.id)
}

// rollPerson is the recipient of the roll call's message.
func (q *Queue) rollPerson(ctx context.Context, account, campaign, message int64) (RollPerson, error) {
	all, err := selectRollPeople(ctx, q.db, account, campaign, RollFilter{After: message - 1, Limit: 1})
	if err != nil || len(all) == 0 {
		return RollPerson{}, err
	}
	return all[0], nil
}

// Reminder is what those get who have not answered.
type Reminder struct {
	Text        string // empty: that of the roll call
	Key         string
	RequestHash string
}

// RemindRollCall texts those who have not answered yet, from the number that asked.
// What they answer counts for the roll call.
func (q *Queue) RemindRollCall(ctx context.Context, account, id int64, r Reminder) (Campaign, error) {
	if c, found, err := q.replayedCampaign(ctx, account, NewCampaign{Key: r.Key, RequestHash: r.RequestHash}); found || err != nil {
		return c, err
	}
	c, err := q.openRollCall(ctx, account, id)
	if err != nil {
		return Campaign{}, err
	}
	if !c.Expanded {
		return Campaign{}, problem.Conflict("roll_call_begins", "the roll call has not found all of its recipients yet")
	}
	n := c.again()
	n.Name, n.Filter, n.Key, n.RequestHash = beginning(c.Name), AudienceFilter{Unanswered: true}, r.Key, r.RequestHash
	if strings.TrimSpace(r.Text) != "" {
		n.Text, n.Template, n.version = r.Text, 0, 0
	}
	return q.StartCampaign(ctx, account, n)
}

// Reminders are the campaigns that reminded of a roll call, the newest first.
func (q *Queue) Reminders(ctx context.Context, account, id int64) ([]Campaign, error) {
	return selectCampaigns(ctx, q.db, `WHERE c.account_id = $1 AND c.source_id = $2 AND c.id > $2 ORDER BY c.id DESC LIMIT 20`, account, id)
}

// rollAnswer is what somebody says to a roll call.
type rollAnswer struct {
	campaign int64
	message  int64 // that asked
	phone    string
	contact  int64
	inbound  int64
	choice   string
	at       time.Time
	alarms   []string // the alarming choices
}
