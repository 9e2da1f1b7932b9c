package contacts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

const acme, other = 1, 2

// shelf is a database with two accounts and their address books.
type shelf struct {
	*testing.T
	*contacts.Book
	db *db.DB
}

func eachBook(t *testing.T, test func(s shelf)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for id, handle := range map[int64]string{acme: "acme", other: "other"} {
			_, err := d.ExecContext(t.Context(), `
				INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
				VALUES ($1, $2, $2, 'NO', '', 'EUR', 'active', 0)`, id, handle)
			if err != nil {
				t.Fatal(err)
			}
		}
		test(shelf{t, contacts.New(d), d})
	})
}

func (s shelf) contact(name, phone string) contacts.Contact {
	s.Helper()
	c, err := s.AddContact(s.Context(), acme, name, phone, "NO")
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func (s shelf) group(name string, of ...contacts.Contact) contacts.Group {
	s.Helper()
	var ids []int64
	for _, c := range of {
		ids = append(ids, c.ID)
	}
	g, err := s.AddGroup(s.Context(), acme, name, ids)
	if err != nil {
		s.Fatal(err)
	}
	return g
}

// names are the account's contacts, in the order of their ids.
func (s shelf) names() []string {
	s.Helper()
	list, err := s.Contacts(s.Context(), acme, 0, 1000)
	if err != nil {
		s.Fatal(err)
	}
	return namesOf(list)
}

func (s shelf) members(group int64) []string {
	s.Helper()
	list, err := s.ContactsInGroup(s.Context(), acme, group, 0, 1000)
	if err != nil {
		s.Fatal(err)
	}
	return namesOf(list)
}

func namesOf(list []contacts.Contact) (names []string) {
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func (s shelf) equal(want, got any, opts ...cmp.Option) {
	s.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		s.Error(diff)
	}
}

func (s shelf) refused(code string, err error) {
	s.Helper()
	if !problem.Has(err, code) {
		s.Errorf("want %s, got %v", code, err)
	}
}

var untimed = cmpopts.IgnoreFields(contacts.Contact{}, "ID", "Created", "Updated")

func TestAContactKeptByHand(t *testing.T) {
	eachBook(t, func(s shelf) {
		c := s.contact(" Kari\n Nordmann ", "900 00 000")
		want := contacts.Contact{Source: contacts.ByHand, Person: contacts.Person{
			Name:  "Kari Nordmann",
			Phone: contacts.Choice{Raw: "900 00 000", Rule: contacts.RuleManual, E164: "+4790000000", Country: "NO"},
		}}
		s.equal(want, c, untimed)
		found, err := s.Contact(s.Context(), acme, c.ID)
		s.equal(c, found)
		s.equal(nil, err)

		_, err = s.AddContact(s.Context(), acme, "Ola", "22 33 44 55 ext 3", "NO")
		s.refused("invalid_phone", err)
		_, err = s.AddContact(s.Context(), acme, " ", "900 00 000", "NO")
		s.refused("invalid_name", err)
		_, err = s.Contact(s.Context(), other, c.ID)
		s.refused("contact_not_found", err)
	})
}

func TestAnImportIsAllOrNothing(t *testing.T) {
	eachBook(t, func(s shelf) {
		list := make([]contacts.NewContact, 5_005)
		for i := range list {
			list[i] = contacts.NewContact{Name: fmt.Sprintf("Person %05d", i), Phone: fmt.Sprintf("900%05d", i), Region: "NO"}
		}
		list[7].Phone = "1"
		_, err := s.AddContacts(s.Context(), acme, list)
		s.refused("invalid_phone", err)
		if !strings.HasPrefix(err.Error(), "row 8:") {
			s.Errorf("the row is not named: %v", err)
		}
		s.equal([]string(nil), s.names())

		list[7].Phone = "90000007"
		ids, err := s.AddContacts(s.Context(), acme, list)
		if err != nil {
			s.Fatal(err)
		}
		last, err := s.Contact(s.Context(), acme, ids[5_004])
		s.equal(nil, err)
		s.equal("+4790005004", last.Phone.E164)

		g, err := s.AddGroup(s.Context(), acme, "Everybody", append(ids, ids[0]))
		s.equal(nil, err)
		s.equal([]int{5_005, 5_005}, []int{g.Members, g.Textable})
	})
}

func TestListsArePaged(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari, ola, per := s.contact("Kari", "90000001"), s.contact("Ola", "90000002"), s.contact("Per", "90000003")
		all := s.group("All", kari, ola, per)
		first := s.group("First", kari)

		page, err := s.Contacts(s.Context(), acme, kari.ID, 1)
		s.equal(nil, err)
		s.equal([]string{"Ola"}, namesOf(page))
		page, err = s.ContactsInGroup(s.Context(), acme, all.ID, ola.ID, 10)
		s.equal(nil, err)
		s.equal([]string{"Per"}, namesOf(page))
		page, err = s.ContactsInGroup(s.Context(), other, all.ID, 0, 10)
		s.equal(nil, err)
		s.equal([]string(nil), namesOf(page))
		groups, err := s.Groups(s.Context(), acme, all.ID, 10)
		s.equal(nil, err)
		s.equal([]contacts.Group{first}, groups)
		_, err = s.Group(s.Context(), other, all.ID)
		s.refused("group_not_found", err)
		_, err = s.AddGroup(s.Context(), other, "Stolen", []int64{kari.ID})
		s.refused("invalid_contacts", err)
	})
}

