package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	outbox "github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/problem"
)

// purse is an account with budgets.
type purse struct {
	t       testing.TB
	d       *db.DB
	budgets *billing.Budgets
	teams   *billing.Teams
	account int64
}

var purses atomic.Int64

func newPurse(t testing.TB, d *db.DB, zone string) *purse {
	t.Helper()
	p := &purse{t: t, d: d, budgets: billing.NewBudgets(d), teams: billing.NewTeams(d), account: 1000 + purses.Add(1)}
	p.exec(`INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at) VALUES ($1, $2, 'Acme', 'NO', '', 'EUR', 'active', 0)`,
		p.account, fmt.Sprint("acme", p.account))
	if zone != "" {
		p.exec(`INSERT INTO account_sending (account_id, windows, window_normal, zone, cap_hour, cap_day, cap_month) VALUES ($1, '', FALSE, $2, 0, 0, 0)`, p.account, zone)
	}
	return p
}

func (p *purse) exec(query string, args ...any) {
	p.t.Helper()
	if _, err := p.d.ExecContext(p.t.Context(), query, args...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *purse) add(n billing.NewBudget) billing.Budget {
	p.t.Helper()
	b, err := p.budgets.Add(p.t.Context(), p.account, n)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *purse) team(name string) billing.Team {
	p.t.Helper()
	team, err := p.teams.Add(p.t.Context(), p.account, name)
	if err != nil {
		p.t.Fatal(err)
	}
	return team
}

func (p *purse) id() int64 {
	p.t.Helper()
	id, err := p.d.NewIDs(p.t.Context(), 1)
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

func (p *purse) reserve(by billing.Spender, campaign, micro int64, at time.Time) (r billing.Reservation, refused error) {
	p.t.Helper()
	id := p.id()
	err := p.d.InTx(p.t.Context(), func(tx *db.Tx) (err error) {
		r, refused, err = billing.Reserve(p.t.Context(), tx, at, by, billing.Entry{ID: id, Account: p.account, Campaign: campaign, Kind: billing.KindReserve, Micro: micro, Messages: 1, Parts: 1})
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return r, refused
}

func (p *purse) release(r billing.Reservation, micro int64) {
	p.t.Helper()
	id := p.id()
	if err := p.d.InTx(p.t.Context(), func(tx *db.Tx) error {
		return billing.Post(p.t.Context(), tx, time.Now(), billing.Entry{ID: id, Account: p.account, Kind: billing.KindRelease, Micro: micro, Messages: 1, Parts: 1, Reservation: r})
	}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *purse) spent(b billing.Budget) int64 {
	p.t.Helper()
	now, err := p.budgets.ByID(p.t.Context(), p.account, b.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	return now.Spent
}

var nobody billing.Spender

// S16
func TestManyAtOnceNeverSpendMoreThanABudget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		month := p.add(billing.NewBudget{Name: "All", Per: billing.PerMonth, LimitMicro: 1000})
		day := p.add(billing.NewBudget{Name: "Today", Per: billing.PerDay, LimitMicro: 900})
		var taken, refusals atomic.Int64
		var all sync.WaitGroup
		at := time.Now()
		for range 32 {
			all.Go(func() {
				for range 3 {
					switch _, refused := p.reserve(nobody, 0, 30, at); {
					case refused == nil:
						taken.Add(30)
					case problem.Has(refused, "budget_spent"):
						refusals.Add(1)
					default:
						t.Error(refused)
					}
				}
			})
		}
		all.Wait()
		if taken.Load() != 900 || refusals.Load() != 66 || p.spent(month) != 900 || p.spent(day) != 900 {
			t.Errorf("took %d, refused %d, month %d, day %d", taken.Load(), refusals.Load(), p.spent(month), p.spent(day))
		}
		sums, err := billing.SumsOf(t.Context(), d, p.account)
		if err != nil || sums.Reserved != -900 {
			t.Error(sums, err)
		}
	})
}

func TestARefusalSaysWhichBudgetAndWhenItRenews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "Europe/Oslo")
		p.add(billing.NewBudget{Name: "Marketing", Per: billing.PerMonth, LimitMicro: 100_000_000})
		p.add(billing.NewBudget{Name: "Each", Per: billing.PerCampaign, LimitMicro: 99_600_000})
		at := time.Date(2026, 3, 31, 21, 59, 0, 0, time.UTC)
		if _, refused := p.reserve(nobody, 5, 99_500_000, at); refused != nil {
			t.Fatal(refused)
		}
		_, refused := p.reserve(nobody, 0, 900_000, at)
		want := `the budget "Marketing" of 100.00 EUR a month has 0.50 left, and this costs 0.90; 99.50 are spent until it renews at 2026-04-01 00:00 (Europe/Oslo)`
		if !problem.Has(refused, "budget_spent") || refused.Error() != want {
			t.Error(refused)
		}
		_, refused = p.reserve(nobody, 5, 400_000, at)
		want = `the budget "Each" of 99.60 EUR for each campaign has 0.10 left, and this costs 0.40`
		if !problem.Has(refused, "budget_spent") || refused.Error() != want {
			t.Error(refused)
		}
		if _, refused := p.reserve(nobody, 6, 400_000, at); refused != nil {
			t.Error("another campaign:", refused)
		}
	})
}

