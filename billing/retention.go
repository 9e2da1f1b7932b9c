package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// ForgetLedger removes one lot of an account's ledger from before a time, which is to
// be the end of the years that bookkeeping law wants it kept. What the entries leave to
// the ledger accounts stays as their openings, so the balances do not change.
func ForgetLedger(ctx context.Context, d *db.DB, account int64, before time.Time) (done lots.Done, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		oldest, err := oldestEntry(ctx, tx, account)
		if done = (lots.Done{Oldest: oldest}); err != nil || oldest.IsZero() || !oldest.Before(before) {
			return err
		}
		n, err := forgetLot(ctx, tx, account, before)
		if err != nil {
			return err
		}
		done = lots.Of(n)
		done.Oldest, err = oldestEntry(ctx, tx, account)
		return err
	})
	return done, err
}

// oldestEntry is when it was posted, zero for none.
func oldestEntry(ctx context.Context, tx *db.Tx, account int64) (time.Time, error) {
	var at sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT MIN(at) FROM ledger_entries WHERE account_id = $1`, account).Scan(&at)
	return db.Time(at.Int64), err
}

func forgetLot(ctx context.Context, tx *db.Tx, account int64, before time.Time) (int64, error) {
	if err := open(ctx, tx, account, before, map[string]int64{Receivable: 0, Reserved: 0, Unbilled: 0, Billed: 0, Rounding: 0, Paid: 0}); err != nil {
		return 0, err
	}
	if err := carry(ctx, tx, account, before); err != nil {
		return 0, err
	}
	gone, err := db.Collect(ctx, tx, func(row *sql.Rows) (p Posted, err error) {
		return p, row.Scan(&p.Debit, &p.Credit, &p.Micro)
	}, `
		DELETE FROM ledger_entries WHERE id IN (`+oldestLot+`)
		RETURNING debit, credit, amount_micro`, account, db.Millis(before), lots.Size)
	if err != nil {
		return 0, err
	}
	left := map[string]int64{}
	for _, p := range gone {
		left[p.Debit] += p.Micro
		left[p.Credit] -= p.Micro
	}
	return int64(len(gone)), open(ctx, tx, account, before, left)
}

const oldestLot = `SELECT id FROM ledger_entries WHERE account_id = $1 AND at < $2 ORDER BY at, id LIMIT $3`

// carry keeps what the entries of a lot add up to, so that what was charged is still
// held against what was billed, and messages against both.
func carry(ctx context.Context, tx *db.Tx, account int64, before time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO ledger_carried (account_id, campaign_id, kind, country, unit_micro, lane, invoice_id, micro, messages, parts)
		SELECT account_id, campaign_id, kind, country, unit_micro, lane, invoice_id, CAST(SUM(amount_micro) AS BIGINT), CAST(SUM(messages) AS BIGINT), CAST(SUM(parts) AS BIGINT)
		FROM ledger_entries WHERE id IN (`+oldestLot+`) GROUP BY account_id, campaign_id, kind, country, unit_micro, lane, invoice_id
		ON CONFLICT (account_id, campaign_id, kind, country, unit_micro, lane, invoice_id) DO UPDATE SET micro = ledger_carried.micro + EXCLUDED.micro,
			messages = ledger_carried.messages + EXCLUDED.messages, parts = ledger_carried.parts + EXCLUDED.parts`, account, db.Millis(before), lots.Size)
	return err
}

// open adds to the openings of an account, and lets what is from before a time be
// deleted: the database refuses it otherwise.
func open(ctx context.Context, tx *db.Tx, account int64, before time.Time, left map[string]int64) error {
	list, err := json.Marshal(left)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO ledger_openings (account_id, ledger_account, micro, before_at)
		SELECT CAST($1 AS BIGINT), r.key, CAST(CAST(r.value AS TEXT) AS BIGINT), CAST($2 AS BIGINT) FROM json_each($3) AS r WHERE true
		ON CONFLICT (account_id, ledger_account) DO UPDATE SET micro = ledger_openings.micro + excluded.micro, before_at = excluded.before_at`,
		account, db.Millis(before), string(list))
	return err
}
