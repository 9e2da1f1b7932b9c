package smsqueue

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Line is one text of a conversation: one that came, or one that was sent.
type Line struct {
	ID           int64
	Sent         *Message // else Received
	Received     *Inbound
	CampaignName string // of what was sent, or of what is answered
	At           time.Time
}

// Conversation is what an account and a number texted each other, the newest last.
type Conversation struct {
	Phone       string
	Contact     int64 // the account's only contact with that number, or 0
	ContactName string
	Lines       []Line
	Older       int64  // the page before ends below this id; 0 at the beginning
	From        string // what an answer is sent from: the number they texted last; empty for the account's sender
}

const (
	// A page of a conversation looks at no more ranges than it needs, and at these
	// at the most: what is before them is on the page before.
	fewestRanges, mostConversationRanges = 64, 1024
)

// Conversation reads a page of what was texted to and from a number, E.164 or as a
// carrier wrote it; before is the id that the page ends below, 0 for the latest. A
// page has limit lines at the most, and may have fewer.
func (q *Queue) Conversation(ctx context.Context, account int64, phone string, before int64, limit int) (Conversation, error) {
	c := Conversation{Phone: phone}
	if account == Nobody || phone == "" {
		return c, problem.NotFound("conversation", phone)
	}
	end := older(before)
	received, err := selectInbound(ctx, q.db, `WHERE i.account_id = $1 AND i.phone = $2 AND i.id < $3 ORDER BY i.id DESC LIMIT $4`, account, phone, end, limit+1)
	if err != nil {
		return c, err
	}
	singles, err := selectMessages(ctx, q.db, `
		WHERE m.phone = $1 AND m.campaign_id = 0 AND m.account_id = $2 AND m.id < $3 ORDER BY m.id DESC LIMIT $4`, phone, account, end, limit+1)
	if err != nil {
		return c, err
	}
	mass, walked, err := q.campaignTexts(ctx, account, phone, end, limit+1)
	if err != nil {
		return c, err
	}
	if c.Lines, err = q.lines(ctx, account, received, append(singles, mass...)); err != nil {
		return c, err
	}
	c.cut(walked, limit)
	return c, q.whoItIs(ctx, account, &c)
}

// cut leaves the newest lines, of those after the place up to which all were found.
func (c *Conversation) cut(walked int64, limit int) {
	slices.SortFunc(c.Lines, func(a, b Line) int { return cmp.Compare(a.ID, b.ID) })
	whole, _ := slices.BinarySearchFunc(c.Lines, walked, func(l Line, id int64) int { return cmp.Compare(l.ID, id) })
	begin := max(whole, len(c.Lines)-limit)
	switch {
	case len(c.Lines)-whole > limit:
		c.Older = c.Lines[begin].ID
	case walked > 0:
		c.Older = walked
	}
	c.Lines = slices.Clone(c.Lines[begin:])
}

// campaignTexts finds what campaigns sent to a number before an id. They stand in
// ranges, in the order of their numbers, so that the ends of a range tell whether it
// can have the number. walked is the id from which on all are found, 0 for all.
func (q *Queue) campaignTexts(ctx context.Context, account int64, phone string, before int64, limit int) (all []Message, walked int64, err error) {
	looked := 0
	for ranges := fewestRanges; looked < mostConversationRanges; ranges *= 2 {
		first, last, err := rangesBelow(ctx, q.db, account, 0, before, ranges)
		if err != nil || last == 0 {
			return all, 0, err
		}
		some, err := selectMessages(ctx, q.db, `
			WHERE m.id IN (
				SELECT m.id FROM ranges r
				JOIN messages f ON f.id = r.first_id AND (f.phone <= $1 OR `+isErased("f")+`)
				JOIN messages l ON l.id = r.last_id AND (l.phone >= $1 OR `+isErased("l")+`)
				JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id AND m.phone = $1 AND m.id < $4
				WHERE r.account_id = $2 AND r.campaign_id <> 0 AND r.first_id BETWEEN $3 AND $5)
			ORDER BY m.id DESC`, phone, account, first, before, last)
		if err != nil {
			return nil, 0, err
		}
		all, before, looked = append(all, some...), first, looked+ranges
		if len(all) >= limit {
			break
		}
	}
	return all, before, nil
}

func (q *Queue) lines(ctx context.Context, account int64, received []Inbound, sent []Message) (all []Line, err error) {
	names := map[int64]string{}
	for i := range sent {
		m := &sent[i]
		if _, known := names[m.Campaign]; m.Campaign != 0 && !known {
			c, err := q.Campaign(ctx, account, m.Campaign)
			if err != nil {
				return nil, err
			}
			names[m.Campaign] = c.Name
		}
		all = append(all, Line{ID: m.ID, Sent: m, CampaignName: names[m.Campaign], At: m.QueuedAt})
	}
	for i := range received {
		m := &received[i]
		all = append(all, Line{ID: m.ID, Received: m, CampaignName: m.CampaignName, At: m.Received})
	}
	return all, nil
}

// whoItIs finds the contact, and the number from which an answer goes: the one they
// texted last, unless the carrier in use cannot send from it.
func (q *Queue) whoItIs(ctx context.Context, account int64, c *Conversation) (err error) {
	if c.Contact, err = contactOf(ctx, q.db, account, c.Phone); err != nil {
		return err
	}
	if c.Contact != 0 {
		name, err := db.Column[string](ctx, q.db, `SELECT name FROM contacts WHERE account_id = $1 AND id = $2`, account, c.Contact)
		if err != nil {
			return err
		}
		c.ContactName = append(name, "")[0]
	}
	texted, err := db.Column[string](ctx, q.db, `SELECT number FROM inbound WHERE account_id = $1 AND phone = $2 ORDER BY id DESC LIMIT 1`, account, c.Phone)
	if err != nil || len(texted) == 0 {
		return err
	}
	c.From, err = q.replyFrom(ctx, account, texted[0])
	return err
}

// replyFrom is the number itself, or empty where it is none to send from, or is the
// account's at another carrier only. What is no number of the account's was its
// sender (ownerOf).
func (q *Queue) replyFrom(ctx context.Context, account int64, number string) (string, error) {
	if accounts.ValidSender(number) != nil {
		return "", nil
	}
	numbers, err := q.NumbersOf(ctx, account)
	if err != nil || !slices.ContainsFunc(numbers, func(n Number) bool { return n.Number == number }) {
		return number, err
	}
	senders, err := q.AnswerableSenders(ctx, account)
	if problem.As(err) != nil { // no carrier: nothing can be sent at all
		return "", nil
	}
	if err != nil || isOneOf(senders, number) {
		return number, err
	}
	return "", nil
}
