package smsqueue

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
)

// row is what a move needs to know of a message, read and locked in the same
// transaction.
type row struct {
	id, account, campaign, route int64
	phone                        string
	status                       Status
	money                        Money
	parts                        int
	price                        int64
	tries                        int
	lane                         Lane
}

// move takes one message from one status to another.
type move struct {
	row
	to        Status
	reason    string // in a word; empty leaves none
	code      string
	due       time.Time // for Queued: not before
	tried     bool      // counts as a try
	duplicate bool      // it may reach the handset again
}

// lockRows reads messages by id and keeps them as they are until the
// transaction ends. They are locked in the order of their ids, so that two
// batches never wait for each other.
func lockRows(ctx context.Context, tx *db.Tx, ids []int64) ([]row, error) {
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	return db.Collect(ctx, tx, scanRow, tx.ForUpdate(selectRow+`
		WHERE m.id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) ORDER BY m.id`), list)
}

const selectRow = `
	SELECT m.id, m.account_id, m.campaign_id, m.phone, m.status, m.money, m.parts, m.price_micro, m.tries,
		(SELECT carrier_id FROM ranges WHERE ranges.id = m.range_id), (SELECT lane FROM ranges WHERE ranges.id = m.range_id)
	FROM messages m`

func scanRow(r *sql.Rows) (m row, err error) {
	return m, r.Scan(&m.id, &m.account, &m.campaign, &m.phone, &m.status, &m.money, &m.parts, &m.price, &m.tries, &m.route, &m.lane)
}

// apply makes those moves that the table of transitions allows, with all that
// follows from them: money, counters, events. It returns the moves made.
// ids are for the ledger and the outbox, from poolFor.
func apply(ctx context.Context, tx *db.Tx, moves []move, ids *idPool, now time.Time) ([]move, error) {
	moves = slices.DeleteFunc(moves, func(m move) bool { return !m.status.May(m.to) })
	if len(moves) == 0 {
		return nil, nil
	}
	slices.SortFunc(moves, func(a, b move) int { return cmp.Compare(a.id, b.id) })
	if err := updateMessages(ctx, tx, moves, now); err != nil {
		return nil, err
	}
	if err := trackUnconfirmed(ctx, tx, moves); err != nil {
		return nil, err
	}
	if err := settleMoney(ctx, tx, moves, ids, now); err != nil {
		return nil, err
	}
	return moves, countCampaigns(ctx, tx, moves, ids, now)
}

// idPool hands out ids that were taken before the transaction.
type idPool struct{ next int64 }

func (p *idPool) take() int64 { p.next++; return p.next - 1 }

// poolFor takes what apply may need for messages of so many campaigns: a
// charge, a release and an event for each.
func poolFor(ctx context.Context, d *db.DB, campaigns int) (idPool, error) {
	first, err := d.NewIDs(ctx, 3*campaigns)
	return idPool{first}, err
}

// change is what updateMessages sets, in the order of the statement.
type change [9]any

