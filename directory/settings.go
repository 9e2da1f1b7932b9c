package directory

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/conditions"
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

// Condition is about one field of a person.
type Condition = conditions.Condition

// What a condition may ask.
const (
	IsOneOf    = conditions.IsOneOf
	IsNoneOf   = conditions.IsNoneOf
	StartsWith = conditions.StartsWith
	Contains   = conditions.Contains
	IsEmpty    = conditions.IsEmpty
	IsSet      = conditions.IsSet
)

// FilterFields are those that a condition may be about.
var FilterFields = conditions.Fields

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

const maxScopeGroups = 500

func (s Settings) checked() (_ Settings, err error) {
	if len(s.Scope.Groups) > maxScopeGroups {
		return s, problem.Invalid("groups", "at most %d groups can be chosen", maxScopeGroups)
	}
	s.Scope.Groups = conditions.Tidied(s.Scope.Groups)
	s.Scope.Filter, err = conditions.Checked(s.Scope.Filter)
	return s, err
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
	case !conditions.Hold(s.Filter, f.string):
		return SkippedFilter
	}
	return ""
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
