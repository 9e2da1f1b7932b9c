package billing_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

func TestUsageIsCountedByTheSellersDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d) // in Oslo
		post(t, d, at("2026-10-24T21:59:59Z"), used(acme, 3, "DK", 38_000, "bulk")...)
		post(t, d, at("2026-10-24T22:00:00Z"), used(acme, 5, "DK", 38_000, "bulk")...) // the 25th: summer time ends
		post(t, d, at("2026-10-25T22:59:59Z"), used(acme, 7, "NO", 45_000, "urgent")...)
		post(t, d, at("2026-10-25T23:00:00Z"), fee(acme, 99_000_000, 99_000_000, "dir_1/2026-10-26"))
		post(t, d, at("2026-10-25T12:00:00Z"), used(other, 1, "DK", 38_000, "bulk")...)
		usage := func(f billing.UsageFilter) []billing.Usage {
			t.Helper()
			f.From, f.To = day("2026-10-01"), day("2026-10-31")
			all, err := b.Usage(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		want := []billing.Usage{
			{Account: acme, Day: day("2026-10-24"), Country: "DK", Lane: "bulk", Messages: 3, Parts: 3, Micro: 114_000, Currency: "EUR"},
			{Account: acme, Day: day("2026-10-25"), Country: "DK", Lane: "bulk", Messages: 5, Parts: 5, Micro: 190_000, Currency: "EUR"},
			{Account: acme, Day: day("2026-10-25"), Country: "NO", Lane: "urgent", Messages: 7, Parts: 7, Micro: 315_000, Currency: "EUR"},
			{Account: acme, Day: day("2026-10-26"), Fees: true, Micro: 99_000_000, Currency: "EUR"},
		}
		if diff := cmp.Diff(want, usage(billing.UsageFilter{Account: acme, By: billing.ByDay})); diff != "" {
			t.Error(diff)
		}
		want = []billing.Usage{
			{Account: acme, Day: day("2026-10-01"), Fees: true, Micro: 99_000_000, Currency: "EUR"},
			{Account: acme, Day: day("2026-10-01"), Country: "DK", Lane: "bulk", Messages: 8, Parts: 8, Micro: 304_000, Currency: "EUR"},
			{Account: acme, Day: day("2026-10-01"), Country: "NO", Lane: "urgent", Messages: 7, Parts: 7, Micro: 315_000, Currency: "EUR"},
			{Account: other, Day: day("2026-10-01"), Country: "DK", Lane: "bulk", Messages: 1, Parts: 1, Micro: 38_000, Currency: "EUR"},
		}
		all := usage(billing.UsageFilter{By: billing.ByMonth})
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		text, err := billing.UsageCSV(all[:2], func(int64) string { return "acme" }, nil)
		if want := "acme,2026-10-01,messages,DK,bulk,,8,8,0.304,EUR\r\n"; err != nil || !strings.HasSuffix(text, want) {
			t.Errorf("%s (%v)", text, err)
		}
		if _, err := b.Usage(t.Context(), billing.UsageFilter{From: day("2026-10-02"), To: day("2026-10-01"), By: billing.ByDay}); !problem.Has(err, "invalid_to") {
			t.Errorf("got %v", err)
		}
	})
}

// The others' entries are not read for an account's usage, nor what is older.
func TestUsageIsFoundByAccountAndTime(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	for _, query := range []string{billing.UsageOfOne, billing.UsageOfAll} {
		plan, err := db.Collect(t.Context(), d, func(row *sql.Rows) (step string, err error) {
			var none int
			return step, row.Scan(&none, &none, &none, &step)
		}, `EXPLAIN QUERY PLAN `+query, 0, 0, 1, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); !strings.Contains(text, "ledger_entries_by_time (account_id=? AND at>? AND at<?)") {
			t.Errorf("the plan is\n%s", text)
		}
	}
}

func TestUsageOfTooMuchAtOnceIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		var entries []billing.Entry
		for i := range billing.MostUsage + 1 {
			entries = append(entries, billing.Entry{Account: acme, Campaign: int64(i + 1), Kind: billing.KindCharge, Micro: 1, Messages: 1, Parts: 1})
		}
		post(t, d, at("2026-10-05T10:00:00Z"), entries...)
		f := billing.UsageFilter{From: day("2026-10-01"), To: day("2026-10-31"), By: billing.ByDay}
		if all, err := b.Usage(t.Context(), f); err != nil || len(all) != 1 || all[0].Messages != len(entries) {
			t.Errorf("got %d rows (%v)", len(all), err)
		}
		f.Campaigns = true
		if _, err := b.Usage(t.Context(), f); !problem.Has(err, "invalid_from") {
			t.Errorf("got %v", err)
		}
	})
}

