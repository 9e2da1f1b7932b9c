package smsqueue

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/window"
)

// Rules is how an account sends.
type Rules struct {
	// Windows is when: in the recipient's zone, which their contact's field time_zone
	// tells, or else the number. A number of several zones is reached when it is
	// within the windows in all of them. An empty
	// week is any time. The lane urgent never waits for them.
	Windows window.Week
	Normal  bool   // the lane normal keeps to Windows too, as bulk does
	Zone    string // IANA: where a number does not tell, and of the days and months below
	// How many parts go in an hour of UTC, in a day and in a month; 0 is any number.
	// What is over it waits for the next one. The lane urgent is counted and never waits.
	PerHour, PerDay, PerMonth int
}

// Rules tells how the account sends.
func (q *Queue) Rules(ctx context.Context, account int64) (Rules, error) {
	s, found, err := selectSending(ctx, q.db, account)
	if err != nil || found {
		return s, err
	}
	acc, err := q.accounts.ByID(ctx, account)
	return Rules{Zone: window.OfRegion(acc.Region).String()}, err
}

// SetRules changes how the account sends, of what waits too.
func (q *Queue) SetRules(ctx context.Context, account int64, s Rules) error {
	if err := s.validate(); err != nil {
		return err
	}
	err := q.db.InTx(ctx, func(tx *db.Tx) error { return upsertSending(ctx, tx, account, s) })
	if err != nil {
		return err
	}
	q.ruled.forget(account)
	return q.wakeHeld(ctx, account)
}

func (s Rules) validate() error {
	if _, err := window.Zone(s.Zone); err != nil {
		return err
	}
	for field, limit := range map[string]int{"per_hour": s.PerHour, "per_day": s.PerDay, "per_month": s.PerMonth} {
		if limit < 0 {
			return problem.Invalid(field, "a cap is a number of parts, or 0 for none, not %d", limit)
		}
	}
	return nil
}

// wakeBatch is how many ranges are looked at in one transaction.
const wakeBatch = 20

// wakeHeld lets what waits for the account's rules be claimed again, to be judged
// by those that there are now. A claim keeps its range while it reads the rules, so
// that each range is judged by the new ones or woken.
func (q *Queue) wakeHeld(ctx context.Context, account int64) error {
	open, err := selectOpenOfAccount(ctx, q.db, account)
	if err != nil {
		return err
	}
	for len(open) > 0 {
		n := min(wakeBatch, len(open))
		if err := q.db.InTx(ctx, func(tx *db.Tx) error { return wakeRanges(ctx, tx, open[:n]) }); err != nil {
			return err
		}
		open = open[n:]
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		q.hear(wordTurned)
		return tx.Notify(ctx, wordTurned)
	})
}

// period is one over which parts are counted.
type period struct {
	name  string
	limit int
	of    func(t time.Time) string // which one it is; a later one is greater
	next  func(t time.Time) time.Time
}

// periods are all of them, capped or not: a cap that comes later finds its count.
func (s Rules) periods(zone *time.Location) []period {
	day := func(t time.Time, months, days int) time.Time {
		y, m, d := t.In(zone).Date()
		if months > 0 {
			d = 1
		}
		return time.Date(y, m+time.Month(months), d+days, 0, 0, 0, 0, zone)
	}
	return []period{
		{"hour", s.PerHour, func(t time.Time) string { return t.UTC().Format("2006-01-02T15") },
			func(t time.Time) time.Time { return t.Truncate(time.Hour).Add(time.Hour) }},
		{"day", s.PerDay, func(t time.Time) string { return t.In(zone).Format("2006-01-02") },
			func(t time.Time) time.Time { return day(t, 0, 1) }},
		{"month", s.PerMonth, func(t time.Time) string { return t.In(zone).Format("2006-01") },
			func(t time.Time) time.Time { return day(t, 1, 0) }},
	}
}

func (s Rules) capped() bool { return s.PerHour+s.PerDay+s.PerMonth > 0 }
