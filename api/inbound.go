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
	Action     string    `json:"action,omitempty" enum:"stop,start,help" doc:"What its words ask for, which has been done."`
	ReceivedAt time.Time `json:"received_at" doc:"When its first part came."`
}

func (s Services) inbound(m smsqueue.Inbound) inbound {
	out := inbound{ID: s.inboundName(m), From: m.From, To: m.To, Text: m.Text, Parts: m.Parts, Incomplete: m.Incomplete(), Action: m.Action, ReceivedAt: at(m.Received)}
	if m.Contact != 0 {
		out.Contact = s.Names.Of(secrets.Contact, m.Contact)
	}
	return out
}

func (s Services) inboundName(m smsqueue.Inbound) string { return s.Names.Of(secrets.Inbound, m.ID) }

const inboundPath = "/v1/inbound"

type listInbound struct {
	Page
}

func (s Services) listInbound(ctx context.Context, in *listInbound) (*answer[list[inbound]], error) {
	before, err := in.from(s.Names, secrets.Inbound)
	if err != nil {
		return nil, err
	}
	rows, err := s.Queue.Inbound(ctx, accountOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.inbound, s.inboundName), nil
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
