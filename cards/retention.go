package cards

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// ForgetConsents removes one lot of the consents of those who had a card texted to them
// before a time. Tidy removes those that the notice says are gone.
func (c *Cards) ForgetConsents(ctx context.Context, account int64, before time.Time) (done lots.Done, err error) {
	gone, err := c.db.ExecContext(ctx, `
		DELETE FROM card_consents WHERE id IN (SELECT id FROM card_consents WHERE account_id = $1 AND at < $2 ORDER BY at LIMIT $3)`,
		account, db.Millis(before), lots.Size)
	if err != nil {
		return done, err
	}
	n, err := gone.RowsAffected()
	if err != nil {
		return done, err
	}
	var oldest int64
	err = c.db.QueryRowContext(ctx, `SELECT COALESCE(MIN(at), 0) FROM card_consents WHERE account_id = $1`, account).Scan(&oldest)
	done = lots.Of(n)
	done.Oldest = db.Time(oldest)
	return done, err
}
