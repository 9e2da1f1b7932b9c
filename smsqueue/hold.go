package smsqueue

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/window"
)

// Words of ranges.reason.
const (
	heldQuietHours = "quiet_hours"
	heldCap        = "cap"
)

// hold is what a claim found that keeps the rest of its range.
type hold struct {
	reason string
	until  time.Time // zero: some of it may go now
}

// ruled remembers which accounts have no rules, for a short while: most have none,
// and a claim then reads nothing. Rules themselves are read in the claim.
type ruled struct {
	mu   sync.Mutex
	free map[int64]time.Time
}

// freeFor is how long an account's rules may be new to a process.
const freeFor = 500 * time.Millisecond

func (r *ruled) known(account int64, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since, known := r.free[account]
	return known && now.Sub(since) < freeFor
}

func (r *ruled) keep(account int64, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free == nil || len(r.free) > shareKeys {
		r.free = map[int64]time.Time{}
	}
	r.free[account] = now
}

func (r *ruled) forget(account int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.free, account)
}

func (q *Queue) rulesNow(ctx context.Context, tx *db.Tx, account int64, now time.Time) (s Rules, found bool, err error) {
	if q.ruled.known(account, now) {
		return s, false, nil
	}
	s, found, err = selectSending(ctx, tx, account)
	if err == nil && !found {
		q.ruled.keep(account, now)
	}
	return s, found, err
}

// rule is what an account and a campaign say of when a range's messages go.
type rule struct {
	Rules
	r         *running
	text      campaignText
	claimedTo int64
	now       time.Time
}

// holdBack leaves of those that would go as many as the account's rules let go now.
// The range is told why the others wait.
func (w *Worker) holdBack(ctx context.Context, tx *db.Tx, r *running, text campaignText, claimedTo int64, going []candidate, now time.Time) ([]candidate, error) {
	r.hold = hold{}
	s, found, err := w.rulesNow(ctx, tx, r.account, now)
	if err != nil || len(going) == 0 || !found && text.windows.Empty() {
		return going, err
	}
	k := &rule{Rules: s, r: r, text: text, claimedTo: claimedTo, now: now}
	if going, err = k.insideWindows(ctx, tx, going); err != nil || len(going) == 0 {
		return nil, err
	}
	if !s.capped() {
		return going, nil
	}
	return k.belowCaps(ctx, tx, going)
}

// week is when the range's messages may go, and whether that is not always.
func (k *rule) week() (week window.Week, bound bool) {
	own := k.text.windows
	switch {
	case k.r.lane == Urgent:
		return week, false
	case k.Windows.Empty() || k.r.lane == Normal && !k.Normal:
		return own, !own.Empty()
	case own.Empty():
		return k.Windows, true
	}
	if both := own.And(k.Windows); !both.Empty() {
		return both, true
	}
	return k.Windows, true // the account's have changed since the campaign was made
}

// lookAgain is when a number is looked at whose window does not open within weeks.
const lookAgain = time.Hour

// openings finds when numbers may be texted; numbers of the same zones, at once.
type openings struct {
	week  window.Week
	usual []*time.Location  // the account's zone
	own   map[string]string // zones of contacts who have one of their own, by number
	now   time.Time
	known map[string]time.Time // by the zones' names
}

// of is now for a number whose window is open. Where the zones of a number are
// never open together, the account's zone decides.
func (o *openings) of(phone string) time.Time {
	zones := o.zonesOf(phone)
	key := ""
	for _, z := range zones {
		key += z.String() + " "
	}
	at, known := o.known[key]
	if !known {
		var found bool
		if at, found = o.week.Next(o.now, zones); !found {
			at, found = o.week.Next(o.now, o.usual)
		}
		if !found {
			at = o.now.Add(lookAgain)
		}
		o.known[key] = at
	}
	return at
}

