package accounts

import (
	"context"

	"github.com/varsel/varsel/internal/db"
)

// Known finds the user who has an e-mail address and may sign in, and the account
// that they would be in: 0 for an operator without one. Nobody is the user 0.
func (a *Accounts) Known(ctx context.Context, email string) (user, account int64, err error) {
	user, _, account, err = a.credentials(ctx, plainEmail(email))
	if db.IsNone(err) {
		return 0, 0, nil
	}
	return user, account, err
}
