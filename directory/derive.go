package directory

import (
	"context"
	"iter"

	"github.com/varsel/varsel/contacts"
)

// derive makes the address book tell what the mirror tells. It runs after every
// pair of rounds, also when nothing changed: a contact that was deleted or
// edited here would otherwise stay so, as nothing about it changed there. In a
// preview it only compares.
func (s *syncing) derive(ctx context.Context) error {
	region, err := s.accountRegion(ctx)
	if err != nil {
		return err
	}
	b := &brake{syncing: s}
	f := contacts.Following{Account: s.run.Account, Tenant: s.connection.Tenant, Brake: b.hold, Leaving: s.endAccess}
	var p preview
	if s.run.Kind == Preview {
		f.Preview, f.Tell, f.Brake = true, p.tell, b.count
	}
	if err := s.followPeople(ctx, f, &p, region); err != nil {
		return err
	}
	if err := s.followGroups(ctx, f); err != nil {
		return err
	}
	if s.run.Kind == Preview {
		return s.keepPreview(ctx, p)
	}
	return b.settle(ctx)
}

func (s *syncing) followPeople(ctx context.Context, f contacts.Following, p *preview, region string) error {
	s.run.Counts = Counts{Skipped: map[string]int{}}
	shared := map[string]int{}
	people, err := s.book.FollowPeople(ctx, f, s.people(ctx, region, shared, p))
	if err != nil {
		return err
	}
	s.run.Added, s.run.Changed, s.run.Removed = people.Added, people.Changed, people.Removed
	s.run.NumberLost, s.run.Held = people.NumberLost, people.Held
	for _, n := range shared {
		if n > 1 {
			s.run.Shared += n
		}
	}
	p.shared = shared
	return nil
}

func (s *syncing) followGroups(ctx context.Context, f contacts.Following) error {
	units, err := s.units(ctx)
	if err != nil {
		return err
	}
	groups, err := s.book.FollowGroups(ctx, f, each(units))
	if err != nil {
		return err
	}
	s.run.Groups, s.run.GroupsAdded, s.run.GroupsRemoved = len(units), groups.Added, groups.Removed
	if f.Preview {
		return nil
	}
	tree, err := s.groupTree(ctx, units)
	if err != nil {
		return err
	}
	members, err := s.book.FollowMembers(ctx, f.Account, f.Tenant, tree.memberships())
	s.run.MembersAdded, s.run.MembersGone = members.Added, members.Removed
	return err
}

// people are those of the mirror that belong in the address book. It counts them
// for the run on the way, and how many have each number.
func (s *syncing) people(ctx context.Context, region string, shared map[string]int, p *preview) iter.Seq2[contacts.Person, error] {
	return func(yield func(contacts.Person, error) bool) {
		for one, err := range s.inDirectory(ctx) {
			if err != nil {
				yield(contacts.Person{}, err)
				return
			}
			s.run.People++
			if one.skipped != "" {
				s.run.Skipped[one.skipped]++
				continue
			}
			person := one.person(one.id, region, s.settings)
			s.countPerson(person)
			if number := person.Phone.E164; number != "" {
				shared[number]++
			}
			if s.run.Kind == Preview {
				p.see(person)
			}
			if !yield(person, nil) {
				return
			}
		}
	}
}

func (s *syncing) countPerson(p contacts.Person) {
	s.run.Contacts++
	switch p.Phone.Reason {
	case "":
	case contacts.NoNumber:
		s.run.WithoutNumber++
	default:
		s.run.Invalid++
	}
}

// each yields the elements of a list.
func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range list {
			if !yield(one, nil) {
				return
			}
		}
	}
}
