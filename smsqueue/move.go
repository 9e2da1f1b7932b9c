package smsqueue

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
)

// row is what a move needs to know of a message: read and locked in the same
// transaction, or remembered from when it was last written.
type row struct {
	id, account, campaign, route int64
	stored                       Status // as it stands in the database; see flying
	phone                        string
	status                       Status
	money                        Money
	parts                        int
	price                        int64
	tries                        int
	lane                         Lane
	reservation                  billing.Reservation
	locked                       bool // read in this transaction
}

// flying says whether a message that stands as queued is on its way to the
// carrier: it was claimed with its range, and has not come back since.
func flying(stored Status, due, id, claimed int64) bool {
	return stored == Queued && due == 0 && id <= claimed
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
	return collectRows(ctx, tx, `WHERE m.id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) ORDER BY m.id`, list)
}

// collectRows reads the ranges once the messages are locked: a claim writes its
// range alone.
func collectRows(ctx context.Context, tx *db.Tx, where string, args ...any) ([]row, error) {
	type place struct{ id, due int64 }
	var places []place // of each row: its range, and its due time
	rows, err := db.Collect(ctx, tx, func(r *sql.Rows) (m row, err error) {
		var p place
		m.locked = true
		err = r.Scan(&m.id, &m.account, &m.campaign, &m.phone, &m.stored, &m.money, &m.parts, &m.price, &m.tries, &p.id, &p.due)
		places = append(places, p)
		return m, err
	}, tx.ForUpdate(`
		SELECT m.id, m.account_id, m.campaign_id, m.phone, m.status, m.money, m.parts, m.price_micro, m.tries, m.range_id, m.due_at
		FROM messages m `+where), args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	of := map[int64]*rangeRow{}
	for _, p := range places {
		of[p.id] = nil
	}
	if err := readRanges(ctx, tx, of); err != nil {
		return nil, err
	}
	for i := range rows {
		m, r := &rows[i], of[places[i].id]
		m.route, m.lane, m.reservation, m.status = r.route, r.lane, r.reservation, m.stored
		if flying(m.stored, places[i].due, m.id, r.claimed) {
			m.status = Sending
		}
	}
	return rows, nil
}

// readRanges fills in the ranges whose ids are the keys.
func readRanges(ctx context.Context, tx *db.Tx, of map[int64]*rangeRow) error {
	list, err := idList(slices.Collect(maps.Keys(of)))
	if err != nil {
		return err
	}
	_, err = db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
		r := &rangeRow{}
		err = row.Scan(&r.id, &r.route, &r.lane, &r.claimed, &r.reservation)
		of[r.id] = r
		return struct{}{}, err
	}, `SELECT id, carrier_id, lane, claimed_id, reservation_id FROM ranges WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, list)
	return err
}

// apply makes those moves that the table of transitions allows, with all that
// follows from them: money, counters, events. A message that was not read in
// this transaction moves only if it still is where it is said to be. It returns
// the moves made. ids are for the ledger and the outbox, from poolFor.
func apply(ctx context.Context, tx *db.Tx, moves []move, ids *idPool, now time.Time) ([]move, error) {
	moves = slices.DeleteFunc(moves, func(m move) bool { return !m.status.May(m.to) })
	if len(moves) == 0 {
		return nil, nil
	}
	moves, err := updateMessages(ctx, tx, moves, now)
	if err != nil || len(moves) == 0 {
		return nil, err
	}
	if err := trackUnconfirmed(ctx, tx, moves); err != nil {
		return nil, err
	}
	if err := settleMoney(ctx, tx, moves, ids, now); err != nil {
		return nil, err
	}
	return moves, countMoves(ctx, tx, moves)
}

// idPool hands out ids that were taken before the transaction.
type idPool struct{ next int64 }

func (p *idPool) take() int64 { p.next++; return p.next - 1 }

// poolFor takes what apply may need for so many campaigns and messages: an event for
// each campaign, and an entry of the ledger for each message at the most.
func poolFor(ctx context.Context, d *db.DB, campaigns, messages int) (idPool, error) {
	first, err := d.NewIDs(ctx, campaigns+messages)
	return idPool{first}, err
}

// outcome is all that an update sets, and what it asks of the rows that it sets it
// in: it is the same for most messages of a batch, and one statement serves them.
type outcome struct {
	stored           Status
	locked           bool
	to               Status
	reason, code     string
	due              int64
	tried, duplicate bool
	money            Money
}

func (m *move) outcome() outcome {
	o := outcome{stored: m.stored, locked: m.locked, to: m.to, reason: m.reason, code: m.code, due: db.Millis(m.due),
		tried: m.tried, duplicate: m.duplicate, money: m.settled()}
	if o.to == Queued {
		o.due = max(o.due, 1) // it has come back: see flying
	}
	return o
}

// group is the messages that one statement serves.
type group struct {
	outcome
	moves []move
}

// grouped is the moves in the order of their ids, by outcome.
func grouped(moves []move) (groups []*group) {
	type place struct {
		id int64
		at int
	}
	order := make([]place, len(moves))
	for i := range moves {
		order[i] = place{moves[i].id, i}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Compare(a.id, b.id) })
	byOutcome := map[outcome]*group{}
	var last *group // most have the outcome of the one before
	for _, p := range order {
		m := &moves[p.at]
		if o := m.outcome(); last == nil || last.outcome != o {
			if last = byOutcome[o]; last == nil {
				last = &group{outcome: o}
				byOutcome[o], groups = last, append(groups, last)
			}
		}
		last.moves = append(last.moves, *m)
	}
	return groups
}

// updateMessages returns the moves of the messages that it found.
func updateMessages(ctx context.Context, tx *db.Tx, moves []move, now time.Time) (made []move, err error) {
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	for _, g := range grouped(moves) {
		found, err := g.update(ctx, tx, now)
		if err != nil {
			return nil, err
		}
		if len(found) == len(g.moves) {
			made = append(made, g.moves...)
			continue
		}
		slices.Sort(found)
		for _, m := range g.moves {
			if _, is := slices.BinarySearch(found, m.id); is {
				made = append(made, m)
			}
		}
	}
	return made, nil
}

// runs is ids that rise, as a JSON object of the first and the last of those that
// follow each other: the messages of a campaign do, and a run is found in an index
// at once.
func runs(moves []move) string {
	text := make([]byte, 0, 1<<10)
	for i := 0; i < len(moves); i++ {
		first := moves[i].id
		for i+1 < len(moves) && moves[i+1].id == moves[i].id+1 {
			i++
		}
		text = append(text, `,"`...)
		text = strconv.AppendInt(text, first, 10)
		text = append(text, `":`...)
		text = strconv.AppendInt(text, moves[i].id, 10)
	}
	text[0] = '{'
	return string(append(text, '}'))
}

