package billing

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// hasBudgets is SQL for whether the account $3 has budgets.
const hasBudgets = `EXISTS (SELECT 1 FROM budgets WHERE budgets.account_id = $3 AND budgets.removed_at = 0)`

// taking is a budget and the period of it that an amount is taken from.
type taking struct {
	Budget
	period string
}

// countingFor is the budgets that count for what a team spends on a campaign, 0 for
// none, in the order in which they are locked.
func countingFor(ctx context.Context, q db.Querier, account int64, by Spender, campaign int64, at time.Time) ([]taking, error) {
	all, err := selectBudgets(ctx, q, account, `
		AND (b.team_id = 0 OR b.team_id = $2) AND (b.per <> 'campaign' OR CAST($3 AS BIGINT) <> 0) ORDER BY b.id`, by.Team, campaign)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	zone, err := zoneOf(ctx, q, account)
	if err != nil {
		return nil, err
	}
	takings := make([]taking, len(all))
	for i, b := range all {
		b.Renews = b.Per.renews(at, zone)
		takings[i] = taking{b, b.Per.period(campaign, at, zone)}
	}
	return takings, nil
}

// spend takes an amount from the budgets that count for an account's entries, of which
// the first is given; the reservation is 0 when there are none. It refuses when one of
// them has less; then nothing is taken from any.
func spend(ctx context.Context, tx *db.Tx, by Spender, first Entry, micro int64, now time.Time) (r Reservation, refused, err error) {
	takings, err := countingFor(ctx, tx, first.Account, by, first.Campaign, now)
	if err != nil || len(takings) == 0 {
		return 0, nil, err
	}
	spent, err := take(ctx, tx, takings, micro)
	if err != nil {
		return 0, nil, err
	}
	over := slices.IndexFunc(takings, func(t taking) bool { return spent[t.ID] > t.LimitMicro })
	if over >= 0 {
		t := takings[over]
		t.Spent = spent[t.ID] - micro
		_, err := take(ctx, tx, takings, -micro)
		return 0, t.refuse(micro), err
	}
	if r = by.More; r == 0 {
		r = Reservation(first.ID)
	}
	if err := insertTaken(ctx, tx, takings, r, micro); err != nil {
		return 0, nil, err
	}
	return r, nil, warn(ctx, tx, takings, spent, now)
}

// refuse says which budget has too little left for an amount.
func (t taking) refuse(micro int64) error {
	const code = "budget_spent"
	of := map[Per]string{PerCampaign: "for each campaign", PerDay: "a day", PerMonth: "a month"}[t.Per]
	if t.Renews.IsZero() {
		return problem.Conflict(code, "the budget %q of %s %s %s has %s left, and this costs %s", t.Name,
			Money(t.LimitMicro), t.Currency, of, Money(t.Left()), Money(micro))
	}
	return problem.Conflict(code, "the budget %q of %s %s %s has %s left, and this costs %s; %s are spent until it renews at %s (%s)", t.Name,
		Money(t.LimitMicro), t.Currency, of, Money(t.Left()), Money(micro), Money(t.Spent), t.Renews.Format("2006-01-02 15:04"), t.Renews.Location())
}

// take adds an amount to what was spent of budgets, and answers what that is then. It
// keeps their rows until the transaction ends.
func take(ctx context.Context, tx *db.Tx, takings []taking, micro int64) (map[int64]int64, error) {
	spent := map[int64]int64{}
	for _, t := range takings {
		var sum int64
		err := tx.QueryRowContext(ctx, `
			INSERT INTO budget_periods (budget_id, period, account_id, spent_micro) VALUES ($1, $2, $3, $4)
			ON CONFLICT (budget_id, period) DO UPDATE SET spent_micro = budget_periods.spent_micro + EXCLUDED.spent_micro
			RETURNING spent_micro`, t.ID, t.period, t.Account, micro).Scan(&sum)
		if err != nil {
			return nil, err
		}
		spent[t.ID] = sum
	}
	return spent, nil
}

func insertTaken(ctx context.Context, tx *db.Tx, takings []taking, r Reservation, micro int64) error {
	of := map[int64][]string{}
	for _, t := range takings {
		of[t.ID] = []string{t.period}
	}
	list, err := json.Marshal(of)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO budget_entries (reservation_id, budget_id, period, account_id, micro)
		SELECT CAST($2 AS BIGINT), CAST(r.key AS BIGINT), r.value->>0, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM json_each($1) AS r WHERE true
		ON CONFLICT (reservation_id, budget_id) DO UPDATE SET micro = budget_entries.micro + EXCLUDED.micro`,
		string(list), int64(r), takings[0].Account, micro)
	return err
}

// warn marks the periods that have come to the share at which a warning is due.
func warn(ctx context.Context, tx *db.Tx, takings []taking, spent map[int64]int64, now time.Time) error {
	for _, t := range takings {
		if !t.warns(spent[t.ID]) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE budget_periods SET warned_at = $3 WHERE budget_id = $1 AND period = $2 AND warned_at = 0`, t.ID, t.period, db.Millis(now)); err != nil {
			return err
		}
	}
	return nil
}

// unspend gives what releases give back to the budgets that their reservations took it
// from, whatever day it is and whoever is in the team now.
func unspend(ctx context.Context, tx *db.Tx, entries []Entry) error {
	back := map[string]int64{}
	for _, e := range entries {
		if e.Kind == KindRelease && e.Reservation != 0 {
			back[strconv.FormatInt(int64(e.Reservation), 10)] += e.Micro
		}
	}
	if len(back) == 0 {
		return nil
	}
	list, err := json.Marshal(back)
	if err != nil {
		return err
	}
	type place struct {
		budget int64
		period string
	}
	sums := map[place]int64{}
	_, err = db.Collect(ctx, tx, func(rows *sql.Rows) (_ struct{}, err error) {
		var p place
		var reservation string
		err = rows.Scan(&reservation, &p.budget, &p.period)
		sums[p] += back[reservation]
		return struct{}{}, err
	}, `
		UPDATE budget_entries SET micro = budget_entries.micro - r.micro
		FROM (SELECT CAST(key AS BIGINT) AS id, CAST(CAST(value AS TEXT) AS BIGINT) AS micro FROM json_each($1)) AS r
		WHERE budget_entries.reservation_id = r.id
		RETURNING CAST(reservation_id AS TEXT), budget_id, period`, string(list))
	if err != nil {
		return err
	}
	for _, p := range slices.SortedFunc(maps.Keys(sums), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.budget, b.budget), cmp.Compare(a.period, b.period))
	}) {
		if _, err := tx.ExecContext(ctx, `
			UPDATE budget_periods SET spent_micro = spent_micro - $3 WHERE budget_id = $1 AND period = $2`, p.budget, p.period, sums[p]); err != nil {
			return err
		}
	}
	return nil
}

// TooSmall is the budgets that have too little left for what would be spent by a team at
// a time, with what is spent of each then. A campaign that is yet to be made has spent
// nothing.
func TooSmall(ctx context.Context, q db.Querier, account int64, by Spender, campaign bool, micro int64, at time.Time) ([]Budget, error) {
	const unmade = -1
	which := int64(0)
	if campaign {
		which = unmade
	}
	takings, err := countingFor(ctx, q, account, by, which, at)
	if err != nil {
		return nil, err
	}
	var small []Budget
	for _, t := range takings {
		if err := readSpent(ctx, q, &t.Budget, t.period); err != nil {
			return nil, err
		}
		if t.Spent+micro > t.LimitMicro {
			small = append(small, t.Budget)
		}
	}
	return small, nil
}