func TestACarrierThatCostsMoreThanItEarnsIsADifference(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		soundBooks(t, d, b)
		ctx, now := t.Context(), at("2026-11-10T12:00:00Z")
		cost := func(country, from string, micro int64) {
			t.Helper()
			if _, err := b.SetCost(ctx, billing.Cost{Carrier: 5, Country: country, Currency: "EUR", Micro: micro, From: day(from)}, now); err != nil {
				t.Fatal(err)
			}
		}
		cost("*", "2026-01-01", 20_000)
		cost("dk", "2026-01-01", 30_000)
		cost("DK", "2026-11-06", 50_000)
		traffic := func(_ context.Context, from, _ time.Time) ([]billing.Carried, error) {
			return []billing.Carried{{Carrier: 5, Country: "DK", Currency: "EUR", Messages: 10, Parts: 10, Revenue: 380_000},
				{Carrier: 5, Country: "SE", Currency: "EUR", Messages: 1, Parts: 1, Revenue: 42_000}, {Carrier: 5, Country: "NO", Currency: "NOK", Messages: 1, Parts: 1, Revenue: 1}}, nil
		}
		_, found, err := b.Reconcile(ctx, traffic, now)
		want := []billing.Difference{{Kind: billing.DiffRoute, Carrier: 5, Detail: "DK EUR 2026-11-06", Expected: 500_000, Found: 380_000}}
		if diff := cmp.Diff(want, found); err != nil || diff != "" {
			t.Errorf("%s (%v)", diff, err)
		}
		margins, err := b.Margins(ctx, day("2026-11-06"), day("2026-11-08"))
		if err != nil || len(margins) != 3 || margins[0].Cost != 1_500_000 || margins[0].Revenue != 1_140_000 || margins[1].Known || margins[2].Cost != 60_000 || !margins[2].Known {
			t.Errorf("got %+v (%v)", margins, err)
		}
		if _, err := b.SetCost(ctx, billing.Cost{Carrier: 5, Country: "DK", Currency: "EUR", Micro: 1, From: day("2026-11-06")}, now); !problem.Has(err, "cost_exists") {
			t.Errorf("got %v", err)
		}
	})
}

func TestALossOnADayWithoutReconciliationIsFoundByTheNext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		if _, err := b.SetCost(t.Context(), billing.Cost{Carrier: 5, Country: "*", Currency: "EUR", Micro: 50_000, From: day("2026-01-01")}, november); err != nil {
			t.Fatal(err)
		}
		loss := day("2026-11-05")
		traffic := func(_ context.Context, from, _ time.Time) ([]billing.Carried, error) {
			c := billing.Carried{Carrier: 5, Country: "DK", Currency: "EUR", Messages: 10, Parts: 10, Revenue: 600_000}
			if from.Equal(loss) {
				c.Revenue = 380_000
			}
			return []billing.Carried{c}, nil
		}
		found := func(now string) (n int) {
			t.Helper()
			_, all, err := b.Reconcile(t.Context(), traffic, at(now))
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range all {
				if one.Detail != "DK EUR 2026-11-05" {
					t.Errorf("got %+v", one)
				}
			}
			return len(all)
		}
		got := []int{found("2026-11-08T03:00:00Z"), found("2026-11-12T03:00:00Z"), found("2026-11-13T03:00:00Z")}
		if diff := cmp.Diff([]int{0, 1, 0}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReconciliationsAtOnceAllComeToTheirEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		together := make(chan struct{})
		traffic := func(context.Context, time.Time, time.Time) (all []billing.Carried, err error) {
			<-together
			for i := range 40 {
				all = append(all, billing.Carried{Carrier: int64(i), Country: "DK", Currency: "EUR", Messages: 10, Parts: 10, Revenue: 600_000})
			}
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			return all, nil
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if r, _, err := b.Reconcile(t.Context(), traffic, november); err != nil || r.State != billing.ReconDone {
					t.Errorf("%s (%v)", r.State, err)
				}
			})
		}
		close(together)
		all.Wait()
		margins, err := b.Margins(t.Context(), day("2026-10-29"), day("2026-11-01"))
		if err != nil || len(margins) != 40 || margins[0].Parts != 40 {
			t.Errorf("got %+v (%v)", margins, err)
		}
	})
}
