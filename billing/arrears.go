package billing

import (
	"context"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Followable refuses an account with invoices that are unpaid for longer than its terms
// allow, with the code invoices_unpaid: its directories are not followed until it has
// paid.
func (l *Ledger) Followable(ctx context.Context, account int64) error {
	var since int64
	err := l.db.QueryRowContext(ctx, `SELECT suspended_at FROM billing_terms WHERE account_id = $1`, account).Scan(&since)
	if db.IsNone(err) || err == nil && since == 0 {
		return nil
	}
	if err == nil {
		err = problem.New(problem.KindForbidden, "invoices_unpaid", "invoices of the account are overdue: directories are followed again when they are paid")
	}
	return err
}

// Dun suspends the accounts that are in arrears for longer than their terms allow, and
// lifts it for those that are not any more.
func (l *Ledger) Dun(ctx context.Context) error {
	accounts, err := db.Column[int64](ctx, l.db, `SELECT account_id FROM billing_terms WHERE suspend_days > 0 OR suspended_at > 0 ORDER BY account_id`)
	for _, account := range accounts {
		err = errors.Join(err, l.db.InTx(ctx, func(tx *db.Tx) error { return dun(ctx, tx, account, l.clock()) }))
	}
	return err
}

func dun(ctx context.Context, tx *db.Tx, account int64, now time.Time) error {
	var days int
	var since int64
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT suspend_days, suspended_at FROM billing_terms WHERE account_id = $1`), account).Scan(&days, &since)
	if db.IsNone(err) || err == nil && days == 0 && since == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	var owed int64
	if days > 0 {
		if owed, err = arrears(ctx, tx, account, now.AddDate(0, 0, -days)); err != nil {
			return err
		}
	}
	if (owed > 0) == (since > 0) {
		return nil
	}
	action, at := "billing.resumed", int64(0)
	if owed > 0 {
		action, at = "billing.suspended", db.Millis(now)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE billing_terms SET suspended_at = $2 WHERE account_id = $1`, account, at); err != nil {
		return err
	}
	_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: action, Subject: "acc", SubjectID: account,
		Facts: map[string]any{"arrears": Money(max(0, owed)), "days": days}})
	return err
}

// arrears are what is unpaid of invoices that were due before a day, in micro-units:
// all that is on invoices and was not paid, but for the invoices that are due on that
// day or later, each less its credit note. So payments count for the oldest first.
func arrears(ctx context.Context, tx *db.Tx, account int64, day time.Time) (int64, error) {
	sums, err := SumsOf(ctx, tx, account)
	if err != nil {
		return 0, err
	}
	var later int64 // whole cents
	err = tx.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(CASE i.kind WHEN '380' THEN i.net ELSE -i.net END), 0) AS BIGINT)
		FROM invoices i LEFT JOIN invoices o ON o.id = i.credits
		WHERE i.account_id = $1 AND i.state = 'final' AND COALESCE(o.due, i.due) >= $2`, account, day.UTC().Format(time.DateOnly)).Scan(&later)
	return -(sums.Billed + sums.Rounding + sums.Paid) - later*microPerCent, err
}
