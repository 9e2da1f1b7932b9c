package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type newMessage struct {
	To            string `json:"to" doc:"A phone number; without a country code it is read in the account's region." example:"+4791234567"`
	Text          string `json:"text" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"At most ten parts of text." example:"The water is back."`
	Transliterate bool   `json:"transliterate,omitempty" doc:"Send the text in the GSM alphabet as far as a reader bears it, so that more fits in a part. POST /v1/texts/analyse shows what becomes of it."`
	Sender        string `json:"sender,omitempty" doc:"The account's sender, if it is not given." example:"ACME"`
	Lane          lane   `json:"lane,omitempty" doc:"normal, if it is not given. Urgent overtakes the others; bulk is never sent twice."`
}

type message struct {
	ID                string    `json:"id" example:"msg_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Status            status    `json:"status"`
	Reason            string    `json:"reason,omitempty" doc:"In a word, why it is skipped, failed or expired."`
	CarrierCode       string    `json:"carrier_code,omitempty" doc:"The error as the carrier gave it."`
	To                string    `json:"to" doc:"E.164." example:"+4791234567"`
	Contact           string    `json:"contact,omitempty" doc:"The contact it was addressed to."`
	Campaign          string    `json:"campaign,omitempty" doc:"The campaign it belongs to."`
	Sender            string    `json:"sender"`
	Text              string    `json:"text"`
	Lane              lane      `json:"lane"`
	Encoding          string    `json:"encoding" enum:"gsm7,ucs2"`
	Parts             int       `json:"parts" doc:"How many parts it is sent and priced as."`
	Price             money     `json:"price" doc:"Of all parts."`
	Charged           bool      `json:"charged" doc:"The price is charged once the carrier has accepted the message."`
	PossibleDuplicate bool      `json:"possible_duplicate" doc:"It may have reached the handset more than once."`
	QueuedAt          time.Time `json:"queued_at"`
	SentAt            time.Time `json:"sent_at,omitzero"`
	DoneAt            time.Time `json:"done_at,omitzero"`
}

func (s Services) message(m smsqueue.Message) message {
	out := message{
		ID: s.Names.Of(secrets.Message, m.ID), Status: status(m.Status), Reason: m.Reason, CarrierCode: m.Code,
		To: m.Phone, Sender: m.Sender, Text: m.Text, Lane: lane(m.Lane), Encoding: string(m.Encoding), Parts: m.Parts,
		Price: moneyOf(m.PriceMicro, m.Currency), Charged: m.Money == smsqueue.Charged, PossibleDuplicate: m.PossibleDuplicate,
		QueuedAt: at(m.QueuedAt), SentAt: at(m.SentAt), DoneAt: at(m.DoneAt),
	}
	if m.Contact != 0 {
		out.Contact = s.Names.Of(secrets.Contact, m.Contact)
	}
	if m.Campaign != 0 {
		out.Campaign = s.Names.Of(secrets.Campaign, m.Campaign)
	}
	return out
}

const messagesPath = "/v1/messages"

type sendMessage struct {
	Once
	Body newMessage
}

func (s Services) sendMessage(ctx context.Context, in *sendMessage) (*made[message], error) {
	m, err := s.Queue.Send(ctx, accountOf(ctx), smsqueue.Single{
		To: in.Body.To, Text: in.Body.Text, Transliterate: in.Body.Transliterate, Sender: in.Body.Sender, Lane: smsqueue.Lane(in.Body.Lane),
		Key: in.Key, RequestHash: requestHash("POST", messagesPath, in.Body),
	})
	if err != nil {
		return nil, err
	}
	shown := s.message(m)
	return &made[message]{Location: messagesPath + "/" + shown.ID, Body: shown}, nil
}

type listMessages struct {
	Page
	Status   status `query:"status" doc:"Only those in this status."`
	Campaign string `query:"campaign" doc:"Only those of this campaign."`
}

func (s Services) listMessages(ctx context.Context, in *listMessages) (*answer[list[message]], error) {
	before, err := in.from(s.Names, secrets.Message)
	if err != nil {
		return nil, err
	}
	campaign, err := s.campaignNamed(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	rows, err := s.Queue.Messages(ctx, accountOf(ctx), smsqueue.MessageFilter{
		Campaign: campaign, Status: smsqueue.Status(in.Status), Before: before, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.message, func(m smsqueue.Message) string { return s.Names.Of(secrets.Message, m.ID) }), nil
}

// campaignNamed is the id of one of the account's campaigns, 0 for no name.
func (s Services) campaignNamed(ctx context.Context, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	c, err := s.findCampaign(ctx, name)
	return c.ID, err
}

type oneMessage struct {
	ID string `path:"id" doc:"msg_..."`
}

func (s Services) readMessage(ctx context.Context, in *oneMessage) (*answer[message], error) {
	id, err := s.Names.ID(secrets.Message, in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.Queue.Message(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[message]{Body: s.message(m)}, nil
}
