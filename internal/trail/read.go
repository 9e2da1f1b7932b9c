package trail

import (
	"context"

	"github.com/varsel/varsel/internal/audit"
)

// Entries are those of an account before one (0: from the end), the newest first, with
// what was recorded elsewhere too. The account 0 is the installation.
func (t *Trail) Entries(ctx context.Context, account, before int64, limit int) ([]audit.Entry, error) {
	return audit.List(ctx, t.db, account, before, limit)
}

// Verify goes through an account's chain. kept is a head that an earlier call answered,
// or the zero one: a chain that it is not in is refused.
func (t *Trail) Verify(ctx context.Context, account int64, kept audit.Head) (audit.Head, error) {
	return audit.VerifySince(ctx, t.db, account, kept)
}
