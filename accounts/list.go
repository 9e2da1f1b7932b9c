package accounts

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/varsel/varsel/internal/db"
)

// List is the accounts from one on, the oldest first: those whose ids come after.
func (a *Accounts) List(ctx context.Context, after int64, limit int) ([]Account, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (acc Account, err error) {
		var created int64
		err = row.Scan(&acc.ID, &acc.Handle, &acc.Name, &acc.Region, &acc.Sender, &acc.Currency, &acc.State, &created)
		acc.Created = db.Time(created)
		return acc, err
	}, `SELECT `+accountColumns+` FROM accounts WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// Emails are the e-mail addresses of users, by their ids. Who is not known is missing.
func (a *Accounts) Emails(ctx context.Context, users []int64) (map[int64]string, error) {
	list, err := json.Marshal(keyed(users))
	if err != nil {
		return nil, err
	}
	type one struct {
		id    int64
		email string
	}
	rows, err := db.Collect(ctx, a.db, func(row *sql.Rows) (u one, err error) {
		return u, row.Scan(&u.id, &u.email)
	}, `SELECT u.id, u.email FROM json_each($1) AS e JOIN users u ON u.id = CAST(e.key AS BIGINT)`, string(list))
	all := map[int64]string{}
	for _, u := range rows {
		all[u.id] = u.email
	}
	return all, err
}

// keyed is a list as SQL reads it: an object whose keys it is.
func keyed(ids []int64) map[int64]int {
	keys := map[int64]int{}
	for _, id := range ids {
		keys[id] = 0
	}
	return keys
}
