package contacts_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
)

const tenant = "contoso"

var following = contacts.Following{Account: acme, Tenant: tenant}

func person(id, mobile string) contacts.Person {
	return contacts.Person{DirectoryID: id, Name: "Person " + id, Phone: contacts.Choose(mobile, nil, "NO")}
}

func directoryIDs(people []contacts.Person) (ids []string) {
	for _, p := range people {
		ids = append(ids, p.DirectoryID)
	}
	return ids
}

func each[T any](all ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

func (s shelf) follow(people ...contacts.Person) contacts.Applied {
	s.Helper()
	done, err := s.followIn(following, people...)
	if err != nil {
		s.Fatal(err)
	}
	return did(done)
}

// did leaves out the figures about whom the directory told of.
func did(a contacts.Applied) contacts.Applied {
	return contacts.Applied{Added: a.Added, Changed: a.Changed, Removed: a.Removed, NumberLost: a.NumberLost, Held: a.Held}
}

// followIn follows a directory that tells of these people and no others.
func (s shelf) followIn(f contacts.Following, people ...contacts.Person) (contacts.Applied, error) {
	return s.FollowPeople(s.Context(), f, func(yield func(contacts.Described, error) bool) {
		for _, p := range people {
			if !yield(contacts.Described{DirectoryID: p.DirectoryID, Says: p.Says()}, nil) {
				return
			}
		}
	}, func(_ context.Context, ids []string) (some []contacts.Person, _ error) {
		for _, p := range people {
			if slices.Contains(ids, p.DirectoryID) {
				some = append(some, p)
			}
		}
		return some, nil
	})
}

// followGroups takes id and name of each group in turn.
func (s shelf) followGroups(idsAndNames []string, members ...contacts.Membership) contacts.Applied {
	s.Helper()
	var units []contacts.Unit
	for i := 0; i < len(idsAndNames); i += 2 {
		units = append(units, contacts.Unit{DirectoryID: idsAndNames[i], Name: idsAndNames[i+1]})
	}
	if _, err := s.FollowGroups(s.Context(), following, units); err != nil {
		s.Fatal(err)
	}
	done, err := s.FollowMembers(s.Context(), acme, tenant, each(members...))
	if err != nil {
		s.Fatal(err)
	}
	return done
}

func (s shelf) only() contacts.Contact {
	s.Helper()
	list, err := s.Contacts(s.Context(), acme, 0, 2)
	if err != nil || len(list) != 1 {
		s.Fatalf("%d contacts, %v", len(list), err)
	}
	return list[0]
}

func (s shelf) exec(query string) {
	s.Helper()
	if _, err := s.db.ExecContext(s.Context(), query); err != nil {
		s.Fatal(err)
	}
}

func TestTheAddressBookFollowsTheDirectory(t *testing.T) { // S1, S2, S3
	eachBook(t, func(s shelf) {
		s.contact("By hand", "90000009")
		s.equal(contacts.Applied{Added: 3}, s.follow(person("a", "90000001"), person("b", "90000002"), person("c", "")))
		s.equal(contacts.Applied{Added: 1, Changed: 1, Removed: 1},
			s.follow(person("a", "90000001"), person("b", "90000007"), person("d", "90000004")))
		s.equal([]string{"By hand", "Person a", "Person b", "Person d"}, s.names())
		s.equal(contacts.Applied{Removed: 3}, s.follow())
		s.equal([]string{"By hand"}, s.names())
	})
}

func TestWhoLeftLeavesNoNameOrNumberAndReturnsAsTheSameContact(t *testing.T) { // S2
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"))
		before := s.only()
		s.follow()
		var left int
		err := s.db.QueryRowContext(s.Context(), `
			SELECT COUNT(*) FROM contacts WHERE id = $1 AND directory_id = 'a' AND state = 'removed' AND phone_reason = 'gone'
			AND name = '' AND phone = '' AND phone_raw = ''`, before.ID).Scan(&left)
		s.equal(nil, err)
		s.equal(1, left)
		s.equal(contacts.Applied{Added: 1}, s.follow(person("a", "90000001")))
		s.equal(before, s.only(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
	})
}

func TestContactDeletedHereComesBackWhileInTheDirectory(t *testing.T) { // S14
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"), person("b", "90000002"))
		s.followGroups([]string{"g", "Group"}, contacts.Membership{Group: "g", People: []string{"a", "b"}})
		list, _ := s.Contacts(s.Context(), acme, 0, 2)
		group, _ := s.Groups(s.Context(), acme, 0, 1)
		for _, c := range list {
			s.equal(nil, s.Remove(s.Context(), acme, c.ID))
		}
		s.equal([]string(nil), s.names())
		s.equal([]string(nil), s.members(group[0].ID))

		s.equal(contacts.Applied{Changed: 1, Removed: 1}, s.follow(person("a", "90000001")))
		s.equal(list[0], s.only(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
		s.equal([]string{"Person a"}, s.members(group[0].ID))
	})
}

func TestAnEditMadeHereIsOverwritten(t *testing.T) { // S15
	eachBook(t, func(s shelf) {
		p := person("a", "90000001")
		p.Department, p.JobTitle, p.Office, p.Email, p.Language = "Sales", "Adviser", "Oslo", "a@example.com", "nb-NO"
		s.follow(p)
		before := s.only()
		s.exec(`UPDATE contacts SET name = 'Edited', phone = '+4791111111', department = 'Edited', email = ''`)
		s.equal(contacts.Applied{Changed: 1}, s.follow(p))
		s.equal(before, s.only(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
	})
}

func TestWhatIsRightAlreadyIsNotWritten(t *testing.T) {
	eachBook(t, func(s shelf) {
		var people []contacts.Person
		for i := range 5_500 {
			people = append(people, person(fmt.Sprintf("%05d", i), "90000001"))
		}
		everybody := contacts.Membership{Group: "g", People: directoryIDs(people)}
		s.equal(contacts.Applied{Added: 5_500}, s.follow(people...))
		s.equal(contacts.Applied{Added: 5_500}, s.followGroups([]string{"g", "Group"}, everybody))

		s.exec(`UPDATE contacts SET updated_at = 1`)
		s.exec(`UPDATE contact_groups SET updated_at = 1`)
		people[5_499].Name = "Changed"
		s.equal(contacts.Applied{Changed: 1}, s.follow(people...))
		s.equal(contacts.Applied{}, s.followGroups([]string{"g", "Group"}, everybody))
		var written int
		err := s.db.QueryRowContext(s.Context(), `
			SELECT (SELECT COUNT(*) FROM contacts WHERE updated_at <> 1) + (SELECT COUNT(*) FROM contact_groups WHERE updated_at <> 1)`).Scan(&written)
		s.equal(nil, err)
		s.equal(1, written)
	})
}

func TestAnErrorAmongPeopleRemovesNobody(t *testing.T) {
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"), person("b", "90000002"))
		boom := errors.New("boom")
		a := person("a", "90000001")
		_, err := s.FollowPeople(s.Context(), following, func(yield func(contacts.Described, error) bool) {
			_ = yield(contacts.Described{DirectoryID: "a", Says: a.Says()}, nil) && yield(contacts.Described{}, boom)
		}, func(context.Context, []string) ([]contacts.Person, error) { return []contacts.Person{a}, nil })
		if !errors.Is(err, boom) {
			s.Errorf("got %v", err)
		}
		s.equal([]string{"Person a", "Person b"}, s.names())
	})
}

func TestTwoTenantsAndAccountsStayApart(t *testing.T) {
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"))
		for _, of := range []struct {
			account int64
			tenant  string
		}{{acme, "fabrikam"}, {other, tenant}} {
			done, err := s.followIn(contacts.Following{Account: of.account, Tenant: of.tenant}, person("a", "90000002"))
			s.equal(nil, err)
			s.equal(contacts.Applied{Added: 1}, did(done))
			_, err = s.followIn(contacts.Following{Account: of.account, Tenant: of.tenant})
			s.equal(nil, err)
		}
		s.equal([]string{"Person a"}, s.names())
	})
}

