package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/routing"
)

func selectRules(ctx context.Context, q db.Querier) (rules []routing.Rule, err error) {
	_, err = db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var r routing.Rule
		var s routing.Share
		err = row.Scan(&r.ID, &r.Account, &r.Country, &r.Prefix, &r.Lane, &r.Sender, &s.Carrier, &s.Weight)
		if n := len(rules); n == 0 || rules[n-1].ID != r.ID {
			rules = append(rules, r)
		}
		last := &rules[len(rules)-1]
		last.Shares = append(last.Shares, s)
		return struct{}{}, err
	}, `
		SELECT r.id, r.account_id, r.country, r.prefix, r.lane, r.sender, t.carrier_id, t.weight
		FROM route_rules r JOIN route_targets t ON t.rule_id = r.id ORDER BY r.id, t.place`)
	return rules, err
}

// takePlaces counts messages to rules, and returns how many each had had before.
// The rules are locked in the order of their ids.
func takePlaces(ctx context.Context, tx *db.Tx, rules []int64, counts map[int64]int) (before map[int64]int64, err error) {
	before = map[int64]int64{}
	for _, id := range rules {
		var after int64
		err := tx.QueryRowContext(ctx, `UPDATE route_rules SET placed = placed + $1 WHERE id = $2 RETURNING placed`, counts[id], id).Scan(&after)
		if err != nil && !db.IsNone(err) { // it was removed a moment ago
			return nil, err
		}
		before[id] = max(0, after-int64(counts[id]))
	}
	return before, nil
}

// destinations is a JSON object of carriers by range.
func destinations(to map[int64]int64) (string, error) {
	named := make(map[string]int64, len(to))
	for id, carrier := range to {
		named[strconv.FormatInt(id, 10)] = carrier
	}
	text, err := json.Marshal(named)
	return string(text), err
}

func insertRule(ctx context.Context, tx *db.Tx, r Rule, account int64, carriers []int64) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO route_rules (id, account_id, country, prefix, lane, sender, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, account, r.Country, r.Prefix, string(r.Lane), r.Sender, db.Millis(r.Created)); err != nil {
		return err
	}
	var rows [][]any
	for i, s := range r.Shares {
		rows = append(rows, []any{r.ID, int64(i), carriers[i], int64(s.Weight)})
	}
	return tx.Bulk(ctx, "route_targets", []string{"rule_id", "place", "carrier_id", "weight"}, rows)
}

// selectShownRules reads rules with the names of what they name.
func selectShownRules(ctx context.Context, q db.Querier) (rules []Rule, err error) {
	_, err = db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var r Rule
		var s RuleShare
		var created int64
		err = row.Scan(&r.ID, &r.Account, &r.Country, &r.Prefix, &r.Lane, &r.Sender, &created, &s.Carrier, &s.Weight)
		r.Created = db.Time(created)
		if n := len(rules); n == 0 || rules[n-1].ID != r.ID {
			rules = append(rules, r)
		}
		last := &rules[len(rules)-1]
		last.Shares = append(last.Shares, s)
		return struct{}{}, err
	}, `
		SELECT r.id, COALESCE(a.handle, ''), r.country, r.prefix, r.lane, r.sender, r.created_at, c.name, t.weight
		FROM route_rules r JOIN route_targets t ON t.rule_id = r.id JOIN carriers c ON c.id = t.carrier_id
		LEFT JOIN accounts a ON a.id = r.account_id ORDER BY r.id, t.place`)
	return rules, err
}
