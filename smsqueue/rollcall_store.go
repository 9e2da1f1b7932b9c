package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// This file writes roll_answers. It reads contacts, contact_groups and group_members.

// storedQuestion is a question as its campaign keeps it; empty for none.
func storedQuestion(q *rollcall.Question) (asks string, ms int64, err error) {
	if q == nil {
		return "", 0, nil
	}
	text, err := json.Marshal(q.Choices)
	return string(text), q.Close.Milliseconds(), err
}

func questionStored(asks string, ms int64) (*rollcall.Question, error) {
	if asks == "" {
		return nil, nil
	}
	q := &rollcall.Question{Close: time.Duration(ms) * time.Millisecond}
	return q, json.Unmarshal([]byte(asks), &q.Choices)
}

func questionOf(ctx context.Context, q db.Querier, campaign int64) (*rollcall.Question, error) {
	var asks string
	var ms int64
	if err := q.QueryRowContext(ctx, `SELECT asks, asks_ms FROM campaigns WHERE id = $1`, campaign).Scan(&asks, &ms); err != nil {
		return nil, err
	}
	return questionStored(asks, ms)
}

// count keeps the last answer, and says false when another one stands. Words that are
// no choice take back what somebody said before, but not an alarm.
func (a *rollAnswer) count(ctx context.Context, tx *db.Tx) (counted bool, err error) {
	if a == nil {
		return false, nil
	}
	alarms, err := keys(a.alarms)
	if err != nil {
		return false, err
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO roll_answers (campaign_id, phone, contact_id, choice, inbound_id, answered_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (campaign_id, phone) DO UPDATE SET choice = EXCLUDED.choice, inbound_id = EXCLUDED.inbound_id, answered_at = EXCLUDED.answered_at
		WHERE EXCLUDED.answered_at >= roll_answers.answered_at
			AND (EXCLUDED.choice <> '' OR roll_answers.choice NOT IN (SELECT key FROM json_each($7)))`,
		a.campaign, a.phone, a.contact, a.choice, a.inbound, db.Millis(a.at), alarms)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// told is that somebody's answer stands: a choice, or an empty one for words that are
// none. Without an inbound message it was set by hand.
func (a *rollAnswer) told() events.Event {
	return events.Event{Type: "roll_call.answered", Data: map[string]any{"campaign": a.campaign, "message": a.message, "inbound": a.inbound, "choice": a.choice}}
}

// setRollAnswer keeps the time of what was texted, and marks that as dealt with.
// event is the id of what is told of it.
func setRollAnswer(ctx context.Context, d *db.DB, account int64, a rollAnswer, event int64) error {
	return d.InTx(ctx, func(tx *db.Tx) error {
		var inbound int64
		if err := tx.QueryRowContext(ctx, `
			INSERT INTO roll_answers (campaign_id, phone, contact_id, choice, inbound_id, answered_at) VALUES ($1, $2, $3, $4, 0, $5)
			ON CONFLICT (campaign_id, phone) DO UPDATE SET choice = EXCLUDED.choice RETURNING inbound_id`,
			a.campaign, a.phone, a.contact, a.choice, db.Millis(a.at)).Scan(&inbound); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE inbound SET handled_at = $1 WHERE account_id = $2 AND id = $3 AND action = '' AND handled_at = 0`,
			db.Millis(a.at), account, inbound); err != nil {
			return err
		}
		e := a.told()
		e.ID, e.Account, e.At = event, account, a.at
		return events.Record(ctx, tx, e)
	})
}

func closeRollCall(ctx context.Context, d *db.DB, account, id int64, now time.Time) error {
	_, err := d.ExecContext(ctx, `
		UPDATE campaigns SET asks_closed_at = $1 WHERE account_id = $2 AND id = $3 AND asks <> '' AND asks_closed_at = 0`, db.Millis(now), account, id)
	return err
}

// rollCountRow is how many in a group, or in all (0), gave an answer: nil is none,
// empty is an unclear one.
type rollCountRow struct {
	group int64
	name  string
	said  *string
	n     int
}

