package privacy

import (
	"context"
	"database/sql"
	"slices"

	"github.com/varsel/varsel/internal/db"
)

// This file reads what is in use of every room's tables.

func selectControllers(ctx context.Context, q db.Querier, account int64) ([]Processed, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (p Processed, err error) {
		return p, row.Scan(&p.Account, &p.Handle)
	}, `SELECT id, handle FROM accounts WHERE CAST($1 AS BIGINT) = 0 OR id = $1 ORDER BY handle`, account)
}

// selectCategories are the kinds of processing that an account has something of.
func selectCategories(ctx context.Context, q db.Querier, account int64) ([]string, error) {
	used, err := db.Column[string](ctx, q, `
		SELECT 'directory' WHERE EXISTS (SELECT 1 FROM connections WHERE account_id = $1 AND state <> 'disconnected')
		UNION ALL SELECT 'contacts' WHERE EXISTS (SELECT 1 FROM contacts WHERE account_id = $1)
		UNION ALL SELECT 'fields' WHERE EXISTS (SELECT 1 FROM contacts c JOIN contact_fields f ON f.contact_id = c.id WHERE c.account_id = $1)
		UNION ALL SELECT 'cards' WHERE EXISTS (SELECT 1 FROM cards WHERE account_id = $1)
		UNION ALL SELECT 'card_visitors' WHERE EXISTS (SELECT 1 FROM card_consents WHERE account_id = $1)
		UNION ALL SELECT 'messages' WHERE EXISTS (SELECT 1 FROM ranges WHERE account_id = $1)
		UNION ALL SELECT 'personal' WHERE EXISTS (SELECT 1 FROM campaigns WHERE account_id = $1 AND merged = TRUE)
		UNION ALL SELECT 'roll_calls' WHERE EXISTS (SELECT 1 FROM campaigns WHERE account_id = $1 AND asks <> '')
		UNION ALL SELECT 'received' WHERE EXISTS (SELECT 1 FROM inbound WHERE account_id = $1) OR EXISTS (SELECT 1 FROM numbers WHERE account_id = $1)
		UNION ALL SELECT 'suppressions' WHERE EXISTS (SELECT 1 FROM suppressions WHERE account_id = $1)`, account)
	slices.SortFunc(used, func(a, b string) int { return slices.Index(Categories, a) - slices.Index(Categories, b) })
	return used, err
}
