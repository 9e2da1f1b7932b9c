package directory

import (
	"context"
	"iter"

	"github.com/varsel/varsel/contacts"
)

// derive makes the address book tell what the mirror tells. It runs after every
// pair of rounds, also when nothing changed: a contact that was deleted or
// edited here would otherwise stay so, as nothing about it changed there. Cards follow
// the address book. In a preview it only compares.
func (s *syncing) derive(ctx context.Context) error {
	b := &brake{syncing: s}
	f := contacts.Following{Account: s.run.Account, Tenant: s.connection.Tenant, Brake: b.hold, Leaving: s.endAccess}
	var p preview
	if s.run.Kind == Preview {
		f.Preview, f.Brake, f.Tell, f.See = true, b.count, p.tell, p.see
	}
	derived, err := s.isDerived(ctx)
	if err != nil {
		return err
	}
	if !f.Preview {
		err = s.inRun(ctx, s.markStale)
	}
	if err != nil {
		return err
	}
	if err := s.followPeople(ctx, f); err != nil {
		return err
	}
	if err := s.followGroups(ctx, f, !derived); err != nil {
		return err
	}
	if f.Preview {
		return s.keepPreview(ctx, p)
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := s.inRun(ctx, s.markDerived); err != nil {
		return err
	}
	return s.followCards(ctx)
}

func (s *syncing) followPeople(ctx context.Context, f contacts.Following) error {
	s.run.Counts = Counts{Skipped: map[string]int{}}
	did, err := s.book.FollowPeople(ctx, f, s.inScope(ctx), s.load)
	s.run.Contacts, s.run.WithoutNumber, s.run.Invalid, s.run.Shared = did.People, did.WithoutNumber, did.Invalid, did.Shared
	s.run.Added, s.run.Changed, s.run.Removed = did.Added, did.Changed, did.Removed
	s.run.NumberLost, s.run.Held = did.NumberLost, did.Held
	return err
}

// followGroups leaves out what costs the most when neither the groups nor who is
// in the address book changed since all was derived.
func (s *syncing) followGroups(ctx context.Context, f contacts.Following, all bool) error {
	units, err := s.units(ctx)
	if err != nil {
		return err
	}
	did, err := s.book.FollowGroups(ctx, f, units)
	s.run.Groups, s.run.GroupsAdded, s.run.GroupsRemoved = len(units), did.Added, did.Removed
	if err != nil || f.Preview {
		return err
	}
	if all || did.Added+did.Changed+did.Removed+s.run.Added+s.run.Removed > 0 {
		if err := s.followMembers(ctx, f, units); err != nil {
			return err
		}
	}
	if all || s.run.Added+s.run.Changed+s.run.Removed > 0 {
		_, err = s.book.ApplyRules(ctx, f.Account)
	}
	return err
}

func (s *syncing) followMembers(ctx context.Context, f contacts.Following, units []contacts.Unit) error {
	tree, err := s.groupTree(ctx, units)
	if err != nil {
		return err
	}
	did, err := s.book.FollowMembers(ctx, f.Account, f.Tenant, tree.memberships())
	s.run.MembersAdded, s.run.MembersGone = did.Added, did.Removed
	return err
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
