package smsqueue

import (
	"context"
	"database/sql"
	"log/slog"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// takeOverAll ends every earlier incarnation: whoever holds SQLite's lock is
// alone.
func (w *Worker) takeOverAll(ctx context.Context) error {
	dead, err := db.Column[int64](ctx, w.db, `SELECT id FROM incarnations WHERE ended_at = 0 AND id <> $1`, w.lease.id)
	if err != nil {
		return err
	}
	return w.takeOver(ctx, dead)
}

// takeOverDead ends the incarnations whose counter stands still.
func (w *Worker) takeOverDead(ctx context.Context) error {
	dead, err := w.watch.dead(ctx, w.db, w.lease.id)
	if err != nil {
		return err
	}
	return w.takeOver(ctx, dead)
}

// takeOver decides about the messages of dead processes. What was only claimed
// cannot be told from what was written: both are in doubt, and the lane says
// what that means. The process ends last, and with that its slots are free, so
// that nobody sends meanwhile.
func (w *Worker) takeOver(ctx context.Context, dead []int64) error {
	for _, id := range dead {
		slog.Warn("a process is dead, its work is taken over", "incarnation", id)
		if err := w.takeRanges(ctx, `incarnation = $1`, id); err != nil {
			return err
		}
		if _, err := w.db.ExecContext(ctx, `UPDATE incarnations SET ended_at = $1 WHERE id = $2 AND ended_at = 0`,
			db.Millis(time.Now()), id); err != nil {
			return err
		}
	}
	// A process may still have taken a range while it was thought dead, or have
	// stopped without being able to store what became of one.
	return w.takeRanges(ctx, `incarnation IN (SELECT id FROM incarnations WHERE ended_at <> 0)`)
}

// heldRange is a range that a process was given or works on.
type heldRange struct {
	rangeRow
	generation, incarnation int64
	state                   string
}

func (w *Worker) takeRanges(ctx context.Context, where string, args ...any) error {
	held, err := selectHeld(ctx, w.db, where, args...)
	if err != nil {
		return err
	}
	for _, h := range held {
		if _, err := w.takeRange(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// takeRange takes a range from a process that does not work on it any more. It
// says false when somebody has done so before.
func (w *Worker) takeRange(ctx context.Context, h heldRange) (taken bool, err error) {
	pool, err := poolFor(ctx, w.db, 1, h.size())
	if err != nil {
		return false, err
	}
	err = w.db.InTx(ctx, func(tx *db.Tx) error {
		ids := pool
		done, err := tx.ExecContext(ctx, `
			UPDATE ranges SET state = 'waiting', generation = generation + 1, incarnation = 0
			WHERE id = $1 AND state = $2 AND generation = $3 AND incarnation = $4`, h.id, h.state, h.generation, h.incarnation)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if taken = n == 1; err != nil || !taken {
			return err
		}
		rows, err := lockRange(ctx, tx, h.rangeRow, Sending)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			to := h.lane.unanswered()
			moves = append(moves, move{row: m, to: to, reason: "worker_lost", tried: true, duplicate: to == Queued})
		}
		if _, err := apply(ctx, tx, moves, &ids, time.Now()); err != nil {
			return err
		}
		return endIfSent(ctx, tx, h.id)
	})
	return taken, err
}

// endIfSent ends a waiting range in which nothing is queued: its campaign may
// be finished before anybody would look at it again.
func endIfSent(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE ranges SET state = 'done' WHERE id = $1 AND state = 'waiting'
			AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.id BETWEEN first_id AND last_id AND status = 'queued')`, id)
	return err
}

// lockRange reads the messages of a range that are in one of the statuses and
// keeps them, and the range: nothing of it is claimed meanwhile.
func lockRange(ctx context.Context, tx *db.Tx, r rangeRow, statuses ...Status) ([]row, error) {
	// A part of it may have been moved to another carrier since r was read.
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT first_id, last_id FROM ranges WHERE id = $1`), r.id).Scan(&r.first, &r.last)
	if err != nil {
		return nil, err
	}
	all, err := collectRows(ctx, tx, `
		WHERE m.id BETWEEN $1 AND $2 AND m.status IN ('queued', 'sending', 'sent', 'unconfirmed') ORDER BY m.id`, r.first, r.last)
	return slices.DeleteFunc(all, func(m row) bool { return !slices.Contains(statuses, m.status) }), err
}

func selectHeld(ctx context.Context, q db.Querier, where string, args ...any) ([]heldRange, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (h heldRange, err error) {
		return h, row.Scan(&h.id, &h.route, &h.lane, &h.first, &h.last, &h.generation, &h.incarnation, &h.state)
	}, `
		SELECT id, carrier_id, lane, first_id, last_id, generation, incarnation, state FROM ranges
		WHERE state <> 'done' AND state IN ('dispatched', 'running') AND `+where+` ORDER BY id`, args...)
}
