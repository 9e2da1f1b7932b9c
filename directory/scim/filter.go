package scim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filter says which resources are meant, or which of an attribute's values.
type Filter struct {
	op          string // and, or, not, pr, or one of operators
	left, right *Filter
	path        Path
	value       any // string, bool or nil
}

// check refuses comparisons that have no meaning. A name that is not known has
// one: nothing has such an attribute.
func (f *Filter) check(k *Kind) error {
	for _, part := range []*Filter{f.left, f.right} {
		if part != nil {
			if err := part.check(k); err != nil {
				return err
			}
		}
	}
	if f.value == nil && slices.Contains(operators[2:], f.op) {
		return fmt.Errorf("%s does not compare with null", f.op)
	}
	_, a, ok := k.lookUp(f.path)
	if !ok {
		return nil
	}
	if f.path.where != nil {
		if !a.MultiValued {
			return fmt.Errorf("%s has one value", a.Name)
		}
		if err := f.path.where.check(inside(a)); err != nil {
			return err
		}
	}
	if leaf, _ := a.leaf(f.path.Sub); leaf.Type == flagType && !slices.Contains([]string{"eq", "ne", "pr"}, f.op) {
		return fmt.Errorf("%s is true or false, which %s does not compare", leaf.Name, f.op)
	}
	return nil
}

// inside makes an attribute's parts what a filter in brackets is about.
func inside(a Attribute) *Kind { return &Kind{Attributes: a.SubAttributes} }

// leaf is what is compared: the part that is named, else "value" (RFC 7643 2.4).
func (a Attribute) leaf(sub string) (leaf Attribute, ok bool) {
	if a.Type != objectType {
		return a, sub == ""
	}
	if sub == "" {
		sub = "value"
	}
	return a.sub(sub)
}

// Match says whether the filter means the resource.
func (f *Filter) Match(r Resource) bool { return f.match(r.Kind, r.whole()) }

func (f *Filter) match(k *Kind, doc map[string]any) bool {
	switch f.op {
	case "and":
		return f.left.match(k, doc) && f.right.match(k, doc)
	case "or":
		return f.left.match(k, doc) || f.right.match(k, doc)
	case "not":
		return !f.left.match(k, doc)
	case "ne":
		return !f.any(k, doc, "eq")
	}
	return f.any(k, doc, f.op)
}

// any says whether one of the values that the path names compares so.
func (f *Filter) any(k *Kind, doc map[string]any, op string) bool {
	urn, a, ok := k.lookUp(f.path)
	if !ok {
		return op == "eq" && f.value == nil
	}
	if urn != "" {
		doc, _ = doc[urn].(map[string]any)
	}
	values := chosen(a, doc[a.Name], f.path.where)
	if op == "pr" && f.path.Sub == "" {
		return len(values) > 0
	}
	leaf, ok := a.leaf(f.path.Sub)
	var leaves []any
	for _, v := range values {
		if parts, is := v.(map[string]any); is {
			v = parts[leaf.Name]
		}
		if ok && v != nil {
			leaves = append(leaves, v)
		}
	}
	if op == "pr" || f.value == nil {
		return (op == "pr") == (len(leaves) > 0)
	}
	return slices.ContainsFunc(leaves, func(v any) bool { return compare(leaf, v, op, f.value) })
}

// chosen are the values of an attribute, or those that where means.
func chosen(a Attribute, v any, where *Filter) []any {
	if v == nil {
		return nil
	}
	all, several := v.([]any)
	if !several {
		all = []any{v}
	}
	if where == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one any) bool { return !where.means(a, one) })
}

// means says whether a filter in brackets means a value of the attribute.
func (f *Filter) means(a Attribute, v any) bool {
	parts, ok := v.(map[string]any)
	return ok && f.match(inside(a), parts)
}

func compare(a Attribute, have any, op string, want any) bool {
	if is, ok := have.(bool); ok {
		said, err := readFlag(want)
		return err == nil && op == "eq" && is == said
	}
	left, right := fmt.Sprint(have), fmt.Sprint(want)
	switch {
	case a.Type == timeType:
		return compareTimes(left, op, right)
	case !a.CaseExact:
		left, right = Fold(left), Fold(right)
	}
	switch op {
	case "co":
		return strings.Contains(left, right)
	case "sw":
		return strings.HasPrefix(left, right)
	case "ew":
		return strings.HasSuffix(left, right)
	}
	return ordered(strings.Compare(left, right), op)
}

func compareTimes(left, op, right string) bool {
	have, err := time.Parse(time.RFC3339, left)
	want, bad := time.Parse(time.RFC3339, right)
	return err == nil && bad == nil && ordered(have.Compare(want), op)
}

func ordered(c int, op string) bool {
	switch op {
	case "eq":
		return c == 0
	case "gt":
		return c > 0
	case "ge":
		return c >= 0
	case "lt":
		return c < 0
	case "le":
		return c <= 0
	}
	return false
}

// Fold makes strings equal that differ in case alone.
func Fold(s string) string { return strings.ToLower(s) }

// Names of the keys that resources are found by.
const (
	ByID         = "id"
	ByName       = "name" // a user's userName, a group's displayName
	ByExternalID = "externalId"
	ByDisplay    = "displayName" // a user's
	ByEmail      = "emails"
	ByMember     = "members"
)

// Key is a value that resources can be looked up by.
type Key struct {
	By, Value string
}

// Key answers a key that all resources have which the filter means. They may
// have it and not be meant.
func (f *Filter) Key(k *Kind) (Key, bool) {
	switch f.op {
	case "and":
		if key, ok := f.left.Key(k); ok {
			return key, true
		}
		return f.right.Key(k)
	case "eq":
		value, isText := f.value.(string)
		urn, a, ok := k.lookUp(f.path)
		if leaf, part := a.leaf(f.path.Sub); !isText || !ok || urn != "" || !part || a.Type == objectType && leaf.Name != "value" {
			return Key{}, false
		}
		if by := keyOf(k, a); by != "" {
			return Key{by, value}, true
		}
	}
	return Key{}, false
}

func keyOf(k *Kind, a Attribute) string {
	switch {
	case a.Uniqueness == uniqueServer:
		return ByName
	case slices.Contains([]string{ByID, ByExternalID, ByMember}, a.Name), k == User && (a.Name == ByDisplay || a.Name == ByEmail):
		return a.Name
	}
	return ""
}

// Keys are those that the document is found by, besides its id and its members.
func (k *Kind) Keys(doc Document) (keys []Key) {
	for _, a := range append(slices.Clone(k.common), k.Attributes...) {
		by := keyOf(k, a)
		if by == "" || by == ByID || by == ByMember {
			continue
		}
		for _, v := range chosen(a, doc[a.Name], nil) {
			if parts, ok := v.(map[string]any); ok {
				v = parts["value"]
			}
			if s, ok := v.(string); ok && s != "" {
				keys = append(keys, Key{by, s})
			}
		}
	}
	return keys
}

// Reads says whether the filter looks at an attribute that has that name.
func (f *Filter) Reads(name string) bool {
	if f == nil {
		return false
	}
	return strings.EqualFold(f.path.Attribute, name) || f.left.Reads(name) || f.right.Reads(name)
}
