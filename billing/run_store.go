package billing

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// This room's statements about the monthly run; it writes billing_runs.

// selectUnrun are the accounts whose month is not run; account 0 is any.
func selectUnrun(ctx context.Context, q db.Querier, account int64, month time.Time) ([]int64, error) {
	return db.Column[int64](ctx, q, `
		SELECT a.id FROM accounts a
		WHERE (CAST($1 AS BIGINT) = 0 OR a.id = $1)
			AND NOT EXISTS (SELECT 1 FROM billing_runs r WHERE r.account_id = a.id AND r.month = $2 AND r.state <> 'skipped')
		ORDER BY a.id`, account, month.Format(monthLayout))
}

// takeRun says whether the run is the caller's: who comes second waits until the first
// has ended, and takes it only if that one failed.
func takeRun(ctx context.Context, tx *db.Tx, r Run) (bool, error) {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO billing_runs (account_id, month, state, ran_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account_id, month) DO UPDATE SET state = EXCLUDED.state, reason = '', detail = '', ran_at = EXCLUDED.ran_at
		WHERE billing_runs.state = 'skipped'`, r.Account, r.Month.Format(monthLayout), r.State, db.Millis(r.At))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// endRun says what the month came to, and with it the skipped ones before it: what was
// charged in them is on the same invoice.
func endRun(ctx context.Context, tx *db.Tx, r Run) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE billing_runs SET state = $1, invoice_id = $2, reason = '', detail = '', ran_at = $3
		WHERE account_id = $4 AND (month = $5 OR month < $5 AND state = 'skipped')`, r.State, r.Invoice, db.Millis(r.At), r.Account, r.Month.Format(monthLayout))
	return err
}

// skipRun leaves alone what another has run meanwhile.
func skipRun(ctx context.Context, d *db.DB, r Run) error {
	_, err := d.ExecContext(ctx, `
		INSERT INTO billing_runs (account_id, month, state, reason, detail, ran_at) VALUES ($1, $2, 'skipped', $3, $4, $5)
		ON CONFLICT (account_id, month) DO UPDATE SET reason = EXCLUDED.reason, detail = EXCLUDED.detail, ran_at = EXCLUDED.ran_at
		WHERE billing_runs.state = 'skipped'`, r.Account, r.Month.Format(monthLayout), r.Reason, r.Detail, db.Millis(r.At))
	return err
}

// selectLastInvoiced is the latest month before one that was invoiced; the zero time
// for none.
func selectLastInvoiced(ctx context.Context, q db.Querier, account int64, before time.Time) (time.Time, error) {
	var month sql.NullString
	err := q.QueryRowContext(ctx, `SELECT MAX(month) FROM billing_runs WHERE account_id = $1 AND state = 'invoiced' AND month < $2`,
		account, before.Format(monthLayout)).Scan(&month)
	if err != nil || !month.Valid {
		return time.Time{}, err
	}
	return time.Parse(monthLayout, month.String)
}

// selectCharged is all that was ever charged of messages before a time.
func selectCharged(ctx context.Context, q db.Querier, account int64, end time.Time) ([]owed, error) {
	return db.Collect(ctx, q, scanOwed, `
		SELECT country, unit_micro, lane, CAST(SUM(messages) AS BIGINT), CAST(SUM(parts) AS BIGINT), CAST(SUM(micro) AS BIGINT), MIN(at) FROM (
			SELECT country, unit_micro, lane, messages, parts, amount_micro AS micro, at FROM ledger_entries
			WHERE account_id = $1 AND kind = 'charge' AND at < $2
			UNION ALL
			SELECT country, unit_micro, lane, messages, parts, micro, $2 FROM ledger_carried WHERE account_id = $1 AND kind = 'charge'
		) AS c GROUP BY country, unit_micro, lane`, account, db.Millis(end))
}

