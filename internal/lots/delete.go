package lots

import (
	"context"
	"fmt"
	"strings"

	"github.com/varsel/varsel/internal/db"
)

// Table is a table that an account has rows in.
type Table struct {
	Name  string
	Key   string // the columns of its primary key
	Where string // which rows are of account $1; empty: those with its account_id
}

// Delete removes one lot of an account's rows, from the first of the tables that has
// any.
func Delete(ctx context.Context, d *db.DB, account int64, tables ...Table) (done Done, err error) {
	for _, t := range tables {
		where := t.Where
		if where == "" {
			where = "account_id = $1"
		}
		key := t.Key
		if strings.Contains(key, ",") {
			key = "(" + key + ")"
		}
		gone, err := d.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %s WHERE %s IN (SELECT %s FROM %s WHERE %s LIMIT $2)`, t.Name, key, t.Key, t.Name, where), account, Size)
		if err != nil {
			return done, fmt.Errorf("empty %s: %w", t.Name, err)
		}
		n, err := gone.RowsAffected()
		if err != nil || n > 0 {
			return Done{Rows: int(n), More: true}, err
		}
	}
	return Done{}, nil
}

// Count counts an account's rows by kind, each with its query.
func Count(ctx context.Context, q db.Querier, account int64, kinds map[string]string) (map[string]int, error) {
	counts := map[string]int{}
	for kind, query := range kinds {
		var n int
		if err := q.QueryRowContext(ctx, query, account).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", kind, err)
		}
		counts[kind] = n
	}
	return counts, nil
}
