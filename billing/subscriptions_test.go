package billing_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

// tenancy is the account 7 with an agreement and directories that come and go.
type tenancy struct {
	*shop
	subscriptions *billing.Subscriptions
	names         *secrets.Names
}

func eachTenancy(t *testing.T, test func(s *tenancy)) {
	eachShop(t, func(s *shop) {
		ring, err := secrets.Parse(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
		s.must(err)
		names, err := secrets.OpenNames(s.Context(), s.db, ring)
		s.must(err)
		openAccount(s.T, s.db, 7, "EUR")
		ten := &tenancy{s, billing.NewSubscriptions(s.db, names).WithClock(s.clock.now), names}
		ten.exec(`
			INSERT INTO agreements (id, account_id, version, language, text_sha256, state) VALUES (1, 7, '1', 'en', '', 'concluded')`)
		ten.connect(1)
		test(ten)
	})
}

func (s *tenancy) exec(statement string, args ...any) {
	s.Helper()
	if _, err := s.db.ExecContext(s.Context(), statement, args...); err != nil {
		s.Fatal(err)
	}
}

// connect connects a directory, for the first time or again.
func (s *tenancy) connect(id int64) {
	s.Helper()
	s.exec(`
		INSERT INTO connections (id, account_id, tenant_id, client_id, secret_sealed, secret_last4, secret_at, state, every_ms, created_at)
		VALUES ($1, 7, $2, '', '', '', 0, 'connected', 900000, 0)
		ON CONFLICT (id) DO UPDATE SET state = 'connected'`, id, fmt.Sprint("tenant-", id))
}

func (s *tenancy) disconnect(id int64) {
	s.Helper()
	s.exec(`UPDATE connections SET state = 'disconnected', disconnected_at = $2 WHERE id = $1`, id, db.Millis(s.clock.at))
}

// on is the job at a time.
func (s *tenancy) on(at string) {
	s.Helper()
	s.clock.at = when(at)
	s.must(s.subscriptions.Run(s.Context()))
}

func when(at string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", at)
	if err != nil {
		return day(at)
	}
	return t
}

// fees are what was charged, in the order of the periods: "1 2026-10-01 99.00".
func (s *tenancy) fees() []string {
	s.Helper()
	rows, err := db.Column[string](s.Context(), s.db, `
		SELECT reference || ' ' || amount_micro FROM ledger_entries WHERE account_id = 7 AND kind = 'fee'`)
	s.must(err)
	var out []string
	for _, id := range []int64{1, 2} {
		for month := day("2026-09-01"); month.Before(day("2028-01-01")); month = month.AddDate(0, 0, 1) {
			for _, row := range rows {
				var micro int64
				reference, amount, _ := strings.Cut(row, " ")
				if reference != s.names.Of(secrets.Connection, id)+"/"+month.Format(time.DateOnly) {
					continue
				}
				fmt.Sscan(amount, &micro)
				out = append(out, fmt.Sprint(id, " ", month.Format(time.DateOnly), " ", billing.Money(micro)))
			}
		}
	}
	if len(out) != len(rows) {
		s.Errorf("%v are %v", rows, out)
	}
	return out
}

func (s *tenancy) charged(want ...string) {
	s.Helper()
	if diff := cmp.Diff(want, s.fees()); diff != "" {
		s.Error(diff)
	}
}

func TestAConnectedDirectoryIsChargedEachMonth(t *testing.T) { // S16, reading 7
	eachTenancy(t, func(s *tenancy) {
		s.on("2026-10-19 13:00")
		s.connect(2)
		s.on("2026-10-31 23:59")
		s.charged()
		s.on("2026-11-01 00:01")
		s.charged("1 2026-10-01 41.516129", "2 2026-10-01 3.193548") // 13 days of 31, and one
		s.on("2026-12-15")
		s.charged("1 2026-10-01 41.516129", "1 2026-11-01 99.00", "2 2026-10-01 3.193548", "2 2026-11-01 99.00")
	})
}

func TestTheEndIsChargedByTheDay(t *testing.T) { // S16, reading 7
	for name, end := range map[string]func(s *tenancy){
		"disconnected": func(s *tenancy) { s.disconnect(1) },
		"terminated": func(s *tenancy) {
			s.exec(`UPDATE agreements SET state = 'terminated', terminated_at = $1`, db.Millis(s.clock.at))
		},
		"outdated":       func(s *tenancy) { s.exec(`UPDATE agreements SET closes_at = $1`, db.Millis(s.clock.at)) },
		"deleted":        func(s *tenancy) { s.exec(`DELETE FROM connections`) },
		"account closed": func(s *tenancy) { s.exec(`UPDATE accounts SET state = 'closed'`) },
		"preview":        func(s *tenancy) { s.exec(`UPDATE connections SET preview = 1`) },
		"unpaid": func(s *tenancy) {
			s.exec(`INSERT INTO billing_terms (account_id, prepaid, unlimited, limit_micro, suspend_days, suspended_at, updated_at) VALUES (7, FALSE, TRUE, 0, 10, $1, 0)`, db.Millis(s.clock.at))
		},
		"the plan changed": func(s *tenancy) {
			_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "everything", Capabilities: []string{}, List: "standard"})
			s.must(err)
		},
		"downgraded": func(s *tenancy) {
			_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "basic", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0))})
			s.must(err)
			_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "basic"})
			s.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachTenancy(t, func(s *tenancy) {
				s.on("2026-10-01")
				s.clock.at = when("2026-11-15 12:00")
				end(s)
				s.on("2026-11-15 12:01")
				s.on("2027-02-01")
				if got := s.fees(); len(got) != 2 || got[1] != "1 2026-11-01 49.50" { // 15 days of 30
					s.Errorf("charged: %v", got)
				}
			})
		})
	}
}

