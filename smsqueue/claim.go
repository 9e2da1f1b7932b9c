package smsqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
	"github.com/varsel/varsel/smsqueue/window"
)

// errNotNow says that a rule keeps the range from going: it is paused, or the
// account's agreement has ended.
var errNotNow = errors.New("not now")

// errPaused says that the range's campaign does not run: no range of it is
// dispatched until somebody lets it go on.
var errPaused = fmt.Errorf("%w: its campaign does not run", errNotNow)

// candidate is a queued message and what decides whether it may go.
type candidate struct {
	row
	sender, body string
	encoding     smstext.Encoding
	duplicate    bool
	contactGone  bool
	optedOut     bool
	returned     bool // it was claimed before, or waited for its window
	counted      bool // its parts are in the account's counts
}

// claim takes the next messages of the range that fit into parts, checks every
// gate, and commits them as sending before any of their bytes is written. It says
// whether there may be more that can go now.
func (l *link) claim(ctx context.Context, r *running, parts int) (batch []*flight, more bool, err error) {
	ids, err := poolFor(ctx, l.w.db, 1, r.size()) // all of a range are one campaign's
	if err != nil {
		return nil, false, err
	}
	now := time.Now()
	var claimed []candidate
	var text campaignText
	var done map[int64][]int
	err = l.w.db.InTx(ctx, func(tx *db.Tx) error {
		claimed = nil
		pool := ids
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		claimedTo, err := lockClaims(ctx, tx, r)
		if err != nil {
			return err
		}
		if text, err = readText(ctx, tx, r); err != nil {
			return err
		}
		all, err := selectCandidates(ctx, tx, r, claimedTo, parts, now)
		if err != nil {
			return err
		}
		fit := fitting(all, parts)
		more = len(fit) < len(all) || len(all) == parts && all[len(all)-1].id < r.last
		var moves []move
		claimed, moves = sortOut(fit, r.sendBy(text), now)
		if claimed, err = l.w.holdBack(ctx, tx, r, text, claimedTo, claimed, now); err != nil {
			return err
		}
		if _, err := apply(ctx, tx, moves, &pool, now); err != nil {
			return err
		}
		if claimed, err = l.inTurn(ctx, tx, r, claimed, now); err != nil {
			return err
		}
		if err := markSending(ctx, tx, r, claimed); err != nil {
			return err
		}
		for i := range claimed {
			claimed[i].fill(text)
		}
		done, err = acceptedParts(ctx, tx, r, claimed)
		return err
	})
	if err != nil {
		for _, c := range claimed {
			l.order.leave(c.row)
		}
		return nil, false, err
	}
	if !more {
		l.w.nudgeLane(r.lane) // the next range may come
	}
	return launch(r, l.route.Features, claimed, done, r.sendBy(text).Sub(now)), more, nil
}

// campaignText is what messages without a text of their own say.
// They have windows and a validity of their own where somebody said so.
type campaignText struct {
	sender, body string
	windows      window.Week
	validity     time.Duration
}

func (c *candidate) fill(t campaignText) {
	if c.body == "" {
		c.body = t.body
	}
	if c.sender == "" {
		c.sender = t.sender
	}
}

// readText reads the flags that stop a whole range, and the campaign's text.
func readText(ctx context.Context, tx *db.Tx, r *running) (t campaignText, err error) {
	if err := accounts.Gate(ctx, tx, r.account); err != nil {
		if problem.As(err) != nil {
			return t, errNotNow
		}
		return t, err
	}
	if r.campaign == 0 {
		return t, nil
	}
	var state CampaignState
	var windows string
	var life int64
	err = tx.QueryRowContext(ctx, `SELECT state, sender, body, windows, validity_ms FROM campaigns WHERE id = $1`, r.campaign).
		Scan(&state, &t.sender, &t.body, &windows, &life)
	if err != nil {
		return t, err
	}
	t.validity = time.Duration(life) * time.Millisecond
	if t.windows, err = window.Parse(windows); err != nil {
		return t, err
	}
	if state != CampaignRunning && state != CampaignSent {
		err = errPaused
	}
	return t, err
}

// lockClaims keeps the range for this claim and answers how far it was claimed. The
// end of it may have been moved to another carrier. The queued messages of a range
// are changed only by who has locked the range.
func lockClaims(ctx context.Context, tx *db.Tx, r *running) (claimedTo int64, err error) {
	err = tx.QueryRowContext(ctx, tx.ForUpdate(`
		SELECT claimed_id, last_id FROM ranges WHERE id = $1 AND generation = $2 AND state = 'running'`), r.id, r.generation).Scan(&claimedTo, &r.last)
	if db.IsNone(err) {
		return 0, errNotNow // it was taken over
	}
	return claimedTo, err
}

func selectCandidates(ctx context.Context, tx *db.Tx, r *running, claimedTo int64, limit int, now time.Time) ([]candidate, error) {
	return db.Collect(ctx, tx, func(rows *sql.Rows) (c candidate, err error) {
		c.status, c.stored, c.account, c.campaign, c.route, c.lane, c.reservation, c.locked = Queued, Queued, r.account, r.campaign, r.route, r.lane, r.reservation, true
		return c, rows.Scan(&c.id, &c.phone, &c.sender, &c.body, &c.encoding, &c.parts, &c.price, &c.money, &c.tries, &c.duplicate,
			&c.returned, &c.counted, &c.contactGone, &c.optedOut)
	}, `
		SELECT m.id, m.phone, m.sender, m.body, m.encoding, m.parts, m.price_micro, m.money, m.tries, m.possible_duplicate, m.due_at > 0,
			m.due_at > 0 AND m.reason <> 'quiet_hours',
			m.contact_id <> 0 AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = m.contact_id AND c.state = 'active'),
			`+isSuppressed("$6", "m.phone", "$7")+` AND NOT EXISTS (SELECT 1 FROM opt_out_replies o WHERE o.message_id = m.id)
		FROM messages m
		WHERE m.id BETWEEN $1 AND $2 AND m.status = 'queued' AND m.due_at <= $3 AND (m.due_at > 0 OR m.id > $5)
		ORDER BY m.id LIMIT $4`,
		r.first, r.last, db.Millis(now), limit, claimedTo, r.account, string(r.lane))
}

