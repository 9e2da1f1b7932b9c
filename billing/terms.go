package billing

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Terms are how an account pays: in advance; or later, up to a limit or without one.
// The zero value is later, with a limit of nothing.
type Terms struct {
	Prepaid   bool
	Unlimited bool
	Limit     int64 // micro-units of the account's currency, of who pays later with a limit
	Suspend   int   // days after an invoice is due until directories are not followed any more; 0: never
}

// limited says whether reservations are held against what is available.
func (t Terms) limited() bool { return !t.Unlimited }

// Funds are what an account may still reserve, in micro-units of its currency.
type Funds struct {
	Terms
	Currency string
	Owed     int64 // the sum of receivable, of an account that has a limit; negative: it has paid in advance
	// Suspended is since when its directories are not followed, as invoices are unpaid; zero while they are.
	Suspended time.Time
}

// Available is what may be reserved; it has no meaning of an account without a limit,
// and is negative when a limit was lowered.
func (f Funds) Available() int64 { return f.Limit - f.Owed }

// Suffice says whether an amount may be reserved now.
func (f Funds) Suffice(micro int64) bool { return f.Unlimited || micro <= f.Available() }

// refuse is the problem of an amount that the funds do not suffice for.
func (f Funds) refuse(micro int64) error {
	return problem.Conflict("no_funds", "the account has no funds for this: it costs %s %s and %s %s is available",
		Money(micro), f.Currency, Money(max(0, f.Available())), f.Currency)
}

// Ledger is the ledger and the terms of all accounts.
type Ledger struct {
	db    *db.DB
	clock func() time.Time
}

// NewLedger works on the ledger of a database.
func NewLedger(d *db.DB) *Ledger { return &Ledger{d, time.Now} }

// WithClock is the same ledger by another clock.
func (l *Ledger) WithClock(clock func() time.Time) *Ledger { return &Ledger{l.db, clock} }

// Balance is all that the ledger says of an account now, and its terms.
type Balance struct {
	Funds
	Sums
}

// Balance of an account. It reads the account's whole ledger.
func (l *Ledger) Balance(ctx context.Context, account int64) (b Balance, err error) {
	err = l.db.Snapshot(ctx, func(tx *db.Tx) (err error) {
		if b.Funds, err = FundsOf(ctx, tx, account); err != nil {
			return err
		}
		b.Sums, err = SumsOf(ctx, tx, account)
		return err
	})
	return b, err
}

// FundsOf are an account's funds at the moment. It reads no more than a row, so it is
// for the path of messages too.
func FundsOf(ctx context.Context, q db.Querier, account int64) (Funds, error) {
	f, err := termsOf(ctx, q, account)
	if err == nil && f.limited() {
		err = q.QueryRowContext(ctx, `SELECT receivable FROM ledger_balances WHERE account_id = $1`, account).Scan(&f.Owed)
	}
	return f, err
}

func termsOf(ctx context.Context, q db.Querier, account int64) (f Funds, err error) {
	var suspended int64
	err = q.QueryRowContext(ctx, `
		SELECT a.currency, COALESCE(t.prepaid, FALSE), COALESCE(t.unlimited, TRUE), COALESCE(t.limit_micro, 0),
			COALESCE(t.suspend_days, 0), COALESCE(t.suspended_at, 0)
		FROM accounts a LEFT JOIN billing_terms t ON t.account_id = a.id WHERE a.id = $1`, account).
		Scan(&f.Currency, &f.Prepaid, &f.Unlimited, &f.Limit, &f.Suspend, &suspended)
	if db.IsNone(err) {
		err = problem.NotFound("account", "")
	}
	if suspended > 0 {
		f.Suspended = db.Time(suspended)
	}
	return f, err
}

// Spender is who reserves.
type Spender struct {
	Team int64       // 0: nobody's team
	More Reservation // that this is added to, of the same moment; 0: it is one by itself
}

// Reservation is what budgets remember of a reservation; 0 when none counted for it.
type Reservation int64

