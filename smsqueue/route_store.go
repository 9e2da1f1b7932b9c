package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
)

func insertRoute(ctx context.Context, tx *db.Tx, r Route, sealed string) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO carriers (id, name, type, config_sealed, enabled, created_at, callback_token)
		VALUES ($1, $2, $3, $4, TRUE, $5, $6)`, r.ID, r.Name, r.Type, sealed, db.Millis(r.Since), r.token); err != nil {
		return err
	}
	return updateFeatures(ctx, tx, r, r.Since)
}

// updateFeatures keeps what the carrier can do, and as many slots as it has.
func updateFeatures(ctx context.Context, tx *db.Tx, r Route, now time.Time) error {
	features, err := json.Marshal(r.Features)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE carriers SET features = $1 WHERE id = $2`, string(features), r.ID); err != nil {
		return err
	}
	return keepSlots(ctx, tx, r, now)
}

// selectRoutes leaves the state of the links to linkStates.
func selectRoutes(ctx context.Context, q db.Querier, where string, args ...any) ([]Route, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r Route, err error) {
		var features string
		var since, probe int64
		err = row.Scan(&r.ID, &r.Name, &r.Type, &r.Enabled, &r.token, &features, &r.Version,
			&r.Health.State, &r.Health.Reason, &since, &probe, &r.Health.failures, &r.ruled)
		r.Health.Since, r.Health.probeAt = db.Time(since), db.Time(probe)
		return r, errors.Join(err, json.Unmarshal([]byte(features), &r.Features))
	}, `
		SELECT id, name, type, enabled, callback_token, features, version,
			COALESCE(h.state, 'healthy'), COALESCE(h.reason, ''), COALESCE(h.since, created_at), COALESCE(h.probe_at, 0), COALESCE(h.failures, 0),
			EXISTS (SELECT 1 FROM route_rules)
		FROM carriers LEFT JOIN route_health h ON h.carrier_id = id `+where, args...)
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
