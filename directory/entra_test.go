package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/varsel/varsel/directory"
)

// entra is a directory in memory. It tells changes the way Graph does: a link
// names a point in its history, and a round goes page by page.
type entra struct {
	pageSize int
	now      int // counts the changes
	people   []*object
	groups   []*object
	partial  bool // changes tell only the properties that changed

	mu     sync.Mutex     // guards asked: people are read one by one beside the pages
	asked  []string       // the links, in order
	before func(n int)    // called before the n-th answer, from 1
	fail   map[int]error  // instead of the n-th answer
	oldest int            // delta links from before this point have expired
	repeat map[string]int // how often an id is told again at the end of its page
}

type object struct {
	id      string
	fields  map[string]value
	members map[string]value // whether they are in it
	removed bool
	changed int
	born    int
}

type value struct {
	is any
	at int
}

func newEntra() *entra { return &entra{pageSize: 2, fail: map[int]error{}} }

// set makes a person, or changes one; null clears a property.
func (e *entra) set(id string, fields map[string]any) {
	e.object(&e.people, id).set(e, fields)
}

func (e *entra) person(id, mobile string) {
	e.set(id, map[string]any{"displayName": "Person " + id, "mobilePhone": mobile, "accountEnabled": true, "userType": "Member"})
}

func (e *entra) group(id, name string, members ...string) {
	g := e.object(&e.groups, id)
	g.set(e, map[string]any{"displayName": name})
	for _, m := range members {
		g.members[m] = value{true, e.now}
	}
}

func (e *entra) leaves(group, member string) {
	g := e.object(&e.groups, group)
	g.touch(e)
	g.members[member] = value{false, e.now}
}

// remove keeps who is in which group, as Graph does for 30 days.
func (e *entra) remove(id string) {
	for _, o := range append(slices.Clone(e.people), e.groups...) {
		if o.id == id {
			o.touch(e)
			o.removed = true
		}
	}
}

func (e *entra) restore(id string) {
	o := e.object(&e.people, id)
	o.touch(e)
	o.removed = false
}

// vanish takes an object out without a trace, as when a change was lost.
func (e *entra) vanish(id string) {
	gone := func(o *object) bool { return o.id == id }
	e.people = slices.DeleteFunc(e.people, gone)
	e.groups = slices.DeleteFunc(e.groups, gone)
}

func (e *entra) object(all *[]*object, id string) *object {
	for _, o := range *all {
		if o.id == id {
			return o
		}
	}
	o := &object{id: id, fields: map[string]value{}, members: map[string]value{}, born: e.now + 1}
	*all = append(*all, o)
	return o
}

func (o *object) touch(e *entra) {
	e.now++
	o.changed = e.now
}

func (o *object) set(e *entra, fields map[string]any) {
	o.touch(e)
	for name, v := range fields {
		o.fields[name] = value{v, e.now}
	}
}

func (e *entra) People(_ context.Context, link string) (directory.Page, error) {
	return e.page("people", e.people, link)
}

func (e *entra) Groups(_ context.Context, link string) (directory.Page, error) {
	return e.page("groups", e.groups, link)
}

func (e *entra) Person(_ context.Context, id string) (directory.Item, error) {
	e.note("person " + id)
	for _, o := range e.people {
		if o.id == id && !o.removed {
			return o.item(0, false), nil
		}
	}
	return directory.Item{ID: id, Removed: true}, nil
}

func (e *entra) Group(_ context.Context, id string) (directory.Item, []directory.Item, error) {
	e.note("group " + id)
	for _, g := range e.groups {
		if g.id != id || g.removed {
			continue
		}
		it, people := g.item(0, false), []directory.Item{}
		for _, m := range it.Members {
			for _, o := range e.people {
				if o.id == m.ID && !o.removed {
					people = append(people, o.item(0, false))
				}
			}
		}
		return it, people, nil
	}
	return directory.Item{ID: id, Removed: true}, nil, nil
}

func (e *entra) note(asked string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, asked)
	return len(e.asked)
}

func (e *entra) page(kind string, all []*object, link string) (directory.Page, error) {
	n := e.note(kind + " " + link)
	if e.before != nil {
		e.before(n)
	}
	if err := e.fail[n]; err != nil {
		return directory.Page{}, err
	}
	var since, at int
	fmt.Sscanf(link, "since %d at %d", &since, &at)
	if since > 0 && since < e.oldest {
		return directory.Page{}, directory.ErrExpired
	}
	var p directory.Page
	for ; at < len(all) && len(p.Items) < e.pageSize; at++ {
		if o := all[at]; o.changed > since && (since > 0 || !o.removed) {
			p.Items = append(p.Items, o.item(since, e.partial))
			for range e.repeat[o.id] {
				p.Items = append(p.Items, o.item(since, e.partial))
			}
		}
	}
	if at < len(all) {
		p.Next = fmt.Sprintf("since %d at %d", since, at)
	} else {
		p.Delta = fmt.Sprintf("since %d at 0", e.now)
	}
	return p, nil
}

func (o *object) item(since int, partial bool) directory.Item {
	it := directory.Item{ID: o.id, Removed: o.removed, Fields: map[string]json.RawMessage{}}
	if o.removed {
		return it
	}
	for name, v := range o.fields {
		if !partial || v.at > since {
			it.Fields[name], _ = json.Marshal(v.is)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(o.members)) {
		if in := o.members[id]; in.at > since && (since > 0 || in.is == true) {
			it.Members = append(it.Members, directory.Member{ID: id, Removed: in.is == false})
		}
	}
	return it
}
