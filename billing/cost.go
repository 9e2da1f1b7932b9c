package billing

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Cost is what one part costs us at a carrier, from a time on until there is another.
type Cost struct {
	ID       int64
	Carrier  int64
	Country  string // ISO 3166 alpha-2, or Any for what is not listed
	Currency string
	Micro    int64
	From     time.Time
}

// Carried is what was charged of messages that a carrier took: of one country and
// currency.
type Carried struct {
	Carrier           int64
	Country, Currency string
	Messages, Parts   int
	Revenue           int64 // micro-units
}

// Traffic is what was charged of the messages that were accepted from one time to
// another.
type Traffic func(ctx context.Context, from, to time.Time) ([]Carried, error)

// Margin is what a carrier earned and cost in a country, in one currency.
type Margin struct {
	Carried
	Cost  int64
	Known bool // every day had a cost in the same currency
}

var listedCountry = regexp.MustCompile(`^([A-Z]{2}|\*)$`)

// SetCost keeps what a part costs from a time on. What was said for the same carrier,
// country and time is not changed: say it for a later time. also is done in the
// same transaction.
func (b *Invoices) SetCost(ctx context.Context, c Cost, now time.Time, also ...Also) (Cost, error) {
	c.Country = strings.ToUpper(strings.TrimSpace(c.Country))
	if c.Country == "" {
		c.Country = Any
	}
	if c.From.IsZero() {
		c.From = now
	}
	switch {
	case !listedCountry.MatchString(c.Country):
		return c, problem.Invalid("country", "%q is no country code such as NO, nor *", c.Country)
	case !slices.Contains(invoice.Currencies, c.Currency):
		return c, problem.Invalid("currency", "%q is none of %s", c.Currency, strings.Join(invoice.Currencies, ", "))
	case c.Micro < 0:
		return c, problem.Invalid("price", "a part costs nothing at the least")
	}
	var err error
	if c.ID, err = b.db.NewIDs(ctx, 1); err != nil {
		return c, err
	}
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		if err := doAll(ctx, tx, c.ID, also); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO carrier_costs (id, carrier_id, country, currency, micro, valid_from, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			c.ID, c.Carrier, c.Country, c.Currency, c.Micro, db.Millis(c.From), db.Millis(now))
		return err
	})
	if db.IsDuplicate(err) {
		err = problem.Conflict("cost_exists", "a cost from that time on is there already: say it for a later time")
	}
	return c, err
}

// Costs lists what carriers cost, the latest of each carrier and country first.
func (b *Invoices) Costs(ctx context.Context) ([]Cost, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (c Cost, err error) {
		var from int64
		err = row.Scan(&c.ID, &c.Carrier, &c.Country, &c.Currency, &c.Micro, &from)
		c.From = db.Time(from)
		return c, err
	}, `SELECT id, carrier_id, country, currency, micro, valid_from FROM carrier_costs ORDER BY carrier_id, country, valid_from DESC`)
}

// costAt is the cost of a country at a carrier on a day: its own, else that of any.
func costAt(all []Cost, carrier int64, country string, day time.Time) (Cost, bool) {
	for _, wanted := range []string{country, Any} {
		at := slices.IndexFunc(all, func(c Cost) bool { return c.Carrier == carrier && c.Country == wanted && !c.From.After(day) })
		if at >= 0 {
			return all[at], true
		}
	}
	return Cost{}, false
}

// settledDays is for how long a message may still be charged after its day. missedDays is
// how many more are looked at when there was no reconciliation for long: numbers, which
// tell the country, are kept for longer than that.
const settledDays, missedDays = 4, 14