// A day is as long as the account's clocks make it.
func TestDaysAndMonthsBeginAtTheAccountsMidnight(t *testing.T) {
	for _, c := range []struct {
		name, zone string
		per        billing.Per
		last       string // moment of the old period
		first      string // of the new
		ends       string // the new period's end
	}{
		{"summer time begins", "Europe/Oslo", billing.PerDay, "2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"summer time ends", "Europe/Oslo", billing.PerDay, "2026-10-24T21:59:59.999Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"clocks leave out midnight", "Africa/Cairo", billing.PerDay, "2026-04-23T21:59:59.999Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{"far from Greenwich", "Pacific/Auckland", billing.PerDay, "2026-11-21T10:59:59.999Z", "2026-11-21T11:00:00Z", "2026-11-22T11:00:00Z"},
		{"month with summer time", "Europe/Oslo", billing.PerMonth, "2026-09-30T21:59:59.999Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
		{"year", "America/New_York", billing.PerMonth, "2027-01-01T04:59:59.999Z", "2027-01-01T05:00:00Z", "2027-02-01T05:00:00Z"},
		{"the region's zone", "", billing.PerDay, "2026-07-01T21:59:59.999Z", "2026-07-01T22:00:00Z", "2026-07-02T22:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				p := newPurse(t, d, c.zone)
				p.add(billing.NewBudget{Name: "B", Per: c.per, LimitMicro: 100})
				last, first, ends := moment(t, c.last), moment(t, c.first), moment(t, c.ends)
				if _, refused := p.reserve(nobody, 0, 100, last); refused != nil {
					t.Fatal(refused)
				}
				small, err := billing.TooSmall(t.Context(), d, p.account, nobody, false, 1, last)
				if err != nil || len(small) != 1 || !small[0].Renews.Equal(first) {
					t.Fatal(small, err)
				}
				if _, refused := p.reserve(nobody, 0, 1, last); !problem.Has(refused, "budget_spent") {
					t.Error("the old period is spent:", refused)
				}
				if _, refused := p.reserve(nobody, 0, 100, first); refused != nil {
					t.Error("it is renewed:", refused)
				}
				if _, refused := p.reserve(nobody, 0, 1, ends.Add(-time.Millisecond)); !problem.Has(refused, "budget_spent") {
					t.Error("the new one is spent:", refused)
				}
				if _, refused := p.reserve(nobody, 0, 1, ends); refused != nil {
					t.Error("it is renewed again:", refused)
				}
			})
		})
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Whatever is reserved and released, by whom and when, what is spent of each budget is
// what the ledger says.
func TestWhatIsSpentIsTheSumOfTheLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(r *rapid.T) { spendAtRandom(t, r, d) })
	})
}

// reserved is a reservation as the test remembers it.
type reserved struct {
	r        billing.Reservation
	team     int64
	campaign int64
	at       time.Time
	left     int64
}

