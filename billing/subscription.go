package billing

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
)

// Subscription is something that costs the same each month while it is there. Its
// periods begin on its anchor, a day of the month; in a month that is shorter on its
// last day.
type Subscription struct {
	Key    string // names it among the account's: "dir_..."
	Name   string // of its lines
	Micro  int64  // a month, in micro-units
	Anchor int    // 1 to 31
	Spans  []Span
}

// Span is from one day to another on which a subscription is there, both included; Last
// is zero while it goes on. Days begin at 00:00 UTC.
type Span struct{ First, Last time.Time }

// Due is what is to be paid for a period.
type Due struct {
	Subscription
	Whole invoice.Period // the subscription's; days, both included
	Part  invoice.Period // of it, from the first day on which it was there to the last
	Days  int            // on which it was there
	Micro int64
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

// Due is for the period that a day is in: the month's price, or its share by the days
// on which the subscription was there, rounded half up to the micro-unit. A day counts
// once, however often it came and went on it. ok is false when it was not there at all.
func (s Subscription) Due(day time.Time) (d Due, ok bool) {
	d = Due{Subscription: s, Whole: s.PeriodAt(day)}
	for at := d.Whole.From; !at.After(d.Whole.To); at = at.AddDate(0, 0, 1) {
		if !s.thereOn(at) {
			continue
		}
		if d.Days == 0 {
			d.Part.From = at
		}
		d.Days++
		d.Part.To = at
	}
	of := days(d.Whole)
	d.Micro = (2*s.Micro*int64(d.Days) + of) / (2 * of)
	return d, d.Days > 0
}

func (s Subscription) thereOn(day time.Time) bool {
	for _, one := range s.Spans {
		if !one.First.After(day) && (one.Last.IsZero() || !one.Last.Before(day)) {
			return true
		}
	}
	return false
}

// Once is what the period is charged for, a single time: "dir_.../2026-11-01".
func (d Due) Once() string { return d.Key + "/" + d.Whole.From.Format(time.DateOnly) }

// Line is the line of an invoice: a month, or days at their share of the month's price.
func (d Due) Line() NewLine {
	price := decimal.New(d.Subscription.Micro, -6)
	l := NewLine{Name: d.Name, Quantity: decimal.NewFromInt(1), Unit: "MON", Price: price, Period: d.Part, Once: d.Once()}
	if of := days(d.Whole); int64(d.Days) != of {
		l.Quantity, l.Unit, l.Price = decimal.NewFromInt(int64(d.Days)), "DAY", price.DivRound(decimal.NewFromInt(of), 10)
	}
	return l
}

func days(p invoice.Period) int64 { return int64(p.To.Sub(p.From)/(24*time.Hour)) + 1 }

// dayNumber counts days from 1970, as they are stored.
func dayNumber(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

func dayAt(number int64) time.Time { return time.Unix(number*24*60*60, 0).UTC() }
