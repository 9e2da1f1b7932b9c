package billing

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Budgets keeps what accounts and their teams may spend.
type Budgets struct{ db *db.DB }

// NewBudgets keeps them in d.
func NewBudgets(d *db.DB) *Budgets { return &Budgets{d} }

// Per is what a budget is for.
type Per string

const (
	PerCampaign Per = "campaign" // each one
	PerDay      Per = "day"      // of the account's time zone
	PerMonth    Per = "month"    // of the account's time zone
)

// Pers are all of them.
var Pers = []Per{PerCampaign, PerDay, PerMonth}

// UsualWarning is the share of a limit, in percent, at which a warning comes unless
// another was said.
const UsualWarning = 80

// Budget is what may be spent on messages. It counts what is reserved from when it was
// made, and gives back what is released.
type Budget struct {
	ID         int64
	Account    int64
	Team       int64 // 0: the whole account
	TeamName   string
	Name       string
	Per        Per
	LimitMicro int64
	Currency   string
	Warn       int // percent of the limit at which a warning comes; 0: none
	Created    time.Time

	Spent  int64     // micro-units in the period of now; per campaign, of the dearest one
	Renews time.Time // when the next period begins; zero per campaign
	Warned time.Time // when the warning of this period came; zero: it did not
}

// Left is what may still be spent; a limit may be lowered below what was spent.
func (b Budget) Left() int64 { return max(b.LimitMicro-b.Spent, 0) }

// Percent is how much of the limit is spent, rounded down.
func (b Budget) Percent() int { return int(b.Spent * 100 / b.LimitMicro) }

// warns says whether a sum has reached the share at which a warning comes.
func (b Budget) warns(spent int64) bool {
	return b.Warn > 0 && spent*100 >= b.LimitMicro*int64(b.Warn)
}

// NewBudget is what a budget is made from.
type NewBudget struct {
	Name       string
	Team       int64 // 0: the whole account
	Per        Per
	LimitMicro int64
	Warn       int // percent; 0: no warning
	Also       Also
}

// BudgetChange is what is changed about a budget; nil leaves it.
type BudgetChange struct {
	Name       *string
	LimitMicro *int64
	Warn       *int
}

// mostBudgets is how many an account may have: each is counted when something is sent.
const mostBudgets = 50

// longestName bounds the names of budgets and teams, in bytes.
const longestName = 100

func validName(name string) error {
	if name == "" || len(name) > longestName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\uFFFD' }) {
		return problem.Invalid("name", "a name has 1 to %d bytes and no control characters", longestName)
	}
	return nil
}

// mostLimit keeps the arithmetic of shares within 64 bits: a thousand million.
const mostLimit = 1_000_000_000 * 1_000_000

func (b Budget) validate() error {
	if err := validName(b.Name); err != nil {
		return err
	}
	switch {
	case b.Per != PerCampaign && b.Per != PerDay && b.Per != PerMonth:
		return problem.Invalid("per", "a budget is per campaign, day or month, not %q", b.Per)
	case b.LimitMicro <= 0 || b.LimitMicro > mostLimit:
		return problem.Invalid("limit", "a limit is above 0 and %s at the most", Money(mostLimit))
	case b.Warn < 0 || b.Warn > 100:
		return problem.Invalid("warn_percent", "a warning comes at 1 to 100 percent of the limit, or with 0 not at all")
	}
	return nil
}

func errBudgetExists(name string) error {
	return problem.Conflict("budget_exists", "there is a budget %q already", name)
}

