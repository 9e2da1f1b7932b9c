package window

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/internal/problem"
)

// Zone is the zone with a name of the IANA time zone database, such as
// Europe/Oslo; the empty name is UTC.
func Zone(name string) (*time.Location, error) {
	// Local would be that of the machine.
	if zone := load(name); zone != nil && name != "Local" {
		return zone, nil
	}
	return nil, problem.Invalid("zone", "%q is no time zone such as Europe/Oslo", name)
}

var loaded sync.Map // of *time.Location by name; what is no zone is not kept

func load(name string) *time.Location {
	if zone, known := loaded.Load(name); known {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	loaded.Store(name, zone)
	return zone
}

// OfNumber is the zones in which a number in E.164 may be, none when its number
// does not tell.
func OfNumber(phone string) (zones []*time.Location) {
	names, err := phonenumbers.GetTimezonesForPrefix(phone)
	if err != nil {
		return nil
	}
	for _, name := range names {
		if zone := load(name); zone != nil && name != phonenumbers.UNKNOWN_TIMEZONE {
			zones = append(zones, zone)
		}
	}
	return zones
}

// OfRegion is the zone in which a country's (ISO 3166 alpha-2) mobile numbers begin:
// a first guess. It is UTC where they do not tell.
func OfRegion(region string) *time.Location {
	example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
	if example == nil {
		return time.UTC
	}
	if zones := OfNumber(phonenumbers.Format(example, phonenumbers.E164)); len(zones) == 1 {
		return zones[0]
	}
	return time.UTC
}

// Note is what the clocks did to a local time.
type Note string

const (
	Plain   Note = ""        // nothing
	Skipped Note = "skipped" // it does not exist, and is moved forward as far as the clocks are
	Twice   Note = "twice"   // it comes twice, and the first is meant
)

// localLayouts are how a local time may be written.
var localLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}

// Local is the moment when the clocks of a zone show a time such as
// 2027-03-28T09:00. When they are set forward over it, it is moved as far (02:30
// becomes 03:30); when they show it twice, it is the first.
func Local(text string, zone *time.Location) (time.Time, Note, error) {
	var wall time.Time
	var err error
	for _, layout := range localLayouts {
		if wall, err = time.Parse(layout, strings.TrimSpace(text)); err == nil {
			break
		}
	}
	if err != nil {
		return time.Time{}, Plain, problem.Invalid("start_at", "write the time as 2027-03-28T09:00, not %q", text)
	}
	// The offsets before and after whatever is done to the clocks that day.
	early, late := offset(wall.Add(-24*time.Hour), zone), offset(wall.Add(24*time.Hour), zone)
	before, after := wall.Add(-early), wall.Add(-late)
	shows := func(t time.Time) bool { return offset(t, zone) == wall.Sub(t) }
	switch {
	case shows(before) && shows(after) && !before.Equal(after):
		return before.In(zone), Twice, nil
	case shows(before):
		return before.In(zone), Plain, nil
	case shows(after):
		return after.In(zone), Plain, nil
	}
	return before.In(zone), Skipped, nil
}

// offset is how far a zone's clocks are ahead of UTC.
func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}
