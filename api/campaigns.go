package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type newCampaign struct {
	Group         string `json:"group" doc:"A group's id, or its exact name." example:"Night shift"`
	Text          string `json:"text" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"At most ten parts of text." example:"The water is back."`
	Transliterate bool   `json:"transliterate,omitempty" doc:"Send the text in the GSM alphabet as far as a reader bears it, so that more fits in a part. POST /v1/texts/analyse shows what becomes of it."`
	Sender        string `json:"sender,omitempty" doc:"The account's sender, if it is not given." example:"ACME"`
	Lane          lane   `json:"lane,omitempty" doc:"bulk, if it is not given."`
	Name          string `json:"name,omitempty" maxLength:"200" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"The beginning of the text, if it is not given."`
	MaxCost       *money `json:"max_cost,omitempty" doc:"The campaign holds before it would cost more. No ceiling, if it is not given."`
}

type campaign struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	State           string        `json:"state" enum:"accepted,running,held,paused,cancelled,sent,finished" doc:"sent: nothing is left to send; finished: every message has its final status."`
	Reason          string        `json:"reason,omitempty" doc:"Why it is held."`
	Group           campaignGroup `json:"group"`
	Sender          string        `json:"sender"`
	Text            string        `json:"text"`
	Lane            lane          `json:"lane"`
	Encoding        string        `json:"encoding" enum:"gsm7,ucs2"`
	Parts           int           `json:"parts" doc:"Of each message."`
	RecipientsKnown bool          `json:"recipients_known" doc:"Until then the figures still grow."`
	Recipients      int           `json:"recipients" doc:"How many messages there are."`
	Counts          counts        `json:"counts" doc:"How many messages are in each status."`
	LeftOut         leftOut       `json:"left_out" doc:"Members of the group who get no message."`
	Reserved        money         `json:"reserved" doc:"What its messages cost if all of them are accepted by the carrier."`
	MaxCost         *money        `json:"max_cost,omitempty"`
	CreatedAt       time.Time     `json:"created_at"`
	StartAt         time.Time     `json:"start_at"`
	StartedAt       time.Time     `json:"started_at,omitzero"`
	FinishedAt      time.Time     `json:"finished_at,omitzero"`
}

type campaignGroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type leftOut struct {
	WithoutNumber int `json:"without_number"`
	InvalidNumber int `json:"invalid_number"`
	SharedNumber  int `json:"shared_number" doc:"Somebody else in the group has the same number and gets the message."`
	SenderRefused int `json:"sender_refused" doc:"Their country does not take the campaign's sender."`
}

func (s Services) campaign(c smsqueue.Campaign) campaign {
	out := campaign{
		ID: s.Names.Of(secrets.Campaign, c.ID), Name: c.Name, State: string(c.State), Reason: c.Reason,
		Group:  campaignGroup{ID: s.Names.Of(secrets.Group, c.Group), Name: c.GroupName},
		Sender: c.Sender, Text: c.Text, Lane: lane(c.Lane), Encoding: string(c.Encoding), Parts: c.Parts,
		RecipientsKnown: c.Expanded, Recipients: c.Counts.Total(), Counts: counts(c.Counts), LeftOut: leftOut(c.LeftOut),
		Reserved:  moneyOf(c.ReservedMicro, c.Currency),
		CreatedAt: at(c.Created), StartAt: at(c.Start), StartedAt: at(c.Started), FinishedAt: at(c.Finished),
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
	if err == nil && !found {
		c, err = s.start(ctx, in.Body, in.Key, hash)
	}
	if err != nil {
		return nil, err
	}
	shown := s.campaign(c)
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

func (s Services) start(ctx context.Context, n newCampaign, key, hash string) (smsqueue.Campaign, error) {
	account := accountOf(ctx)
	ceiling, err := s.ceiling(ctx, n.MaxCost)
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	g, err := s.Book.FindGroup(ctx, account, n.Group, s.groupID, s.groupName)
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	return s.Queue.StartCampaign(ctx, account, smsqueue.NewCampaign{
		Name: n.Name, Group: g.ID, Text: n.Text, Transliterate: n.Transliterate, Sender: n.Sender, Lane: smsqueue.Lane(n.Lane),
		CeilingMicro: ceiling, Key: key, RequestHash: hash,
	})
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
	return &answer[campaign]{Body: s.campaign(c)}, nil
}

func (s Services) findCampaign(ctx context.Context, name string) (smsqueue.Campaign, error) {
	id, err := s.Names.ID(secrets.Campaign, name)
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	return s.Queue.Campaign(ctx, accountOf(ctx), id)
}
