package accounts

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// EndKeys ends an account's API keys and forgets whose they were, with the keys of
// requests. Its users stay: as to them we are a controller ourselves.
func (a *Accounts) EndKeys(ctx context.Context, account int64) (lots.Done, error) {
	if _, err := a.db.ExecContext(ctx, `
		UPDATE api_keys SET owner_email = '', revoked_at = CASE revoked_at WHEN 0 THEN $2 ELSE revoked_at END
		WHERE account_id = $1`, account, db.Millis(time.Now())); err != nil {
		return lots.Done{}, err
	}
	return lots.Delete(ctx, a.db, account, lots.Table{Name: "idempotency_keys", Key: "account_id, key"})
}
