package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// This file writes suppressions, and suppression.go opt_out_settings.

func selectSuppressions(ctx context.Context, q db.Querier, where string, args ...any) ([]Suppression, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (s Suppression, err error) {
		var created, lifted int64
		err = row.Scan(&s.ID, &s.Account, &s.Phone, &s.Reason, &s.Inbound, &s.User, &s.Note, &created, &lifted, &s.LiftedBy)
		s.Created, s.Lifted = db.Time(created), db.Time(lifted)
		return s, err
	}, `SELECT id, account_id, phone, reason, inbound_id, user_id, note, created_at, lifted_at, lifted_by FROM suppressions `+where, args...)
}

// suppress says false when the number is suppressed already.
func suppress(ctx context.Context, q db.Querier, s Suppression) (added bool, err error) {
	done, err := q.ExecContext(ctx, `
		INSERT INTO suppressions (id, account_id, phone, reason, inbound_id, user_id, note, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		s.ID, s.Account, s.Phone, string(s.Reason), s.Inbound, s.User, s.Note, db.Millis(s.Created))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// suppressAll suppresses numbers, at most as many as there are ids from first on,
// and says how many were not suppressed before.
func suppressAll(ctx context.Context, tx *db.Tx, s Suppression, phones []string) (added int, err error) {
	of := map[string][]any{}
	for i, phone := range phones {
		of[phone] = []any{s.ID + int64(i)}
	}
	list, err := json.Marshal(of)
	if err != nil {
		return 0, err
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO suppressions (id, account_id, phone, reason, user_id, note, created_at)
		SELECT CAST(r.value->>0 AS BIGINT), $2, r.key, $3, $4, $5, $6 FROM json_each($1) AS r WHERE true ON CONFLICT DO NOTHING`,
		string(list), s.Account, string(s.Reason), s.User, s.Note, db.Millis(s.Created))
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// lift says false when the number is not suppressed.
func lift(ctx context.Context, q db.Querier, account int64, phone string, by SuppressedBy, now time.Time) (lifted bool, err error) {
	done, err := q.ExecContext(ctx, `
		UPDATE suppressions SET lifted_at = $1, lifted_by = $2 WHERE account_id = $3 AND phone = $4 AND lifted_at = 0`,
		db.Millis(now), string(by), account, phone)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// suppressedOf are those of the numbers that get nothing from the account in a lane.
func suppressedOf(ctx context.Context, tx *db.Tx, account int64, lane Lane, phones []string) (map[string]bool, error) {
	of := map[string]int{}
	for _, phone := range phones {
		of[phone] = 0
	}
	list, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	found, err := db.Column[string](ctx, tx, `
		SELECT s.phone FROM json_each($1) AS r JOIN suppressions s ON s.account_id = $2 AND s.phone = r.key AND s.lifted_at = 0
		WHERE $3 <> 'urgent' OR NOT EXISTS (SELECT 1 FROM opt_out_settings o WHERE o.account_id = $2 AND o.urgent = TRUE)`,
		string(list), account, string(lane))
	all := map[string]bool{}
	for _, phone := range found {
		all[phone] = true
	}
	return all, err
}

func selectOptOutSettings(ctx context.Context, q db.Querier, account int64) (o OptOutSettings, err error) {
	err = q.QueryRowContext(ctx, `SELECT replies, urgent FROM opt_out_settings WHERE account_id = $1`, account).Scan(&o.Replies, &o.Urgent)
	if db.IsNone(err) {
		return OptOutSettings{Replies: true}, nil
	}
	return o, err
}