// selectBilled is what was ever billed of messages: what is billed of fees has no parts.
func selectBilled(ctx context.Context, q db.Querier, account int64) ([]owed, error) {
	return db.Collect(ctx, q, scanOwed, `
		SELECT country, unit_micro, lane, CAST(SUM(messages) AS BIGINT), CAST(SUM(parts) AS BIGINT), CAST(SUM(micro) AS BIGINT), 0 FROM (
			SELECT country, unit_micro, lane, messages, parts, amount_micro AS micro FROM ledger_entries
			WHERE account_id = $1 AND kind = 'bill' AND reference <> '' AND parts > 0
			UNION ALL
			SELECT country, unit_micro, lane, messages, parts, micro FROM ledger_carried WHERE account_id = $1 AND kind = 'bill' AND parts > 0
		) AS c GROUP BY country, unit_micro, lane`, account)
}

func scanOwed(row *sql.Rows) (o owed, err error) {
	var since int64
	err = row.Scan(&o.country, &o.unit, &o.lane, &o.messages, &o.parts, &o.micro, &since)
	o.since = db.Time(since)
	return o, err
}

// selectFees are the fees before a time that are neither billed nor on a draft.
func selectFees(ctx context.Context, q db.Querier, account int64, end time.Time) ([]owed, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (o owed, err error) {
		var since int64
		err = row.Scan(&o.reference, &o.unit, &o.micro, &since)
		o.fee, o.since = true, db.Time(since)
		return o, err
	}, `
		SELECT f.reference, f.unit_micro, f.amount_micro, f.at FROM ledger_entries f
		WHERE f.account_id = $1 AND f.kind = 'fee' AND f.reference <> '' AND f.at < $2
			AND NOT EXISTS (SELECT 1 FROM ledger_entries b WHERE b.account_id = $1 AND b.kind = 'bill' AND b.reference = f.reference AND b.reference <> '')
			AND NOT EXISTS (SELECT 1 FROM invoice_lines l WHERE l.account_id = $1 AND l.once = f.reference AND l.once <> '')
		ORDER BY f.reference`, account, db.Millis(end))
}

// unbilled is what is left of charges and fees when what was billed is taken off. The
// seller's row is locked, so nobody bills meanwhile.
func unbilled(ctx context.Context, tx *db.Tx, account int64, charged, fees []owed, end time.Time) ([]owed, error) {
	billed, err := selectBilled(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	sums := map[dimensions]owed{}
	for _, o := range billed {
		sums[o.dimensions()] = o
	}
	open, err := selectFees(ctx, tx, account, end)
	if err != nil {
		return nil, err
	}
	all := open[:min(len(open), len(fees))] // as many as there are ids for; the others are on the next invoice
	for _, o := range charged {
		b := sums[o.dimensions()]
		o.messages, o.parts, o.micro = o.messages-b.messages, o.parts-b.parts, o.micro-b.micro
		if o.micro > 0 {
			all = append(all, o)
		}
	}
	return all, nil
}

// RunFilter says which runs are listed.
type RunFilter struct {
	Account int64  // 0: any
	State   string // empty: any
	Limit   int
}

// Runs lists what the months' runs came to, the latest month first.
func (b *Invoices) Runs(ctx context.Context, f RunFilter) ([]Run, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (r Run, err error) {
		var month string
		var at int64
		if err := row.Scan(&r.Account, &month, &r.State, &r.Reason, &r.Detail, &r.Invoice, &at); err != nil {
			return r, err
		}
		r.At = db.Time(at)
		r.Month, err = time.Parse(monthLayout, month)
		return r, err
	}, `
		SELECT account_id, month, state, reason, detail, invoice_id, ran_at FROM billing_runs
		WHERE (CAST($1 AS BIGINT) = 0 OR account_id = $1) AND ($2 = '' OR state = $2) ORDER BY month DESC, account_id LIMIT $3`,
		f.Account, f.State, f.Limit)
}
