package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// passDeadlines moves what is still open in overdue ranges to its final
// status, so that nothing stays pending for ever. A campaign that is paused or held waits
// for somebody, and its messages have their time when it goes on.
func (w *Worker) passDeadlines(ctx context.Context) error {
	overdue, err := db.Collect(ctx, w.db, func(row *sql.Rows) (r rangeRow, err error) {
		return r, row.Scan(&r.id, &r.first, &r.last)
	}, `
		SELECT id, first_id, last_id FROM ranges r WHERE closed = FALSE AND deadline < $1 AND state IN ('waiting', 'done')
			AND NOT EXISTS (SELECT 1 FROM campaigns WHERE campaigns.id = r.campaign_id AND validity_ms = 0 AND `+mayResume+`)
		LIMIT 200`, db.Millis(time.Now()))
	if err != nil {
		return err
	}
	for _, r := range overdue {
		if err := w.expire(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) expire(ctx context.Context, r rangeRow) error {
	pool, err := poolFor(ctx, w.db, 1, r.size())
	if err != nil {
		return err
	}
	return w.db.InTx(ctx, func(tx *db.Tx) error {
		ids := pool
		rows, err := lockRange(ctx, tx, r, Queued, Sent, Unconfirmed)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			moves = append(moves, move{row: m, to: Expired, reason: "deadline"})
		}
		if _, err := apply(ctx, tx, moves, &ids, time.Now()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE ranges SET closed = TRUE, state = 'done' WHERE id = $1 AND state IN ('waiting', 'done')`, r.id)
		return err
	})
}
