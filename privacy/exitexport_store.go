package privacy

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// This file writes account_exports; what is exported is read from every room's tables.

func selectExports(ctx context.Context, q db.Querier, where string, args ...any) ([]Export, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (x Export, err error) {
		var asked, ready, until, fetched int64
		err = row.Scan(&x.ID, &x.Account, &x.State, &x.File, &x.Bytes, &x.Rows, &x.SHA256, &asked, &ready, &until, &fetched)
		x.Asked, x.Ready, x.KeepUntil, x.Fetched = db.Time(asked), db.Time(ready), db.Time(until), db.Time(fetched)
		return x, err
	}, `SELECT id, account_id, state, file, bytes, row_count, sha256, asked_at, ready_at, keep_until, fetched_at FROM account_exports `+where, args...)
}

func insertExport(ctx context.Context, tx tx, x Export) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO account_exports (id, account_id, state, asked_at) VALUES ($1, $2, 'asked', $3)`, x.ID, x.Account, db.Millis(x.Asked))
	return err
}

// takeExport takes the oldest that nobody makes; its ID is 0 when there is none. One
// that was begun too often is given up.
func takeExport(ctx context.Context, d *db.DB, due, now time.Time) (x Export, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		x = Export{}
		if _, err := tx.ExecContext(ctx, `UPDATE account_exports SET state = 'failed'
			WHERE state IN ('asked', 'running') AND busy_until < $1 AND tries >= $2`, db.Millis(due), exportTries); err != nil {
			return err
		}
		open, err := selectExports(ctx, tx, tx.ForUpdate(`WHERE state IN ('asked', 'running') AND busy_until < $1 ORDER BY id LIMIT 1`), db.Millis(due))
		if err != nil || len(open) == 0 {
			return err
		}
		x = open[0]
		_, err = tx.ExecContext(ctx, `UPDATE account_exports SET state = 'running', tries = tries + 1, busy_until = $2 WHERE id = $1`,
			x.ID, db.Millis(now.Add(exportLease)))
		return err
	})
	return x, err
}

func renewExport(ctx context.Context, d *db.DB, id int64, until time.Time) error {
	_, err := d.ExecContext(ctx, `UPDATE account_exports SET busy_until = $2 WHERE id = $1 AND state = 'running'`, id, db.Millis(until))
	return err
}

// giveUpExport leaves an export to be begun again after its lease.
func (d *Desk) giveUpExport(ctx context.Context, x Export) error {
	_, err := d.parts.DB.ExecContext(ctx, `UPDATE account_exports SET state = CASE WHEN tries >= $2 THEN 'failed' ELSE 'asked' END WHERE id = $1 AND state = 'running'`,
		x.ID, exportTries)
	return err
}

func finishExport(ctx context.Context, tx tx, x Export) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE account_exports SET state = 'ready', file = $2, bytes = $3, row_count = $4, sha256 = $5, ready_at = $6, keep_until = $7 WHERE id = $1`,
		x.ID, x.File, x.Bytes, x.Rows, x.SHA256, db.Millis(x.Ready), db.Millis(x.KeepUntil))
	return err
}

func markFetched(ctx context.Context, tx tx, id int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE account_exports SET fetched_at = $2 WHERE id = $1 AND fetched_at = 0`, id, db.Millis(now))
	return err
}

func markRemoved(ctx context.Context, tx tx, id int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE account_exports SET state = 'removed' WHERE id = $1`, id)
	return err
}
