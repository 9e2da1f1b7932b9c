package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
)

func TestAPlanThatLacksSomethingNamesThoseThatHaveIt(t *testing.T) { // Q3
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 7, "EUR")
		can := func(capability string) error { return s.plans.Can(s.Context(), s.db, 7, capability) }
		s.must(can(billing.Directory)) // nobody gave it a plan: it has the first
		s.list("kroner", "NOK", 500)
		for _, n := range []billing.NewPlan{
			{Name: "basic", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0))},
			{Name: "ultima", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0)), Capabilities: []string{billing.Directory, billing.Cards, billing.Cards}},
			{Name: "elsewhere", List: "kroner", Anchor: 1, DirectoryMicro: new(int64(0)), Capabilities: []string{billing.Directory}},
		} {
			_, err := s.plans.Set(s.Context(), n)
			s.must(err)
		}
		_, err := s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "basic", From: day("2026-11-01")})
		s.must(err)
		s.must(can(billing.Directory)) // not yet
		s.clock.at = day("2026-11-01")
		for _, capability := range billing.Capabilities {
			err := can(capability)
			s.refused("plan_lacks_"+capability, err)
			if text := err.Error(); !strings.Contains(text, "basic") || !strings.Contains(text, "everything, ultima") || strings.Contains(text, "elsewhere") {
				s.Errorf("it names %q", text)
			}
		}
		_, err = s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "ultima"})
		s.must(err)
		s.must(can(billing.Cards))
	})
}

func TestWhatWasDecidedLaterIsReplacedAndWhatWasStays(t *testing.T) {
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 7, "EUR")
		for _, name := range []string{"aa", "bb", "cc"} {
			_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: name, List: "standard", Anchor: 1, DirectoryMicro: new(int64(0))})
			s.must(err)
		}
		assign := func(plan, from string) {
			s.Helper()
			_, err := s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: plan, From: day(from)})
			s.must(err)
		}
		assign("aa", "2026-11-01")
		assign("bb", "2026-12-01")
		s.clock.at = day("2026-11-10")
		_, err := s.plans.Assign(s.Context(), 7, billing.Assignment{Plan: "bb", From: day("2026-11-09")})
		s.refused("invalid_from", err)
		assign("cc", "2026-11-20")
		all, err := s.plans.Terms(s.Context(), 7)
		s.must(err)
		var got []string
		for _, term := range all {
			got = append(got, term.Plan.Name+" "+shortDay(term.From)+" "+shortDay(term.Until))
		}
		if diff := cmp.Diff([]string{"cc 2026-11-20 -", "aa 2026-11-01 2026-11-20", "everything - 2026-11-01"}, got); diff != "" {
			s.Error(diff)
		}
		if now, err := s.plans.Of(s.Context(), 7, s.clock.at); err != nil || now.Plan.Name != "aa" {
			s.Errorf("now it has %v: %v", now.Plan, err)
		}
	})
}

func shortDay(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.DateOnly)
}

func TestAnAccountIsOpenedWithAPlanInItsCurrency(t *testing.T) {
	eachShop(t, func(s *shop) {
		openAccount(t, s.db, 8, "NOK")
		open := func(a billing.Assignment) error {
			return s.db.InTx(s.Context(), func(tx *db.Tx) error { return s.plans.Open(s.Context(), tx, 8, "NOK", a) })
		}
		s.refused("price_list_currency", open(billing.Assignment{}))
		s.list("kroner", "NOK", 500)
		_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "norway", List: "kroner", Anchor: 31, DirectoryMicro: new(int64(1090_000_000)), Capabilities: []string{billing.Directory}})
		s.must(err)
		s.must(open(billing.Assignment{Plan: "norway"}))
		term, err := s.plans.Of(s.Context(), 8, s.clock.at)
		s.must(err)
		all, err := s.plans.Terms(s.Context(), 8)
		s.must(err)
		if len(all) != 1 || term.Plan.Name != "norway" || term.List().Currency != "NOK" || term.Plan.DirectoryMicro != 1090_000_000 {
			s.Errorf("it has %+v", term)
		}
	})
}

func TestAPlanKeepsWhatIsLeftOut(t *testing.T) {
	eachShop(t, func(s *shop) {
		whole := billing.NewPlan{Name: "ultima", List: "standard", Anchor: 15, DirectoryMicro: new(int64(1090_000_000)), Capabilities: []string{billing.Directory}}
		_, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "ultima", List: "standard", Anchor: 15})
		s.refused("invalid_directory_price", err)
		usual, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "usual", List: "standard", DirectoryMicro: new(int64(0))})
		s.must(err)
		if usual.Anchor != 1 {
			s.Errorf("a new plan's periods begin on %d", usual.Anchor)
		}
		first, err := s.plans.Set(s.Context(), whole)
		s.must(err)
		same, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "ultima", List: "standard"})
		s.must(err)
		if diff := cmp.Diff(first, same); diff != "" {
			s.Error(diff)
		}
		less, err := s.plans.Set(s.Context(), billing.NewPlan{Name: "ultima", List: "standard", Capabilities: []string{}})
		s.must(err)
		if len(less.Capabilities) != 0 || less.DirectoryMicro != 1090_000_000 || less.Anchor != 15 {
			s.Errorf("got %+v", less)
		}
	})
}

func TestAPlanIsChecked(t *testing.T) {
	eachShop(t, func(s *shop) {
		for code, n := range map[string]billing.NewPlan{
			"invalid_name":            {Name: "Big plan", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0))},
			"invalid_anchor":          {Name: "big", List: "standard", Anchor: 32, DirectoryMicro: new(int64(0))},
			"invalid_capabilities":    {Name: "big", List: "standard", Anchor: 1, DirectoryMicro: new(int64(0)), Capabilities: []string{"teleport"}},
			"invalid_directory_price": {Name: "big", List: "standard", Anchor: 1, DirectoryMicro: new(int64(-1))},
			"price_list_not_found":    {Name: "big", List: "none", Anchor: 1, DirectoryMicro: new(int64(0))},
		} {
			_, err := s.plans.Set(s.Context(), n)
			s.refused(code, err)
		}
		_, err := s.plans.Assign(s.Context(), 404, billing.Assignment{Plan: "everything"})
		s.refused("account_not_found", err)
	})
}
