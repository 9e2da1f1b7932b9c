package scim

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// MemberChange is one step of what a request does to a group's members: first
// those that it removes, then those that it adds.
type MemberChange struct {
	RemoveAll   bool
	RemoveWhere *Filter // over members; nil for none
	Remove, Add []string
}

// Means says whether RemoveWhere means the member.
func (c MemberChange) Means(m Member) bool {
	members, _ := attribute(Group.Attributes, membersName)
	return c.RemoveWhere != nil && c.RemoveWhere.means(members, m.parts(""))
}

// Read reads the body of a POST or PUT.
func (k *Kind) Read(body []byte) (Document, []MemberChange, error) {
	var sent map[string]any
	if err := decode(body, &sent); err != nil {
		return nil, nil, err
	}
	if sent == nil {
		return nil, nil, refuse(InvalidSyntax, "the body is not an object")
	}
	d := draft{kind: k, doc: Document{}}
	if err := d.merge("replace", "", sent); err != nil {
		return nil, nil, err
	}
	return d.doc, d.members, d.complete(InvalidValue)
}

// Patch applies the body of a PATCH (RFC 7644 3.5.2) to a copy of the document:
// all of it, or with an error nothing. Of Entra's two dialects it takes both.
func (k *Kind) Patch(doc Document, body []byte) (Document, []MemberChange, error) {
	var sent struct {
		Operations []struct {
			Op, Path string
			Value    any
		}
	}
	if err := decode(body, &sent); err != nil {
		return nil, nil, err
	}
	if len(sent.Operations) == 0 {
		return nil, nil, refuse(InvalidSyntax, "there are no Operations")
	}
	d := draft{kind: k, doc: cloned(doc).(Document)}
	for _, one := range sent.Operations {
		if err := d.apply(Fold(one.Op), one.Path, one.Value); err != nil {
			return nil, nil, err
		}
	}
	return d.doc, d.members, d.complete(Mutability)
}

// decode reads one JSON value and nothing after it. Bytes that are not UTF-8
// would be replaced by encoding/json.
func decode(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if !utf8.Valid(body) || dec.Decode(into) != nil {
		return refuse(InvalidSyntax, "the body is not the JSON that is expected here")
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse(InvalidSyntax, "there is something after the JSON")
	}
	return nil
}

// draft is a document that is being changed.
type draft struct {
	kind    *Kind
	doc     Document
	members []MemberChange
}

func (d *draft) complete(otherwise string) error {
	for _, a := range d.kind.Attributes {
		if s, _ := d.doc[a.Name].(string); a.Required && s == "" {
			return refuse(otherwise, "a %s needs a %s", d.kind.Name, a.Name)
		}
	}
	return nil
}

func (d *draft) apply(op, path string, value any) error {
	if !slices.Contains([]string{"add", "replace", "remove"}, op) {
		return refuse(InvalidSyntax, "%q is not an operation: there are add, replace and remove", shortened(op))
	}
	if path != "" {
		p, err := ParsePath(path)
		if err != nil {
			return err
		}
		return d.set(op, p, value)
	}
	if op == "remove" {
		return refuse(NoTarget, "what is to be removed? a path is missing")
	}
	sent, ok := value.(map[string]any)
	if !ok {
		return refuse(InvalidSyntax, "without a path the value is an object")
	}
	return d.merge(op, "", sent)
}

