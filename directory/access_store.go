package directory

import (
	"context"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
)

func (d *Directory) recordAccess(ctx context.Context, c Connection, requests map[string]int, at time.Time) error {
	id, err := d.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	_, err = d.db.ExecContext(ctx, `INSERT INTO access_checks (id, account_id, tenant_id, requests, at) VALUES ($1, $2, $3, $4, $5)`,
		id, c.Account, c.Tenant, toJSON(requests), db.Millis(at))
	return err
}

func (d *Directory) checksBetween(ctx context.Context, c Connection, from, to time.Time) (all []Reading, err error) {
	rows, err := d.db.QueryContext(ctx, `
		SELECT at, requests FROM access_checks WHERE account_id = $1 AND tenant_id = $2 AND at >= $3 AND at < $4 ORDER BY at DESC`,
		c.Account, c.Tenant, db.Millis(from), db.Millis(to))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var text string
		if err := rows.Scan(&at, &text); err != nil {
			return nil, err
		}
		var requests map[string]int
		if err := json.Unmarshal([]byte(text), &requests); err != nil {
			return nil, err
		}
		all = append(all, readings(db.Time(at), 0, requests, c.Settings.fieldsOfCheck)...)
	}
	return all, rows.Err()
}

func (d *Directory) startOf(ctx context.Context, account, connection, run int64) (time.Time, error) {
	var at int64
	err := d.db.QueryRowContext(ctx, `SELECT started_at FROM sync_runs WHERE account_id = $1 AND connection_id = $2 AND id = $3`,
		account, connection, run).Scan(&at)
	if db.IsNone(err) {
		return time.Time{}, nil // no such run: nothing came before it
	}
	return db.Time(at), err
}
