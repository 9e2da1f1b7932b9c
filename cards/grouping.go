package cards

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/internal/conditions"
	"github.com/varsel/varsel/internal/problem"
)

// Grouping is how the people of a directory are put into groups of cards.
type Grouping struct {
	Tenant   string
	Method   Method
	Fields   []string // of ByFields, in the order in which they make the group's name
	Filters  []Filter // of ByFilters; who fits several is in the first
	Minors   bool     // who is marked as a minor has a card too
	Template int64    // the design of a group that comes into being: the last one that
	Version  int64    // was applied to all, as it was then; 0 for none
	Saved    time.Time
}

// Method is the way in which people are grouped. Another one begins anew: see Regroups.
type Method string

// The methods.
const (
	InOne     Method = "all"     // everybody is in one group
	ByFields  Method = "fields"  // a group for each combination of what the fields say
	ByFilters Method = "filters" // a group for each filter; who fits none has no card
)

// Filter is a group of ByFilters. One without conditions takes everybody who is left.
type Filter struct {
	ID         string                 `json:"id"` // given by us; what is sent with it is this group's
	Name       string                 `json:"name"`
	Conditions []conditions.Condition `json:"conditions"`
}

// GroupingFields are the properties of people that can make groups.
var GroupingFields = conditions.Fields

const (
	maxGroupingFields = 3
	maxFilters        = 50
	longestName       = 100 // characters of a filter's
)

// AgeGroup is the property that marks minors: minorWithOutParentalConsent and the like.
const AgeGroup = "legalAgeGroupClassification"

// checked is the grouping with what its method does not use left out. Fresh filters
// have no id yet.
func (g Grouping) checked() (_ Grouping, err error) {
	switch g.Method {
	case InOne:
		g.Fields, g.Filters = nil, nil
	case ByFields:
		g.Filters = nil
		err = checkFields(g.Fields)
	case ByFilters:
		g.Fields = nil
		g.Filters, err = checkedFilters(g.Filters)
	default:
		err = problem.Invalid("method", "cards are grouped by all, fields or filters; not %q", g.Method)
	}
	return g, err
}

func checkFields(fields []string) error {
	if len(fields) == 0 || len(fields) > maxGroupingFields {
		return problem.Invalid("fields", "cards are grouped by one to %d fields", maxGroupingFields)
	}
	for i, f := range fields {
		if !slices.Contains(GroupingFields, f) {
			return problem.Invalid("fields", "%q is not a field to group by; there are %s", f, strings.Join(GroupingFields, ", "))
		}
		if slices.Contains(fields[:i], f) {
			return problem.Invalid("fields", "the field %s is there twice", f)
		}
	}
	return nil
}

func checkedFilters(filters []Filter) ([]Filter, error) {
	if len(filters) == 0 || len(filters) > maxFilters {
		return nil, problem.Invalid("filters", "cards are grouped by one to %d filters", maxFilters)
	}
	all := make([]Filter, len(filters))
	names, ids := map[string]bool{}, map[string]bool{}
	for i, f := range filters {
		f.Name = tidied(f.Name)
		switch {
		case f.Name == "" || utf8.RuneCountInString(f.Name) > longestName:
			return nil, problem.Invalid("filters", "a filter's name has 1 to %d characters", longestName)
		case names[strings.ToLower(f.Name)]:
			return nil, problem.Invalid("filters", "two filters are called %q", f.Name)
		case f.ID != "" && ids[f.ID]:
			return nil, problem.Invalid("filters", "two filters have the id %q", f.ID)
		}
		names[strings.ToLower(f.Name)], ids[f.ID] = true, true
		var err error
		if f.Conditions, err = conditions.Checked(f.Conditions); err != nil {
			return nil, err
		}
		all[i] = f
	}
	return all, nil
}

// numbered gives the filters that have no id one of the ids from first on. An id that
// the grouping before does not know is no filter's.
func (g Grouping) numbered(before Grouping, first int64) (Grouping, error) {
	g.Filters = slices.Clone(g.Filters)
	for i, f := range g.Filters {
		if f.ID == "" {
			g.Filters[i].ID = fmt.Sprint(first + int64(i))
		} else if !slices.ContainsFunc(before.Filters, func(b Filter) bool { return b.ID == f.ID }) {
			return g, problem.Invalid("filters", "there is no filter with the id %q", f.ID)
		}
	}
	return g, nil
}

// properties are those of people that the grouping reads.
func (g Grouping) properties() []string {
	names := slices.Clone(g.Fields)
	for _, f := range g.Filters {
		for _, c := range f.Conditions {
			names = append(names, c.Field)
		}
	}
	if !g.Minors {
		names = append(names, AgeGroup)
	}
	return names
}

// place is what makes a group this one, and its name. The name of everybody's group,
// and of that of people whose fields say nothing, is empty: it is said in the reader's
// language.
type place struct{ key, name string }

// of is somebody's place; false when they fit no filter.
func (g Grouping) of(h Person) (place, bool) {
	switch g.Method {
	case ByFields:
		return g.byFields(h), true
	case ByFilters:
		for _, f := range g.Filters {
			if conditions.Hold(f.Conditions, func(field string) string { return h.Values[field] }) {
				return f.place(), true
			}
		}
		return place{}, false
	}
	return place{}, true
}

func (f Filter) place() place { return place{"filter " + f.ID, f.Name} }

// byFields leaves out fields that say nothing. As letter case and spaces are slips,
// they make no other group.
func (g Grouping) byFields(h Person) place {
	said, names := [][2]string{}, []string{}
	for _, field := range g.Fields {
		if value := tidied(h.Values[field]); value != "" {
			said, names = append(said, [2]string{field, strings.ToLower(value)}), append(names, value)
		}
	}
	return place{toJSON(said), strings.Join(names, " | ")}
}

// lasting are the places that are there whether or not anybody is in them.
func (g Grouping) lasting() (all []place) {
	switch g.Method {
	case InOne:
		return []place{{}}
	case ByFilters:
		for _, f := range g.Filters {
			all = append(all, f.place())
		}
	}
	return all
}

// toJSON writes strings and numbers, which cannot fail.
func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
