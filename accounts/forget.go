package accounts

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/subject"
)

// ForgetPerson forgets the idempotency keys of requests that made something of a
// person, and those that name them: a hash of a request can be searched for the
// number in it.
func (a *Accounts) ForgetPerson(ctx context.Context, tx *db.Tx, p subject.Person, resources []int64) error {
	made := map[int64]bool{}
	for _, id := range append(append([]int64{}, resources...), p.Contacts...) {
		made[id] = true
	}
	gone := map[string]int{}
	_, err := db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
		var key string
		var resource int64
		err = row.Scan(&key, &resource)
		if made[resource] || p.In(key) {
			gone[key] = 0
		}
		return struct{}{}, err
	}, `SELECT key, resource FROM idempotency_keys WHERE account_id = $1`, p.Account)
	if err != nil || len(gone) == 0 {
		return err
	}
	list, err := json.Marshal(gone)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM idempotency_keys WHERE account_id = $1 AND key IN (SELECT r.key FROM json_each($2) AS r)`, p.Account, string(list))
	return err
}