func spendAtRandom(t *testing.T, r *rapid.T, d *db.DB) {
	p := newPurse(t, d, "UTC")
	sales, support := p.team("Sales"), p.team("Support")
	teams := []int64{0, sales.ID, support.ID}
	var budgets []billing.Budget
	for i, n := range rapid.SliceOfN(rapid.IntRange(0, 8), 1, 5).Draw(r, "budgets") {
		budgets = append(budgets, p.add(billing.NewBudget{Name: fmt.Sprint("B", i), Team: teams[n%3], Per: billing.Pers[n/3], LimitMicro: 500}))
	}
	start := time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)
	var all []reserved
	gone := map[billing.Reservation]int64{}
	for range rapid.IntRange(1, 12).Draw(r, "steps") {
		if len(all) > 0 && rapid.IntRange(0, 2).Draw(r, "release") == 0 {
			one := &all[rapid.IntRange(0, len(all)-1).Draw(r, "which")]
			micro := rapid.Int64Range(0, one.left).Draw(r, "back")
			one.left -= micro
			gone[one.r] += micro
			p.release(one.r, micro)
			continue
		}
		one := reserved{team: rapid.SampledFrom(teams).Draw(r, "team"), campaign: rapid.Int64Range(0, 2).Draw(r, "campaign"),
			at: start.AddDate(0, 0, rapid.IntRange(0, 3).Draw(r, "day")), left: rapid.Int64Range(0, 300).Draw(r, "micro")}
		var refused error
		if one.r, refused = p.reserve(billing.Spender{Team: one.team}, one.campaign, one.left, one.at); refused == nil && one.r != 0 {
			all = append(all, one)
		}
	}
	ledger, err := db.Column[int64](t.Context(), d, `SELECT amount_micro FROM ledger_entries WHERE account_id = $1 AND kind = 'reserve' ORDER BY id`, p.account)
	if err != nil {
		r.Fatal(err)
	}
	var want, got []string
	for _, b := range budgets {
		sums := map[string]int64{}
		for _, one := range all {
			if b.Team != 0 && b.Team != one.team || b.Per == billing.PerCampaign && one.campaign == 0 {
				continue
			}
			period := map[billing.Per]string{billing.PerDay: one.at.Format("2006-01-02"), billing.PerMonth: one.at.Format("2006-01"), billing.PerCampaign: fmt.Sprint(one.campaign)}[b.Per]
			sums[period] += entryOf(t, d, one.r) - gone[one.r]
		}
		for period, sum := range sums {
			if sum > 500 {
				r.Errorf("%d are spent of 500", sum)
			}
			if sum != 0 {
				want = append(want, fmt.Sprint(b.ID, " ", period, " ", sum))
			}
		}
	}
	got, err = db.Column[string](t.Context(), d, `SELECT budget_id || ' ' || period || ' ' || spent_micro FROM budget_periods WHERE account_id = $1 AND spent_micro <> 0`, p.account)
	if err != nil {
		r.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		r.Errorf("ledger %v\n%s", ledger, diff)
	}
	kept, err := db.Column[int64](t.Context(), d, `
		SELECT CAST(COALESCE(SUM(p.spent_micro), 0) - (SELECT COALESCE(SUM(e.micro), 0) FROM budget_entries e WHERE e.account_id = $1) AS BIGINT)
		FROM budget_periods p WHERE p.account_id = $1`, p.account)
	if err != nil || kept[0] != 0 {
		r.Error("what reservations took is not what budgets lack:", kept, err)
	}
}

// entryOf is what the ledger set aside.
func entryOf(t *testing.T, d *db.DB, r billing.Reservation) (micro int64) {
	t.Helper()
	if err := d.QueryRowContext(t.Context(), `SELECT amount_micro FROM ledger_entries WHERE id = $1 AND kind = 'reserve'`, int64(r)).Scan(&micro); err != nil {
		t.Fatal(err)
	}
	return micro
}

// What was reserved before there was a budget is not given back to it.
func TestABudgetGivesBackWhatItCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		before, _ := p.reserve(nobody, 0, 50, time.Now())
		b := p.add(billing.NewBudget{Name: "B", Per: billing.PerDay, LimitMicro: 100})
		after, _ := p.reserve(nobody, 0, 60, time.Now())
		p.release(before, 50)
		if p.spent(b) != 60 || before != 0 || after == 0 {
			t.Error(p.spent(b), before, after)
		}
		p.release(after, 20)
		if p.spent(b) != 40 {
			t.Error(p.spent(b))
		}
	})
}