func TestAGroupIsFoundByNameOrID(t *testing.T) {
	eachBook(t, func(s shelf) {
		night, day1, day2 := s.group("Night"), s.group("Day"), s.group("Day")
		parse := func(text string) (id int64, ok bool) {
			_, err := fmt.Sscanf(text, "grp_%d", &id)
			return id, err == nil
		}
		name := func(id int64) string { return fmt.Sprintf("grp_%d", id) }
		find := func(account int64, text string) (contacts.Group, error) {
			return s.FindGroup(s.Context(), account, text, parse, name)
		}

		g, err := find(acme, "Night")
		s.equal(nil, err)
		s.equal(night, g)
		g, err = find(acme, name(day2.ID))
		s.equal(nil, err)
		s.equal(day2, g)
		_, err = find(acme, "Day")
		s.refused("ambiguous_group", err)
		for _, id := range []int64{day1.ID, day2.ID} {
			if !strings.Contains(err.Error(), name(id)) {
				s.Errorf("%s is not named in %q", name(id), err)
			}
		}
		_, err = find(acme, "Evening")
		s.refused("group_not_found", err)
		_, err = find(other, "Night")
		s.refused("group_not_found", err)
		_, err = find(other, name(night.ID))
		s.refused("group_not_found", err)
	})
}

func TestRemovingAContactKeptByHandForgetsIt(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari, ola := s.contact("Kari", "90000001"), s.contact("Ola", "90000002")
		g := s.group("Both", kari, ola)

		s.refused("contact_not_found", s.Remove(s.Context(), other, kari.ID))
		s.equal(nil, s.Remove(s.Context(), acme, kari.ID))
		s.refused("contact_not_found", s.Remove(s.Context(), acme, kari.ID))

		s.equal([]string{"Ola"}, s.names())
		s.equal([]string{"Ola"}, s.members(g.ID))
		var kept int
		err := s.db.QueryRowContext(s.Context(), `SELECT COUNT(*) FROM contacts WHERE name = 'Kari' OR phone LIKE '%1' OR phone_raw LIKE '%1'`).Scan(&kept)
		s.equal(nil, err)
		s.equal(0, kept)
	})
}

func TestCoverageCountsWhoCanBeTexted(t *testing.T) { // S8
	eachBook(t, func(s shelf) {
		s.contact("By hand", "90000001")
		s.follow(person("a", "90000002"), person("b", "ext 312"), person("c", "1234"), person("d", "n/a"), person("e", ""))
		got, err := s.Coverage(s.Context(), acme)
		s.equal(nil, err)
		s.equal(contacts.Coverage{
			Contacts: 6, WithNumber: 2, WithoutNumber: 2, Invalid: 2,
			Reasons: map[string]int{contacts.NoNumber: 2, contacts.Extension: 1, contacts.TooShort: 1},
		}, got)
	})
}

func TestTheExportTellsWhatIsTextedAndWhy(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari := s.contact("Kari", "900 00 001")
		s.group("Zulu", kari)
		s.group("Alfa", kari)
		s.follow(person("a", "n/a"))
		var rows [][]string
		err := s.Export(s.Context(), acme, func(r contacts.Row) error {
			rows = append(rows, r.Fields())
			return nil
		})
		s.equal(nil, err)
		s.equal([][]string{
			{"", "Kari", "manual", "900 00 001", "manual", "+4790000001", "", "Alfa|Zulu"},
			{"a", "Person a", "directory", "", "none", "", "no_number", ""},
		}, rows)
		s.equal(len(contacts.ExportColumns), len(rows[0]))
	})
}

func TestTheExportGoesPageByPage(t *testing.T) {
	eachBook(t, func(s shelf) {
		var people []contacts.Person
		for i := range 2500 {
			people = append(people, person(fmt.Sprintf("%04d", i), "90000001"))
		}
		s.follow(people...)
		s.followGroups([]string{"g", "Group"}, contacts.Membership{Group: "g", People: directoryIDs(people)})
		var ids, groups []string
		err := s.Export(s.Context(), acme, func(r contacts.Row) error {
			ids, groups = append(ids, r.DirectoryID), append(groups, r.Groups...)
			return nil
		})
		s.equal(nil, err)
		slices.Sort(ids)
		s.equal(directoryIDs(people), ids)
		s.equal(2500, len(groups))
	})
}