// Reserve posts entries of one account when its funds and its budgets suffice for all of
// them together. Otherwise nothing is written, and refused is a problem with the code
// no_funds or budget_spent. An account without limit and budgets pays for the entries
// alone: nothing is read first, and no row is locked that others wait for. The
// reservation is named when a part of it is released.
func Reserve(ctx context.Context, tx *db.Tx, now time.Time, by Spender, entries ...Entry) (r Reservation, refused, err error) {
	if len(entries) == 0 {
		return 0, nil, nil
	}
	list, err := entryList(entries)
	if err != nil {
		return 0, nil, err
	}
	account := entries[0].Account
	free, err := tx.ExecContext(ctx, insertEntry+`
		WHERE NOT EXISTS (SELECT 1 FROM ledger_balances b WHERE b.account_id = $3) AND NOT `+hasBudgets, list, db.Millis(now), account)
	if err != nil {
		return 0, nil, err
	}
	if n, err := free.RowsAffected(); n > 0 || err != nil {
		return 0, nil, err
	}
	var micro int64
	for _, e := range entries {
		micro += e.Micro
	}
	f, err := lockFunds(ctx, tx, account)
	if err != nil {
		return 0, nil, err
	}
	if !f.Suffice(micro) {
		return 0, f.refuse(micro), nil
	}
	r, refused, err = spend(ctx, tx, by, entries[0], micro, now)
	if refused != nil || err != nil {
		return 0, refused, err
	}
	return r, nil, Post(ctx, tx, now, entries...)
}

// lockFunds are the funds of an account, and stay as they are until the transaction
// ends; only what has a limit is locked.
func lockFunds(ctx context.Context, tx *db.Tx, account int64) (Funds, error) {
	var owed int64
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT receivable FROM ledger_balances WHERE account_id = $1`), account).Scan(&owed)
	if err != nil && !db.IsNone(err) {
		return Funds{}, err
	}
	f, err := termsOf(ctx, tx, account)
	f.Owed = owed
	return f, err
}

// SetTerms changes how an account pays, from the next reservation on.
func (l *Ledger) SetTerms(ctx context.Context, account int64, t Terms) error {
	if err := t.check(); err != nil {
		return err
	}
	return l.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := holdLedger(ctx, tx, account)
		if err != nil {
			return err
		}
		now := l.clock()
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO billing_terms (account_id, prepaid, unlimited, limit_micro, suspend_days, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (account_id) DO UPDATE SET prepaid = excluded.prepaid, unlimited = excluded.unlimited,
				limit_micro = excluded.limit_micro, suspend_days = excluded.suspend_days, updated_at = excluded.updated_at`,
			account, t.Prepaid, t.Unlimited, t.Limit, t.Suspend, db.Millis(now)); err != nil {
			return err
		}
		if err := keepBalance(ctx, tx, account, t); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: "billing.terms_changed", Subject: "acc", SubjectID: account,
			Facts: map[string]any{"prepaid": t.Prepaid, "unlimited": t.Unlimited, "limit": Money(t.Limit), "currency": before.Currency, "suspend_days": t.Suspend}})
		if err != nil {
			return err
		}
		return dun(ctx, tx, account, now)
	})
}

// highestLimit is far beyond what an account owes, and far below where sums of BIGINT end.
const highestLimit = 1_000_000_000 * 1_000_000

// mostSuspendDays is a year.
const mostSuspendDays = 365

func (t Terms) check() error {
	switch {
	case t.Prepaid && t.Unlimited:
		return problem.Invalid("unlimited", "who pays in advance cannot be without a limit")
	case (t.Prepaid || t.Unlimited) && t.Limit != 0:
		return problem.Invalid("limit", "a limit is for who pays later up to it")
	case t.Limit < 0 || t.Limit > highestLimit:
		return problem.Invalid("limit", "a limit is between 0 and %s", Money(highestLimit))
	case t.Suspend < 0 || t.Suspend > mostSuspendDays:
		return problem.Invalid("suspend_days", "directories are suspended 1 to %d days after an invoice is due, or with 0 never", mostSuspendDays)
	}
	return nil
}

// holdLedger waits for everybody who is posting for an account, and keeps others from
// beginning: an entry's foreign key shares the row of its account.
func holdLedger(ctx context.Context, tx *db.Tx, account int64) (f Funds, err error) {
	var id int64
	err = tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT id FROM accounts WHERE id = $1`), account).Scan(&id)
	if db.IsNone(err) {
		return f, problem.NotFound("account", "")
	}
	if err != nil {
		return f, err
	}
	return termsOf(ctx, tx, account)
}

// keepBalance begins the balance that reservations lock, or ends it where there is no
// limit. Triggers keep it from then on.
func keepBalance(ctx context.Context, tx *db.Tx, account int64, t Terms) error {
	if !t.limited() {
		_, err := tx.ExecContext(ctx, `DELETE FROM ledger_balances WHERE account_id = $1`, account)
		return err
	}
	sums, err := SumsOf(ctx, tx, account)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO ledger_balances (account_id, receivable) VALUES ($1, $2) ON CONFLICT (account_id) DO NOTHING`, account, sums.Receivable)
	return err
}
