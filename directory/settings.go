package directory

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Settings are what an administrator decides about a connection.
type Settings struct {
	Scope Scope `json:"scope"`
	// PhoneFallbackOnInvalid takes a business number when the mobile one cannot
	// be texted. Otherwise a wrong mobile number is shown as wrong.
	PhoneFallbackOnInvalid bool `json:"phone_fallback_on_invalid,omitempty"`
}

// Scope says which of a directory's people belong in the address book.
type Scope struct {
	Guests       bool `json:"guests,omitempty"`        // take them in
	Blocked      bool `json:"blocked,omitempty"`       // take in who may not sign in
	NoMinors     bool `json:"no_minors,omitempty"`     // leave out who is marked as a minor
	LicensedOnly bool `json:"licensed_only,omitempty"` // leave out who has no licence
	// Groups, by object id: only who is in one of them, however deep. None is all.
	Groups []string `json:"groups,omitempty"`
	// Filter: only whose fields fulfil all of it.
	Filter []Condition `json:"filter,omitempty"`
}

// Condition is about one field of a person. Letter case does not count.
type Condition struct {
	Field  string   `json:"field"`
	Is     string   `json:"is"`
	Values []string `json:"values,omitempty"`
}

// What a condition may ask.
const (
	IsOneOf    = "one_of"
	IsNoneOf   = "none_of"
	StartsWith = "starts_with"
	Contains   = "contains"
	IsEmpty    = "empty"
	IsSet      = "set"
)

// FilterFields are those that a condition may be about.
var FilterFields = []string{
	"department", "jobTitle", "officeLocation", "companyName", "city", "state", "country", "usageLocation",
	"employeeType", "preferredLanguage", "mail",
}

// Why a person is not in the address book.
const (
	SkippedGuest      = "guest"
	SkippedBlocked    = "blocked"
	SkippedMinor      = "minor"
	SkippedUnlicensed = "unlicensed"
	SkippedFilter     = "filter"
	SkippedErased     = "erased" // somebody with this number was erased
	SkippedGroups     = "groups"
)

const (
	maxConditions  = 20
	maxValues      = 200
	maxScopeGroups = 500
)

func (s Settings) checked() (Settings, error) {
	if len(s.Scope.Groups) > maxScopeGroups {
		return s, problem.Invalid("groups", "at most %d groups can be chosen", maxScopeGroups)
	}
	if len(s.Scope.Filter) > maxConditions {
		return s, problem.Invalid("filter", "a filter has at most %d conditions", maxConditions)
	}
	s.Scope.Groups = tidied(s.Scope.Groups)
	filter := make([]Condition, len(s.Scope.Filter))
	for i, c := range s.Scope.Filter {
		var err error
		if filter[i], err = c.checked(); err != nil {
			return s, err
		}
	}
	s.Scope.Filter = filter
	return s, nil
}

func (c Condition) checked() (Condition, error) {
	c.Values = tidied(c.Values)
	switch {
	case !slices.Contains(FilterFields, c.Field):
		return c, problem.Invalid("filter", "%q is not a field to filter by; there are %s", c.Field, strings.Join(FilterFields, ", "))
	case c.Is == IsEmpty, c.Is == IsSet:
		c.Values = nil
	case !slices.Contains([]string{IsOneOf, IsNoneOf, StartsWith, Contains}, c.Is):
		return c, problem.Invalid("filter", "a condition is one of one_of, none_of, starts_with, contains, empty, set; not %q", c.Is)
	case len(c.Values) == 0:
		return c, problem.Invalid("filter", "the condition on %s has no value", c.Field)
	case len(c.Values) > maxValues:
		return c, problem.Invalid("filter", "a condition has at most %d values", maxValues)
	}
	return c, nil
}

// tidied drops blanks and repetitions; the order is no matter.
func tidied(list []string) []string {
	var kept []string
	for _, one := range list {
		if one = strings.TrimSpace(strings.ReplaceAll(one, "\x00", "")); one != "" {
			kept = append(kept, one)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// Fields are the properties that the scope reads.
func (s Scope) fields() []string {
	names := []string{"accountEnabled", "userType"}
	if s.NoMinors {
		names = append(names, "legalAgeGroupClassification")
	}
	if s.LicensedOnly {
		names = append(names, "assignedLicenses")
	}
	for _, c := range s.Filter {
		names = append(names, c.Field)
	}
	return names
}

// personFields are all that is selected of a person.
func (s Settings) personFields() []string {
	names := slices.Clone(PersonFields)
	for _, name := range s.Scope.fields() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// skips says why a person does not belong in the address book, as far as their
// own fields tell; "" when they do. Old objects have no userType: they are
// members.
func (s Scope) skips(f fields) string {
	switch {
	case !s.Blocked && string(f["accountEnabled"]) == "false":
		return SkippedBlocked
	case !s.Guests && strings.EqualFold(f.string("userType"), "Guest"):
		return SkippedGuest
	case s.NoMinors && strings.HasPrefix(strings.ToLower(f.string("legalAgeGroupClassification")), "minor"):
		return SkippedMinor
	case s.LicensedOnly && !f.holdsAny("assignedLicenses"):
		return SkippedUnlicensed
	case slices.ContainsFunc(s.Filter, func(c Condition) bool { return !c.holds(f.string(c.Field)) }):
		return SkippedFilter
	}
	return ""
}

func (c Condition) holds(value string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	any := func(is func(want string) bool) bool {
		return slices.ContainsFunc(c.Values, func(want string) bool { return is(strings.ToLower(want)) })
	}
	switch c.Is {
	case IsEmpty:
		return value == ""
	case IsSet:
		return value != ""
	case StartsWith:
		return any(func(want string) bool { return strings.HasPrefix(value, want) })
	case Contains:
		return any(func(want string) bool { return strings.Contains(value, want) })
	}
	one := any(func(want string) bool { return value == want })
	return one == (c.Is == IsOneOf)
}

// minimal keeps of people out of scope only what says that they are.
func (s Scope) minimal(f fields) fields {
	next := fields{}
	for _, name := range s.fields() {
		if value, ok := f[name]; ok {
			next[name] = value
		}
	}
	return next
}

func (s Settings) text() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is strings and booleans
	}
	return string(text)
}

// How often a connection may be synced without being asked.
const (
	defaultEvery  = 15 * time.Minute
	shortestEvery = 5 * time.Minute
	longestEvery  = 24 * time.Hour
)

func checkEvery(every time.Duration) error {
	if every < shortestEvery || every > longestEvery {
		return problem.Invalid("every", "a directory is synced every 5 minutes at the most often and every 24 hours at the least")
	}
	return nil
}
