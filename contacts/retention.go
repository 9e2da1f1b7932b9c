package contacts

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// ForgetHidden removes what is known of one lot of an account's contacts that were
// hidden or left before a time. Who is in the directory still and comes back is read
// anew.
func (b *Book) ForgetHidden(ctx context.Context, account int64, before time.Time) (done lots.Done, err error) {
	now := db.Millis(time.Now())
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		const some = `SELECT id FROM contacts
			WHERE account_id = $1 AND state <> 'active' AND phone_reason <> 'gone' AND updated_at < $2 ORDER BY updated_at, id LIMIT $3`
		if _, err := tx.ExecContext(ctx, `DELETE FROM contact_fields WHERE contact_id IN (`+some+`)`, account, db.Millis(before), lots.Size); err != nil {
			return err
		}
		gone, err := tx.ExecContext(ctx, `UPDATE contacts SET state = 'removed', `+forgetPerson+`, updated_at = $4
			WHERE id IN (`+some+`)`, account, db.Millis(before), lots.Size, now)
		if err != nil {
			return err
		}
		n, err := gone.RowsAffected()
		if err != nil {
			return err
		}
		done = lots.Of(n)
		var at sql.NullInt64
		err = tx.QueryRowContext(ctx, `
			SELECT MIN(updated_at) FROM contacts WHERE account_id = $1 AND state <> 'active' AND phone_reason <> 'gone'`, account).Scan(&at)
		done.Oldest = db.Time(at.Int64)
		return err
	})
	return done, err
}
