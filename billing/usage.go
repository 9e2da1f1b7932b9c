package billing

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// What usage is counted by.
const (
	ByDay   = "day"
	ByMonth = "month"
)

// UsageFilter says what is counted. Days are those of the seller's zone, as on invoices.
type UsageFilter struct {
	Account   int64     // 0: all of them, each for itself
	From, To  time.Time // days, both included
	By        string    // ByDay or ByMonth
	Campaigns bool      // each for itself
}

// Usage is what was charged on a day or in a month, of messages to a country in a lane,
// or of fees.
type Usage struct {
	Account  int64
	Day      time.Time // of a month its first
	Fees     bool      // then there is no country, lane, or message
	Country  string    // ISO 3166 alpha-2; empty where it is not known
	Lane     string
	Campaign int64 // 0: single messages, or all together
	Messages int
	Parts    int
	Micro    int64 // of Currency
	Currency string
	begun    int64
}

// longestUsage is how many days are counted at once.
const longestUsage = 1100

// Usage counts what was charged, the earliest first.
func (b *Invoices) Usage(ctx context.Context, f UsageFilter) ([]Usage, error) {
	zone, err := b.Zone(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case f.From.IsZero() || f.To.Before(f.From):
		return nil, problem.Invalid("to", "the last day is not before the first")
	case f.To.Sub(f.From) > longestUsage*24*time.Hour:
		return nil, problem.Invalid("from", "three years are counted at once")
	case f.By != ByDay && f.By != ByMonth:
		return nil, problem.Invalid("by", "usage is counted by %s or %s", ByDay, ByMonth)
	}
	quarters, err := selectUsage(ctx, b.db, f, atMidnight(f.From, zone), atMidnight(f.To.AddDate(0, 0, 1), zone))
	sums := map[Usage]Usage{}
	for _, q := range quarters {
		q.Day = dayOf(time.UnixMilli(q.begun).In(zone).Format(time.DateOnly))
		if f.By == ByMonth {
			q.Day = firstOfMonth(q.Day)
		}
		k := q
		k.Messages, k.Parts, k.Micro, k.begun = 0, 0, 0, 0
		sum := k
		sum.Messages, sum.Parts, sum.Micro = q.Messages+sums[k].Messages, q.Parts+sums[k].Parts, q.Micro+sums[k].Micro
		sums[k] = sum
	}
	return inOrder(sums), err
}

func atMidnight(day time.Time, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
}

func inOrder(sums map[Usage]Usage) []Usage {
	var all []Usage
	for _, u := range sums {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b Usage) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Account, b.Account), strings.Compare(a.Country, b.Country), strings.Compare(a.Lane, b.Lane), cmp.Compare(a.Campaign, b.Campaign))
	})
	return all
}

// quarter of an hour, in milliseconds: days begin on one in every zone.
const quarter = 15 * 60 * 1000

// selectUsage counts by quarters of an hour.
func selectUsage(ctx context.Context, q db.Querier, f UsageFilter, from, to time.Time) ([]Usage, error) {
	each := 0
	if f.Campaigns {
		each = 1
	}
	return db.Collect(ctx, q, func(row *sql.Rows) (u Usage, err error) {
		return u, row.Scan(&u.Account, &u.begun, &u.Fees, &u.Country, &u.Lane, &u.Campaign, &u.Messages, &u.Parts, &u.Micro, &u.Currency)
	}, `
		SELECT account_id, begun * CAST($5 AS BIGINT), fees, country, lane, campaign, CAST(SUM(messages) AS BIGINT), CAST(SUM(parts) AS BIGINT), CAST(SUM(micro) AS BIGINT), currency FROM (
			SELECT account_id, at / CAST($5 AS BIGINT) AS begun, kind = 'fee' AS fees, country, lane, CASE WHEN CAST($4 AS BIGINT) = 1 THEN campaign_id ELSE 0 END AS campaign,
				messages, parts, amount_micro AS micro, currency
			FROM ledger_entries WHERE (CAST($1 AS BIGINT) = 0 OR account_id = $1) AND at >= $2 AND at < $3 AND kind IN ('charge', 'fee')
		) AS u GROUP BY account_id, begun, fees, country, lane, campaign, currency`,
		f.Account, db.Millis(from), db.Millis(to), each, int64(quarter))
}

// UsageCSV writes usage as CSV (RFC 4180); accounts and campaigns as they are called
// outside.
func UsageCSV(all []Usage, account, campaign func(id int64) string) (string, error) {
	var text strings.Builder
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	rows := [][]string{{"account", "period", "kind", "country", "lane", "campaign", "messages", "parts", "amount", "currency"}}
	for _, u := range all {
		kind, sentBy := "messages", ""
		if u.Fees {
			kind = "fees"
		}
		if u.Campaign != 0 {
			sentBy = campaign(u.Campaign)
		}
		rows = append(rows, []string{account(u.Account), dayText(u.Day), kind, u.Country, u.Lane, sentBy, strconv.Itoa(u.Messages), strconv.Itoa(u.Parts), Money(u.Micro), u.Currency})
	}
	err := w.WriteAll(rows)
	return text.String(), err
}
