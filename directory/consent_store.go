package directory

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
)

func (d *Directory) saveWay(ctx context.Context, w way, stateHash, sealed string, now time.Time) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM directory_consents WHERE expires_at <= $1`, db.Millis(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO directory_consents (state_hash, account_id, user_id, step, sealed, tenant_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			stateHash, w.account, w.user, w.step, sealed, w.tenant, db.Millis(now.Add(consentLife)))
		return err
	})
}

// takeWay finds a way once. One of somebody else's is left to them.
func (d *Directory) takeWay(ctx context.Context, account, user int64, stateHash string, now time.Time) (w way, sealed string, found bool, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		w = way{account: account, user: user}
		return tx.QueryRowContext(ctx, `
			DELETE FROM directory_consents WHERE state_hash = $1 AND account_id = $2 AND user_id = $3 AND expires_at > $4
			RETURNING step, tenant_id, sealed`, stateHash, account, user, db.Millis(now)).Scan(&w.step, &w.tenant, &sealed)
	})
	if db.IsNone(err) {
		return w, "", false, nil
	}
	return w, sealed, err == nil, err
}