// Add makes a budget. It counts from now.
func (b *Budgets) Add(ctx context.Context, account int64, n NewBudget) (Budget, error) {
	one := Budget{Account: account, Team: n.Team, Name: strings.TrimSpace(n.Name), Per: n.Per, LimitMicro: n.LimitMicro, Warn: n.Warn, Created: time.Now()}
	if err := one.validate(); err != nil {
		return Budget{}, err
	}
	var err error
	if one.ID, err = b.db.NewIDs(ctx, 1); err != nil {
		return Budget{}, err
	}
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		// First, so that a repetition is known before its name is found taken.
		if err := n.Also.do(ctx, tx, one.ID); err != nil {
			return err
		}
		if one.Team != 0 {
			if _, err := lockTeam(ctx, tx, account, one.Team); err != nil {
				return err
			}
		}
		if err := insertBudget(ctx, tx, one); err != nil {
			return err
		}
		return recordBudget(ctx, tx, "budget.added", one)
	})
	if db.IsDuplicate(err) {
		return Budget{}, errBudgetExists(one.Name)
	}
	if err != nil {
		return Budget{}, err
	}
	return b.ByID(ctx, account, one.ID)
}

// Change changes a budget, from the period of now on.
func (b *Budgets) Change(ctx context.Context, account, id int64, change BudgetChange) (Budget, error) {
	var one Budget
	err := b.db.InTx(ctx, func(tx *db.Tx) (err error) {
		if one, err = lockBudget(ctx, tx, account, id); err != nil {
			return err
		}
		if change.Name != nil {
			one.Name = strings.TrimSpace(*change.Name)
		}
		if change.LimitMicro != nil {
			one.LimitMicro = *change.LimitMicro
		}
		if change.Warn != nil {
			one.Warn = *change.Warn
		}
		if err := one.validate(); err != nil {
			return err
		}
		if err := updateBudget(ctx, tx, one, time.Now()); err != nil {
			return err
		}
		return recordBudget(ctx, tx, "budget.changed", one)
	})
	if db.IsDuplicate(err) {
		return Budget{}, errBudgetExists(one.Name)
	}
	if err != nil {
		return Budget{}, err
	}
	return b.ByID(ctx, account, id)
}