func TestAWarningComesOnceAtItsShare(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "UTC")
		b := p.add(billing.NewBudget{Name: "B", Per: billing.PerMonth, LimitMicro: 1000, Warn: 80})
		quiet := p.add(billing.NewBudget{Name: "Quiet", Per: billing.PerMonth, LimitMicro: 1000})
		if err := outbox.Subscribe(t.Context(), d, p.account, billing.EventBudgetWarning, "test"); err != nil {
			t.Fatal(err)
		}
		told := func() []string {
			t.Helper()
			for range 2 {
				if err := p.budgets.Tell(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			all, err := db.Column[string](t.Context(), d, `SELECT data FROM events WHERE account_id = $1 ORDER BY id`, p.account)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		at := time.Now()
		p.reserve(nobody, 0, 799, at)
		if all := told(); len(all) != 0 {
			t.Error("too early", all)
		}
		p.reserve(nobody, 0, 1, at)
		p.reserve(nobody, 0, 100, at)
		want := fmt.Sprintf(`{"budget":%d,"limit_micro":1000,"per":"month","percent":80,"period":"%s","spent_micro":900}`, b.ID, at.UTC().Format("2006-01"))
		if diff := cmp.Diff([]string{want}, told()); diff != "" {
			t.Error(diff)
		}
		higher, lower := int64(2000), int64(1100)
		for _, limit := range []*int64{&higher, &lower} {
			if _, err := p.budgets.Change(t.Context(), p.account, b.ID, billing.BudgetChange{LimitMicro: limit}); err != nil {
				t.Fatal(err)
			}
		}
		if all := told(); len(all) != 2 || !strings.Contains(all[1], `"limit_micro":1100`) {
			t.Error("it comes again at the new limit", all)
		}
		if now, err := p.budgets.ByID(t.Context(), p.account, quiet.ID); err != nil || !now.Warned.IsZero() || now.Percent() != 90 {
			t.Error(now, err)
		}
	})
}

// What a team has left does not depend on others; the account's budget counts all.
func TestATeamSpendsItsOwnBudgetAndTheAccounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		sales, support := p.team("Sales"), p.team("Support")
		all := p.add(billing.NewBudget{Name: "All", Per: billing.PerMonth, LimitMicro: 100})
		some := p.add(billing.NewBudget{Name: "Sales", Team: sales.ID, Per: billing.PerMonth, LimitMicro: 60})
		at := time.Now()
		if _, refused := p.reserve(billing.Spender{Team: sales.ID}, 0, 61, at); !problem.Has(refused, "budget_spent") || p.spent(all) != 0 {
			t.Error("the team's", refused, p.spent(all))
		}
		if _, refused := p.reserve(billing.Spender{Team: support.ID}, 0, 61, at); refused != nil {
			t.Error("another team", refused)
		}
		if _, refused := p.reserve(billing.Spender{Team: sales.ID}, 0, 40, at); !problem.Has(refused, "budget_spent") || p.spent(some) != 0 {
			t.Error("the account's", refused, p.spent(some))
		}
		small, err := billing.TooSmall(t.Context(), d, p.account, billing.Spender{Team: sales.ID}, true, 70, at)
		if err != nil || len(small) != 2 || small[0].Left() != 39 || small[1].TeamName != "Sales" {
			t.Error(small, err)
		}
		if err := p.teams.Remove(t.Context(), p.account, sales.ID); !problem.Has(err, "team_has_budgets") {
			t.Error(err)
		}
		if err := p.budgets.Remove(t.Context(), p.account, some.ID); err != nil {
			t.Fatal(err)
		}
		if _, refused := p.reserve(billing.Spender{Team: sales.ID}, 0, 39, at); refused != nil {
			t.Error("it is removed", refused)
		}
		if err := p.teams.Remove(t.Context(), p.account, sales.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestAUserAndAKeyAreInOneTeamAtTheMost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		user, key, stranger := p.id(), p.id(), p.id()
		for _, u := range []int64{user, stranger} {
			p.exec(`INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, '', 0)`, u, fmt.Sprintf("u%d@example.no", u))
		}
		p.exec(`INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'sender')`, p.account, user)
		p.exec(`INSERT INTO api_keys (id, account_id, key_hash, scopes, created_at) VALUES ($1, $2, $3, '*', 0)`, key, p.account, fmt.Sprint(key))
		as := func(kind string, id int64) int64 {
			t.Helper()
			by, err := p.teams.Spender(audit.As(t.Context(), audit.Actor{Kind: kind, ID: id}), p.account)
			if err != nil {
				t.Fatal(err)
			}
			return by.Team
		}
		if as(audit.User, user) != 0 {
			t.Error("there is no team")
		}
		sales, support := p.team("Sales"), p.team("Support")
		for _, team := range []billing.Team{sales, support} {
			if err := p.teams.Join(t.Context(), p.account, team.ID, user); err != nil {
				t.Fatal(err)
			}
			if err := p.teams.JoinKey(t.Context(), p.account, team.ID, key); err != nil {
				t.Fatal(err)
			}
			if as(audit.User, user) != team.ID || as(audit.Key, key) != team.ID || as(audit.Key, user) != 0 || as(audit.Command, 0) != 0 {
				t.Error(as(audit.User, user), as(audit.Key, key))
			}
		}
		if one, err := p.teams.ByID(t.Context(), p.account, sales.ID); err != nil || len(one.Members)+len(one.Keys) != 0 {
			t.Error(one, err)
		}
		if err := p.teams.Join(t.Context(), p.account, sales.ID, stranger); !problem.Has(err, "user_not_found") {
			t.Error(err)
		}
		if err := p.teams.Leave(t.Context(), p.account, sales.ID, user); !problem.Has(err, "user_not_found") {
			t.Error("they are in another", err)
		}
		other := newPurse(t, d, "")
		if err := other.teams.Join(t.Context(), other.account, support.ID, user); !problem.Has(err, "team_not_found") {
			t.Error(err)
		}
		if _, err := p.teams.Add(t.Context(), p.account, " Sales"); !problem.Has(err, "team_exists") {
			t.Error(err)
		}
		if err := p.teams.Leave(t.Context(), p.account, support.ID, user); err != nil || as(audit.User, user) != 0 {
			t.Error(err)
		}
		trail, err := audit.List(t.Context(), d, p.account, 0, 100)
		if err != nil || len(trail) != 7 || trail[0].Action != "team.member_removed" || trail[0].SubjectID != support.ID {
			t.Error(trail, err)
		}
	})
}

