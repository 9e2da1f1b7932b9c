package window_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/window"
)

func must(t interface {
	Helper()
	Fatal(args ...any)
}, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func week(t *testing.T, text string) window.Week {
	t.Helper()
	w, err := window.Parse(text)
	must(t, err)
	return w
}

func TestAWeekIsReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "",
		"Mon-Fri 08:00-20:00, Sat 10:00-16:00":  "Mon-Fri 08:00-20:00, Sat 10:00-16:00",
		"sat-sun  00:00-24:00":                  "Sat-Sun 00:00-24:00",
		"Fri-Mon 09:00-10:00":                   "Mon 09:00-10:00, Fri-Sun 09:00-10:00",
		"Mon 08:00-12:00,Mon 11:00-17:30":       "Mon 08:00-17:30",
		"Mon 13:00-17:00, Mon-Tue 08:00-12:00":  "Mon 08:00-12:00, Mon 13:00-17:00, Tue 08:00-12:00",
		"Mon-Sun 08:00-20:00, Wed 20:00-21:00 ": "Mon-Tue 08:00-20:00, Wed 08:00-21:00, Thu-Sun 08:00-20:00",
	} {
		if diff := cmp.Diff(want, week(t, text).String()); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, wrong := range []string{"Mon", "08:00-20:00", "Mon 8:00-20:00", "Mon 20:00-08:00", "Mon 08:00-08:00", "Mon 08:00-24:01", "Mon 08:60-09:00", "Man 08:00-09:00", "Mon 08:00-09:00,"} {
		if _, err := window.Parse(wrong); !problem.Has(err, "invalid_windows") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestWhatIsInBothWeeks(t *testing.T) {
	both := week(t, "Mon-Fri 08:00-20:00").And(week(t, "Fri-Sat 18:00-22:00, Mon 06:00-09:00"))
	if diff := cmp.Diff("Mon 08:00-09:00, Fri 18:00-20:00", both.String()); diff != "" {
		t.Error(diff)
	}
	if !week(t, "Mon 08:00-09:00").And(week(t, "Tue 08:00-09:00")).Empty() {
		t.Error("days that differ have something in common")
	}
}

// zones is forty of all continents, with changes to daylight saving time on both
// halves of the earth, of half an hour too, and offsets of quarters of an hour.
var zones = []string{
	"Europe/Oslo", "Europe/Warsaw", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Athens", "Europe/Moscow", "Atlantic/Azores",
	"Atlantic/Reykjavik", "Africa/Casablanca", "Africa/Cairo", "Africa/Lagos", "Africa/Nairobi", "Africa/Johannesburg",
	"Asia/Jerusalem", "Asia/Beirut", "Asia/Tehran", "Asia/Dubai", "Asia/Kabul", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu",
	"Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Asia/Gaza",
	"Australia/Adelaide", "Australia/Sydney", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia",
	"Pacific/Kiritimati", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/New_York", "America/St_Johns",
	"America/Havana", "America/Santiago", "America/Sao_Paulo", "America/Nuuk", "Antarctica/Troll",
}

func zone(t interface {
	Helper()
	Fatal(args ...any)
}, name string) *time.Location {
	t.Helper()
	z, err := window.Zone(name)
	must(t, err)
	return z
}

// A clock goes through a year in every zone. Whatever is let go is inside its
// window by the clock on the wall, and whatever is kept is let go at the first
// minute of a window, which is found by looking at every minute. // U19
func TestNothingLeavesOutsideItsWindowForAYear(t *testing.T) {
	weeks := []window.Week{
		week(t, "Mon-Fri 08:00-20:00, Sat 10:00-16:00"),
		week(t, "Sun 02:15-02:45"), // within the hour that is left out, or comes twice, in many zones
		week(t, "Mon-Sun 00:00-00:30, Sat-Sun 23:30-24:00"),
	}
	from := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range zones {
		z := []*time.Location{zone(t, name)}
		for n, w := range weeks {
			y := year{w, z, from, from.AddDate(1, 0, 0)}
			t.Run(fmt.Sprintf("%s, week %d", name, n), y.check)
		}
	}
}

type year struct {
	week     window.Week
	zone     []*time.Location
	from, to time.Time
}

// check goes backwards: the next opening of a minute is itself or that of the next
// one. It asks at every minute at which something changes, and now and then.
func (y year) check(t *testing.T) {
	next, known := time.Time{}, false
	was := false
	for at := y.to; !at.Before(y.from); at = at.Add(-time.Minute) {
		is := inside(y.week, at.In(y.zone[0]))
		if is {
			next, known = at, true
		}
		asked := known && (is != was || at.Unix()/60%1447 == 0)
		if was = is; !asked || next.Sub(at) > 7*24*time.Hour {
			continue
		}
		got, found := y.week.Next(at, y.zone)
		if !found || !got.Equal(next) {
			t.Fatalf("at %s comes %s (%v), not %s", at.In(y.zone[0]), got.In(y.zone[0]), found, next.In(y.zone[0]))
		}
		if y.week.Open(at, y.zone) != is {
			t.Fatalf("at %s it is open: %v", at.In(y.zone[0]), !is)
		}
	}
}

// inside reads the clock on the wall as people do.
func inside(w window.Week, local time.Time) bool {
	h, m, _ := local.Clock()
	for _, s := range w[local.Weekday()] {
		if h*60+m >= s.From && h*60+m < s.To {
			return true
		}
	}
	return false
}

// Inside all zones of a number: it may be in any of them.
func TestSeveralZonesAreOpenTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, err := window.Parse("Mon-Fri 08:00-20:00, Sat-Sun 10:00-18:00")
		must(t, err)
		var all []*time.Location
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(zones), 1, 4).Draw(t, "zones") {
			all = append(all, zone(t, name))
		}
		at := time.Date(2027, 1, 1, 0, rapid.IntRange(0, 365*24*60).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
		got, found := w.Next(at, all)
		if found != w.Open(got, all) || found && got.Before(at) {
			t.Fatalf("at %s in %v comes %s, %v", at, all, got, found)
		}
		for m := at.Truncate(time.Minute).Add(time.Minute); m.Before(got); m = m.Add(time.Minute) {
			if w.Open(m, all) {
				t.Fatalf("at %s in %v comes %s, but %s is open", at, all, got, m)
			}
		}
	})
}

