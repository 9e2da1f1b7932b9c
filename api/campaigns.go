package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

type newCampaign struct {
	Group         string `json:"group" doc:"A group's id, or its exact name." example:"Night shift"`
	Text          string `json:"text,omitempty" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"At most ten parts of text. It may have fields, such as {{first_name}} or {{first_name|there}}: name, first_name, department, job_title, office, email, phone, card_link (the address of their own card), and custom.NAME for a field of a contact's own. A member for whom a field without a default is empty gets no message." example:"The water is back."`
	Template      string `json:"template,omitempty" doc:"In place of a text: a template's id, or its exact name. The campaign keeps the version that it has now."`
	Transliterate bool   `json:"transliterate,omitempty" doc:"Send the text in the GSM alphabet as far as a reader bears it, so that more fits in a part. POST /v1/texts/analyse shows what becomes of it."`
	Sender        string `json:"sender,omitempty" doc:"The account's sender, if it is not given." example:"ACME"`
	Lane          lane   `json:"lane,omitempty" doc:"bulk, if it is not given."`
	Name          string `json:"name,omitempty" maxLength:"200" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"The beginning of the text, if it is not given."`
	MaxCost       *money `json:"max_cost,omitempty" doc:"The campaign holds before it would cost more. No ceiling, if it is not given."`
	Timing

	Asks *newQuestion `json:"asks,omitempty" doc:"Makes it a roll call, whose answers are counted. Its sender is one of the account's numbers, the only one if it is not given; its lane is urgent if it is not given."`
}

type campaign struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	State           string        `json:"state" enum:"accepted,running,held,paused,cancelled,sent,finished" doc:"sent: nothing is left to send; finished: every message has its final status."`
	Reason          string        `json:"reason,omitempty" doc:"Why it is held."`
	Group           campaignGroup `json:"group"`
	Sender          string        `json:"sender"`
	Text            string        `json:"text" doc:"As it was written, or as it is in the template's own language."`
	Personal        bool          `json:"personal" doc:"What it says differs from recipient to recipient."`
	Template        *templateUsed `json:"template,omitempty"`
	Lane            lane          `json:"lane"`
	Encoding        string        `json:"encoding" enum:"gsm7,ucs2"`
	Parts           int           `json:"parts" doc:"Of each message; of a personal text, of the longest that is known."`
	PartsInAll      int           `json:"parts_in_all" doc:"Of all its messages."`
	RecipientsKnown bool          `json:"recipients_known" doc:"Until then the figures still grow."`
	Recipients      int           `json:"recipients" doc:"How many messages there are."`
	Counts          counts        `json:"counts" doc:"How many messages are in each status."`
	LeftOut         leftOut       `json:"left_out" doc:"Members of the group who get no message."`
	Reserved        money         `json:"reserved" doc:"What its messages cost if all of them are accepted by the carrier."`
	MaxCost         *money        `json:"max_cost,omitempty"`
	CreatedAt       time.Time     `json:"created_at"`
	StartAt         time.Time     `json:"start_at"`
	StartNote       string        `json:"start_note,omitempty" enum:"skipped,twice" doc:"In the answer to who set the start: the clocks skip that local time, and it was moved forward; or they show it twice, and the first is meant."`
	Zone            string        `json:"zone,omitempty" doc:"IANA: the one in which the start was said."`
	Scheduled       bool          `json:"scheduled" doc:"It has not started, and can be changed."`
	Validity        int           `json:"validity,omitempty" doc:"Minutes from the start during which its text is worth sending."`
	Windows         string        `json:"windows,omitempty" doc:"Its own, within the account's."`
	Source          string        `json:"source,omitempty" doc:"The campaign whose recipients it has."`
	Cards           *holders      `json:"cards,omitempty" doc:"It goes to holders of cards, who are no group of contacts."`
	Waits           []wait        `json:"waits,omitempty" doc:"What keeps its messages from going, where one campaign is read."`
	StartedAt       time.Time     `json:"started_at,omitzero"`
	FinishedAt      time.Time     `json:"finished_at,omitzero"`

	Asks *question `json:"asks,omitempty" doc:"What it asks, if it is a roll call. GET /v1/campaigns/{id}/roll-call counts the answers."`
}

type campaignGroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type leftOut struct {
	WithoutNumber int `json:"without_number"`
	InvalidNumber int `json:"invalid_number"`
	SharedNumber  int `json:"shared_number" doc:"Somebody else in the group has the same number and gets the message."`
	Suppressed    int `json:"suppressed" doc:"Their number wants no messages from the account."`
	Unresolved    int `json:"unresolved" doc:"Their text would have a hole: a field is empty that has no default."`
	TooLong       int `json:"too_long" doc:"Their text would need more than ten parts."`
	SenderRefused int `json:"sender_refused" doc:"Their country does not take the campaign's sender."`
}

type templateUsed struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version int    `json:"version"`
}

