package window

import "time"

const (
	// furthest is how far ahead an opening is looked for: two weeks and a day, as a
	// change of the clocks may leave out the only one of a week.
	furthest = 15 * 24 * time.Hour
	// shift is more than clocks are set forward or back.
	shift = 3 * time.Hour
)

// Open says whether t is within the week's spans in every one of the zones.
func (w Week) Open(t time.Time, zones []*time.Location) bool {
	for _, z := range zones {
		if !w.has(t.In(z)) {
			return false
		}
	}
	return true
}

// Next is the first full minute from t on, or t itself, that is within the week's
// spans in every one of the zones. It says false when there is none within 15 days:
// the zones lie too far apart for the spans.
func (w Week) Next(t time.Time, zones []*time.Location) (opening time.Time, found bool) {
	for end := t.Add(furthest); !t.After(end); {
		wait := w.waits(t, zones)
		if wait == 0 {
			return t, true
		}
		t = t.Add(wait).Truncate(time.Minute)
	}
	return time.Time{}, false
}

// waits is how long all zones are not open together for certain; 0 is that they are.
func (w Week) waits(t time.Time, zones []*time.Location) (wait time.Duration) {
	for _, z := range zones {
		local := t.In(z)
		if !w.has(local) {
			wait = max(wait, time.Minute, w.sure(local))
		}
	}
	return wait
}

// sure is how long the clocks will not show a time within a span, whatever is done
// to them: one that has just ended may come again.
func (w Week) sure(local time.Time) time.Duration {
	if w.sinceSpan(local) < shift {
		return 0
	}
	return w.untilSpan(local) - shift
}

// sinceSpan is what a clock that is never set has counted since the last span.
func (w Week) sinceSpan(local time.Time) time.Duration {
	now := local.Hour()*60 + local.Minute()
	for days := range 8 {
		spans := w[(int(local.Weekday())+7-days%7)%7]
		for i := len(spans) - 1; i >= 0; i-- {
			if minutes := days*midnight + now - spans[i].To; minutes >= 0 {
				return time.Duration(minutes) * time.Minute
			}
		}
	}
	return furthest
}

// untilSpan is what a clock that is never set would count until the next span.
func (w Week) untilSpan(local time.Time) time.Duration {
	now := local.Hour()*60 + local.Minute()
	for days := range 8 {
		for _, s := range w[(int(local.Weekday())+days)%7] {
			if minutes := days*midnight + s.From - now; minutes > 0 {
				return time.Duration(minutes) * time.Minute
			}
		}
	}
	return furthest
}
