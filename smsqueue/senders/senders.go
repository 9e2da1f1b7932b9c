// Package senders knows which senders the countries take, as far as it is public:
// in which a name cannot be the sender at all, and in which it has to be registered
// first. Of a country that is not listed nothing is known: it gets any sender that is
// written as one can be, and the carrier says what becomes of it. So it is with the
// United Kingdom, Ireland and Singapore until somebody has verified what they ask.
package senders

import (
	"cmp"
	"slices"
	"time"
)

// Demand is what a country asks of a sender that is a name.
type Demand string

const (
	None       Demand = ""
	Number     Demand = "number"     // only numbers and short codes
	Registered Demand = "registered" // a name is registered there before it is used
)

// Rule is a country's demand.
type Rule struct {
	Country string // ISO 3166-1 alpha-2
	Demand  Demand
	Since   time.Time // it is in force from that day on; zero: it always was
	Source  string    // who says so
	Checked time.Time // when that was read
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// rules are by country. Those that ask for registration deliver nothing from a name
// that is not, or replace it.
var rules = []Rule{
	{"AU", Registered, time.Time{}, "pushtech, list of countries (help.pushtech.com, article 15407493751954); MessageBird's", day(2026, time.November, 22)},
	{"CA", Number, time.Time{}, "AWS End User Messaging, Sender IDs (docs.aws.amazon.com); Telnyx, Alphanumeric Sender IDs", day(2026, time.November, 22)},
	{"ES", Registered, day(2026, time.September, 15), "CM.com, sender registration in Spain, which moved its enforcement to that day", day(2026, time.November, 20)},
	{"US", Number, time.Time{}, "AWS End User Messaging, Sender IDs (docs.aws.amazon.com); Telnyx, Alphanumeric Sender IDs", day(2026, time.November, 22)},
}

// Rules are all that are known, by country.
func Rules() []Rule { return slices.Clone(rules) }

// Of is what a country asks of a sender on a day. Numbers and short codes are never
// asked for anything here: whether one is the sender's own the carrier knows.
func Of(country, sender string, now time.Time) Demand {
	if !isName(sender) {
		return None
	}
	i, listed := slices.BinarySearchFunc(rules, country, func(r Rule, c string) int { return cmp.Compare(r.Country, c) })
	if !listed || now.Before(rules[i].Since) {
		return None
	}
	return rules[i].Demand
}

func isName(sender string) bool {
	return slices.ContainsFunc([]byte(sender), func(c byte) bool { return (c < '0' || c > '9') && c != '+' })
}