func TestGroupsAndMembershipsFollowTheDirectory(t *testing.T) { // S25
	eachBook(t, func(s shelf) {
		kari := s.contact("By hand", "90000009")
		own := s.group("Own", kari)
		s.follow(person("a", "90000001"), person("b", ""), person("c", "90000003"))
		both := contacts.Membership{Group: "g", People: []string{"b", "a", "nobody", "a"}}
		s.equal(contacts.Applied{Added: 3}, s.followGroups([]string{"g", "Group", "h", "Half"}, both, contacts.Membership{Group: "h", People: []string{"c"}}))

		groups, err := s.Groups(s.Context(), acme, 0, 10)
		s.equal(nil, err)
		s.equal([]contacts.Group{
			own,
			{Source: "directory", Tenant: tenant, DirectoryID: "g", Name: "Group", Members: 2, Textable: 1},
			{Source: "directory", Tenant: tenant, DirectoryID: "h", Name: "Half", Members: 1, Textable: 1},
		}, groups, cmpopts.IgnoreFields(contacts.Group{}, "ID", "Created", "Updated"))
		g := groups[1].ID

		s.equal(contacts.Applied{Added: 1, Removed: 1},
			s.followGroups([]string{"g", "Renamed"}, contacts.Membership{Group: "g", People: []string{"a", "c"}}))
		s.equal([]string{"Person a", "Person c"}, s.members(g))
		renamed, err := s.Group(s.Context(), acme, g)
		s.equal(nil, err)
		s.equal("Renamed", renamed.Name)
		_, err = s.Group(s.Context(), acme, groups[2].ID)
		s.refused("group_not_found", err)
		s.equal([]string(nil), s.members(groups[2].ID))

		s.followGroups([]string{"h", "Half"}, contacts.Membership{Group: "h", People: []string{"c"}})
		s.equal([]string{"Person c"}, s.members(groups[2].ID))
		s.equal([]string{"By hand"}, s.members(own.ID))
	})
}

func TestWhoLeavesLosesTheirMemberships(t *testing.T) {
	eachBook(t, func(s shelf) {
		m := contacts.Membership{Group: "g", People: []string{"a", "b"}}
		s.follow(person("a", "90000001"), person("b", "90000002"))
		s.followGroups([]string{"g", "Group"}, m)
		s.follow(person("b", "90000002"))
		s.equal(contacts.Applied{Removed: 1}, s.followGroups([]string{"g", "Group"}, m))
	})
}

func TestTextThatNoDatabaseHolds(t *testing.T) {
	eachBook(t, func(s shelf) {
		p := person("a", "90\x0000 00 01\x00")
		p.Name, p.Office = "Ka\x00ri\r\nNordmann", "\x00"
		s.equal(contacts.Applied{Added: 1}, s.follow(p))
		s.equal(contacts.Applied{}, s.follow(p))
		s.equal([]string{"Kari Nordmann"}, s.names())
		p.Name = "Kari\x00"
		s.equal(contacts.Applied{Changed: 1}, s.follow(p))
	})
}
