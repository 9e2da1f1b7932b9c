package graphsim

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
)

// change numbers every alteration of a directory, in order. Zero is before all.
type change uint32

type state uint8

const (
	live        state = iota
	softDeleted       // in the recycle bin, keeps its memberships
	hardDeleted       // a tombstone
)

// object is a user or a group.
type object struct {
	id      string
	props   []property
	members *membership // nil for a user
	born    change      // made, or brought back: all it has is news to who saw less
	touched change      // altered in any way
	state   state
}

// property was set once at least; a nil value has been cleared.
type property struct {
	value any
	since change
	name  uint16 // in the schema
}

func (o *object) schema() *schema {
	if o.members != nil {
		return groupSchema
	}
	return userSchema
}

func (o *object) property(name string) (property, bool) {
	at := o.schema().index[name]
	for _, p := range o.props {
		if p.name == at {
			return p, true
		}
	}
	return property{}, false
}

// set returns false when the property had that value already.
func (o *object) set(name string, value any, now change) bool {
	s := o.schema()
	at, ok := s.index[name]
	if !ok {
		panic(fmt.Sprintf("graphsim: %s has no property %q", s.odataType, name))
	}
	if value = owned(value); value == nil {
		value = s.blank(name)
	}
	for i := range o.props {
		if p := &o.props[i]; p.name == at {
			if reflect.DeepEqual(p.value, value) {
				return false
			}
			p.value, p.since = value, now
			return true
		}
	}
	o.props = append(o.props, property{value, now, at})
	return true
}

// owned keeps the caller from altering a value that a request may be reading.
func owned(v any) any {
	switch v := v.(type) {
	case []string:
		return slices.Clone(v)
	case []any:
		return slices.Clone(v)
	case []map[string]any:
		return slices.Clone(v)
	case map[string]any:
		return maps.Clone(v)
	}
	return v
}

// directory holds all objects in the order they were made. Nothing ever leaves
// the slices, so a position in one stays true while a round is being read.
type directory struct {
	mu     sync.RWMutex
	last   change
	users  []*object
	groups []*object
	byID   map[string]*object

	news     []*object // what the change under way touches
	announce func(objects []*object, now change)
}

func (d *directory) load(org Org) error {
	d.last = 1
	d.users = make([]*object, 0, len(org.Users))
	d.groups = make([]*object, 0, len(org.Groups))
	d.byID = make(map[string]*object, len(org.Users)+len(org.Groups))
	for _, u := range org.Users {
		if err := d.addUser(u, d.last); err != nil {
			return err
		}
	}
	for _, g := range org.Groups {
		if err := d.addGroup(g, d.last); err != nil {
			return err
		}
	}
	for _, g := range org.Groups { // only now, as groups may name later ones
		if err := d.addMembers(g, d.last); err != nil {
			return err
		}
	}
	d.news = nil // nobody subscribed yet
	return nil
}

func (d *directory) addUser(u User, now change) error {
	o := &object{id: u.ID, props: make([]property, 0, len(u.Properties)), born: now, touched: now}
	for name, value := range u.Properties {
		if !userSchema.has(name) {
			return fmt.Errorf("user %s: no property %q", u.ID, name)
		}
		o.set(name, value, now)
	}
	return d.enter(o, &d.users)
}

func (d *directory) addGroup(g Group, now change) error {
	o := &object{id: g.ID, members: newMembership(len(g.Members)), born: now, touched: now}
	for name, value := range g.properties() {
		o.set(name, value, now)
	}
	return d.enter(o, &d.groups)
}

func (d *directory) addMembers(g Group, now change) error {
	o := d.byID[g.ID]
	for _, id := range g.Members {
		m := d.byID[id]
		if m == nil {
			return fmt.Errorf("group %s (%s): no member %q", g.ID, g.DisplayName, id)
		}
		o.members.add(m, now)
	}
	return nil
}

func (d *directory) enter(o *object, all *[]*object) error {
	if o.id == "" {
		return fmt.Errorf("an object has no id")
	}
	if d.byID[o.id] != nil {
		return fmt.Errorf("id %s is taken", o.id)
	}
	d.byID[o.id] = o
	*all = append(*all, o)
	d.news = append(d.news, o)
	return nil
}

// alter runs one numbered change and marks what f returns as touched by it. A
// wrong id is a mistake in the caller's code, hence the panic.
func (d *directory) alter(id string, f func(o *object, now change) (altered bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.byID[id]
	if o == nil {
		panic(fmt.Sprintf("graphsim: nothing has id %q", id))
	}
	if f(o, d.last+1) {
		d.last++
		d.touch(o, d.last)
		d.tell()
	}
}

func (d *directory) touch(o *object, now change) {
	o.touched = now
	d.news = append(d.news, o)
}

func (d *directory) tell() {
	d.announce(d.news, d.last)
	d.news = nil
}

func (d *directory) insert(f func(now change) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	if err := f(d.last); err != nil {
		panic("graphsim: " + err.Error())
	}
	d.tell()
}

// forget ends all memberships of o, for clients too unless silent.
func (d *directory) forget(o *object, now change, silent bool) {
	for _, g := range d.groups {
		if g.members.remove(o, now, silent) && !silent {
			d.touch(g, now)
		}
	}
}