// fitting is as many of the messages as have room for their parts, but one at
// least: a message of more parts than the window goes when nothing else does.
func fitting(all []candidate, parts int) []candidate {
	for i, c := range all {
		if parts -= c.parts; parts < 0 && i > 0 {
			return all[:i]
		}
	}
	return all
}

// sendBy is when the range's messages are not worth sending any more.
func (r *running) sendBy(t campaignText) time.Time {
	if t.validity > 0 {
		return r.deadline.Add(-receiptTime)
	}
	return r.deadline
}

// sortOut separates those that go from those that a rule ends.
func sortOut(all []candidate, sendBy, now time.Time) (going []candidate, ended []move) {
	for _, c := range all {
		switch {
		case now.After(sendBy):
			ended = append(ended, move{row: c.row, to: Expired, reason: "deadline"})
		case c.optedOut:
			ended = append(ended, move{row: c.row, to: Skipped, reason: "opted_out"})
		case c.contactGone, contacts.IsErased(c.phone):
			ended = append(ended, move{row: c.row, to: Skipped, reason: "recipient_removed"})
		default:
			going = append(going, c)
		}
	}
	return going, ended
}

// markSending is the claim: of messages that go for the first time it is how far
// the range has come, of others their own status. Whose it is stands in the
// range, so that a take-over knows which messages are in doubt.
func markSending(ctx context.Context, tx *db.Tx, r *running, claimed []candidate) error {
	if len(claimed) == 0 {
		return nil
	}
	var to int64
	var again []int64
	for i := range claimed {
		c := &claimed[i]
		c.locked = false
		if c.returned {
			again, c.stored = append(again, c.id), Sending
		} else {
			to = c.id
		}
	}
	if to > 0 {
		if _, err := tx.ExecContext(ctx, `UPDATE ranges SET claimed_id = $1 WHERE id = $2`, to, r.id); err != nil {
			return err
		}
	}
	if len(again) > 0 {
		list, err := idList(again)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE messages SET status = 'sending', reason = '', code = '', due_at = 0
			WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, list); err != nil {
			return err
		}
	}
	if r.campaign == 0 {
		return nil
	}
	return addDelta(ctx, tx, r.campaign, Counts{Queued: -len(claimed), Sending: len(claimed)})
}

// acceptedParts finds the parts that went earlier: a message that was
// throttled half-way resumes there and never sends part 1 again.
func acceptedParts(ctx context.Context, tx *db.Tx, r *running, claimed []candidate) (map[int64][]int, error) {
	var ids []int64
	for _, c := range claimed {
		if c.parts > 1 && c.tries > 0 {
			ids = append(ids, c.id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	done := map[int64][]int{}
	_, err = db.Collect(ctx, tx, func(rows *sql.Rows) (_ struct{}, err error) {
		var id int64
		var part int
		err = rows.Scan(&id, &part)
		done[id] = append(done[id], part)
		return struct{}{}, err
	}, `SELECT message_id, part FROM message_parts WHERE part >= 0 AND message_id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, list)
	return done, err
}

// flight is a message on its way to the carrier.
type flight struct {
	row
	r           *running
	encoding    smstext.Encoding
	duplicate   bool
	submissions []carriers.Submission
	answers     []carriers.Answer
	before      int // parts accepted in an earlier try
	pending     atomic.Int32
}

func launch(r *running, features carriers.Features, claimed []candidate, done map[int64][]int, validity time.Duration) []*flight {
	splits := map[string]smstext.Message{} // a campaign's text is split once
	var all []*flight
	for _, c := range claimed {
		split, known := splits[c.body]
		if !known {
			split = features.Cut(c.body, c.parts)
			splits[c.body] = split
		}
		all = append(all, c.flight(r, split, features.Whole, done[c.id], min(validity, longestValidity)))
	}
	return all
}

func (c candidate) flight(r *running, split smstext.Message, whole bool, done []int, validity time.Duration) *flight {
	f := &flight{row: c.row, r: r, encoding: split.Encoding, duplicate: c.duplicate, before: len(done)}
	f.status = Sending
	submission := carriers.Submission{MessageID: c.id, From: c.sender, To: c.phone, Encoding: split.Encoding, Shift: split.Shift,
		Parts: len(split.Parts), Reference: uint16(c.id), Validity: validity}
	if whole {
		submission.Part, submission.Text = carriers.Whole, c.body
		f.submissions = append(f.submissions, submission)
	} else {
		for i, text := range split.Parts {
			if submission.Part, submission.Text = i+1, text; !slices.Contains(done, i+1) {
				f.submissions = append(f.submissions, submission)
			}
		}
	}
	f.answers = make([]carriers.Answer, len(f.submissions))
	f.pending.Store(int32(len(f.submissions)))
	return f
}