// merge takes every name of an object for a path: Entra sends "name.givenName",
// URNs and values[filter].sub as names. What is not known or not for clients to
// write is passed over.
func (d *draft) merge(op, urn string, sent map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		p, err := ParsePath(name)
		if err != nil {
			continue
		}
		if p.URN == "" {
			p.URN = urn
		}
		if _, a, ok := d.kind.find(p); p.Attribute != "" && (!ok || a.Mutability == readOnly) {
			continue
		}
		if err := d.set(op, p, sent[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) set(op string, p Path, value any) error {
	if p.Attribute == "" {
		return d.setAll(op, p.URN, value)
	}
	urn, a, ok := d.kind.find(p)
	switch {
	case !ok && d.kind.tolerates(p), a.Name == "schemas":
		return nil
	case !ok:
		return refuse(InvalidPath, "a %s has no %s", d.kind.Name, shortened(p.Attribute))
	case a.Mutability == readOnly:
		return refuse(Mutability, "%s is not for clients to write", a.Name)
	case a.Name == membersName:
		return d.setMembers(op, p, value)
	}
	in := map[string]any(d.doc)
	if urn != "" {
		in, _ = d.doc[urn].(map[string]any)
	}
	next, err := a.changed(in[a.Name], op, p, value)
	if err != nil {
		return err
	}
	d.put(urn, a.Name, next)
	return nil
}

func (d *draft) put(urn, name string, value any) {
	in := map[string]any(d.doc)
	if urn != "" {
		if in, _ = d.doc[urn].(map[string]any); in == nil {
			in = map[string]any{}
		}
		d.doc[urn] = in
	}
	if in[name] = value; value == nil {
		delete(in, name)
	}
	if urn != "" && len(in) == 0 {
		delete(d.doc, urn)
	}
}

// setAll is for a path that is a schema's URN alone.
func (d *draft) setAll(op, urn string, value any) error {
	e, ours := d.kind.extension(urn)
	if op == "remove" || value == nil {
		if ours {
			delete(d.doc, e.URN)
		}
		return nil
	}
	sent, ok := value.(map[string]any)
	if !ok {
		return refuse(InvalidValue, "the value of a schema is an object")
	}
	return d.merge(op, urn, sent)
}

// changed is what an operation makes of the attribute's value.
func (a Attribute) changed(have any, op string, p Path, value any) (any, error) {
	if p.Sub != "" {
		if sub, ok := a.sub(p.Sub); !ok {
			return nil, refuse(InvalidPath, "%s has no %s", a.Name, shortened(p.Sub))
		} else if sub.Mutability == readOnly {
			return have, nil
		}
	}
	if a.MultiValued {
		return a.changedValues(have, op, p, value)
	}
	switch {
	case p.where != nil:
		return nil, refuse(InvalidPath, "%s has one value", a.Name)
	case a.Type != objectType && op == "remove":
		return nil, nil
	case a.Type != objectType:
		return a.read(value)
	}
	parts, _ := have.(map[string]any)
	return a.changedParts(parts, op, p.Sub, value)
}

// changedParts changes one part of an object, or those that the value has.
func (a Attribute) changedParts(parts map[string]any, op, name string, value any) (any, error) {
	if parts == nil {
		parts = map[string]any{}
	}
	if name == "" {
		if op == "remove" {
			return nil, nil
		}
		got, err := a.read(value)
		more, ok := got.(map[string]any)
		if err != nil || !ok {
			return nil, err
		}
		if more["value"] != nil { // another thing, not another side of the same
			return more, nil
		}
		maps.Copy(parts, more)
		return parts, nil
	}
	err := a.setPart(parts, op, name, value)
	if len(parts) == 0 {
		return nil, err
	}
	return parts, err
}

func (a Attribute) setPart(parts map[string]any, op, name string, value any) error {
	sub, _ := a.sub(name)
	if op == "remove" {
		delete(parts, sub.Name)
		return nil
	}
	got, err := sub.read(value)
	if parts[sub.Name] = got; got == nil {
		delete(parts, sub.Name)
	}
	return err
}

func (a Attribute) changedValues(have any, op string, p Path, value any) (any, error) {
	all, _ := have.([]any)
	var touched []int
	var err error
	if p.where == nil && p.Sub == "" {
		all, touched, err = a.changedList(all, op, value)
	} else {
		all, touched, err = a.changedSome(all, op, p, value)
	}
	if err != nil {
		return nil, err
	}
	onePrimary(all, touched)
	all = slices.DeleteFunc(all, func(v any) bool { return len(v.(map[string]any)) == 0 })
	if len(all) == 0 {
		return nil, nil
	}
	return all, a.checkCount(len(all))
}

// changedList is for a path without a filter. Removing with a value removes
// these values: Entra means that, though the RFC would remove all.
func (a Attribute) changedList(all []any, op string, value any) ([]any, []int, error) {
	got, err := a.read(value)
	if err != nil {
		return nil, nil, err
	}
	sent, _ := got.([]any)
	switch {
	case op == "remove" && value == nil:
		return nil, nil, nil
	case op == "remove":
		return minus(all, sent), nil, nil
	case op == "replace":
		return sent, nil, nil
	}
	next, touched := plus(all, sent)
	return next, touched, nil
}

// changedSome changes the values that the path's filter means. When there is
// none, setting makes one that it would mean: Entra sets
// emails[type eq "work"].value on users without e-mail addresses.
func (a Attribute) changedSome(all []any, op string, p Path, value any) ([]any, []int, error) {
	var touched []int
	for i, one := range all {
		if p.where == nil || p.where.means(a, one) {
			touched = append(touched, i)
		}
	}
	if op == "remove" || value == nil {
		return a.withoutSome(all, touched, p.Sub), nil, nil
	}
	blank, ok := p.where.blank(a)
	if len(touched) == 0 {
		if !ok {
			return nil, nil, refuse(NoTarget, "no value of %s is meant by the path", a.Name)
		}
		all, touched = append(all, cloned(blank)), []int{len(all)}
	}
	for _, i := range touched {
		parts, _ := all[i].(map[string]any)
		if p.Sub != "" {
			if err := a.setPart(parts, op, p.Sub, value); err != nil {
				return nil, nil, err
			}
			continue
		}
		got, err := a.readOne(only(value))
		if err != nil {
			return nil, nil, err
		}
		if op == "replace" {
			parts = cloned(blank).(map[string]any)
			all[i] = parts
		}
		more, _ := got.(map[string]any)
		maps.Copy(parts, more)
	}
	return all, touched, nil
}

func (a Attribute) withoutSome(all []any, touched []int, sub string) []any {
	var left []any
	for i, one := range all {
		if slices.Contains(touched, i) {
			if sub == "" {
				continue
			}
			parts := one.(map[string]any)
			a.setPart(parts, "remove", sub, nil)
			if hollow(parts) {
				continue
			}
		}
		left = append(left, one)
	}
	return left
}

// blank is the least value that the filter means, when it says what kind of
// value that is, such as type eq "work". One that names the very value means
// only what is there.
func (f *Filter) blank(a Attribute) (parts map[string]any, ok bool) {
	parts = map[string]any{}
	return parts, f.fill(a, parts)
}

func (f *Filter) fill(a Attribute, parts map[string]any) bool {
	switch {
	case f == nil:
		return true
	case f.op == "and":
		return f.left.fill(a, parts) && f.right.fill(a, parts)
	case f.op != "eq" || f.path.Sub != "":
		return false
	}
	sub, ok := a.sub(f.path.Attribute)
	if !ok || sub.Name == "value" {
		return false
	}
	got, err := sub.read(f.value)
	if err != nil || got == nil {
		return false
	}
	parts[sub.Name] = got
	return true
}

// setMembers keeps what is to be done to the members: a group may have too many
// to be in the document.
func (d *draft) setMembers(op string, p Path, value any) error {
	c, err := memberChange(op, p, value)
	if err == nil {
		d.members = append(d.members, c)
	}
	return err
}

func memberChange(op string, p Path, value any) (c MemberChange, err error) {
	switch {
	case p.where != nil && op == "remove" && (p.Sub == "" || Fold(p.Sub) == "value"):
		if ids, ok := p.where.ids(); ok {
			return MemberChange{Remove: ids}, nil
		}
		return MemberChange{RemoveWhere: p.where}, nil
	case p.where != nil || p.Sub != "":
		return c, refuse(Mutability, "a member can be added and removed, not changed")
	case value == nil && op == "add":
		return c, refuse(InvalidValue, "which members are to be added?")
	case value == nil:
		return MemberChange{RemoveAll: true}, nil
	}
	ids, err := memberIDs(value)
	switch op {
	case "add":
		c.Add = ids
	case "remove": // these; the RFC would remove all
		c.Remove = ids
	default:
		c.RemoveAll, c.Add = true, ids
	}
	return c, err
}

// longestID is that of a member, in bytes; ours are shorter.
const longestID = 100

func memberIDs(v any) (ids []string, err error) {
	sent, several := v.([]any)
	if !several {
		sent = []any{v}
	}
	members, _ := attribute(Group.Attributes, membersName)
	for _, one := range sent {
		got, err := members.readOne(one)
		if err != nil {
			return nil, err
		}
		parts, _ := got.(map[string]any)
		id, _ := parts["value"].(string)
		if id == "" || len(id) > longestID {
			return nil, refuse(InvalidValue, "a member's value is the id of a user or group")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// ids are the values that a filter names one by one: value eq "a" or value eq "b".
func (f *Filter) ids() ([]string, bool) {
	if f.op == "or" {
		left, ok := f.left.ids()
		right, also := f.right.ids()
		return append(left, right...), ok && also
	}
	id, ok := f.value.(string)
	return []string{id}, ok && f.op == "eq" && Fold(f.path.Attribute) == "value" && f.path.Sub == ""
}
