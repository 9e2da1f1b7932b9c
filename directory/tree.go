package directory

import (
	"iter"

	"github.com/varsel/varsel/contacts"
)

// tree is the tenant's groups and who is in them directly. Groups may be in
// groups, also in each other.
type tree struct {
	groups []contacts.Unit
	nested map[string][]string
	people map[string][]string
}

func newTree(groups []contacts.Unit) *tree {
	t := &tree{groups: groups, nested: map[string][]string{}, people: map[string][]string{}}
	for _, g := range groups {
		t.nested[g.DirectoryID] = nil
	}
	return t
}

func (t *tree) add(e edge) {
	if _, ok := t.nested[e.group]; !ok {
		return // the group is not known, or gone
	}
	if _, ok := t.nested[e.member]; ok {
		t.nested[e.group] = append(t.nested[e.group], e.member)
		return
	}
	t.people[e.group] = append(t.people[e.group], e.member)
}

// memberships tells of every group who is in it, however deep.
func (t *tree) memberships() iter.Seq2[contacts.Membership, error] {
	return func(yield func(contacts.Membership, error) bool) {
		for _, g := range t.groups {
			if !yield(contacts.Membership{Group: g.DirectoryID, People: t.within(g.DirectoryID)}, nil) {
				return
			}
		}
	}
}

func (t *tree) within(group string) (people []string) {
	met := map[string]bool{group: true}
	for open := []string{group}; len(open) > 0; {
		g := open[len(open)-1]
		open = open[:len(open)-1]
		people = append(people, t.people[g]...)
		for _, inner := range t.nested[g] {
			if !met[inner] {
				met[inner] = true
				open = append(open, inner)
			}
		}
	}
	return people
}