func updateMessages(ctx context.Context, tx *db.Tx, moves []move, now time.Time) error {
	changes := make(map[string]change, len(moves))
	for _, m := range moves {
		var sent, done int64
		if m.to == Sent || m.to == Delivered || m.to == Undelivered {
			sent = db.Millis(now)
		}
		if !m.to.Open() {
			done = db.Millis(now)
		}
		changes[strconv.FormatInt(m.id, 10)] = change{string(m.to), m.reason, m.code, db.Millis(m.due), bit(m.tried), bit(m.duplicate),
			string(m.settled()), sent, done}
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE messages SET
			status = r.value->>0,
			reason = r.value->>1,
			code = r.value->>2,
			due_at = CAST(r.value->>3 AS BIGINT),
			tries = tries + CAST(r.value->>4 AS BIGINT),
			possible_duplicate = possible_duplicate OR CAST(r.value->>5 AS BIGINT) = 1,
			money = r.value->>6,
			sent_at = CASE sent_at WHEN 0 THEN CAST(r.value->>7 AS BIGINT) ELSE sent_at END,
			done_at = CAST(r.value->>8 AS BIGINT)
		FROM json_each($1) AS r WHERE messages.id = CAST(r.key AS BIGINT)`, string(text))
	return err
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// settled is the message's money after the move: it is settled once.
func (m move) settled() Money {
	if m.money != Reserved {
		return m.money
	}
	return settle(m.status, m.to)
}

func trackUnconfirmed(ctx context.Context, tx *db.Tx, moves []move) error {
	var in [][]any
	var out []int64
	for _, m := range moves {
		switch {
		case m.to == Unconfirmed:
			in = append(in, []any{m.id, m.route, m.phone})
		case m.status == Unconfirmed:
			out = append(out, m.id)
		}
	}
	if len(out) > 0 {
		list, err := idList(out)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			DELETE FROM unconfirmed WHERE message_id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, list); err != nil {
			return err
		}
	}
	return tx.Bulk(ctx, "unconfirmed", []string{"message_id", "carrier_id", "phone"}, in)
}

// settleMoney writes one balanced ledger entry per campaign and kind; the
// amounts are the sums of the rows that moved: the messages are the sub-ledger.
func settleMoney(ctx context.Context, tx *db.Tx, moves []move, ids *idPool, now time.Time) error {
	type key struct {
		account, campaign int64
		kind              billing.Kind
	}
	sums := map[key]*billing.Entry{}
	for _, m := range moves {
		after := m.settled()
		if after == m.money {
			continue
		}
		k := key{m.account, m.campaign, billing.Charge}
		if after == Released {
			k.kind = billing.Release
		}
		if sums[k] == nil {
			sums[k] = &billing.Entry{Account: m.account, Campaign: m.campaign, Kind: k.kind, Currency: "EUR"}
		}
		e := sums[k]
		e.Micro, e.Messages, e.Parts = e.Micro+m.price, e.Messages+1, e.Parts+m.parts
	}
	for _, e := range sums {
		e.ID = ids.take()
		if err := billing.Post(ctx, tx, *e, now); err != nil {
			return err
		}
	}
	return nil
}

// countCampaigns raises the counters that live pages read, last in the
// transaction, because many batches want the same row.
func countCampaigns(ctx context.Context, tx *db.Tx, moves []move, ids *idPool, now time.Time) error {
	deltas := map[int64]map[Status]int{}
	for _, m := range moves {
		if m.campaign == 0 {
			continue
		}
		if deltas[m.campaign] == nil {
			deltas[m.campaign] = map[Status]int{}
		}
		deltas[m.campaign][m.status]--
		deltas[m.campaign][m.to]++
	}
	for _, id := range slices.Sorted(maps.Keys(deltas)) {
		if err := count(ctx, tx, id, deltas[id]); err != nil {
			return err
		}
		if err := closeCampaign(ctx, tx, id, ids, now); err != nil {
			return err
		}
	}
	return nil
}

// countStatement adds to every counter of a campaign: $2 is the first status's.
var countStatement = func() string {
	var sets []string
	for i, s := range Statuses {
		sets = append(sets, fmt.Sprintf("%s = %s + $%d", s, s, i+2))
	}
	return `UPDATE campaigns SET ` + strings.Join(sets, ", ") + ` WHERE id = $1`
}()

func count(ctx context.Context, tx *db.Tx, campaign int64, delta map[Status]int) error {
	args := []any{campaign}
	for _, s := range Statuses {
		args = append(args, delta[s])
	}
	_, err := tx.ExecContext(ctx, countStatement, args...)
	return err
}

// closeCampaign moves a campaign on when nothing is left to send, or nothing
// is left to hear.
func closeCampaign(ctx context.Context, tx *db.Tx, id int64, ids *idPool, now time.Time) error {
	var account int64
	err := tx.QueryRowContext(ctx, `
		UPDATE campaigns SET
			state = CASE WHEN sent + unconfirmed = 0 THEN 'finished' ELSE 'sent' END,
			finished_at = CASE WHEN sent + unconfirmed = 0 THEN CAST($2 AS BIGINT) ELSE 0 END
		WHERE id = $1 AND expanded = TRUE AND queued + sending = 0
			AND (state = 'running' OR state = 'sent' AND sent + unconfirmed = 0)
		RETURNING CASE state WHEN 'finished' THEN account_id ELSE 0 END`, id, db.Millis(now)).Scan(&account)
	if db.IsNone(err) || err == nil && account == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return events.Record(ctx, tx, events.Event{ID: ids.take(), Account: account, Type: "campaign.finished", Data: map[string]int64{"campaign": id}, At: now})
}
