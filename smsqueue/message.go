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
	Unsent   bool  // only those that were not handed to a carrier: queued, or cancelled
	Before   int64 // only ids below it
	Limit    int
}

// Messages lists the account's messages, the newest first. It walks the ranges
// and not an index: messages have none but their key.
func (q *Queue) Messages(ctx context.Context, account int64, f MessageFilter) ([]Message, error) {
	var found []Message
	before := older(f.Before)
	for ranges := 1; len(found) < f.Limit; ranges = min(4*ranges, mostRanges) {
		first, last, err := rangesBelow(ctx, q.db, account, f.Campaign, before, ranges)
		if err != nil || last == 0 {
			return found, err
		}
		some, err := selectMessages(ctx, q.db, `
			WHERE m.id BETWEEN $1 AND $2 AND m.account_id = $3
				AND (CAST($4 AS BIGINT) = 0 OR m.campaign_id = $4) AND ($5 = '' OR `+shownStatus+` = $5)
				AND (CAST($6 AS BIGINT) = 0 OR `+shownStatus+` IN ('queued', 'cancelled'))
			ORDER BY m.id DESC LIMIT $7`, first, min(last, before-1), account, f.Campaign, string(f.Status), bit(f.Unsent), f.Limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
		before = first
	}
	return found, nil
}

// mostRanges bounds how many messages one statement of Messages looks at.
const mostRanges = 64

// older is the bound of a page that begins before an id; 0 begins at the newest.
func older(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}
