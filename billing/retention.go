package billing

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// ForgetLedger removes one lot of an account's ledger from before a time, which is to
// be the end of the years that bookkeeping law wants it kept.
func ForgetLedger(ctx context.Context, d *db.DB, account int64, before time.Time) (done lots.Done, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		gone, err := tx.ExecContext(ctx, `
			DELETE FROM ledger_entries WHERE id IN (
				SELECT id FROM ledger_entries WHERE account_id = $1 AND at < $2 ORDER BY at, id LIMIT $3)`, account, db.Millis(before), lots.Size)
		if err != nil {
			return err
		}
		n, err := gone.RowsAffected()
		if err != nil {
			return err
		}
		done = lots.Of(n)
		var at sql.NullInt64
		err = tx.QueryRowContext(ctx, `SELECT MIN(at) FROM ledger_entries WHERE account_id = $1`, account).Scan(&at)
		done.Oldest = db.Time(at.Int64)
		return err
	})
	return done, err
}
