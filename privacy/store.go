package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
)

// This file writes erasures. It reads accounts and erasure_marks.

const erasureColumns = `id, account_id, reason, what, contacts, replayed, created_at, settled_at, lifted_at`

func scanErasure(row *sql.Rows) (e Erasure, err error) {
	var created, settled, lifted int64
	var what, ids string
	if err := row.Scan(&e.ID, &e.Account, &e.Reason, &what, &ids, &e.Replayed, &created, &settled, &lifted); err != nil {
		return e, err
	}
	e.At, e.Settled, e.Lifted = db.Time(created), db.Time(settled), db.Time(lifted)
	if err := json.Unmarshal([]byte(ids), &e.contacts); err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(what), &e.What)
}

func selectErasures(ctx context.Context, q db.Querier, where string, args ...any) ([]Erasure, error) {
	return db.Collect(ctx, q, scanErasure, `SELECT `+erasureColumns+` FROM erasures `+where, args...)
}

// insertErasure says false when it was carried out already.
func insertErasure(ctx context.Context, tx *db.Tx, e Erasure) (bool, error) {
	what, err := json.Marshal(e.What)
	if err != nil {
		return false, err
	}
	ids, err := json.Marshal(e.contacts)
	if err != nil {
		return false, err
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO erasures (id, account_id, reason, what, contacts, replayed, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		e.ID, e.Account, e.Reason, string(what), string(ids), e.Replayed, db.Millis(e.At))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func settleErasure(ctx context.Context, tx *db.Tx, account, id int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE erasures SET settled_at = $3 WHERE account_id = $1 AND id = $2`, account, id, db.Millis(now))
	return err
}

// liftErasure says false when it was lifted before.
func liftErasure(ctx context.Context, tx *db.Tx, account, id int64, now time.Time) (bool, error) {
	done, err := tx.ExecContext(ctx, `UPDATE erasures SET lifted_at = $3 WHERE account_id = $1 AND id = $2 AND lifted_at = 0`, account, id, db.Millis(now))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func marksOfErasure(ctx context.Context, q db.Querier, account, id int64) ([]contacts.Mark, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (m contacts.Mark, err error) {
		return m, row.Scan(&m.Kind, &m.Mark)
	}, `SELECT kind, mark FROM erasure_marks WHERE account_id = $1 AND erasure_id = $2`, account, id)
}

func hasAccount(ctx context.Context, q db.Querier, account int64) (is bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM accounts WHERE id = $1) THEN 1 ELSE 0 END`, account).Scan(&is)
	return is, err
}
