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
// what that means. The slot is freed last, so that nobody sends meanwhile.
func (w *Worker) takeOver(ctx context.Context, dead []int64) error {
	for _, id := range dead {
		slog.Warn("a process is dead, its work is taken over", "incarnation", id)
		ranges, err := selectRunning(ctx, w.db, id)
		if err != nil {
			return err
		}
		for _, r := range ranges {
			if err := w.takeRange(ctx, r, id); err != nil {
				return err
			}
		}
		for _, free := range []string{
			`UPDATE carriers SET holder = 0, status = 'idle', reason = '' WHERE holder = $1`,
			`UPDATE incarnations SET ended_at = counter WHERE id = $1`,
		} {
			if _, err := w.db.ExecContext(ctx, free, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Worker) takeRange(ctx context.Context, r rangeRow, dead int64) error {
	pool, err := poolFor(ctx, w.db, 1)
	if err != nil {
		return err
	}
	return w.db.InTx(ctx, func(tx *db.Tx) error {
		ids := pool
		rows, err := lockRange(ctx, tx, r, Sending)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			to := r.lane.unanswered()
			moves = append(moves, move{row: m, to: to, reason: "worker_lost", tried: true, duplicate: to == Queued})
		}
		if _, err := apply(ctx, tx, moves, &ids, time.Now()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE ranges SET state = 'waiting', generation = generation + 1, incarnation = 0
			WHERE id = $1 AND state = 'running' AND incarnation = $2`, r.id, dead)
		return err
	})
}

// lockRange reads the messages of a range that are in one of the statuses and
// keeps them, and the range: nothing of it is claimed meanwhile.
func lockRange(ctx context.Context, tx *db.Tx, r rangeRow, statuses ...Status) ([]row, error) {
	var id int64
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT id FROM ranges WHERE id = $1`), r.id).Scan(&id)
	if err != nil {
		return nil, err
	}
	all, err := collectRows(ctx, tx, `
		WHERE m.id BETWEEN $1 AND $2 AND m.status IN ('queued', 'sending', 'sent', 'unconfirmed') ORDER BY m.id`, r.first, r.last)
	return slices.DeleteFunc(all, func(m row) bool { return !slices.Contains(statuses, m.status) }), err
}

func selectRunning(ctx context.Context, q db.Querier, incarnation int64) ([]rangeRow, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r rangeRow, err error) {
		return r, row.Scan(&r.id, &r.lane, &r.first, &r.last)
	}, `SELECT id, lane, first_id, last_id FROM ranges WHERE state = 'running' AND incarnation = $1`, incarnation)
}
