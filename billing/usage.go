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
}

// longestUsage is how many days are counted at once, mostUsage how many rows come of it.
const (
	longestUsage = 1100
	mostUsage    = 50_000
)

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
	sums := map[Usage]Usage{}
	err = eachUsage(ctx, b.db, f, zone, func(k Usage, messages, parts int, micro int64) error {
		if f.By == ByMonth {
			k.Day = firstOfMonth(k.Day)
		}
		sum, begun := sums[k]
		if !begun {
			sum = k
		}
		sum.Messages, sum.Parts, sum.Micro = sum.Messages+messages, sum.Parts+parts, sum.Micro+micro
		sums[k] = sum
		if len(sums) > mostUsage {
			return problem.Invalid("from", "there is too much to count at once: ask for fewer days, for months, or without campaigns")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return inOrder(sums), nil
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

// Entries are found by account and time: those of all accounts too, one account after
// the other, so that the ledger needs no index by time alone, which every batch of
// messages would write to.
const (
	entriesOfOne = `ledger_entries e WHERE e.account_id = CAST($1 AS BIGINT)`
	entriesOfAll = `accounts a CROSS JOIN ledger_entries e WHERE e.account_id = a.id AND CAST($1 AS BIGINT) = 0`
)

// usageIn counts entries by quarters of an hour.
func usageIn(entries string) string {
	return `
		SELECT account_id, begun * CAST($5 AS BIGINT), fees, country, lane, campaign, CAST(SUM(messages) AS BIGINT), CAST(SUM(parts) AS BIGINT), CAST(SUM(micro) AS BIGINT), currency FROM (
			SELECT e.account_id, e.at / CAST($5 AS BIGINT) AS begun, e.kind = 'fee' AS fees, e.country, e.lane, CASE WHEN CAST($4 AS BIGINT) = 1 THEN e.campaign_id ELSE 0 END AS campaign,
				e.messages, e.parts, e.amount_micro AS micro, e.currency
			FROM ` + entries + ` AND e.at >= $2 AND e.at < $3 AND e.kind IN ('charge', 'fee')
		) AS u GROUP BY account_id, begun, fees, country, lane, campaign, currency`
}

// eachUsage adds what was charged in each quarter of an hour to what it belongs to: of a
// day.
func eachUsage(ctx context.Context, q db.Querier, f UsageFilter, zone *time.Location, add func(of Usage, messages, parts int, micro int64) error) error {
	each, query := 0, usageIn(entriesOfAll)
	if f.Campaigns {
		each = 1
	}
	if f.Account != 0 {
		query = usageIn(entriesOfOne)
	}
	from, to := atMidnight(f.From, zone), atMidnight(f.To.AddDate(0, 0, 1), zone)
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (none struct{}, err error) {
		var u Usage
		var begun, micro int64
		var messages, parts int
		if err := row.Scan(&u.Account, &begun, &u.Fees, &u.Country, &u.Lane, &u.Campaign, &messages, &parts, &micro, &u.Currency); err != nil {
			return none, err
		}
		u.Day = dayOf(time.UnixMilli(begun).In(zone).Format(time.DateOnly))
		return none, add(u, messages, parts, micro)
	}, query, f.Account, db.Millis(from), db.Millis(to), each, int64(quarter))
	return err
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
