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
	b := &brake{syncing: s}
	f := contacts.Following{Account: s.run.Account, Tenant: s.connection.Tenant, Brake: b.hold, Leaving: s.endAccess}
	var p preview
	if s.run.Kind == Preview {
		f.Preview, f.Brake, f.Tell, f.See = true, b.count, p.tell, p.see
	}
	if err := s.followPeople(ctx, f); err != nil {
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

func (s *syncing) followPeople(ctx context.Context, f contacts.Following) error {
	s.run.Counts = Counts{Skipped: map[string]int{}}
	did, err := s.book.FollowPeople(ctx, f, s.inScope(ctx), s.load)
	s.run.Contacts, s.run.WithoutNumber, s.run.Invalid, s.run.Shared = did.People, did.WithoutNumber, did.Invalid, did.Shared
	s.run.Added, s.run.Changed, s.run.Removed = did.Added, did.Changed, did.Removed
	s.run.NumberLost, s.run.Held = did.NumberLost, did.Held
	return err
}

func (s *syncing) followGroups(ctx context.Context, f contacts.Following) error {
	units, err := s.units(ctx)
	if err != nil {
		return err
	}
	did, err := s.book.FollowGroups(ctx, f, units)
	if err != nil {
		return err
	}
	s.run.Groups, s.run.GroupsAdded, s.run.GroupsRemoved = len(units), did.Added, did.Removed
	same, err := s.areMembersApplied(ctx)
	if err != nil || f.Preview || same && did == (contacts.Applied{People: len(units)}) && s.run.Added+s.run.Removed == 0 {
		return err
	}
	return s.followMembers(ctx, f, units)
}

// followMembers costs the most, and is left out when neither the groups nor who
// is in the address book changed.
func (s *syncing) followMembers(ctx context.Context, f contacts.Following, units []contacts.Unit) error {
	tree, err := s.groupTree(ctx, units)
	if err != nil {
		return err
	}
	did, err := s.book.FollowMembers(ctx, f.Account, f.Tenant, tree.memberships())
	if err != nil {
		return err
	}
	s.run.MembersAdded, s.run.MembersGone = did.Added, did.Removed
	return s.inRun(ctx, s.membersApplied)
}

// inScope are those of the mirror that belong in the address book. It counts
// the others for the run on the way.
func (s *syncing) inScope(ctx context.Context) iter.Seq2[contacts.Described, error] {
	return func(yield func(contacts.Described, error) bool) {
		for one, err := range s.inDirectory(ctx) {
			if err != nil {
				yield(contacts.Described{}, err)
				return
			}
			s.run.People++
			if one.skipped != "" {
				s.run.Skipped[one.skipped]++
				continue
			}
			if !yield(contacts.Described{DirectoryID: one.id, Says: one.says}, nil) {
				return
			}
		}
	}
}

// load answers people as the address book is to know them.
func (s *syncing) load(ctx context.Context, ids []string) ([]contacts.Person, error) {
	rows, err := s.mirroredPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	people := make([]contacts.Person, 0, len(rows))
	for _, id := range ids {
		f, err := readFields(rows[id].Fields)
		if err != nil {
			return nil, err
		}
		people = append(people, f.person(id, s.region, s.settings))
	}
	return people, nil
}
