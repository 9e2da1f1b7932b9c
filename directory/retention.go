package directory

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// ForgetAccess removes one lot of the record of what was read of an account's
// directories before a time. What a sync changed is kept.
func (d *Directory) ForgetAccess(ctx context.Context, account int64, before time.Time) (done lots.Done, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		done = lots.Done{}
		for _, statement := range []string{`
			DELETE FROM access_checks WHERE id IN (
				SELECT id FROM access_checks WHERE account_id = $1 AND at < $2 ORDER BY at LIMIT $3)`, `
			UPDATE sync_runs SET requests = '{}' WHERE id IN (
				SELECT id FROM sync_runs WHERE account_id = $1 AND ended_at > 0 AND ended_at < $2 AND requests <> '{}' ORDER BY id LIMIT $3)`} {
			gone, err := tx.ExecContext(ctx, statement, account, db.Millis(before), lots.Size/2)
			if err != nil {
				return err
			}
			n, err := gone.RowsAffected()
			if err != nil {
				return err
			}
			done.Rows, done.More = done.Rows+int(n), done.More || n == lots.Size/2
		}
		var at sql.NullInt64
		err := tx.QueryRowContext(ctx, `
			SELECT MIN(at) FROM (SELECT MIN(at) AS at FROM access_checks WHERE account_id = $1
				UNION ALL SELECT MIN(started_at) FROM sync_runs WHERE account_id = $1 AND requests <> '{}') AS left_over`, account).Scan(&at)
		done.Oldest = db.Time(at.Int64)
		return err
	})
	return done, err
}
