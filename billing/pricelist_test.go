package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

// clock is one that is set by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// shop is price lists and plans by a clock.
type shop struct {
	*testing.T
	db    *db.DB
	clock clock
	lists *billing.PriceLists
	plans *billing.Plans
}

func eachShop(t *testing.T, test func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := &shop{T: t, db: d, clock: clock{day("2026-10-01")}}
		s.lists, s.plans = billing.NewPriceLists(d).WithClock(s.clock.now), billing.NewPlans(d).WithClock(s.clock.now)
		test(s)
	})
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *shop) refused(code string, err error) {
	s.Helper()
	if !problem.Has(err, code) {
		s.Errorf("got %v, want %s", err, code)
	}
}

// list makes a price list with one price for everything.
func (s *shop) list(name, currency string, micro int64) billing.PriceList {
	s.Helper()
	l, err := s.lists.Create(s.Context(), name, currency)
	s.must(err)
	s.version(l, time.Time{}, micro)
	return l
}

func (s *shop) version(l billing.PriceList, from time.Time, micro int64) billing.Version {
	s.Helper()
	v, err := s.lists.Add(s.Context(), l.ID, from, everywhere(micro))
	s.must(err)
	return v
}

func everywhere(micro int64) []billing.Price {
	return []billing.Price{{Country: billing.Any, Lane: billing.Any, Micro: micro}}
}

// costs is the price of a part to Norway that the account 7 has at a time.
func (s *shop) costs(at time.Time) int64 {
	s.Helper()
	book, err := billing.CurrentBook(s.Context(), s.db, 7, at)
	s.must(err)
	prices, err := billing.PricesOf(s.Context(), s.db, book.ID)
	s.must(err)
	micro, err := prices.PerPart("NO", "bulk")
	s.must(err)
	return micro
}

func TestTheMostPreciseOfThePricesCounts(t *testing.T) {
	eachShop(t, func(s *shop) {
		l, err := s.lists.Create(s.Context(), "fine", "EUR")
		s.must(err)
		v, err := s.lists.Add(s.Context(), l.ID, time.Time{}, []billing.Price{{"NO", "urgent", 1}, {"NO", "*", 2}, {"*", "urgent", 3}, {"*", "*", 4}})
		s.must(err)
		prices, err := billing.PricesOf(s.Context(), s.db, v.ID)
		s.must(err)
		got := map[string]int64{}
		for _, to := range []string{"NO urgent", "NO bulk", "SE urgent", "SE bulk"} {
			country, lane, _ := strings.Cut(to, " ")
			got[to], err = prices.PerPart(country, lane)
			s.must(err)
		}
		if diff := cmp.Diff(map[string]int64{"NO urgent": 1, "NO bulk": 2, "SE urgent": 3, "SE bulk": 4}, got); diff != "" {
			s.Error(diff)
		}
	})
}

func TestAVersionCountsFromItsTimeAndNeverChanges(t *testing.T) {
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 7, "EUR")
		l, err := s.lists.ByName(s.Context(), "standard")
		s.must(err)
		november, december := day("2026-11-01"), day("2026-12-01")
		s.version(l, november, 11)
		later := s.version(l, december, 12)
		if got := []int64{s.costs(november.Add(-time.Millisecond)), s.costs(november), s.costs(december)}; !cmp.Equal(got, []int64{45000, 11, 12}) {
			s.Errorf("the prices are %v", got)
		}
		_, err = s.lists.Add(s.Context(), l.ID, november, everywhere(13))
		s.refused("price_version_exists", err)
		_, err = s.lists.Add(s.Context(), l.ID, s.clock.at.Add(-time.Millisecond), everywhere(13))
		s.refused("invalid_valid_from", err)

		s.must(s.lists.Withdraw(s.Context(), l.ID, later.ID))
		s.must(s.lists.Withdraw(s.Context(), l.ID, later.ID)) // twice is once
		if got := s.costs(december); got != 11 {
			s.Errorf("the withdrawn version counts: %d", got)
		}
		again := s.version(l, december, 14)
		s.clock.at = december
		s.refused("price_version_valid", s.lists.Withdraw(s.Context(), l.ID, again.ID))
		for _, statement := range []string{
			`UPDATE prices SET micro = 0`, `DELETE FROM prices`, `UPDATE price_books SET valid_from = 5 WHERE id = 1`, `DELETE FROM price_books WHERE id <> 1`,
		} {
			if _, err := s.db.ExecContext(s.Context(), statement); err == nil {
				s.Errorf("%s: nothing held it", statement)
			}
		}
	})
}