// compareRoutes writes down what carriers earned on the last days, and finds those that
// cost more than they earned on the last day that is settled, and on those before it that
// no reconciliation has looked at.
func (b *Invoices) compareRoutes(ctx context.Context, traffic Traffic, now time.Time) (found []Difference, err error) {
	if traffic == nil {
		return nil, nil
	}
	today := dayOf(dayText(now.UTC()))
	settled := today.AddDate(0, 0, -settledDays)
	first, err := b.firstUncompared(ctx, settled)
	if err != nil {
		return nil, err
	}
	for day := first; day.Before(today); day = day.AddDate(0, 0, 1) {
		rows, err := traffic(ctx, day, day.AddDate(0, 0, 1))
		if err != nil {
			return nil, err
		}
		if err := keepRouteDay(ctx, b.db, day, rows); err != nil {
			return nil, err
		}
	}
	for day := first; !day.After(settled); day = day.AddDate(0, 0, 1) {
		margins, err := b.Margins(ctx, day, day)
		if err != nil {
			return nil, err
		}
		for _, m := range margins {
			if m.Known && m.Cost > m.Revenue {
				found = append(found, Difference{Kind: DiffRoute, Carrier: m.Carrier, Detail: m.Country + " " + m.Currency + " " + dayText(day), Expected: m.Cost, Found: m.Revenue})
			}
		}
	}
	return found, nil
}

// firstUncompared is the day after the last that was settled for a reconciliation.
func (b *Invoices) firstUncompared(ctx context.Context, settled time.Time) (time.Time, error) {
	last, ended, err := b.LastReconciliation(ctx)
	if err != nil || !ended {
		return settled, err
	}
	first := dayOf(dayText(last.Started.UTC())).AddDate(0, 0, 1-settledDays)
	if first.After(settled) {
		return settled, nil
	}
	if oldest := settled.AddDate(0, 0, -missedDays); first.Before(oldest) {
		return oldest, nil
	}
	return first, nil
}

// keepRouteDay writes a day anew, in one order, as another reconciliation may do the same
// at the same time.
func keepRouteDay(ctx context.Context, d *db.DB, day time.Time, all []Carried) error {
	slices.SortFunc(all, func(a, b Carried) int {
		return cmp.Or(cmp.Compare(a.Carrier, b.Carrier), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Currency, b.Currency))
	})
	rows := map[string][]any{}
	for i, c := range all {
		rows[fmt.Sprintf("%06d", i)] = []any{c.Carrier, c.Country, c.Currency, c.Messages, c.Parts, c.Revenue}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM route_days WHERE day = $1`, dayText(day)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO route_days (day, carrier_id, country, currency, messages, parts, revenue_micro)
			SELECT $2, CAST(r.value->>0 AS BIGINT), r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), CAST(r.value->>4 AS BIGINT), CAST(r.value->>5 AS BIGINT)
			FROM json_each($1) AS r WHERE true ORDER BY r.key
			ON CONFLICT (day, carrier_id, country, currency) DO UPDATE SET messages = EXCLUDED.messages, parts = EXCLUDED.parts, revenue_micro = EXCLUDED.revenue_micro`,
			string(list), dayText(day))
		return err
	})
}

// Margins are what carriers earned and cost from a day to a day, both included.
func (b *Invoices) Margins(ctx context.Context, from, to time.Time) ([]Margin, error) {
	costs, err := b.Costs(ctx)
	if err != nil {
		return nil, err
	}
	type key struct {
		carrier           int64
		country, currency string
	}
	sums := map[key]Margin{}
	_, err = db.Collect(ctx, b.db, func(row *sql.Rows) (none struct{}, err error) {
		var day string
		var c Carried
		if err := row.Scan(&day, &c.Carrier, &c.Country, &c.Currency, &c.Messages, &c.Parts, &c.Revenue); err != nil {
			return none, err
		}
		k := key{c.Carrier, c.Country, c.Currency}
		m, begun := sums[k]
		if !begun {
			m = Margin{Carried: Carried{Carrier: c.Carrier, Country: c.Country, Currency: c.Currency}, Known: true}
		}
		m.Messages, m.Parts, m.Revenue = m.Messages+c.Messages, m.Parts+c.Parts, m.Revenue+c.Revenue
		cost, known := costAt(costs, c.Carrier, c.Country, dayOf(day))
		m.Known = m.Known && known && cost.Currency == c.Currency
		m.Cost += cost.Micro * int64(c.Parts)
		sums[k] = m
		return none, nil
	}, `SELECT day, carrier_id, country, currency, messages, parts, revenue_micro FROM route_days WHERE day >= $1 AND day <= $2`, dayText(from), dayText(to))
	var all []Margin
	for _, m := range sums {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Margin) int {
		return cmp.Or(cmp.Compare(a.Carrier, b.Carrier), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Currency, b.Currency))
	})
	return all, err
}
