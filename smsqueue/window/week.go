// Package window says when texts may reach people: the hours of a week, in the
// zones where they are, across changes to and from daylight saving time.
package window

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Span is a time of the day, in minutes from midnight by the clock on the wall:
// From is in it, To is not.
type Span struct{ From, To int }

// midnight ends a day, in minutes.
const midnight = 24 * 60

// Week is the spans of each day, in their order, from Sunday as time.Weekday
// counts. The zero value has none.
type Week [7][]Span

// days in the order in which people write them.
var days = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

func weekday(place int) time.Weekday { return time.Weekday((place + 1) % 7) }

var spanPattern = regexp.MustCompile(`^([A-Za-z]{3})(?:-([A-Za-z]{3}))? (\d{2}):(\d{2})-(\d{2}):(\d{2})$`)

// Parse reads 'Mon-Fri 08:00-20:00, Sat 10:00-16:00'. A day may have several
// spans; what goes over midnight is written as two. The empty text has none.
func Parse(text string) (w Week, err error) {
	if strings.TrimSpace(text) == "" {
		return w, nil
	}
	for _, part := range strings.Split(text, ",") {
		if err := w.add(strings.Join(strings.Fields(part), " ")); err != nil {
			return Week{}, err
		}
	}
	for d := range w {
		w[d] = merged(w[d])
	}
	return w, nil
}

func (w *Week) add(part string) error {
	found := spanPattern.FindStringSubmatch(part)
	if found == nil {
		return problem.Invalid("windows", "write the hours as in 'Mon-Fri 08:00-20:00, Sat 10:00-16:00', not %q", part)
	}
	first, last := dayOf(found[1]), dayOf(found[1])
	if found[2] != "" {
		last = dayOf(found[2])
	}
	if first < 0 || last < 0 {
		return problem.Invalid("windows", "in %q a day is none of %s", part, strings.Join(days, ", "))
	}
	s := Span{minute(found[3], found[4]), minute(found[5], found[6])}
	if s.From < 0 || s.To < 0 || s.From >= s.To {
		return problem.Invalid("windows", "in %q the hours do not follow each other within one day, 00:00 to 24:00", part)
	}
	for d := first; ; d = (d + 1) % 7 {
		w[weekday(d)] = append(w[weekday(d)], s)
		if d == last {
			return nil
		}
	}
}

func dayOf(name string) int {
	return slices.IndexFunc(days, func(d string) bool { return strings.EqualFold(d, name) })
}

// minute is -1 for no time of a day.
func minute(hours, minutes string) int {
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	if m > 59 || h*60+m > midnight {
		return -1
	}
	return h*60 + m
}

// merged is spans in their order, those that touch as one.
func merged(spans []Span) (all []Span) {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	for _, s := range spans {
		if n := len(all); n > 0 && s.From <= all[n-1].To {
			all[n-1].To = max(all[n-1].To, s.To)
			continue
		}
		all = append(all, s)
	}
	return all
}

// Empty says that no span is in it.
func (w Week) Empty() bool {
	for _, spans := range w {
		if len(spans) > 0 {
			return false
		}
	}
	return true
}

// And is the time that is in both.
func (w Week) And(other Week) (both Week) {
	for d := range w {
		for _, a := range w[d] {
			for _, b := range other[d] {
				if s := (Span{max(a.From, b.From), min(a.To, b.To)}); s.From < s.To {
					both[d] = append(both[d], s)
				}
			}
		}
	}
	return both
}

// String writes it as Parse reads it, days with the same spans together.
func (w Week) String() string {
	var parts []string
	for d := 0; d < 7; {
		last := d
		for last < 6 && slices.Equal(w[weekday(last+1)], w[weekday(d)]) {
			last++
		}
		name := days[d]
		if last > d {
			name += "-" + days[last]
		}
		for _, s := range w[weekday(d)] {
			parts = append(parts, fmt.Sprintf("%s %02d:%02d-%02d:%02d", name, s.From/60, s.From%60, s.To/60, s.To%60))
		}
		d = last + 1
	}
	return strings.Join(parts, ", ")
}

// has says whether the clock on a wall that shows t is within the week's spans.
func (w Week) has(t time.Time) bool {
	now := t.Hour()*60 + t.Minute()
	for _, s := range w[t.Weekday()] {
		if s.From <= now && now < s.To {
			return true
		}
	}
	return false
}
