package graphsim

import (
	"fmt"
	"slices"
)

// User is a person. Properties have Graph's names; one that is not there was
// never set, one that is nil has been cleared. Values are what JSON holds:
// strings, bools, numbers, []string, map[string]any, []map[string]any.
type User struct {
	ID         string
	Properties map[string]any
}

// Group is a security group, or when Unified a Microsoft 365 group, which alone
// can be restored after DeleteGroup. Members are ids of users or groups.
type Group struct {
	ID, DisplayName   string
	Description, Mail string
	Unified           bool
	Members           []string
}

// Org is an organisation to start from.
type Org struct {
	Name   string // displayName of /organization
	Domain string // its verified domain
	Users  []User
	Groups []Group
}

// properties of a new group, those Graph always sets included.
func (g Group) properties() map[string]any {
	p := map[string]any{
		"displayName":     g.DisplayName,
		"groupTypes":      []string{},
		"mailEnabled":     g.Unified,
		"securityEnabled": !g.Unified,
	}
	if g.Unified {
		p["groupTypes"] = []string{"Unified"}
		p["visibility"] = "Private"
	}
	if g.Description != "" {
		p["description"] = g.Description
	}
	if g.Mail != "" {
		p["mail"] = g.Mail
	}
	return p
}

type orgCard struct{ name, domain string }

func (o orgCard) property(name string) any {
	switch name {
	case "displayName":
		return o.name
	case "tenantType":
		return "AAD"
	case "verifiedDomains":
		return []map[string]any{{"name": o.domain, "isDefault": true, "isInitial": true, "type": "Managed"}}
	}
	return nil
}

// The methods below alter the directory while clients read it. An id that is not
// there, one that is taken and a property Graph does not have are mistakes in
// the caller's code: they panic.

// AddUser adds a person.
func (t *Tenant) AddUser(u User) {
	t.dir.insert(func(now change) error { return t.dir.addUser(u, now) })
}

// UpdateUser sets properties; a nil value clears one. What is not named, or has
// that value already, stays unchanged.
func (t *Tenant) UpdateUser(id string, set map[string]any) {
	t.dir.alter(id, func(o *object, now change) bool {
		mustBe(o, userSchema)
		altered := false
		for name, value := range set {
			altered = o.set(name, value, now) || altered
		}
		return altered
	})
}

// SoftDelete puts a person into the recycle bin. Groups keep the membership and
// tell nothing.
func (t *Tenant) SoftDelete(id string) {
	t.dir.alter(id, func(o *object, now change) bool {
		mustBe(o, userSchema)
		if o.state != live {
			return false
		}
		o.state = softDeleted
		return true
	})
}

// Restore brings a person or a Microsoft 365 group back from the recycle bin,
// with the memberships still held.
func (t *Tenant) Restore(id string) {
	t.dir.alter(id, func(o *object, now change) bool {
		switch o.state {
		case hardDeleted:
			panic(fmt.Sprintf("graphsim: %s is deleted for good", id))
		case live:
			return false
		}
		o.state, o.born = live, now
		return true
	})
}

// HardDelete removes a person, or a group in the recycle bin, for good.
// Memberships go, and groups/delta tells so unless SilentHardDelete is on.
func (t *Tenant) HardDelete(id string) {
	silent := t.Faults().SilentHardDelete
	t.dir.alter(id, func(o *object, now change) bool { return t.dir.bury(o, now, silent) })
}

// AddGroup adds a group and its members, who have to be there.
func (t *Tenant) AddGroup(g Group) {
	t.dir.insert(func(now change) error {
		if err := t.dir.addGroup(g, now); err != nil {
			return err
		}
		return t.dir.addMembers(g, now)
	})
}

// RenameGroup changes a group's displayName.
func (t *Tenant) RenameGroup(id, displayName string) {
	t.dir.alter(id, func(o *object, now change) bool {
		mustBe(o, groupSchema)
		return o.set("displayName", displayName, now)
	})
}

// DeleteGroup removes a security group for good and puts a Microsoft 365 group
// into the recycle bin.
func (t *Tenant) DeleteGroup(id string) {
	silent := t.Faults().SilentHardDelete
	t.dir.alter(id, func(o *object, now change) bool {
		mustBe(o, groupSchema)
		if o.state != live || !o.unified() {
			return t.dir.bury(o, now, silent)
		}
		o.state = softDeleted
		return true
	})
}

// AddMember makes a user or group a direct member of a group.
func (t *Tenant) AddMember(group, id string) {
	t.dir.alter(group, func(o *object, now change) bool {
		mustBe(o, groupSchema)
		return o.members.add(t.dir.must(id), now)
	})
}

// RemoveMember ends a direct membership.
func (t *Tenant) RemoveMember(group, id string) {
	t.dir.alter(group, func(o *object, now change) bool {
		mustBe(o, groupSchema)
		return o.members.remove(t.dir.must(id), now, false)
	})
}

// Users are the people who are not deleted, in the order they were added.
func (t *Tenant) Users() []User {
	t.dir.mu.RLock()
	defer t.dir.mu.RUnlock()
	users := make([]User, 0, len(t.dir.users))
	for _, o := range t.dir.users {
		if o.state == live {
			users = append(users, o.user())
		}
	}
	return users
}

// User is one person who is not deleted.
func (t *Tenant) User(id string) (User, bool) {
	t.dir.mu.RLock()
	defer t.dir.mu.RUnlock()
	o := t.dir.byID[id]
	if o == nil || o.state != live || o.members != nil {
		return User{}, false
	}
	return o.user(), true
}

// Groups are the groups that are not deleted, in the order they were added.
func (t *Tenant) Groups() []Group {
	t.dir.mu.RLock()
	defer t.dir.mu.RUnlock()
	groups := make([]Group, 0, len(t.dir.groups))
	for _, o := range t.dir.groups {
		if o.state == live {
			groups = append(groups, o.group())
		}
	}
	return groups
}

func (o *object) user() User {
	u := User{ID: o.id, Properties: make(map[string]any, len(o.props))}
	for _, p := range o.props {
		u.Properties[userSchema.names[p.name]] = owned(p.value)
	}
	return u
}

func (o *object) group() Group {
	return Group{
		ID:          o.id,
		DisplayName: o.text("displayName"),
		Description: o.text("description"),
		Mail:        o.text("mail"),
		Unified:     o.unified(),
		Members:     o.members.present(),
	}
}

func (o *object) text(name string) string {
	p, _ := o.property(name)
	s, _ := p.value.(string)
	return s
}

func (o *object) unified() bool {
	p, _ := o.property("groupTypes")
	types, _ := p.value.([]string)
	return slices.Contains(types, "Unified")
}

func (d *directory) must(id string) *object {
	o := d.byID[id]
	if o == nil || o.state == hardDeleted {
		panic(fmt.Sprintf("graphsim: nothing has id %q", id))
	}
	return o
}

// bury leaves a tombstone: an id and when it was.
func (d *directory) bury(o *object, now change, silent bool) bool {
	if o.state == hardDeleted {
		return false
	}
	o.state, o.props = hardDeleted, nil
	d.forget(o, now, silent)
	return true
}

func mustBe(o *object, s *schema) {
	if o.schema() != s || o.state == hardDeleted {
		panic(fmt.Sprintf("graphsim: %s is not one of %s, or deleted for good", o.id, s.odataType))
	}
}
