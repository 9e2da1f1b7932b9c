package smsqueue

import (
	"context"
	"math"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// Message is one text to one number.
type Message struct {
	ID                int64
	Account           int64
	Campaign          int64 // 0 for a single message
	Contact           int64 // 0 when it was addressed to a number
	ContactName       string
	Phone             string // E.164
	Sender            string
	Text              string
	Lane              Lane
	Encoding          smstext.Encoding
	Parts             int
	PriceMicro        int64
	Currency          string
	Money             Money
	Status            Status
	Reason            string // in a word, why it is skipped, failed, ...
	Code              string // as the carrier gave it
	Tries             int
	PossibleDuplicate bool // it may have reached the handset more than once
	QueuedAt          time.Time
	SentAt            time.Time
	DoneAt            time.Time
}

// Message finds one of the account's messages.
func (q *Queue) Message(ctx context.Context, account, id int64) (Message, error) {
	all, err := selectMessages(ctx, q.db, `WHERE m.account_id = $1 AND m.id = $2`, account, id)
	if err != nil {
		return Message{}, err
	}
	if len(all) == 0 {
		return Message{}, problem.New(problem.KindNotFound, "message_not_found", "there is no such message")
	}
	return all[0], nil
}

// MessageFilter chooses messages. Zero values choose all.
type MessageFilter struct {
	Campaign int64
	Status   Status
	Before   int64 // only ids below it
	Limit    int
}

// Messages lists the account's messages, the newest first.
func (q *Queue) Messages(ctx context.Context, account int64, f MessageFilter) ([]Message, error) {
	if f.Campaign != 0 {
		return selectMessages(ctx, q.db, `
			JOIN ranges r ON r.campaign_id = $2 AND m.id BETWEEN r.first_id AND r.last_id
			WHERE m.account_id = $1 AND ($3 = '' OR m.status = $3) AND m.id < $4
			ORDER BY m.id DESC LIMIT $5`, account, f.Campaign, string(f.Status), older(f.Before), f.Limit)
	}
	return selectMessages(ctx, q.db, `
		JOIN ranges r ON r.account_id = $1 AND m.id BETWEEN r.first_id AND r.last_id
		WHERE m.account_id = $1 AND ($2 = '' OR m.status = $2) AND m.id < $3
		ORDER BY m.id DESC LIMIT $4`, account, string(f.Status), older(f.Before), f.Limit)
}

// older is the bound of a page that begins before an id; 0 begins at the newest.
func older(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}