// selectRollCount counts in one statement, so that all of its sums are of one moment.
// Who has left since counts, as they were asked.
func selectRollCount(ctx context.Context, q db.Querier, account, campaign int64) ([]rollCountRow, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r rollCountRow, err error) {
		return r, row.Scan(&r.group, &r.name, &r.said, &r.n)
	}, `
		WITH asked AS MATERIALIZED (
			SELECT m.contact_id, a.choice FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id
			LEFT JOIN roll_answers a ON a.campaign_id = r.campaign_id AND a.phone = m.phone
			WHERE r.campaign_id = $1 AND r.account_id = $2)
		SELECT 0, '', choice, COUNT(*) FROM asked GROUP BY choice
		UNION ALL
		SELECT g.id, g.name, s.choice, s.n
		FROM (SELECT b.group_id, asked.choice, COUNT(*) AS n FROM asked JOIN group_members b ON b.contact_id = asked.contact_id
			GROUP BY b.group_id, asked.choice) AS s
		JOIN contact_groups g ON g.id = s.group_id AND g.account_id = $2 AND g.state = 'active'`, campaign, account)
}

// rollPerson are the columns of a RollPerson: m is the message that asked, r its
// range, a the answer, i the text of that and n the contact.
const rollPerson = `m.id, m.contact_id, COALESCE(n.name, ''), m.phone, ` + shownStatus + `,
	CASE WHEN a.phone IS NULL THEN 0 ELSE 1 END, COALESCE(a.choice, ''), COALESCE(i.body, ''), COALESCE(a.inbound_id, 0), COALESCE(a.answered_at, 0)`

func scanRollPerson(row *sql.Rows) (p RollPerson, err error) {
	var at int64
	err = row.Scan(&p.Message, &p.Contact, &p.Name, &p.Phone, &p.Status, &p.Answered, &p.Choice, &p.Text, &p.Inbound, &at)
	p.At = db.Time(at)
	return p, err
}

func selectRollPeople(ctx context.Context, q db.Querier, account, campaign int64, f RollFilter) ([]RollPerson, error) {
	state := f.State
	if f.Choice != "" {
		state = "choice"
	}
	return db.Collect(ctx, q, scanRollPerson, `
		SELECT `+rollPerson+`
		FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id
		LEFT JOIN roll_answers a ON a.campaign_id = r.campaign_id AND a.phone = m.phone
		LEFT JOIN inbound i ON i.id = a.inbound_id LEFT JOIN contacts n ON n.id = m.contact_id
		WHERE r.campaign_id = $1 AND r.account_id = $2 AND r.last_id > $3 AND m.id > $3
			AND NOT EXISTS (SELECT 1 FROM roll_totals o WHERE o.campaign_id = r.campaign_id)
			AND ($4 = '' OR $4 = 'unanswered' AND a.phone IS NULL OR $4 = 'unclear' AND a.choice = ''
				OR $4 = 'answered' AND a.choice <> '' OR $4 = 'choice' AND a.choice = $5)
		ORDER BY m.id LIMIT $6`, campaign, account, f.After, string(state), f.Choice, f.Limit)
}

func selectRollAlarms(ctx context.Context, q db.Querier, account, campaign int64, choices []string, limit int) ([]RollPerson, error) {
	alarming, err := keys(choices)
	if err != nil {
		return nil, err
	}
	return db.Collect(ctx, q, scanRollPerson, `
		SELECT `+rollPerson+`
		FROM (SELECT * FROM roll_answers WHERE campaign_id = $1 AND choice IN (SELECT key FROM json_each($3))
			ORDER BY answered_at, inbound_id LIMIT $4) AS a
		JOIN ranges r ON r.campaign_id = a.campaign_id AND r.account_id = $2
		JOIN messages f ON f.id = r.first_id AND (f.phone <= a.phone OR r.has_numbers = FALSE OR `+isErased("f")+`)
		JOIN messages l ON l.id = r.last_id AND (l.phone >= a.phone OR r.has_numbers = FALSE OR `+isErased("l")+`)
		JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id AND m.phone = a.phone
		LEFT JOIN inbound i ON i.id = a.inbound_id LEFT JOIN contacts n ON n.id = m.contact_id
		ORDER BY a.answered_at, a.inbound_id`, campaign, account, alarming, limit)
}
