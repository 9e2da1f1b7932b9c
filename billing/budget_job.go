package billing

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/lots"
)

// EventBudgetWarning is written when a budget has come to the share of its limit at which
// a warning is due: once in a period.
const EventBudgetWarning = "budget.warning"

// keepReservations is how long a release finds the budgets that its reservation took
// from: far longer than a message is on its way.
const keepReservations = 60 * 24 * time.Hour

type warning struct {
	account int64
	budget  int64
	period  string
	data    map[string]any
	at      time.Time
}

// Tell writes the events of warnings that came since it last ran, and forgets
// reservations of long ago.
func (b *Budgets) Tell(ctx context.Context) error {
	due, err := selectUntold(ctx, b.db)
	if err != nil {
		return err
	}
	if len(due) > 0 {
		first, err := b.db.NewIDs(ctx, len(due))
		if err != nil {
			return err
		}
		for i, w := range due {
			if err := b.tell(ctx, w, first+int64(i)); err != nil {
				return err
			}
		}
	}
	return b.forget(ctx, time.Now().Add(-keepReservations))
}

func selectUntold(ctx context.Context, q db.Querier) ([]warning, error) {
	return db.Collect(ctx, q, func(rows *sql.Rows) (w warning, err error) {
		var limit, spent, share, at int64
		var per string
		err = rows.Scan(&w.account, &w.budget, &w.period, &at, &spent, &limit, &share, &per)
		w.at = db.Time(at)
		w.data = map[string]any{"budget": w.budget, "per": per, "period": w.period, "limit_micro": limit, "spent_micro": spent, "percent": share}
		return w, err
	}, `
		SELECT p.account_id, p.budget_id, p.period, p.warned_at, p.spent_micro, b.limit_micro, b.warn_percent, b.per
		FROM budget_periods p JOIN budgets b ON b.id = p.budget_id WHERE p.warned_at > 0 AND p.told = FALSE ORDER BY p.budget_id LIMIT 1000`)
}

// tell writes one event, and no other process writes it too.
func (b *Budgets) tell(ctx context.Context, w warning, id int64) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `
			UPDATE budget_periods SET told = TRUE WHERE budget_id = $1 AND period = $2 AND warned_at > 0 AND told = FALSE`, w.budget, w.period)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return events.Record(ctx, tx, events.Event{ID: id, Account: w.account, Type: EventBudgetWarning, Data: w.data, At: w.at})
	})
}

func (b *Budgets) forget(ctx context.Context, before time.Time) error {
	for {
		gone, err := b.db.ExecContext(ctx, `
			DELETE FROM budget_entries WHERE (reservation_id, budget_id) IN (
				SELECT reservation_id, budget_id FROM budget_entries WHERE reservation_id < $1 ORDER BY reservation_id LIMIT $2)`, db.FirstID(before), lots.Size)
		if err != nil {
			return err
		}
		n, err := gone.RowsAffected()
		if err != nil || !lots.Of(n).More {
			return err
		}
	}
}