func (g *group) update(ctx context.Context, tx *db.Tx, now time.Time) (found []int64, err error) {
	var sent, done int64
	if g.to == Sent || g.to == Delivered || g.to == Undelivered {
		sent = db.Millis(now)
	}
	if !g.to.Open() {
		done = db.Millis(now)
	}
	return db.Column[int64](ctx, tx, `
		UPDATE messages SET status = $2, reason = $3, code = $4, due_at = $5, tries = tries + $6,
			possible_duplicate = possible_duplicate OR CAST($7 AS BIGINT) = 1, money = $8,
			sent_at = CASE sent_at WHEN 0 THEN CAST($9 AS BIGINT) ELSE sent_at END, done_at = $10
		FROM (SELECT CAST(key AS BIGINT) AS first, CAST(CAST(value AS TEXT) AS BIGINT) AS last FROM json_each($1)) AS r
		WHERE id BETWEEN r.first AND r.last AND status = $11 AND (due_at = 0 OR CAST($12 AS BIGINT) = 1)
		RETURNING id`, runs(g.moves), string(g.to), g.reason, g.code, g.due, bit(g.tried), bit(g.duplicate), string(g.money), sent, done,
		string(g.stored), bit(g.locked))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// settled is the message's money after the move: it is settled once.
func (m *move) settled() Money {
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

// settleMoney charges or releases what was reserved for messages that moved, once.
func settleMoney(ctx context.Context, tx *db.Tx, moves []move, ids *idPool, now time.Time) error {
	t := booking{ids: ids}
	for _, m := range moves {
		switch after := m.settled(); {
		case after == m.money:
		case after == Released:
			t.add(billing.KindRelease, m.lane, m.reservation, m.account, m.campaign, m.phone, m.parts, m.price)
		default:
			t.add(billing.KindCharge, m.lane, 0, m.account, m.campaign, m.phone, m.parts, m.price)
		}
	}
	return billing.Post(ctx, tx, now, t.entries...)
}