func TestWhoLeavesAndComesBackIsInNoTeam(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		team, kari, ola := p.team("Sales"), p.id(), p.id()
		for _, u := range []int64{kari, ola} {
			p.exec(`INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, '', 0)`, u, fmt.Sprintf("u%d@example.no", u))
			p.exec(`INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'sender')`, p.account, u)
			if err := p.teams.Join(t.Context(), p.account, team.ID, u); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.teams.EndAccess(t.Context(), p.account, []string{fmt.Sprintf(" U%d@example.no", kari), "nobody@example.no"}); err != nil {
			t.Fatal(err)
		}
		by, err := p.teams.Spender(audit.As(t.Context(), audit.Actor{Kind: audit.User, ID: kari}), p.account)
		if err != nil || by.Team != 0 {
			t.Errorf("they spend of team %d (%v)", by.Team, err)
		}
		one, err := p.teams.ByID(t.Context(), p.account, team.ID)
		if err != nil || len(one.Members) != 1 || one.Members[0].User != ola {
			t.Errorf("in the team are %v (%v)", one.Members, err)
		}
	})
}

func TestABudgetThatMakesNoSenseIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		good := billing.NewBudget{Name: "B", Per: billing.PerDay, LimitMicro: 1, Warn: 80}
		p.add(good)
		for code, n := range map[string]billing.NewBudget{
			"budget_exists":        good,
			"invalid_name":         {Name: " ", Per: billing.PerDay, LimitMicro: 1},
			"invalid_per":          {Name: "C", Per: "week", LimitMicro: 1},
			"invalid_limit":        {Name: "C", Per: billing.PerDay},
			"invalid_warn_percent": {Name: "C", Per: billing.PerDay, LimitMicro: 1, Warn: 101},
			"team_not_found":       {Name: "C", Per: billing.PerDay, LimitMicro: 1, Team: 5},
		} {
			if _, err := p.budgets.Add(t.Context(), p.account, n); !problem.Has(err, code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		for i := range 49 {
			n := good
			n.Name = fmt.Sprint(i)
			p.add(n)
		}
		if _, err := p.budgets.Add(t.Context(), p.account, billing.NewBudget{Name: "C", Per: billing.PerDay, LimitMicro: 1}); !problem.Has(err, "too_many_budgets") {
			t.Error(err)
		}
	})
}

// A release weeks later finds what its reservation took; one of months later does not.
func TestReservationsAreForgottenAfterSixtyDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPurse(t, d, "")
		b := p.add(billing.NewBudget{Name: "B", Per: billing.PerDay, LimitMicro: 100})
		young, _ := p.reserve(nobody, 0, 10, time.Now())
		old, kept := db.FirstID(time.Now().AddDate(0, 0, -61)), db.FirstID(time.Now().AddDate(0, 0, -59))
		for _, id := range []int64{old, kept} {
			p.exec(`INSERT INTO budget_entries (reservation_id, budget_id, period, account_id, micro) VALUES ($1, $2, '2026-01-01', $3, 5)`, id, b.ID, p.account)
		}
		if err := p.budgets.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, err := db.Column[int64](t.Context(), d, `SELECT reservation_id FROM budget_entries WHERE account_id = $1 ORDER BY reservation_id`, p.account)
		if diff := cmp.Diff([]int64{kept, int64(young)}, left); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
