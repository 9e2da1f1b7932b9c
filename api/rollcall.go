package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// newQuestion makes a campaign a roll call.
type newQuestion struct {
	Choices      []rollChoice `json:"choices" minItems:"2" maxItems:"9"`
	CloseMinutes int          `json:"close_minutes,omitempty" minimum:"1" maximum:"10080" doc:"How long from its start answers count; a day, if it is not given." example:"120"`
}

type rollChoice struct {
	Key   string   `json:"key" doc:"What people are asked to text: a number or a word." example:"1"`
	Words []string `json:"words,omitempty" maxItems:"20" doc:"Words or phrases that mean the same." example:"[\"safe\"]"`
	Label string   `json:"label" doc:"What it is called where answers are counted." example:"Safe"`
	Alarm bool     `json:"alarm,omitempty" doc:"Whoever chooses it is to be seen first."`
}

func (n *newQuestion) question() *rollcall.Question {
	if n == nil {
		return nil
	}
	q := &rollcall.Question{Close: time.Duration(n.CloseMinutes) * time.Minute}
	if n.CloseMinutes == 0 {
		q.Close = rollcall.UsualClose
	}
	for _, c := range n.Choices {
		q.Choices = append(q.Choices, rollcall.Choice(c))
	}
	return q
}

// question is what a roll call asks.
type question struct {
	Choices      []rollChoice `json:"choices"`
	TakesAnswers bool         `json:"takes_answers" doc:"Else it is closed, and what is texted is a reply and no more."`
	Until        time.Time    `json:"until,omitzero" doc:"When it closes, or was closed; missing until it has started."`
}

func questionOf(c smsqueue.Campaign) *question {
	if c.Asks == nil {
		return nil
	}
	q := &question{TakesAnswers: c.TakesAnswers(time.Now()), Until: at(c.AsksUntil())}
	for _, choice := range c.Asks.Choices {
		q.Choices = append(q.Choices, rollChoice(choice))
	}
	return q
}

// rollCall is how a roll call stands.
type rollCall struct {
	Campaign string `json:"campaign"`
	question
	rollTally
	Groups    []rollGroup  `json:"groups" doc:"The 50 largest groups that its recipients are in. Who is in several is counted in each."`
	Alarms    []rollPerson `json:"alarms" doc:"The first 100 whose answer alarms, who said so first on top."`
	Reminders []string     `json:"reminders" doc:"The campaigns that reminded, the newest first."`
}

type rollTally struct {
	Asked      int        `json:"asked" doc:"How many were asked."`
	By         []rollKeys `json:"by_choice"`
	Unclear    int        `json:"unclear" doc:"Answered in words that are no choice, or more than one: for a person to read."`
	Unanswered int        `json:"unanswered"`
}

type rollKeys struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Count int    `json:"count"`
}

type rollGroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	rollTally
}

func tallyOf(c smsqueue.Campaign, t smsqueue.RollTally) rollTally {
	out := rollTally{Asked: t.Asked, Unclear: t.Unclear, Unanswered: t.Unanswered}
	for _, choice := range c.Asks.Choices {
		out.By = append(out.By, rollKeys{choice.Key, choice.Label, t.By[choice.Key]})
	}
	return out
}

type rollPerson struct {
	Message    string    `json:"message" doc:"The message that asked."`
	Status     status    `json:"message_status" doc:"Whether it reached them."`
	Contact    string    `json:"contact,omitempty"`
	Name       string    `json:"name,omitempty"`
	Phone      string    `json:"phone" doc:"E.164."`
	State      rollState `json:"state" doc:"unclear: words that are no choice."`
	Choice     string    `json:"choice,omitempty" doc:"The key."`
	Text       string    `json:"text,omitempty" doc:"As it was texted; missing when the answer was set by hand."`
	Inbound    string    `json:"inbound,omitempty" doc:"The message that was received."`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
}

type rollState string

// Schema lists the states.
func (rollState) Schema(huma.Registry) *huma.Schema { return oneOf(smsqueue.RollStates) }

func (s Services) rollPerson(p smsqueue.RollPerson) rollPerson {
	out := rollPerson{Message: s.rollPersonName(p), Status: status(p.Status), Name: p.Name, Phone: p.Phone, State: rollState(p.State()), Choice: p.Choice, Text: p.Text, AnsweredAt: at(p.At)}
	if p.Contact != 0 {
		out.Contact = s.Names.Of(secrets.Contact, p.Contact)
	}
	if p.Inbound != 0 {
		out.Inbound = s.Names.Of(secrets.Inbound, p.Inbound)
	}
	return out
}

func (s Services) rollPersonName(p smsqueue.RollPerson) string {
	return s.Names.Of(secrets.Message, p.Message)
}

