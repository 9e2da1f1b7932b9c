package billing_test

import (
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
)

// S16, reading 7
func TestADirectoryIsChargedByTheDay(t *testing.T) {
	for name, c := range map[string]struct {
		anchor          int
		from, until, at string
		begins, ends    string // of what is charged; empty: nothing is
		quantity, unit  string
		cents           int64
		once            string
	}{
		"a whole month":                        {1, "2026-01-01", "", "2026-10-15", "2026-10-01", "2026-10-31", "1", "MON", 9900, "dir_1/2026-10-01"},
		"from the middle":                      {1, "2026-10-19", "", "2026-10-31", "2026-10-19", "2026-10-31", "13", "DAY", 4152, "dir_1/2026-10-01"},
		"half of November":                     {1, "2026-11-16", "", "2026-11-16", "2026-11-16", "2026-11-30", "15", "DAY", 4950, "dir_1/2026-11-01"},
		"to the middle":                        {1, "2026-01-01", "2026-02-14", "2026-02-01", "2026-02-01", "2026-02-14", "14", "DAY", 4950, "dir_1/2026-02-01"},
		"a single day":                         {1, "2026-10-31", "2026-10-31", "2026-10-31", "2026-10-31", "2026-10-31", "1", "DAY", 319, "dir_1/2026-10-01"},
		"February of a leap year":              {1, "2028-02-29", "", "2028-02-29", "2028-02-29", "2028-02-29", "1", "DAY", 341, "dir_1/2028-02-01"},
		"anchored on the 31st, October":        {31, "2026-01-31", "", "2026-10-31", "2026-10-31", "2026-11-29", "1", "MON", 9900, "dir_1/2026-10-31"},
		"anchored on the 31st, November":       {31, "2026-01-31", "", "2026-11-30", "2026-11-30", "2026-12-30", "1", "MON", 9900, "dir_1/2026-11-30"},
		"anchored on the 31st, February":       {31, "2026-01-31", "", "2026-02-28", "2026-02-28", "2026-03-30", "1", "MON", 9900, "dir_1/2026-02-28"},
		"anchored on the 31st, the day before": {31, "2026-01-31", "", "2026-02-27", "2026-01-31", "2026-02-27", "1", "MON", 9900, "dir_1/2026-01-31"},
		"over the turn of the year":            {15, "2026-01-15", "", "2027-01-03", "2026-12-15", "2027-01-14", "1", "MON", 9900, "dir_1/2026-12-15"},
		"before it began":                      {1, "2026-10-19", "", "2026-09-30", "", "", "", "", 0, ""},
		"after it ended":                       {1, "2026-01-01", "2026-09-30", "2026-10-01", "", "", "", "", 0, ""},
	} {
		span := billing.Span{First: day(c.from)}
		if c.until != "" {
			span.Last = day(c.until)
		}
		s := billing.Subscription{Key: "dir_1", Name: "Directory integration", Micro: billing.DirectoryPrice, Anchor: c.anchor, Spans: []billing.Span{span}}
		due, ok := s.Due(day(c.at))
		l := due.Line()
		if !ok {
			if c.begins != "" {
				t.Errorf("%s: nothing was charged", name)
			}
			continue
		}
		cents, err := invoice.Net(l.Quantity, l.Price)
		if err != nil {
			t.Fatal(err)
		}
		if c.begins == "" || !l.Period.From.Equal(day(c.begins)) || !l.Period.To.Equal(day(c.ends)) || l.Quantity.String() != c.quantity || l.Unit != c.unit || cents != c.cents || l.Once != c.once {
			t.Errorf("%s: %s to %s, %s %s, %d, %s", name, l.Period.From.Format(time.DateOnly), l.Period.To.Format(time.DateOnly), l.Quantity, l.Unit, cents, l.Once)
		}
	}
}

// Every day belongs to one period, whatever the anchor.
func TestPeriodsFollowEachOther(t *testing.T) {
	for anchor := 1; anchor <= 31; anchor++ {
		s := billing.Subscription{Anchor: anchor}
		for at := day("2026-01-01"); at.Before(day("2029-01-01")); at = at.AddDate(0, 0, 1) {
			p := s.PeriodAt(at)
			if at.Before(p.From) || at.After(p.To) {
				t.Fatalf("anchor %d: %v is not in %v", anchor, at, p)
			}
			if next := s.PeriodAt(p.To.AddDate(0, 0, 1)); !next.From.Equal(p.To.AddDate(0, 0, 1)) {
				t.Fatalf("anchor %d: after %v comes %v", anchor, p, next)
			}
		}
	}
}