// What ends with the first moment of a month is not in that month.
func TestAnEndAtMidnightBelongsToTheDayBefore(t *testing.T) { // S16
	eachTenancy(t, func(s *tenancy) {
		_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "basic", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0))})
		s.must(err)
		_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "basic", From: day("2026-11-01")})
		s.must(err)
		s.on("2026-10-01")
		s.on("2026-11-01 00:07")
		s.on("2026-12-02")
		s.charged("1 2026-10-01 99.00")
	})
}

func TestComingBackIsNotChargedAgain(t *testing.T) { // S16
	eachTenancy(t, func(s *tenancy) {
		s.on("2026-10-01")
		for _, at := range []string{"2026-10-01 10:00", "2026-10-05", "2026-10-05 09:00", "2026-10-20"} {
			s.clock.at = when(at)
			s.disconnect(1)
			s.on(at)
			s.connect(1)
			s.on(at)
		}
		s.on("2026-11-02")
		s.charged("1 2026-10-01 99.00")
		s.clock.at = when("2026-11-02 12:00")
		s.disconnect(1)
		s.on("2026-11-02 12:00")
		s.connect(1)
		s.on("2026-11-30 12:00")
		s.on("2026-12-01")
		s.charged("1 2026-10-01 99.00", "1 2026-11-01 9.90") // the 1st, the 2nd and the 30th
	})
}

func TestThirtyTwoAtOnceAndAClockSetBackChargeOnce(t *testing.T) { // S16
	eachTenancy(t, func(s *tenancy) {
		s.on("2026-10-01")
		s.clock.at = when("2027-01-01 00:01")
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				if err := s.subscriptions.Run(s.Context()); err != nil {
					s.Error(err)
				}
			})
		}
		all.Wait()
		want := []string{"1 2026-10-01 99.00", "1 2026-11-01 99.00", "1 2026-12-01 99.00"}
		s.charged(want...)
		s.on("2026-10-15") // set back
		s.disconnect(1)
		s.on("2026-11-15")
		s.connect(1)
		s.on("2026-11-16")
		s.on("2027-01-20")
		s.charged(want...)
		s.on("2027-02-01")
		s.charged(append(want, "1 2027-01-01 99.00")...)
	})
}

func TestAPriceCountsFromTheNextPeriod(t *testing.T) { // S16
	eachTenancy(t, func(s *tenancy) {
		s.on("2026-10-01")
		_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "everything", List: "standard", Anchor: 1, DirectoryMicro: new(int64(50_000_000)), Capabilities: billing.Capabilities})
		s.must(err)
		s.on("2026-10-20")
		s.on("2026-11-01 00:01")
		s.on("2026-12-01 00:01")
		s.charged("1 2026-10-01 99.00", "1 2026-11-01 50.00")
		running, err := s.subscriptions.Running(s.Context(), 7)
		s.must(err)
		if len(running) != 1 || running[0].Days != 1 || running[0].Micro != 1_612_903 {
			s.Errorf("under way: %+v", running)
		}
	})
}

