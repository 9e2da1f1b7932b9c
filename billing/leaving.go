package billing

import (
	"context"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// Holdings counts what an account has here that goes with it, by kind. Its ledger and
// invoices stay, as bookkeeping law wants them kept.
func Holdings(ctx context.Context, d *db.DB, account int64) (map[string]int, error) {
	return lots.Count(ctx, d, account, map[string]string{
		"teams":        `SELECT COUNT(*) FROM teams WHERE account_id = $1`,
		"team_members": `SELECT COUNT(*) FROM team_members WHERE account_id = $1`,
		"budgets":      `SELECT COUNT(*) FROM budgets WHERE account_id = $1`,
	})
}

// ForgetAccount removes one lot of an account's teams and budgets.
func ForgetAccount(ctx context.Context, d *db.DB, account int64) (lots.Done, error) {
	return lots.Delete(ctx, d, account,
		lots.Table{Name: "budget_entries", Key: "reservation_id, budget_id"},
		lots.Table{Name: "budget_periods", Key: "budget_id, period"},
		lots.Table{Name: "budgets", Key: "id"},
		lots.Table{Name: "team_members", Key: "account_id, user_id"},
		lots.Table{Name: "team_keys", Key: "account_id, key_id"},
		lots.Table{Name: "teams", Key: "id"})
}
