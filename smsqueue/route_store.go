package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

func insertRoute(ctx context.Context, d *db.DB, r Route, sealed string) error {
	features, err := json.Marshal(r.Features)
	if err != nil {
		return err
	}
	_, err = d.ExecContext(ctx, `
		INSERT INTO carriers (id, name, type, config_sealed, enabled, status, status_at, created_at, callback_token, features)
		VALUES ($1, $2, $3, $4, TRUE, 'idle', $5, $5, $6, $7)`, r.ID, r.Name, r.Type, sealed, db.Millis(r.Since), r.token, string(features))
	return err
}

func selectRoutes(ctx context.Context, q db.Querier, where string, args ...any) ([]Route, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r Route, err error) {
		var status, features string
		var since int64
		err = row.Scan(&r.ID, &r.Name, &r.Type, &r.Enabled, &status, &r.Reason, &since, &r.holder, &r.token, &features, &r.Version)
		r.Status, r.Since = carriers.Status(status), db.Time(since)
		return r, errors.Join(err, json.Unmarshal([]byte(features), &r.Features))
	}, `SELECT id, name, type, enabled, status, reason, status_at, holder, callback_token, features, version FROM carriers `+where, args...)
}

func routeByToken(ctx context.Context, q db.Querier, token string) (Route, error) {
	all, err := selectRoutes(ctx, q, `WHERE callback_token = $1 AND callback_token <> ''`, token)
	if err == nil && len(all) == 0 {
		err = errNoCallback
	}
	if err != nil {
		return Route{}, err
	}
	return all[0], nil
}

func routeConfig(ctx context.Context, q db.Querier, id int64) (sealed string, err error) {
	err = q.QueryRowContext(ctx, `SELECT config_sealed FROM carriers WHERE id = $1`, id).Scan(&sealed)
	return sealed, err
}