func (s Services) campaign(c smsqueue.Campaign) campaign {
	out := campaign{
		ID: s.Names.Of(secrets.Campaign, c.ID), Name: c.Name, State: string(c.State), Reason: c.Reason,
		Group:  campaignGroup{ID: s.Names.Of(secrets.Group, c.Group), Name: c.GroupName},
		Sender: c.Sender, Text: c.Text, Personal: c.Merged, Lane: lane(c.Lane), Encoding: string(c.Encoding), Parts: c.Parts, PartsInAll: c.AllParts,
		RecipientsKnown: c.Expanded, Recipients: c.Counts.Total(), Counts: counts(c.Counts), LeftOut: leftOut(c.LeftOut),
		Reserved: moneyOf(c.ReservedMicro, c.Currency),
		Zone:     c.Zone, Scheduled: c.Scheduled(), Validity: int(c.Validity / time.Minute), Windows: c.Windows.String(),
		CreatedAt: at(c.Created), StartAt: at(c.Start), StartedAt: at(c.Started), FinishedAt: at(c.Finished),
	}
	out.Asks = questionOf(c)
	if c.Source != 0 {
		out.Source = s.Names.Of(secrets.Campaign, c.Source)
	}
	if to := c.Filter.Cards; to != nil {
		out.Cards = &holders{Groups: s.namesOf(secrets.CardGroup, to.Groups), Cards: s.namesOf(secrets.Card, to.Cards)}
	}
	if c.Template != 0 {
		out.Template = &templateUsed{ID: s.Names.Of(secrets.Template, c.Template), Name: c.TemplateName, Version: c.Version}
	}
	if c.CeilingMicro > 0 {
		ceiling := moneyOf(c.CeilingMicro, c.Currency)
		out.MaxCost = &ceiling
	}
	return out
}

const campaignsPath = "/v1/campaigns"

type startCampaign struct {
	Once
	Body newCampaign
}

func (s Services) startCampaign(ctx context.Context, in *startCampaign) (*made[campaign], error) {
	hash := requestHash("POST", campaignsPath, in.Body)
	c, found, err := s.replayedCampaign(ctx, in.Key, hash)
	var note window.Note
	if err == nil && !found {
		c, note, err = s.start(ctx, in.Body, in.Key, hash)
	}
	if err != nil {
		return nil, err
	}
	shown := s.campaign(c)
	shown.StartNote = string(note)
	return &made[campaign]{Location: campaignsPath + "/" + shown.ID, Body: shown}, nil
}

// replayedCampaign looks before the group's name is looked up: a repetition is
// answered even when that name is gone or ambiguous by now.
func (s Services) replayedCampaign(ctx context.Context, key, hash string) (c smsqueue.Campaign, found bool, err error) {
	if key == "" {
		return c, false, nil
	}
	id, found, err := s.Accounts.Replay(ctx, accountOf(ctx), key, hash)
	if err != nil || !found {
		return c, false, err
	}
	c, err = s.Queue.Campaign(ctx, accountOf(ctx), id)
	return c, true, err
}

func (s Services) start(ctx context.Context, n newCampaign, key, hash string) (c smsqueue.Campaign, note window.Note, err error) {
	out, note, err := s.composed(ctx, n)
	if err != nil {
		return c, note, err
	}
	out.Key, out.RequestHash = key, hash
	c, err = s.Queue.StartCampaign(ctx, accountOf(ctx), out)
	return c, note, err
}

// composed is what is asked for, with what it names looked up.
func (s Services) composed(ctx context.Context, n newCampaign) (out smsqueue.NewCampaign, note window.Note, err error) {
	out = smsqueue.NewCampaign{Name: n.Name, Text: n.Text, Transliterate: n.Transliterate, Sender: n.Sender, Lane: smsqueue.Lane(n.Lane), Asks: n.Asks.question()}
	if out.CeilingMicro, err = s.ceiling(ctx, n.MaxCost); err != nil {
		return out, note, err
	}
	g, err := s.Book.FindGroup(ctx, accountOf(ctx), n.Group, s.groupID, s.groupName)
	if err != nil {
		return out, note, err
	}
	if out.Group = g.ID; n.Template != "" {
		t, err := s.findTemplate(ctx, n.Template)
		if err != nil {
			return out, note, err
		}
		out.Template = t.ID
	}
	note, err = n.Timing.fill(ctx, s, &out)
	return out, note, err
}

// ceiling is in micro-units of the account's currency, 0 for none.
func (s Services) ceiling(ctx context.Context, most *money) (int64, error) {
	if most == nil {
		return 0, nil
	}
	acc, err := s.Accounts.ByID(ctx, accountOf(ctx))
	switch {
	case err != nil:
		return 0, err
	case most.Currency != acc.Currency:
		return 0, problem.Invalid("max_cost", "the account pays in %s, not in %s", acc.Currency, most.Currency)
	case most.micro() == 0:
		return 0, problem.Invalid("max_cost", "a campaign that may cost nothing reaches nobody")
	}
	return most.micro(), nil
}

type listCampaigns struct {
	Page
}

func (s Services) listCampaigns(ctx context.Context, in *listCampaigns) (*answer[list[campaign]], error) {
	before, err := in.from(s.Names, secrets.Campaign)
	if err != nil {
		return nil, err
	}
	rows, err := s.Queue.Campaigns(ctx, accountOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.campaign, func(c smsqueue.Campaign) string { return s.Names.Of(secrets.Campaign, c.ID) }), nil
}

type oneCampaign struct {
	ID string `path:"id" doc:"cmp_..."`
}

func (s Services) readCampaign(ctx context.Context, in *oneCampaign) (*answer[campaign], error) {
	c, err := s.findCampaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	why, err := s.Queue.Why(ctx, c.Account, c.ID)
	if err != nil {
		return nil, err
	}
	out := s.campaign(c)
	out.Waits = waits(why)
	return &answer[campaign]{Body: out}, nil
}

func (s Services) findCampaign(ctx context.Context, name string) (smsqueue.Campaign, error) {
	id, err := s.Names.ID(secrets.Campaign, name)
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	return s.Queue.Campaign(ctx, accountOf(ctx), id)
}
