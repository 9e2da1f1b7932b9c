package smsqueue

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/keywords"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

const (
	// replyWithin is how long after a text what comes from its number is taken for
	// an answer to it. An answer to a roll call is one until that is closed.
	replyWithin = 72 * time.Hour
	// mostAsking bounds how many campaigns are looked through for a number.
	mostAsking = 100
)

// asking is a campaign that a reply may answer.
type asking struct {
	id       int64 // that texted
	answered int64 // that is answered: of a reminder, its roll call
	open     bool  // a roll call that takes answers
	mine     bool  // it was sent from the number that was texted
}

// sentText is a text that a reply may answer.
type sentText struct {
	asking
	message campaignMessage
}

// answers finds what a message answers: a roll call that is open, else what was sent
// from the number that was texted, else the newest. What it says to a roll call is
// to be counted once the message is kept.
func (m *received) answers(ctx context.Context, tx *db.Tx, now time.Time) (*rollAnswer, error) {
	if m.Account == Nobody {
		return nil, nil
	}
	text, err := m.answered(ctx, tx, now)
	if err != nil || text.message.id == 0 {
		return nil, err
	}
	m.Campaign, m.Message = text.answered, text.message.id
	if wish := keywords.Kind(m.Action); !text.open || wish == keywords.Stop || wish == keywords.Start {
		return nil, nil
	}
	m.Action = "" // who says help to a roll call needs it
	question, err := questionOf(ctx, tx, text.answered)
	if err != nil {
		return nil, err
	}
	a := &rollAnswer{campaign: text.answered, message: text.message.id, phone: m.From, contact: text.message.contact, inbound: m.ID,
		choice: question.Read(m.Text), at: earlier(m.Received, now), alarms: question.Alarms()}
	if a.choice != "" {
		m.Action = ActionAnswer
	}
	return a, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (m *received) answered(ctx context.Context, tx *db.Tx, now time.Time) (best sentText, err error) {
	number := strings.TrimPrefix(m.To, "+")
	campaigns, err := askingCampaigns(ctx, tx, m.Account, number, now)
	if err != nil {
		return best, err
	}
	for _, c := range campaigns {
		to, err := messageTo(ctx, tx, c.id, m.From)
		if err != nil {
			return best, err
		}
		if to.id != 0 && (to.onItsWay || c.open) {
			best = sentText{c, to}
			break
		}
	}
	if best.open {
		return best, nil
	}
	single, err := newestSingle(ctx, tx, m.Account, m.From, number, now.Add(-replyWithin))
	if err != nil || !single.beats(best) {
		return best, err
	}
	return single, nil
}

// beats compares ids of messages, which follow the time.
func (t sentText) beats(other sentText) bool {
	if t.mine != other.mine && other.message.id != 0 {
		return t.mine
	}
	return t.message.id > other.message.id
}

// askingOpen is true of a roll call x that takes answers at the time $2.
const askingOpen = `x.asks <> '' AND x.asks_closed_at = 0 AND x.started_at + x.asks_ms > $2`

// askingCampaigns are those that the account has begun lately, and roll calls until
// they are closed, with their reminders; first those that are most likely meant.
func askingCampaigns(ctx context.Context, q db.Querier, account int64, number string, now time.Time) ([]asking, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (a asking, err error) {
		return a, row.Scan(&a.id, &a.answered, &a.open, &a.mine)
	}, `
		SELECT id, answered, open, mine FROM (
			SELECT c.id, x.id AS answered, CASE WHEN `+askingOpen+` THEN 1 ELSE 0 END AS open,
				CASE WHEN REPLACE(c.sender, '+', '') = $3 THEN 1 ELSE 0 END AS mine, c.started_at
			FROM campaigns c LEFT JOIN campaigns s ON s.id = c.source_id AND s.account_id = c.account_id AND s.asks <> ''
			JOIN campaigns x ON x.id = COALESCE(s.id, c.id)
			WHERE c.account_id = $1 AND c.started_at >= $4) AS t
		WHERE open = 1 OR started_at >= $5
		ORDER BY open DESC, mine DESC, started_at DESC, id DESC LIMIT $6`,
		account, db.Millis(now), number, db.Millis(now.Add(-rollcall.LongestClose)), db.Millis(now.Add(-replyWithin)), mostAsking)
}

// newestSingle is the account's newest single message to a number since then, from
// the sender that was texted if there is one.
func newestSingle(ctx context.Context, q db.Querier, account int64, phone, number string, since time.Time) (t sentText, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT m.id, CASE WHEN REPLACE(m.sender, '+', '') = $3 THEN 1 ELSE 0 END AS mine
		FROM messages m JOIN ranges r ON r.id = m.range_id
		WHERE m.phone = $1 AND m.campaign_id = 0 AND m.account_id = $2 AND m.queued_at >= $4 AND `+onItsWay+`
		ORDER BY mine DESC, m.id DESC LIMIT 1`, phone, account, number, db.Millis(since)).Scan(&t.message.id, &t.mine)
	if db.IsNone(err) {
		return sentText{}, nil
	}
	return t, err
}