func TestZonesWithoutACommonTime(t *testing.T) {
	apart := []*time.Location{zone(t, "Pacific/Auckland"), zone(t, "Europe/London")}
	if at, found := week(t, "Mon-Sun 10:00-14:00").Next(time.Now(), apart); found {
		t.Errorf("found %s", at)
	}
}

func TestTheZonesOfANumber(t *testing.T) {
	names := func(zones []*time.Location) (all []string) {
		for _, z := range zones {
			all = append(all, z.String())
		}
		return all
	}
	if diff := cmp.Diff([]string{"Europe/Oslo"}, names(window.OfNumber("+4740100000"))); diff != "" {
		t.Error(diff)
	}
	if got := names(window.OfNumber("+18005550100")); len(got) < 2 {
		t.Errorf("a freephone number of North America is in %v", got)
	}
	if got := window.OfNumber("+88213000000"); got != nil {
		t.Errorf("a satellite's number is in %v", names(got))
	}
	for region, want := range map[string]string{"NO": "Europe/Oslo", "PL": "Europe/Warsaw", "": "UTC"} {
		if got := window.OfRegion(region).String(); got != want {
			t.Errorf("%s is in %s, not in %s", region, got, want)
		}
	}
	for _, wrong := range []string{"Oslo", "Local", "../etc/passwd"} {
		if _, err := window.Zone(wrong); !problem.Has(err, "invalid_zone") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// U20
func TestALocalTimeThatIsSkippedOrComesTwice(t *testing.T) {
	type moment struct {
		UTC  string
		Note window.Note
	}
	for text, want := range map[string]moment{
		"Europe/Oslo 2027-03-28T01:59":         {"2027-03-28T00:59:00Z", window.Plain},
		"Europe/Oslo 2027-03-28T02:30":         {"2027-03-28T01:30:00Z", window.Skipped}, // 03:30
		"Europe/Oslo 2027-03-28T03:00":         {"2027-03-28T01:00:00Z", window.Plain},
		"Europe/Oslo 2027-10-31T01:59:59":      {"2027-10-30T23:59:59Z", window.Plain},
		"Europe/Oslo 2027-10-31T02:30":         {"2027-10-31T00:30:00Z", window.Twice},
		"Europe/Oslo 2027-10-31T03:00":         {"2027-10-31T02:00:00Z", window.Plain},
		"Australia/Lord_Howe 2027-10-03T02:10": {"2027-10-02T15:40:00Z", window.Skipped}, // 02:40, half an hour
		"America/New_York 2027-07-04T12:00":    {"2027-07-04T16:00:00Z", window.Plain},
	} {
		name, local, _ := strings.Cut(text, " ")
		at, note, err := window.Local(local, zone(t, name))
		must(t, err)
		if diff := cmp.Diff(want, moment{at.UTC().Format(time.RFC3339), note}); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if _, _, err := window.Local("tomorrow", time.UTC); !problem.Has(err, "invalid_start_at") {
		t.Error(err)
	}
}