// Remove ends a budget: it counts no more.
func (b *Budgets) Remove(ctx context.Context, account, id int64) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		one, err := lockBudget(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE budgets SET removed_at = $1 WHERE account_id = $2 AND id = $3`, db.Millis(time.Now()), account, id); err != nil {
			return err
		}
		return recordBudget(ctx, tx, "budget.removed", one)
	})
}

func recordBudget(ctx context.Context, tx *db.Tx, action string, b Budget) error {
	_, err := audit.Record(ctx, tx, audit.Entry{Account: b.Account, Action: action, Subject: secrets.Budget, SubjectID: b.ID,
		Facts:  map[string]any{"per": b.Per, "limit_micro": b.LimitMicro, "warn_percent": b.Warn, "team": b.Team},
		Detail: map[string]string{"name": b.Name}})
	return err
}

// ByID finds one of the account's budgets.
func (b *Budgets) ByID(ctx context.Context, account, id int64) (Budget, error) {
	all, err := b.list(ctx, account, `AND b.id = $2`, id)
	if err == nil && len(all) == 0 {
		return Budget{}, errNoBudget
	}
	if err != nil {
		return Budget{}, err
	}
	return all[0], nil
}

// List is the account's budgets with what is spent of them now, by name.
func (b *Budgets) List(ctx context.Context, account int64) ([]Budget, error) {
	return b.list(ctx, account, `AND CAST($2 AS BIGINT) = 0 ORDER BY b.name`, 0)
}

func (b *Budgets) list(ctx context.Context, account int64, which string, arg int64) ([]Budget, error) {
	all, err := selectBudgets(ctx, b.db, account, which, arg)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	zone, err := zoneOf(ctx, b.db, account)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for i := range all {
		all[i].Renews = all[i].Per.renews(now, zone)
		if err := readSpent(ctx, b.db, &all[i], all[i].Per.period(0, now, zone)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

var errNoBudget = problem.NotFound("budget", "")

// This file and those of budgets and teams write budgets, budget_periods, budget_entries,
// teams, team_members and team_keys. They read accounts, account_sending, memberships,
// users, api_keys and campaigns.

const budgetColumns = `b.id, b.account_id, b.team_id, b.name, b.per, b.limit_micro, b.warn_percent, b.created_at`

func selectBudgets(ctx context.Context, q db.Querier, account int64, which string, args ...any) ([]Budget, error) {
	return db.Collect(ctx, q, func(rows *sql.Rows) (b Budget, err error) {
		var created int64
		err = rows.Scan(&b.ID, &b.Account, &b.Team, &b.Name, &b.Per, &b.LimitMicro, &b.Warn, &created, &b.Currency, &b.TeamName)
		b.Created = db.Time(created)
		return b, err
	}, `
		SELECT `+budgetColumns+`, a.currency, COALESCE((SELECT t.name FROM teams t WHERE t.id = b.team_id), '')
		FROM budgets b JOIN accounts a ON a.id = b.account_id
		WHERE b.account_id = $1 AND b.removed_at = 0 `+which, append([]any{account}, args...)...)
}

// readSpent fills in what was spent in a period; with none, by the dearest campaign.
func readSpent(ctx context.Context, q db.Querier, b *Budget, period string) error {
	var warned int64
	err := q.QueryRowContext(ctx, `
		SELECT spent_micro, warned_at FROM budget_periods
		WHERE budget_id = $1 AND (CAST($2 AS TEXT) = '' OR period = $2) ORDER BY spent_micro DESC LIMIT 1`, b.ID, period).Scan(&b.Spent, &warned)
	if db.IsNone(err) {
		err = nil
	}
	b.Warned = db.Time(warned)
	return err
}

// lockBudget also keeps those who spend from seeing half of a change.
func lockBudget(ctx context.Context, tx *db.Tx, account, id int64) (b Budget, err error) {
	err = tx.QueryRowContext(ctx, tx.ForUpdate(`
		SELECT id, account_id, team_id, name, per, limit_micro, warn_percent FROM budgets WHERE account_id = $1 AND id = $2 AND removed_at = 0`), account, id).
		Scan(&b.ID, &b.Account, &b.Team, &b.Name, &b.Per, &b.LimitMicro, &b.Warn)
	if db.IsNone(err) {
		return b, errNoBudget
	}
	return b, err
}

// insertBudget locks the account's row, so that many at once do not make more than an
// account may have.
func insertBudget(ctx context.Context, tx *db.Tx, b Budget) error {
	var n int
	if err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT 0 FROM accounts WHERE id = $1`), b.Account).Scan(&n); err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM budgets WHERE account_id = $1 AND removed_at = 0`, b.Account).Scan(&n); err != nil {
		return err
	}
	if n >= mostBudgets {
		return problem.Conflict("too_many_budgets", "an account has %d budgets at the most", mostBudgets)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO budgets (id, account_id, team_id, name, per, limit_micro, warn_percent, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		b.ID, b.Account, b.Team, b.Name, string(b.Per), b.LimitMicro, b.Warn, db.Millis(b.Created))
	return err
}

// updateBudget also judges the warnings of its periods by the new limit.
func updateBudget(ctx context.Context, tx *db.Tx, b Budget, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE budgets SET name = $1, limit_micro = $2, warn_percent = $3 WHERE account_id = $4 AND id = $5`,
		b.Name, b.LimitMicro, b.Warn, b.Account, b.ID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE budget_periods SET warned_at = 0, told = FALSE
		WHERE budget_id = $1 AND warned_at > 0 AND (CAST($3 AS BIGINT) = 0 OR spent_micro * 100 < $2 * CAST($3 AS BIGINT))`, b.ID, b.LimitMicro, b.Warn); err != nil {
		return err
	}
	zone, err := zoneOf(ctx, tx, b.Account)
	if err != nil || b.Per == PerCampaign {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE budget_periods SET warned_at = $4
		WHERE budget_id = $1 AND period = $5 AND warned_at = 0 AND CAST($3 AS BIGINT) > 0 AND spent_micro * 100 >= $2 * CAST($3 AS BIGINT)`,
		b.ID, b.LimitMicro, b.Warn, db.Millis(now), b.Per.period(0, now, zone))
	return err
}
