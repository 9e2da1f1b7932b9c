package audit

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// kept is which entries keep their details: they are the evidence of an agreement.
const kept = `action NOT LIKE 'agreement.%'`

// EraseBefore forgets the details of one lot of an account's entries from before a
// time, but for those of agreements. The chain still verifies.
func EraseBefore(ctx context.Context, d *db.DB, account int64, before time.Time) (done lots.Done, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		erased, err := tx.ExecContext(ctx, `
			UPDATE audit_entries SET detail = '', salt = ''
			WHERE account_id = $1 AND seq IN (
				SELECT seq FROM audit_entries WHERE account_id = $1 AND detail <> '' AND at < $2 AND `+kept+` ORDER BY seq LIMIT $3)`,
			account, db.Millis(before), lots.Size)
		if err != nil {
			return err
		}
		n, err := erased.RowsAffected()
		if err != nil {
			return err
		}
		done = lots.Of(n)
		var at sql.NullInt64
		err = tx.QueryRowContext(ctx, `SELECT MIN(at) FROM audit_entries WHERE account_id = $1 AND detail <> '' AND `+kept, account).Scan(&at)
		done.Oldest = db.Time(at.Int64)
		return err
	})
	return done, err
}