// Every day that a directory was there is in one charge, at its share of the month,
// whatever the anchor and the length of the months.
func TestChargesAreTheSumOfTheirDays(t *testing.T) { // S16, reading 7
	rapid.Check(t, func(t *rapid.T) {
		anchor := rapid.OneOf(rapid.IntRange(29, 31), rapid.IntRange(1, 31)).Draw(t, "anchor")
		begin := day("2027-10-01") // over the 29th of February 2028
		s := billing.Subscription{Key: "dir_1", Micro: rapid.Int64Range(0, 2_000_000_000).Draw(t, "price"), Anchor: anchor}
		there := map[time.Time]bool{}
		for range rapid.IntRange(1, 4).Draw(t, "spans") {
			first := begin.AddDate(0, 0, rapid.IntRange(0, 250).Draw(t, "first"))
			last := first.AddDate(0, 0, rapid.IntRange(0, 90).Draw(t, "days"))
			s.Spans = append(s.Spans, billing.Span{First: first, Last: last})
			for at := first; !at.After(last); at = at.AddDate(0, 0, 1) {
				there[at] = true
			}
		}
		charged, once := 0, map[string]bool{}
		for at := begin.AddDate(0, -1, 0); at.Before(begin.AddDate(2, 0, 0)); at = s.PeriodAt(at).To.AddDate(0, 0, 1) {
			d, ok := s.Due(at)
			n := 0
			for d := s.PeriodAt(at).From; !d.After(s.PeriodAt(at).To); d = d.AddDate(0, 0, 1) {
				if there[d] {
					n++
				}
			}
			whole := int(s.PeriodAt(at).To.Sub(s.PeriodAt(at).From)/(24*time.Hour)) + 1
			if ok != (n > 0) || d.Days != n || n == whole && d.Micro != s.Micro || d.Micro > s.Micro {
				t.Fatalf("%v: %d days of %d are %d, of %d", d.Once(), n, whole, d.Micro, s.Micro)
			}
			if diff := 2*d.Micro*int64(whole) - 2*s.Micro*int64(n); diff > int64(whole) || diff <= -int64(whole) {
				t.Fatalf("%v: %d is no rounding of %d/%d of %d", d.Once(), d.Micro, n, whole, s.Micro)
			}
			if ok && once[d.Once()] {
				t.Fatalf("%v twice", d.Once())
			}
			once[d.Once()] = true
			charged += d.Days
		}
		if charged != len(there) {
			t.Fatalf("%d days of %d are charged", charged, len(there))
		}
	})
}

func TestADirectorysMonthIsOnThatMonthsInvoice(t *testing.T) { // S16, reading 7
	eachTenancy(t, func(s *tenancy) {
		b := billing.NewInvoices(s.db)
		_, err := b.SetSeller(s.Context(), norwegian())
		s.must(err)
		_, err = b.SetCustomer(s.Context(), 7, danish())
		s.must(err)
		s.on("2026-10-19 13:00")
		s.on("2026-11-01 00:01")
		dir := s.names.Of(secrets.Connection, 1)
		for _, month := range []struct {
			over, line string
			net        int64
		}{
			{"2026-11-01 03:00", "13 DAY 3.1935483871 Directory integration " + dir, 4152},
			{"2026-12-01 03:00", "1 MON 99 Directory integration " + dir, 9900},
		} {
			s.on(month.over)
			runs := run(s.T, b, s.clock.at)
			if len(runs) != 1 || runs[0].State != billing.RunInvoiced {
				s.Fatalf("%s: %+v", month.over, runs)
			}
			if diff := cmp.Diff([]string{month.line}, linesOf(s.T, b, runs[0].Invoice)); diff != "" {
				s.Error(diff)
			}
			if inv, err := b.Anywhere(s.Context(), runs[0].Invoice); err != nil || inv.Net != month.net {
				s.Errorf("%+v %v", inv, err)
			}
		}
		whole(s.T, s.db)
	})
}

// S16: VAT Directive Art. 226(6), (7)
func TestALineOfAPartSaysItsDays(t *testing.T) {
	eachTenancy(t, func(s *tenancy) {
		b := billing.NewInvoices(s.db)
		if _, err := b.SetSeller(s.Context(), norwegian()); err != nil {
			s.Fatal(err)
		}
		if _, err := b.SetCustomer(s.Context(), 7, danish()); err != nil {
			s.Fatal(err)
		}
		name := func(id int64) string { return "Directory integration " + s.names.Of(secrets.Connection, id) }
		invoiced := func(now string, want ...string) {
			s.Helper()
			doc, err := b.Document(s.Context(), 7, run(s, b, at(now))[0].Invoice)
			if err != nil {
				s.Fatal(err)
			}
			var got []string
			for _, l := range doc.Lines {
				text := fmt.Sprint(l.Quantity, " ", l.Unit, " ", l.Price, " ", l.Name)
				if !l.Period.From.IsZero() {
					text += l.Period.From.Format(" 02.01.") + l.Period.To.Format("-02.01.")
				}
				got = append(got, text)
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				s.Error(diff)
			}
		}
		s.on("2026-10-19 13:00")
		s.connect(2)
		s.on("2026-10-20")
		s.exec(`UPDATE subscriptions SET anchor = 15 WHERE item_id = 2`)
		s.on("2026-11-01 00:01")
		invoiced("2026-11-02T03:00:00Z", "13 DAY 3.1935483871 "+name(1)+" 19.10.-31.10.")
		s.on("2026-11-15")
		s.disconnect(2)
		s.on("2026-12-01")
		invoiced("2026-12-02T03:00:00Z",
			"1 MON 99 "+name(1)+" 01.11.-30.11.",
			"26 DAY 3.1935483871 "+name(2)+", 2026-10-20 to 2026-11-14") // it began before its invoice
	})
}