// A clock that is set back makes no version changeable that a campaign was priced by.
func TestAVersionThatWasUsedIsNotWithdrawn(t *testing.T) {
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 7, "EUR")
		l, err := s.lists.ByName(s.Context(), "standard")
		s.must(err)
		v := s.version(l, day("2026-11-01"), 11)
		for _, statement := range []string{
			`INSERT INTO contact_groups (id, account_id, name, source, state, created_at, updated_at) VALUES (1, 7, 'All', 'manual', 'active', 0, 0)`,
			`INSERT INTO carriers (id, name, type, config_sealed, enabled, created_at) VALUES (1, 'main', 'simulator', '', TRUE, 0)`,
			`INSERT INTO campaigns (id, account_id, name, lane, sender, body, encoding, parts, group_id, carrier_id, price_book_id, currency, state, start_at, validity_ms, created_at)
			 SELECT 1, 7, '', 'bulk', '', '', 'gsm7', 1, 1, 1, b.id, b.currency, 'accepted', 0, 0, 0 FROM price_books b WHERE b.valid_from > 0`,
		} {
			if _, err := s.db.ExecContext(s.Context(), statement); err != nil {
				s.Fatal(err)
			}
		}
		s.refused("price_version_valid", s.lists.Withdraw(s.Context(), l.ID, v.ID))
	})
}

func TestAnAccountsOwnListGoesBeforeItsPlans(t *testing.T) {
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 7, "EUR")
		s.list("special", "EUR", 20)
		s.list("kroner", "NOK", 500)
		if got := s.costs(s.clock.at); got != 45000 {
			s.Errorf("without a plan of its own it costs %d", got)
		}
		_, err := s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "everything", List: "special"})
		s.must(err)
		if got := s.costs(s.clock.at); got != 20 {
			s.Errorf("with a list of its own it costs %d", got)
		}
		_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "everything", List: "kroner"})
		s.refused("price_list_currency", err)
		_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "everything", From: day("2026-11-01")})
		s.must(err)
		if got := []int64{s.costs(day("2026-10-31")), s.costs(day("2026-11-01"))}; !cmp.Equal(got, []int64{20, 45000}) {
			s.Errorf("before and after it costs %v", got)
		}
	})
}

// An account whose list is in another currency is not priced by it.
func TestAnAccountIsNeverPricedInAnotherCurrency(t *testing.T) {
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 7, "NOK")
		_, err := billing.CurrentBook(s.Context(), s.db, 7, s.clock.at)
		s.refused("price_list_currency", err)
		s.list("kroner", "NOK", 500)
		_, err = s.plans.Set(s.Context(), billing.NewPlan{Name: "norway", List: "kroner", Anchor: 1, DirectoryMicro: new(int64(0))})
		s.must(err)
		_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "norway"})
		s.must(err)
		if got := s.costs(s.clock.at); got != 500 {
			s.Errorf("it costs %d", got)
		}
		_, err = s.plans.Set(s.Context(), billing.NewPlan{Name: "norway", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0))})
		s.refused("plan_currency", err)
		_, err = s.lists.Create(s.Context(), "empty", "NOK")
		s.must(err)
		_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "norway", List: "empty"})
		s.refused("price_list_empty", err)
	})
}

func TestAFileOfPricesIsReadOrEveryErrorIsTold(t *testing.T) {
	got, err := billing.ParsePrices([]byte("\xef\xbb\xbfCountry;Lane;Price\nno;urgent;0,05\n*;*;0.090001\nSE;;1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []billing.Price{{"NO", "urgent", 50000}, {"*", "*", 90001}, {"SE", "*", 1_000_000}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var out strings.Builder
	if err := billing.WritePrices(&out, got); err != nil {
		t.Fatal(err)
	}
	if again, err := billing.ParsePrices([]byte(out.String())); err != nil || !cmp.Equal(again, want) {
		t.Errorf("read back: %v %v", again, err)
	}
	_, err = billing.ParsePrices([]byte("country,lane,price\nXX,*,1\nNO,slow,1\nNO,bulk,-1\nNO,bulk,0.0000001\nSE,*,x\nDK,*,1\nDK,*,2\nPL,*\n*,*,1\n"))
	if !problem.Has(err, "invalid_prices") {
		t.Fatal(err)
	}
	for row, line := range strings.Split(err.Error(), "\n") {
		at := []string{"row 2:", "row 3:", "row 4:", "row 5:", "row 6:", "row 8:", "row 9:"}
		if row >= len(at) || !strings.HasPrefix(line, at[row]) {
			t.Errorf("line %d: %s", row, line)
		}
	}
	for _, text := range []string{"", "price\n1\n", "country,lane,price\nNO,*,1\n", "country,lane,price\n\"NO,*,1\n", "country,lane,price\n*,*,1e20\n"} {
		if _, err := billing.ParsePrices([]byte(text)); !problem.Has(err, "invalid_prices") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
