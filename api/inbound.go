package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type inbound struct {
	ID         string    `json:"id" example:"inb_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	From       string    `json:"from" doc:"The handset: E.164, or as the carrier wrote it." example:"+4791234567"`
	To         string    `json:"to" doc:"The number or short code that was texted." example:"2440"`
	Contact    string    `json:"contact,omitempty" doc:"The contact with that number, if exactly one has it."`
	Text       string    `json:"text"`
	Parts      int       `json:"parts"`
	Incomplete bool      `json:"incomplete" doc:"Parts of it did not come within a day. […] stands in their place."`
	ReceivedAt time.Time `json:"received_at" doc:"When its first part came."`

	Campaign       string    `json:"campaign,omitempty" doc:"The campaign that it answers: the newest that texted that handset within 72 hours, or a roll call that is open."`
	Message        string    `json:"message,omitempty" doc:"The message that it answers."`
	Action         string    `json:"action,omitempty" enum:"stop,start,help,answer" doc:"What was done because of its words. answer: it was counted in a roll call."`
	NeedsAttention bool      `json:"needs_attention" doc:"Nothing was done because of its words, and nobody has dealt with it."`
	HandledAt      time.Time `json:"handled_at,omitzero" doc:"When somebody dealt with it."`
}

func (s Services) inbound(m smsqueue.Inbound) inbound {
	out := inbound{ID: s.inboundName(m), From: m.From, To: m.To, Text: m.Text, Parts: m.Parts, Incomplete: m.Incomplete(), ReceivedAt: at(m.Received),
		Action: m.Action, NeedsAttention: m.Open(), HandledAt: at(m.Handled)}
	if m.Campaign != 0 {
		out.Campaign = s.Names.Of(secrets.Campaign, m.Campaign)
	}
	if m.Message != 0 {
		out.Message = s.Names.Of(secrets.Message, m.Message)
	}
	if m.Contact != 0 {
		out.Contact = s.Names.Of(secrets.Contact, m.Contact)
	}
	return out
}

func (s Services) inboundName(m smsqueue.Inbound) string { return s.Names.Of(secrets.Inbound, m.ID) }

const inboundPath = "/v1/inbound"

type listInbound struct {
	Page
	NeedsAttention bool   `query:"needs_attention" doc:"Only those that somebody is to read: nothing was done because of their words, and nobody has dealt with them."`
	Campaign       string `query:"campaign" doc:"Only those that answer this campaign."`
	Contact        string `query:"contact" doc:"Only those from this contact."`
}

func (s Services) listInbound(ctx context.Context, in *listInbound) (*answer[list[inbound]], error) {
	campaign, err := s.campaignNamed(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	contact, err := s.contactNamed(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	return s.inboundPage(ctx, in.Page, smsqueue.InboundFilter{Open: in.NeedsAttention, Campaign: campaign, Contact: contact})
}

// contactNamed is the id of one of the account's contacts, 0 for no name.
func (s Services) contactNamed(ctx context.Context, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	id, err := s.Names.ID(secrets.Contact, name)
	if err != nil {
		return 0, err
	}
	c, err := s.Book.Contact(ctx, accountOf(ctx), id)
	return c.ID, err
}

func (s Services) inboundPage(ctx context.Context, p Page, f smsqueue.InboundFilter) (*answer[list[inbound]], error) {
	var err error
	if f.Before, err = p.from(s.Names, secrets.Inbound); err != nil {
		return nil, err
	}
	f.Limit = p.Limit + 1
	rows, err := s.Queue.Inbound(ctx, accountOf(ctx), f)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, p.Limit, s.inbound, s.inboundName), nil
}

type listReplies struct {
	ID string `path:"id" doc:"cmp_..."`
	Page
}

func (s Services) listReplies(ctx context.Context, in *listReplies) (*answer[list[inbound]], error) {
	c, err := s.findCampaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.inboundPage(ctx, in.Page, smsqueue.InboundFilter{Campaign: c.ID})
}

type newHandling struct {
	Handled bool `json:"handled" doc:"Whether somebody has dealt with it."`
}

type handleInbound struct {
	ID   string `path:"id" doc:"inb_..."`
	Body newHandling
}

func (s Services) handleInbound(ctx context.Context, in *handleInbound) (*answer[inbound], error) {
	id, err := s.Names.ID(secrets.Inbound, in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.Queue.HandleInbound(ctx, accountOf(ctx), id, in.Body.Handled)
	if err != nil {
		return nil, err
	}
	return &answer[inbound]{Body: s.inbound(m)}, nil
}

type oneInbound struct {
	ID string `path:"id" doc:"inb_..."`
}

func (s Services) readInbound(ctx context.Context, in *oneInbound) (*answer[inbound], error) {
	id, err := s.Names.ID(secrets.Inbound, in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.Queue.InboundMessage(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[inbound]{Body: s.inbound(m)}, nil
}