// mostAlarms bounds the alarms that are told with the counts; more of them are found
// among the answers.
const mostAlarms = 100

func (s Services) readRollCall(ctx context.Context, in *oneCampaign) (*answer[rollCall], error) {
	c, err := s.findRollCall(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.rollCall(ctx, c)
}

func (s Services) rollCall(ctx context.Context, c smsqueue.Campaign) (*answer[rollCall], error) {
	count, err := s.Queue.CountRollCall(ctx, c.Account, c.ID)
	if err != nil {
		return nil, err
	}
	alarms, err := s.Queue.RollAlarms(ctx, c.Account, c, mostAlarms)
	if err != nil {
		return nil, err
	}
	reminders, err := s.Queue.Reminders(ctx, c.Account, c.ID)
	if err != nil {
		return nil, err
	}
	out := rollCall{Campaign: s.Names.Of(secrets.Campaign, c.ID), question: *questionOf(c), rollTally: tallyOf(c, count.RollTally),
		Groups: []rollGroup{}, Alarms: []rollPerson{}, Reminders: []string{}}
	for _, g := range count.Groups {
		out.Groups = append(out.Groups, rollGroup{s.groupName(g.ID), g.Name, tallyOf(c, g.RollTally)})
	}
	for _, p := range alarms {
		out.Alarms = append(out.Alarms, s.rollPerson(p))
	}
	for _, r := range reminders {
		out.Reminders = append(out.Reminders, s.Names.Of(secrets.Campaign, r.ID))
	}
	return &answer[rollCall]{Body: out}, nil
}

func (s Services) findRollCall(ctx context.Context, name string) (smsqueue.Campaign, error) {
	id, err := s.Names.ID(secrets.Campaign, name)
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	return s.Queue.RollCall(ctx, accountOf(ctx), id)
}

type listRollAnswers struct {
	ID string `path:"id" doc:"cmp_..."`
	Page
	State  rollState `query:"state" doc:"Only those whose answer stands there: unanswered are those whom a reminder reaches."`
	Choice string    `query:"choice" doc:"Only those with this choice, by its key."`
}

func (s Services) listRollAnswers(ctx context.Context, in *listRollAnswers) (*answer[list[rollPerson]], error) {
	after, err := in.from(s.Names, secrets.Message)
	if err != nil {
		return nil, err
	}
	c, err := s.findRollCall(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Choice != "" {
		if _, err := c.Asks.Choice(in.Choice); err != nil {
			return nil, invalidQuery("choice", err.Error())
		}
	}
	rows, err := s.Queue.RollPeople(ctx, c.Account, c.ID, smsqueue.RollFilter{State: smsqueue.RollState(in.State), Choice: in.Choice, After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.rollPerson, s.rollPersonName), nil
}

type newReminder struct {
	Text string `json:"text,omitempty" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"The text of the roll call, if it is not given."`
}

type remindRollCall struct {
	ID string `path:"id" doc:"cmp_..."`
	Once
	Body newReminder
}

func (s Services) remindRollCall(ctx context.Context, in *remindRollCall) (*made[campaign], error) {
	id, err := s.Names.ID(secrets.Campaign, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.Queue.RemindRollCall(ctx, accountOf(ctx), id, smsqueue.Reminder{Text: in.Body.Text, Key: in.Key,
		RequestHash: requestHash("POST", campaignsPath+"/"+in.ID+rollCallPath+"/remind", in.Body)})
	if err != nil {
		return nil, err
	}
	shown := s.campaign(c)
	return &made[campaign]{Location: campaignsPath + "/" + shown.ID, Body: shown}, nil
}

type newRollAnswer struct {
	Phone  string `json:"phone" doc:"Of somebody who was asked, as people type it; without a country code it is read in the account's region." example:"+4791234567"`
	Choice string `json:"choice" doc:"The key of what they chose." example:"1"`
}

type setRollAnswer struct {
	ID   string `path:"id" doc:"cmp_..."`
	Body newRollAnswer
}

func (s Services) setRollAnswer(ctx context.Context, in *setRollAnswer) (*answer[rollPerson], error) {
	id, err := s.Names.ID(secrets.Campaign, in.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.Queue.SetRollAnswer(ctx, accountOf(ctx), id, in.Body.Phone, in.Body.Choice)
	if err != nil {
		return nil, err
	}
	return &answer[rollPerson]{Body: s.rollPerson(p)}, nil
}

func (s Services) closeRollCall(ctx context.Context, in *oneCampaign) (*answer[rollCall], error) {
	id, err := s.Names.ID(secrets.Campaign, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.Queue.CloseRollCall(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return s.rollCall(ctx, c)
}

// rollCallPath is below a campaign's.
const rollCallPath = "/roll-call"