func (o *openings) zonesOf(phone string) []*time.Location {
	if name := o.own[phone]; name != "" {
		if zone, err := window.Zone(name); err == nil {
			return []*time.Location{zone}
		}
	}
	if zones := window.OfNumber(phone); len(zones) > 0 {
		return zones
	}
	return o.usual
}

// insideWindows leaves those whose window is open. When none is, and in all the
// range none, the range waits for the first opening as a whole.
func (k *rule) insideWindows(ctx context.Context, tx *db.Tx, going []candidate) (inside []candidate, err error) {
	week, bound := k.week()
	if !bound {
		return going, nil
	}
	zone, err := window.Zone(k.Zone)
	if err != nil {
		return nil, err
	}
	own, err := selectOwnZones(ctx, tx, k.r)
	if err != nil {
		return nil, err
	}
	o := &openings{week: week, usual: []*time.Location{zone}, own: own, now: k.now, known: map[string]time.Time{}}
	outside := map[time.Time][]move{}
	for _, c := range going {
		if at := o.of(c.phone); at.After(k.now) {
			outside[at] = append(outside[at], move{row: c.row})
		} else {
			inside = append(inside, c)
		}
	}
	if len(outside) == 0 {
		return inside, nil
	}
	k.r.hold.reason = heldQuietHours
	if len(inside) == 0 {
		phones, err := selectQueuedPhones(ctx, tx, k.r, k.claimedTo)
		if err != nil {
			return nil, err
		}
		first, last := o.ofAll(phones)
		if first.After(k.now) {
			k.r.hold.until = first
			return nil, k.keep(ctx, tx, last)
		}
	}
	var last time.Time
	for at, moves := range outside {
		if last.Before(at) {
			last = at
		}
		if err := deferMessages(ctx, tx, moves, at); err != nil {
			return nil, err
		}
	}
	return inside, k.keep(ctx, tx, last)
}

// ofAll is the first and the last of the openings of numbers.
func (o *openings) ofAll(phones []string) (first, last time.Time) {
	for _, phone := range phones {
		at := o.of(phone)
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if last.Before(at) {
			last = at
		}
	}
	return first, last
}

// keep writes why the range waits; its messages may go at until.
func (k *rule) keep(ctx context.Context, tx *db.Tx, until time.Time) error {
	if d := until.Add(validity); k.text.validity == 0 && k.r.deadline.Before(d) {
		k.r.deadline = d
	}
	return keepRange(ctx, tx, k.r, k.r.hold.reason)
}

// belowCaps leaves as many as the caps let go, and counts them. A message that came
// back from the carrier was counted when it went first. One that has more parts than
// a cap goes alone.
func (k *rule) belowCaps(ctx context.Context, tx *db.Tx, going []candidate) ([]candidate, error) {
	zone, err := window.Zone(k.Zone)
	if err != nil {
		return nil, err
	}
	periods := k.periods(zone)
	used := make([]int, len(periods))
	for i, p := range periods {
		if used[i], err = sentIn(ctx, tx, k.r.account, p, k.now); err != nil {
			return nil, err
		}
	}
	parts := 0
	full := slices.IndexFunc(going, func(c candidate) bool {
		if c.counted {
			return false
		}
		for i, p := range periods {
			if has := used[i] + parts; k.r.lane != Urgent && p.limit > 0 && has > 0 && has+c.parts > p.limit {
				k.r.hold = hold{heldCap, latest(k.r.hold.until, p.next(k.now))}
			}
		}
		if k.r.hold.reason == heldCap {
			return true
		}
		parts += c.parts
		return false
	})
	if parts > 0 {
		if err := addSent(ctx, tx, k.r.account, parts); err != nil {
			return nil, err
		}
	}
	if full < 0 {
		return going, nil
	}
	// Clocks that leave out midnight would make it now.
	k.r.hold.until = latest(k.r.hold.until, k.now.Add(time.Minute))
	return going[:full], k.keep(ctx, tx, k.r.hold.until)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
