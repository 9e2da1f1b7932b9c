package billing

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
)

// DirectoryPrice is what a connected directory costs a month, in EUR.
var DirectoryPrice = decimal.NewFromInt(99)

// Subscription is something that costs the same each month, from a day on. Its periods
// begin on its anchor, a day of the month; in a month that is shorter on its last day.
type Subscription struct {
	Key    string // names it among the account's: "dir_..."
	Name   string // of its lines
	Price  decimal.Decimal
	Anchor int       // 1 to 31
	From   time.Time // the first day, at 00:00 UTC as all days here
	Until  time.Time // the last day; zero while it goes on
}

// PeriodAt is the subscription's period that a day is in, both days included.
func (s Subscription) PeriodAt(day time.Time) invoice.Period {
	start := anchored(day.Year(), day.Month(), s.Anchor)
	if start.After(day) {
		start = anchored(day.Year(), day.Month()-1, s.Anchor)
	}
	next := anchored(start.Year(), start.Month()+1, s.Anchor)
	return invoice.Period{From: start, To: next.AddDate(0, 0, -1)}
}

// anchored is the anchor's day in a month, which may be before January or after December.
func anchored(year int, month time.Month, anchor int) time.Time {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	return time.Date(last.Year(), last.Month(), min(anchor, last.Day()), 0, 0, 0, 0, time.UTC)
}

// Charge is the line for the period that a day is in: a month, or as many days as it was
// there, at a share of the month's price by the days that the period has. ok is false when
// it was not there. The same subscription and period always give the same Once.
func (s Subscription) Charge(day time.Time) (l NewLine, ok bool) {
	whole := s.PeriodAt(day)
	part := whole
	if s.From.After(part.From) {
		part.From = s.From
	}
	if !s.Until.IsZero() && s.Until.Before(part.To) {
		part.To = s.Until
	}
	if part.To.Before(part.From) {
		return NewLine{}, false
	}
	l = NewLine{Name: s.Name, Quantity: decimal.NewFromInt(1), Unit: "MON", Price: s.Price, Period: part,
		Once: fmt.Sprintf("%s/%s", s.Key, whole.From.Format(time.DateOnly))}
	if part != whole {
		l.Quantity, l.Unit = decimal.NewFromInt(days(part)), "DAY"
		l.Price = s.Price.DivRound(decimal.NewFromInt(days(whole)), 10)
	}
	return l, true
}

func days(p invoice.Period) int64 { return int64(p.To.Sub(p.From)/(24*time.Hour)) + 1 }
