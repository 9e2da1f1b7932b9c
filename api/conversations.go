package api

import (
	"context"
	"net/url"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type conversation struct {
	Number     string `json:"number" doc:"Theirs: E.164, or as the carrier wrote it."`
	Contact    string `json:"contact,omitempty" doc:"The contact with that number, if exactly one has it."`
	Name       string `json:"name,omitempty"`
	ReplyFrom  string `json:"reply_from,omitempty" doc:"What an answer is best sent from: the number they texted last. Missing: the account's sender."`
	Items      []said `json:"items" doc:"The newest last."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Asks for what was before. There is nothing when it is missing."`
}

// said is one text of a conversation.
type said struct {
	Direction string    `json:"direction" enum:"sent,received"`
	At        time.Time `json:"at"`
	Message   *message  `json:"message,omitempty" doc:"What was sent."`
	Inbound   *inbound  `json:"inbound,omitempty" doc:"What was received."`
}

func (s Services) said(l smsqueue.Line) said {
	if l.Sent != nil {
		m := s.message(*l.Sent)
		return said{Direction: "sent", At: at(l.At), Message: &m}
	}
	m := s.inbound(*l.Received)
	return said{Direction: "received", At: at(l.At), Inbound: &m}
}

const conversationsPath = "/v1/conversations"

type readConversation struct {
	Number string `path:"number" doc:"Their number, E.164." example:"+4791234567"`
	Page
}

func (s Services) readConversation(ctx context.Context, in *readConversation) (*answer[conversation], error) {
	before, err := in.from(s.Names, secrets.Message)
	if err != nil {
		return nil, err
	}
	number, err := url.PathUnescape(in.Number)
	if err != nil {
		return nil, err
	}
	c, err := s.Queue.Conversation(ctx, accountOf(ctx), number, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := conversation{Number: c.Phone, Name: c.ContactName, ReplyFrom: c.From, Items: []said{}}
	if c.Contact != 0 {
		out.Contact = s.Names.Of(secrets.Contact, c.Contact)
	}
	if c.Older != 0 {
		out.NextCursor = s.Names.Of(secrets.Message, c.Older)
	}
	for _, l := range c.Lines {
		out.Items = append(out.Items, s.said(l))
	}
	return &answer[conversation]{Body: out}, nil
}
