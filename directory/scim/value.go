package scim

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// read makes of what was sent the attribute's value: names as in the schema,
// flags that were sent as "True" as flags, without what is not in the schema and
// what is not there. nil is no value (RFC 7643 2.5).
func (a Attribute) read(v any) (any, error) {
	if !a.MultiValued {
		return a.readOne(only(v))
	}
	sent, several := v.([]any)
	if !several {
		sent = []any{v}
	}
	if err := a.checkCount(len(sent)); err != nil {
		return nil, err
	}
	var all []any
	for _, one := range sent {
		got, err := a.readOne(one)
		if err != nil {
			return nil, err
		}
		if got != nil {
			all = append(all, got)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// only takes a single value out of the list that some clients wrap it in.
func only(v any) any {
	if all, ok := v.([]any); ok {
		switch len(all) {
		case 0:
			return nil
		case 1:
			return all[0]
		}
	}
	return v
}

func (a Attribute) readOne(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if a.Type == objectType {
		return a.readObject(v)
	}
	if parts, ok := v.(map[string]any); ok && parts["value"] != nil {
		v = parts["value"] // [{"value": "x"}], as Entra once sent a single value
	}
	if a.Type == flagType {
		is, err := readFlag(v)
		if err != nil {
			return nil, refuse(InvalidValue, "%s is true or false", a.Name)
		}
		return is, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, refuse(InvalidValue, "%s is a string", a.Name)
	}
	return strings.ReplaceAll(s, "\x00", ""), nil
}

// readFlag takes "True" and "False" too, as Entra sends them.
func readFlag(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		switch Fold(v) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, refuse(InvalidValue, "this is neither true nor false")
}

func (a Attribute) readObject(v any) (any, error) {
	if s, ok := v.(string); ok {
		if _, has := a.sub("value"); !has {
			return nil, refuse(InvalidValue, "%s is an object", a.Name)
		}
		if s == "" {
			return nil, nil
		}
		v = map[string]any{"value": s}
	}
	sent, ok := v.(map[string]any)
	if !ok {
		return nil, refuse(InvalidValue, "%s is an object", a.Name)
	}
	parts := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		sub, known := a.sub(name)
		if !known || sub.Mutability == readOnly {
			continue
		}
		got, err := sub.read(sent[name])
		if err != nil {
			return nil, err
		}
		if got != nil {
			parts[sub.Name] = got
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return parts, nil
}

// mostValues is how many an attribute may have.
const mostValues = 100

func (a Attribute) checkCount(n int) error {
	if n > mostValues {
		return refuse(InvalidValue, "%s has %d values at the most", a.Name, mostValues)
	}
	return nil
}

// plus adds values that are not there yet, and answers where they are.
func plus(all, more []any) (next []any, touched []int) {
	for _, one := range more {
		if !slices.ContainsFunc(all, func(have any) bool { return reflect.DeepEqual(have, one) }) {
			touched = append(touched, len(all))
			all = append(all, one)
		}
	}
	return all, touched
}

// minus takes away the values that are named: those with the same value, and
// the same type when one is given.
func minus(all, these []any) []any {
	return slices.DeleteFunc(all, func(have any) bool {
		return slices.ContainsFunc(these, func(one any) bool { return covers(one, have) })
	})
}

func covers(one, have any) bool {
	want, ok := one.(map[string]any)
	is, object := have.(map[string]any)
	if !ok || !object || want["value"] == nil {
		return reflect.DeepEqual(one, have)
	}
	for _, name := range []string{"value", "type"} {
		if said, named := want[name].(string); named {
			if s, has := is[name].(string); !has || Fold(s) != Fold(said) {
				return false
			}
		}
	}
	return true
}

// onePrimary lets of the values that were touched one be the primary, and then
// no other (RFC 7644 3.5.2).
func onePrimary(all []any, touched []int) {
	first := slices.IndexFunc(touched, func(i int) bool { return isPrimary(all[i]) })
	if first < 0 {
		return
	}
	for i, one := range all {
		if i != touched[first] && isPrimary(one) {
			one.(map[string]any)["primary"] = false
		}
	}
}

func isPrimary(v any) bool {
	parts, ok := v.(map[string]any)
	return ok && parts["primary"] == true
}

// hollow says that nothing is left of a value but what kind of value it was.
func hollow(v any) bool {
	parts, ok := v.(map[string]any)
	for name := range parts {
		if !slices.Contains([]string{"type", "primary", "display"}, name) {
			return false
		}
	}
	return ok
}

func cloned(v any) any {
	switch v := v.(type) {
	case Document:
		return Document(cloned(map[string]any(v)).(map[string]any))
	case map[string]any:
		next := make(map[string]any, len(v))
		for name, one := range v {
			next[name] = cloned(one)
		}
		return next
	case []any:
		next := make([]any, len(v))
		for i, one := range v {
			next[i] = cloned(one)
		}
		return next
	}
	return v
}
