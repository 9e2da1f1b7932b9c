package scim

import (
	"slices"
	"strings"
	"time"
)

// whole is the document with what the server gives.
func (r Resource) whole() map[string]any {
	doc := cloned(map[string]any(r.Document)).(map[string]any)
	schemas := []any{r.Kind.URN}
	for _, e := range r.Kind.Extensions {
		if doc[e.URN] != nil {
			schemas = append(schemas, e.URN)
		}
	}
	doc["schemas"], doc["id"] = schemas, r.ID
	doc["meta"] = map[string]any{
		"resourceType": r.Kind.Name, "version": r.Tag(),
		"created": r.Created.UTC().Format(time.RFC3339Nano), "lastModified": r.Modified.UTC().Format(time.RFC3339Nano),
	}
	if len(r.Members) > 0 {
		doc[membersName] = r.members("")
	}
	return doc
}

func (r Resource) members(base string) []any {
	all := make([]any, len(r.Members))
	for i, m := range r.Members {
		all[i] = m.parts(base)
	}
	return all
}

func (m Member) parts(base string) map[string]any {
	parts := map[string]any{"value": m.ID}
	for _, k := range kinds {
		if k.Name == m.Kind {
			parts["type"], parts["$ref"] = k.Name, base+k.Endpoint+"/"+m.ID
		}
	}
	return parts
}

// Show writes the resource as it is answered, to be encoded as JSON. base is
// where SCIM is served, without a slash at its end.
func (r Resource) Show(base string, want Projection) map[string]any {
	doc := r.whole()
	doc["meta"].(map[string]any)["location"] = r.Location(base)
	if len(r.Members) > 0 {
		doc[membersName] = r.members(base)
	}
	return want.of(r.Kind, doc)
}

// Location is where the resource is.
func (r Resource) Location(base string) string { return base + r.Kind.Endpoint + "/" + r.ID }

// Projection says which attributes are answered (RFC 7644 3.9). The zero value
// means all.
type Projection struct {
	only, without []Path
}

// ReadProjection reads the parameters attributes and excludedAttributes.
func ReadProjection(only, without []string) (p Projection, err error) {
	if p.only, err = readPaths(only); err != nil {
		return p, err
	}
	p.without, err = readPaths(without)
	return p, err
}

func readPaths(names []string) (paths []Path, err error) {
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		path, err := ParsePath(name)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// WantsMembers says whether a group's members are to be answered.
func (p Projection) WantsMembers() bool {
	named := func(one Path) bool { return strings.EqualFold(one.Attribute, membersName) }
	if len(p.only) > 0 {
		return slices.ContainsFunc(p.only, named)
	}
	return !slices.ContainsFunc(p.without, func(one Path) bool { return named(one) && one.Sub == "" })
}

// of leaves in the document what is wanted, and always schemas and id.
func (p Projection) of(k *Kind, doc map[string]any) map[string]any {
	if len(p.only) == 0 {
		for _, path := range p.without {
			drop(k, doc, path)
		}
		return doc
	}
	next := map[string]any{"schemas": doc["schemas"], "id": doc["id"]}
	for _, path := range p.only {
		keep(k, doc, next, path)
	}
	return next
}

func drop(k *Kind, doc map[string]any, p Path) {
	if p.Attribute == "" {
		if e, ok := k.extension(p.URN); ok {
			delete(doc, e.URN)
		}
		return
	}
	urn, a, ok := k.find(p)
	if !ok || a.Name == "schemas" || a.Name == "id" {
		return
	}
	in := doc
	if urn != "" {
		in, _ = doc[urn].(map[string]any)
	}
	if p.Sub == "" {
		delete(in, a.Name)
		return
	}
	if sub, ok := a.sub(p.Sub); ok {
		for _, one := range chosen(a, in[a.Name], nil) {
			delete(one.(map[string]any), sub.Name)
		}
	}
}

func keep(k *Kind, doc, next map[string]any, p Path) {
	if p.Attribute == "" {
		if e, ok := k.extension(p.URN); ok && doc[e.URN] != nil {
			next[e.URN] = doc[e.URN]
		}
		return
	}
	urn, a, ok := k.find(p)
	if !ok {
		return
	}
	if urn != "" {
		in, _ := doc[urn].(map[string]any)
		to, _ := next[urn].(map[string]any)
		if to == nil {
			to = map[string]any{}
		}
		if keepIn(a, in, to, p.Sub); len(to) > 0 {
			next[urn] = to
		}
		return
	}
	keepIn(a, doc, next, p.Sub)
}

func keepIn(a Attribute, in, to map[string]any, sub string) {
	have := in[a.Name]
	if have == nil {
		return
	}
	part, ok := a.sub(sub)
	if sub == "" || !ok {
		if sub == "" {
			to[a.Name] = have
		}
		return
	}
	kept := chosen(a, to[a.Name], nil)
	for i, one := range chosen(a, have, nil) {
		if i >= len(kept) {
			kept = append(kept, map[string]any{})
		}
		if v := one.(map[string]any)[part.Name]; v != nil {
			kept[i].(map[string]any)[part.Name] = v
		}
	}
	if to[a.Name] = kept; !a.MultiValued {
		to[a.Name] = kept[0]
	}
}
