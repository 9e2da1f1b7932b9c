package accounts

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// RevokeKey ends an account's key at once.
func (a *Accounts) RevokeKey(ctx context.Context, account, id int64) error {
	done, err := a.db.ExecContext(ctx, `UPDATE api_keys SET revoked_at = $1 WHERE account_id = $2 AND id = $3 AND revoked_at = 0`, db.Millis(time.Now()), account, id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return problem.NotFound("key", "")
}

// Scopes are those that a key of an account can have; '*' is all of them.
func Scopes() []string { return append([]string(nil), scopes...) }
