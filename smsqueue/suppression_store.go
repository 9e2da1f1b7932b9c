package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
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

// suppress says false when the number is suppressed already. event is the id of what
// is told of it.
func suppress(ctx context.Context, tx *db.Tx, s Suppression, event int64) (added bool, err error) {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO suppressions (id, account_id, phone, reason, inbound_id, user_id, note, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		s.ID, s.Account, s.Phone, string(s.Reason), s.Inbound, s.User, s.Note, db.Millis(s.Created))
	if err != nil {
		return false, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, events.Record(ctx, tx, s.added(event))
}

// added tells that a number is suppressed.
func (s Suppression) added(event int64) events.Event {
	return events.Event{ID: event, Account: s.Account, Type: "suppression.added", At: s.Created, Data: map[string]any{"suppression": s.ID, "reason": s.Reason}}
}

// suppressAll suppresses numbers, with the ids from the suppression's on, of which the
// second half is for what is told of it, and says which were not suppressed before.
func suppressAll(ctx context.Context, tx *db.Tx, s Suppression, phones []string) (added map[string]bool, err error) {
	of := map[string][]any{}
	for i, phone := range phones {
		of[phone] = []any{s.ID + int64(i)}
	}
	list, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	found, err := db.Column[string](ctx, tx, `
		INSERT INTO suppressions (id, account_id, phone, reason, user_id, note, created_at)
		SELECT CAST(r.value->>0 AS BIGINT), $2, r.key, $3, $4, $5, $6 FROM json_each($1) AS r WHERE true ON CONFLICT DO NOTHING RETURNING phone`,
		string(list), s.Account, string(s.Reason), s.User, s.Note, db.Millis(s.Created))
	if err != nil {
		return nil, err
	}
	added, told := setOf(found), []events.Event(nil)
	for i, phone := range phones {
		if one := s; added[phone] {
			one.ID += int64(i)
			told = append(told, one.added(one.ID+int64(len(phones))))
		}
	}
	return added, events.RecordAll(ctx, tx, told)
}

func setOf(phones []string) map[string]bool {
	all := map[string]bool{}
	for _, phone := range phones {
		all[phone] = true
	}
	return all
}

// standingAmong are those of the numbers that are suppressed.
func standingAmong(ctx context.Context, q db.Querier, account int64, phones []string) (map[string]bool, error) {
	list, err := keys(phones)
	if err != nil {
		return nil, err
	}
	found, err := db.Column[string](ctx, q, `
		SELECT s.phone FROM json_each($1) AS r JOIN suppressions s ON s.account_id = $2 AND s.phone = r.key AND s.lifted_at = 0`, list, account)
	return setOf(found), err
}

// lift says false when the number is not suppressed. One that opted out before it was
// erased is known by its mark alone. event is the id of what is told of it.
func lift(ctx context.Context, tx *db.Tx, marks contacts.Marks, account int64, phone string, by SuppressedBy, event int64, now time.Time) (lifted bool, err error) {
	marked, err := marks.LiftStop(ctx, tx, account, phone)
	if err != nil {
		return false, err
	}
	var id int64
	err = tx.QueryRowContext(ctx, `
		UPDATE suppressions SET lifted_at = $1, lifted_by = $2 WHERE account_id = $3 AND phone = $4 AND lifted_at = 0 RETURNING id`,
		db.Millis(now), string(by), account, phone).Scan(&id)
	if db.IsNone(err) {
		return marked, nil
	}
	if err != nil {
		return false, err
	}
	return true, events.Record(ctx, tx, events.Event{ID: event, Account: account, Type: "suppression.lifted", At: now,
		Data: map[string]any{"suppression": id, "by": by}})
}

// suppressNow and liftNow do it in a transaction of their own.
func (q *Queue) suppressNow(ctx context.Context, s *Suppression) (added bool, err error) {
	if s.ID, err = q.db.NewIDs(ctx, 2); err != nil {
		return false, err
	}
	err = q.db.InTx(ctx, func(tx *db.Tx) (err error) {
		added, err = suppress(ctx, tx, *s, s.ID+1)
		return err
	})
	return added, err
}

func (q *Queue) liftNow(ctx context.Context, account int64, phone string, by SuppressedBy) (lifted bool, err error) {
	event, err := q.db.NewIDs(ctx, 1)
	if err != nil {
		return false, err
	}
	err = q.db.InTx(ctx, func(tx *db.Tx) (err error) {
		lifted, err = lift(ctx, tx, q.marks, account, phone, by, event, time.Now())
		return err
	})
	return lifted, err
}

// refusedOf says which of the numbers get nothing from the account in a lane, and why:
// they are suppressed, or were erased. It is one statement, as many batches ask.
func refusedOf(ctx context.Context, tx *db.Tx, marks contacts.Marks, account int64, lane Lane, phones []string) (map[string]error, error) {
	of := map[string][1]string{}
	for _, phone := range phones {
		of[phone] = [1]string{marks.Number(account, phone)}
	}
	list, err := json.Marshal(of)
	if err != nil {
		return nil, err
	}
	all := map[string]error{}
	_, err = db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
		var phone, kind string
		if err := row.Scan(&phone, &kind); err != nil {
			return struct{}{}, err
		}
		if kind == contacts.MarkNumber {
			all[phone] = contacts.ErrErasedNumber("to")
		} else if all[phone] == nil {
			all[phone] = errOptedOut(phone)
		}
		return struct{}{}, nil
	}, `
		SELECT s.phone, 'stop' FROM json_each($1) AS r JOIN suppressions s ON s.account_id = $2 AND s.phone = r.key AND s.lifted_at = 0
		WHERE $3 <> 'urgent' OR NOT EXISTS (SELECT 1 FROM opt_out_settings o WHERE o.account_id = $2 AND o.urgent = TRUE)
		UNION ALL
		SELECT r.key, k.kind FROM json_each($1) AS r JOIN erasure_marks k ON k.account_id = $2 AND k.mark = r.value->>0
		WHERE k.kind = 'number' OR k.kind = 'stop'
			AND ($3 <> 'urgent' OR NOT EXISTS (SELECT 1 FROM opt_out_settings o WHERE o.account_id = $2 AND o.urgent = TRUE))`,
		string(list), account, string(lane))
	return all, err
}

// selectOptOutSettings knows of no number that the account has no more.
func selectOptOutSettings(ctx context.Context, q db.Querier, account int64) (o OptOutSettings, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT o.replies, o.urgent, COALESCE((SELECT MAX(n.number) FROM numbers n WHERE n.account_id = o.account_id AND n.number = o.number), '')
		FROM opt_out_settings o WHERE o.account_id = $1`, account).Scan(&o.Replies, &o.Urgent, &o.Number)
	if db.IsNone(err) {
		return OptOutSettings{Replies: true}, nil
	}
	return o, err
}
