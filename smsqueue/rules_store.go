package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/window"
)

// Here account_sending and sent_parts are written, and contact_fields read.

func selectSending(ctx context.Context, q db.Querier, account int64) (s Rules, found bool, err error) {
	var windows string
	err = q.QueryRowContext(ctx, `
		SELECT windows, window_normal, zone, cap_hour, cap_day, cap_month FROM account_sending WHERE account_id = $1`, account).
		Scan(&windows, &s.Normal, &s.Zone, &s.PerHour, &s.PerDay, &s.PerMonth)
	if db.IsNone(err) {
		return s, false, nil
	}
	if err == nil {
		s.Windows, err = window.Parse(windows)
	}
	return s, true, err
}

func upsertSending(ctx context.Context, tx *db.Tx, account int64, s Rules) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO account_sending (account_id, windows, window_normal, zone, cap_hour, cap_day, cap_month)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account_id) DO UPDATE SET windows = EXCLUDED.windows, window_normal = EXCLUDED.window_normal, zone = EXCLUDED.zone,
			cap_hour = EXCLUDED.cap_hour, cap_day = EXCLUDED.cap_day, cap_month = EXCLUDED.cap_month`,
		account, s.Windows.String(), s.Normal, s.Zone, s.PerHour, s.PerDay, s.PerMonth)
	return err
}

func selectOpenOfAccount(ctx context.Context, q db.Querier, account int64) ([]rangeRow, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r rangeRow, err error) {
		return r, row.Scan(&r.id, &r.first, &r.last)
	}, `SELECT id, first_id, last_id FROM ranges WHERE account_id = $1 AND state <> 'done' ORDER BY id`, account)
}

// wakeRanges makes what a rule keeps in the ranges due.
func wakeRanges(ctx context.Context, tx *db.Tx, open []rangeRow) error {
	if err := tx.PreferIndexes(ctx); err != nil {
		return err
	}
	for _, r := range open {
		if _, err := tx.ExecContext(ctx, `
			UPDATE ranges SET reason = '', due_at = CASE WHEN state = 'waiting' AND reason IN ('quiet_hours', 'cap') THEN 0 ELSE due_at END
			WHERE id = $1 AND reason IN ('', 'quiet_hours', 'cap')`, r.id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE messages SET due_at = 1 WHERE id BETWEEN $1 AND $2 AND status = 'queued' AND reason = 'quiet_hours'`, r.first, r.last); err != nil {
			return err
		}
	}
	return nil
}

// sentIn is how many parts the account has given to carriers in the period. It
// keeps the count until the transaction ends. A process whose clock is behind
// counts in the later period.
func sentIn(ctx context.Context, tx *db.Tx, account int64, p period, now time.Time) (parts int, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO sent_parts (account_id, period, began, parts) VALUES ($1, $2, $3, 0)
		ON CONFLICT (account_id, period) DO UPDATE SET
			parts = CASE WHEN sent_parts.began < EXCLUDED.began THEN 0 ELSE sent_parts.parts END,
			began = CASE WHEN sent_parts.began < EXCLUDED.began THEN EXCLUDED.began ELSE sent_parts.began END
		RETURNING parts`, account, p.name, p.of(now)).Scan(&parts)
	return parts, err
}

func addSent(ctx context.Context, tx *db.Tx, account int64, parts int) error {
	_, err := tx.ExecContext(ctx, `UPDATE sent_parts SET parts = parts + $1 WHERE account_id = $2`, parts, account)
	return err
}

// selectQueuedPhones reads the numbers in a range that are not on their way.
func selectQueuedPhones(ctx context.Context, tx *db.Tx, r *running, claimedTo int64) ([]string, error) {
	return db.Column[string](ctx, tx, `
		SELECT phone FROM messages WHERE id BETWEEN $1 AND $2 AND status = 'queued' AND (due_at > 0 OR id > $3)`, r.first, r.last, claimedTo)
}

// selectOwnZones reads the time zones of those recipients of a range who have one of
// their own, by their numbers.
func selectOwnZones(ctx context.Context, tx *db.Tx, r *running) (map[string]string, error) {
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	own := map[string]string{}
	_, err := db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
		var phone, zone string
		err = row.Scan(&phone, &zone)
		own[phone] = zone
		return struct{}{}, err
	}, `
		SELECT m.phone, f.value FROM messages m JOIN contact_fields f ON f.contact_id = m.contact_id AND f.name = $3
		WHERE m.id BETWEEN $1 AND $2`, r.first, r.last, contacts.ZoneField)
	return own, err
}

// deferMessages keeps queued messages until a time. One that came back from the
// carrier keeps its reason: it was counted.
func deferMessages(ctx context.Context, tx *db.Tx, moves []move, until time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE messages SET due_at = $2, reason = CASE due_at WHEN 0 THEN 'quiet_hours' ELSE reason END
		FROM (SELECT CAST(key AS BIGINT) AS first, CAST(CAST(value AS TEXT) AS BIGINT) AS last FROM json_each($1)) AS r
		WHERE id BETWEEN r.first AND r.last AND status = 'queued'`, runs(moves), db.Millis(until))
	return err
}

// keepRange says why a range waits. Unless somebody said how long its text is worth
// sending, its messages have their time from when they may go.
func keepRange(ctx context.Context, tx *db.Tx, r *running, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE ranges SET reason = $1, deadline = $2 WHERE id = $3`, reason, db.Millis(r.deadline), r.id)
	return err
}
