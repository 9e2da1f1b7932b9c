// Package conditions is what a filter asks of people in a directory.
package conditions

import (
	"slices"
	"strings"

	"github.com/varsel/varsel/internal/problem"
)

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

// Fields are those that a condition may be about.
var Fields = []string{
	"department", "jobTitle", "officeLocation", "companyName", "city", "state", "country", "usageLocation",
	"employeeType", "preferredLanguage", "mail",
}

const (
	maxConditions = 20
	maxValues     = 200
)

// Checked are the conditions of a filter, tidied, or the problem "invalid_filter".
func Checked(filter []Condition) ([]Condition, error) {
	if len(filter) > maxConditions {
		return nil, problem.Invalid("filter", "a filter has at most %d conditions", maxConditions)
	}
	all := make([]Condition, len(filter))
	for i, c := range filter {
		var err error
		if all[i], err = c.checked(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c Condition) checked() (Condition, error) {
	c.Values = Tidied(c.Values)
	switch {
	case !slices.Contains(Fields, c.Field):
		return c, problem.Invalid("filter", "%q is not a field to filter by; there are %s", c.Field, strings.Join(Fields, ", "))
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

// Tidied drops blanks and repetitions; the order is no matter.
func Tidied(list []string) []string {
	var kept []string
	for _, one := range list {
		if one = strings.TrimSpace(strings.ReplaceAll(one, "\x00", "")); one != "" {
			kept = append(kept, one)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// Hold says whether somebody fulfils all of a filter. value is what their fields say.
func Hold(filter []Condition, value func(field string) string) bool {
	return !slices.ContainsFunc(filter, func(c Condition) bool { return !c.holds(value(c.Field)) })
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
