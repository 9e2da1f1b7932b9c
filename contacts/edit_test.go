package contacts_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

func TestAContactKeptByHandIsEdited(t *testing.T) {
	eachBook(t, func(s shelf) {
		before := s.contact("Kari", "90000001")
		got, err := s.EditContact(s.Context(), acme, before.ID, contacts.Changes{Name: new(" Kari \n Nordmann"), Phone: new("900 00 002"),
			Department: new("Ward 3"), JobTitle: new("Nurse"), Office: new("Oslo"), Email: new("kari@acme.example"), Language: new("NB-no"), Region: "NO"})
		s.equal(nil, err)
		want := contacts.Contact{ID: before.ID, Source: contacts.ByHand, Created: before.Created, Person: contacts.Person{
			Name: "Kari Nordmann", Department: "Ward 3", JobTitle: "Nurse", Office: "Oslo", Email: "kari@acme.example", Language: "nb-NO",
			Phone: contacts.Choice{Raw: "900 00 002", Rule: contacts.RuleManual, E164: "+4790000002", Country: "NO"}}}
		s.equal(want, got, cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))

		got, err = s.EditContact(s.Context(), acme, before.ID, contacts.Changes{Office: new("")})
		s.equal(nil, err)
		want.Office = ""
		s.equal(want, got, cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
		s.equal(want, s.only(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
	})
}

func TestEditsThatCannotBeKeptAreRefused(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari := s.contact("Kari", "90000001")
		for code, ch := range map[string]contacts.Changes{
			"invalid_name":       {Name: new(" \n")},
			"invalid_phone":      {Phone: new("22 33 44 55 ext 3"), Region: "NO"},
			"invalid_email":      {Email: new("Kari <kari@acme.example>")},
			"invalid_language":   {Language: new("Norwegian, please")},
			"invalid_department": {Department: new(strings.Repeat("å", 201))},
		} {
			_, err := s.EditContact(s.Context(), acme, kari.ID, ch)
			s.refused(code, err)
		}
		_, err := s.EditContact(s.Context(), other, kari.ID, contacts.Changes{Name: new("Stolen")})
		s.refused("contact_not_found", err)
		s.equal(kari, s.only())
	})
}

func TestWhatTheDirectorySaysIsNotEditedHere(t *testing.T) { // S12, S15
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"))
		before := s.only()
		for field, ch := range map[string]contacts.Changes{
			"name": {Name: new("Else")}, "phone": {Phone: new("90000009"), Region: "NO"}, "department": {Department: new("Else")},
			"job_title": {JobTitle: new("Else")}, "office": {Office: new("Else")}, "email": {Email: new("else@acme.example")},
			"language": {Language: new("pl")},
		} {
			_, err := s.EditContact(s.Context(), acme, before.ID, ch)
			s.refused("synced_field", err)
			if p := problem.As(err); p == nil || p.Field != field || !strings.Contains(p.Text, "the directory decides") {
				s.Errorf("%s: %+v", field, p)
			}
		}
		s.equal(before, s.only())
	})
}

func TestAGroupKeptByHandIsEdited(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari, ola := s.contact("Kari", "90000001"), s.contact("Ola", "90000002")
		s.follow(person("a", "90000003"))
		list, _ := s.Contacts(s.Context(), acme, ola.ID, 1)
		g := s.group("Night", kari)

		renamed, err := s.RenameGroup(s.Context(), acme, g.ID, " Late\nshift ")
		s.equal(nil, err)
		s.equal("Late shift", renamed.Name)
		_, err = s.RenameGroup(s.Context(), acme, g.ID, " ")
		s.refused("invalid_name", err)

		// A synced contact may be in it; who is in it already is no fault.
		got, err := s.AddMembers(s.Context(), acme, g.ID, []int64{list[0].ID, kari.ID, ola.ID, ola.ID})
		s.equal(nil, err)
		s.equal(3, got.Members)
		s.equal([]string{"Kari", "Ola", "Person a"}, s.members(g.ID))
		_, err = s.AddMembers(s.Context(), acme, g.ID, []int64{12345})
		s.refused("invalid_contacts", err)

		got, err = s.RemoveMembers(s.Context(), acme, g.ID, []int64{kari.ID, 12345})
		s.equal(nil, err)
		s.equal(2, got.Members)

		_, err = s.RenameGroup(s.Context(), other, g.ID, "Stolen")
		s.refused("group_not_found", err)
		s.refused("group_not_found", s.DeleteGroup(s.Context(), other, g.ID))
		s.equal(nil, s.DeleteGroup(s.Context(), acme, g.ID))
		_, err = s.Group(s.Context(), acme, g.ID)
		s.refused("group_not_found", err)
		s.equal(3, len(s.names()))
	})
}

func TestAGroupOfTheDirectoryIsNotEditedHere(t *testing.T) { // S12, S15
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"))
		s.followGroups([]string{"g", "Group"}, contacts.Membership{Group: "g", People: []string{"a"}})
		g, _ := s.Groups(s.Context(), acme, 0, 1)
		kari := s.contact("Kari", "90000002")
		_, err := s.RenameGroup(s.Context(), acme, g[0].ID, "Else")
		s.refused("synced_group", err)
		_, err = s.AddMembers(s.Context(), acme, g[0].ID, []int64{kari.ID})
		s.refused("synced_group", err)
		_, err = s.RemoveMembers(s.Context(), acme, g[0].ID, []int64{kari.ID})
		s.refused("synced_group", err)
		_, err = s.SetRule(s.Context(), acme, g[0].ID, contacts.Rule{{Field: contacts.FieldOffice, Op: contacts.IsEmpty}})
		s.refused("synced_group", err)
		s.refused("synced_group", s.DeleteGroup(s.Context(), acme, g[0].ID))
		s.equal([]string{"Person a"}, s.members(g[0].ID))
	})
}
