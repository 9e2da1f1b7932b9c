package privacy

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
)

// This file writes retention_settings, retention_holds, retention_runs and
// number_keys, and reads accounts.

type tx = *db.Tx

// inTx does something and records it as the last thing.
func (d *Desk) inTx(ctx context.Context, e audit.Entry, do func(tx tx) error) error {
	return d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		_, err := audit.Record(ctx, tx, e)
		return err
	})
}

func accountIDs(ctx context.Context, q db.Querier) ([]int64, error) {
	return db.Column[int64](ctx, q, `SELECT id FROM accounts ORDER BY id`)
}

type daysKey struct {
	account int64
	class   string
}

func selectDays(ctx context.Context, q db.Querier, account int64) (map[daysKey]int, error) {
	all := map[daysKey]int{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (none struct{}, err error) {
		var k daysKey
		var days int
		err = row.Scan(&k.account, &k.class, &days)
		all[k] = days
		return none, err
	}, `SELECT account_id, class, days FROM retention_settings WHERE account_id IN ($1, 0)`, account)
	return all, err
}

func setDays(ctx context.Context, tx tx, account int64, class string, days int) error {
	if days == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM retention_settings WHERE account_id = $1 AND class = $2`, account, class)
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO retention_settings (account_id, class, days) VALUES ($1, $2, $3)
		ON CONFLICT (account_id, class) DO UPDATE SET days = EXCLUDED.days`, account, class, days)
	return err
}

func insertHold(ctx context.Context, tx tx, h Hold) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO retention_holds (id, account_id, class, reason, created_at) VALUES ($1, $2, $3, $4, $5)`,
		h.ID, h.Account, h.Class, h.Reason, db.Millis(h.Since))
	return err
}

func selectHolds(ctx context.Context, q db.Querier, account int64) ([]Hold, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (h Hold, err error) {
		var since int64
		err = row.Scan(&h.ID, &h.Account, &h.Class, &h.Reason, &since)
		h.Since = db.Time(since)
		return h, err
	}, `SELECT id, account_id, class, reason, created_at FROM retention_holds WHERE account_id IN ($1, 0) AND lifted_at = 0 ORDER BY id`, account)
}

func liftHold(ctx context.Context, tx tx, account, id int64, now time.Time) (bool, error) {
	done, err := tx.ExecContext(ctx, `UPDATE retention_holds SET lifted_at = $3 WHERE account_id = $1 AND id = $2 AND lifted_at = 0`,
		account, id, db.Millis(now))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func insertRuns(ctx context.Context, tx tx, runs []Run) error {
	rows := make([][]any, 0, len(runs))
	for _, r := range runs {
		rows = append(rows, []any{r.ID, r.Account, r.Class, r.Outcome, int64(r.Count), db.Millis(r.Oldest), db.Millis(r.Started), r.Took.Milliseconds()})
	}
	return tx.Bulk(ctx, "retention_runs", []string{"id", "account_id", "class", "outcome", "count", "oldest_at", "started_at", "took_ms"}, rows)
}

// runsKept is how long reports of runs are kept.
const runsKept = 400 * 24 * time.Hour

func dropRuns(ctx context.Context, d *db.DB, now time.Time) error {
	_, err := d.ExecContext(ctx, `DELETE FROM retention_runs WHERE id < $1`, db.FirstID(now.Add(-runsKept)))
	return err
}

const runColumns = `id, account_id, class, outcome, count, oldest_at, started_at, took_ms`

func scanRun(row *sql.Rows) (r Run, err error) {
	var oldest, started, took int64
	err = row.Scan(&r.ID, &r.Account, &r.Class, &r.Outcome, &r.Count, &oldest, &started, &took)
	r.Oldest, r.Started, r.Took = db.Time(oldest), db.Time(started), time.Duration(took)*time.Millisecond
	return r, err
}

func selectRuns(ctx context.Context, q db.Querier, account, before int64, limit int) ([]Run, error) {
	return db.Collect(ctx, q, scanRun, `
		SELECT `+runColumns+` FROM retention_runs WHERE account_id = $1 AND (CAST($2 AS BIGINT) = 0 OR id < $2) ORDER BY id DESC LIMIT $3`,
		account, before, limit)
}

// lastRuns are the newest runs of each class.
func lastRuns(ctx context.Context, q db.Querier, account int64) (map[string]Run, error) {
	runs, err := db.Collect(ctx, q, scanRun, `
		SELECT `+runColumns+` FROM retention_runs
		WHERE id IN (SELECT MAX(id) FROM retention_runs WHERE account_id = $1 GROUP BY class)`, account)
	last := map[string]Run{}
	for _, r := range runs {
		last[r.Class] = r
	}
	return last, err
}

// keepNumberKey keeps a fresh key where there is none, and returns the one that is kept.
func keepNumberKey(ctx context.Context, d *db.DB, account int64, fresh string) (sealed string, err error) {
	if _, err := d.ExecContext(ctx, `INSERT INTO number_keys (account_id, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING`, account, fresh); err != nil {
		return "", err
	}
	err = d.QueryRowContext(ctx, `SELECT sealed FROM number_keys WHERE account_id = $1`, account).Scan(&sealed)
	return sealed, err
}
