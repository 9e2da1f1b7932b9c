package directory

import (
	"context"
	"iter"

	"github.com/varsel/varsel/contacts"
)

// derive makes the address book tell what the mirror tells. It runs after every
// pair of rounds, also when nothing changed: a contact that was deleted or
// edited here would otherwise stay so, as nothing about it changed there.
func (s *syncing) derive(ctx context.Context) error {
	region, err := s.accountRegion(ctx)
	if err != nil {
		return err
	}
	account, tenant := s.run.Account, s.connection.Tenant
	people, err := s.book.FollowPeople(ctx, account, tenant, s.people(ctx, region))
	if err != nil {
		return err
	}
	s.run.Added, s.run.Changed, s.run.Removed = people.Added, people.Changed, people.Removed
	units, err := s.units(ctx)
	if err != nil {
		return err
	}
	if _, err := s.book.FollowGroups(ctx, account, tenant, each(units)); err != nil {
		return err
	}
	tree, err := s.groupTree(ctx, units)
	if err != nil {
		return err
	}
	_, err = s.book.FollowMembers(ctx, account, tenant, tree.memberships())
	return err
}

// people are those of the mirror that belong in the address book. It counts them
// for the run on the way.
func (s *syncing) people(ctx context.Context, region string) iter.Seq2[contacts.Person, error] {
	return func(yield func(contacts.Person, error) bool) {
		s.run.Counts = Counts{}
		for one, err := range s.inDirectory(ctx) {
			if err != nil {
				yield(contacts.Person{}, err)
				return
			}
			s.run.People++
			if !one.inScope() {
				continue
			}
			p := one.person(one.id, region)
			s.countPerson(p)
			if !yield(p, nil) {
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
