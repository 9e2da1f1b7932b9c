package contacts_test

import (
	"fmt"
	"testing"

	"github.com/varsel/varsel/contacts"
)

func worker(id, department, title, email, language, mobile string) contacts.Person {
	p := person(id, mobile)
	p.Department, p.JobTitle, p.Email, p.Language = department, title, email, language
	return p
}

func (s shelf) ruleGroup(name string, r ...contacts.Condition) contacts.Group {
	s.Helper()
	g, err := s.AddRuleGroup(s.Context(), acme, name, r)
	if err != nil {
		s.Fatal(err)
	}
	return g
}

func (s shelf) apply() contacts.Applied {
	s.Helper()
	done, err := s.ApplyRules(s.Context(), acme)
	if err != nil {
		s.Fatal(err)
	}
	return done
}

func TestARuleFindsItsMembers(t *testing.T) { // Q23, Q24
	eachBook(t, func(s shelf) {
		s.contact("By hand", "90000009")
		s.follow(worker("a", "Økonomi", "Head of finance", "a@acme.example", "nb", "90000001"),
			worker("b", "ØKONOMI Nord", "Clerk", "b@North.acme.example", "en", "+48 512 345 678"),
			worker("c", "", "", "", "", ""))
		one := func(field, op string, values ...string) contacts.Condition {
			return contacts.Condition{Field: field, Op: op, Values: values}
		}
		for i, c := range []struct {
			rule contacts.Rule
			want []string
		}{
			{contacts.Rule{one("department", "is", "økonomi")}, []string{"Person a"}},
			{contacts.Rule{one("department", "is_not", "økonomi")}, []string{"By hand", "Person b", "Person c"}},
			{contacts.Rule{one("department", "starts_with", "økonomi")}, []string{"Person a", "Person b"}},
			{contacts.Rule{one("job_title", "contains", "FINANCE")}, []string{"Person a"}},
			{contacts.Rule{one("department", "empty")}, []string{"By hand", "Person c"}},
			{contacts.Rule{one("email_domain", "is", "north.acme.example")}, []string{"Person b"}},
			{contacts.Rule{one("language", "one_of", "en", "pl")}, []string{"Person b"}},
			{contacts.Rule{one("source", "is", contacts.ByHand)}, []string{"By hand"}},
			{contacts.Rule{one("phone_country", "is", "pl")}, []string{"Person b"}},
			{contacts.Rule{one("department", "starts_with", "Ø"), one("language", "is", "nb")}, []string{"Person a"}},
			{contacts.Rule{one("office", "is", "Oslo")}, nil},
		} {
			g := s.ruleGroup(fmt.Sprint("Group ", i), c.rule...)
			s.equal(c.want, s.members(g.ID))
			s.equal(c.rule, g.Rule)
			members, _, err := s.PreviewRule(s.Context(), acme, c.rule)
			s.equal(nil, err)
			s.equal(len(c.want), members)
		}
		members, textable, err := s.PreviewRule(s.Context(), acme, contacts.Rule{one("office", "empty")})
		s.equal(nil, err)
		s.equal([]int{4, 3}, []int{members, textable})
		none, err := s.ApplyRules(s.Context(), other)
		s.equal(nil, err)
		s.equal(contacts.Applied{}, none)
	})
}

func TestAGroupWithARuleFollowsTheContacts(t *testing.T) {
	eachBook(t, func(s shelf) {
		nurses := s.ruleGroup("Nurses", contacts.Condition{Field: contacts.FieldJobTitle, Op: contacts.Is, Values: []string{"Nurse"}})
		nurse := func(id string) contacts.Person { return worker(id, "", "Nurse", "", "", "9000000"+id) }
		s.follow(nurse("1"), nurse("2"), worker("3", "", "Clerk", "", "", "90000003"))
		s.equal(contacts.Applied{Added: 2}, s.apply())
		s.equal(contacts.Applied{}, s.apply()) // nothing differs, so nothing is written
		s.follow(nurse("1"), nurse("3"))
		s.equal(contacts.Applied{Added: 1, Removed: 1}, s.apply())
		s.equal([]string{"Person 1", "Person 3"}, s.members(nurses.ID))

		// What is done here is followed at once.
		kari, err := s.Add(s.Context(), acme, contacts.NewContact{Name: "Kari", Phone: "90000007", Region: "NO", JobTitle: "nurse"})
		s.equal(nil, err)
		s.equal([]string{"Person 1", "Person 3", "Kari"}, s.members(nurses.ID))
		_, err = s.EditContact(s.Context(), acme, kari.ID, contacts.Changes{JobTitle: new("Clerk")})
		s.equal(nil, err)
		s.equal([]string{"Person 1", "Person 3"}, s.members(nurses.ID))
		_, err = s.AddContacts(s.Context(), acme, []contacts.NewContact{{Name: "Ola", Phone: "90000008", Region: "NO", JobTitle: "Nurse"}})
		s.equal(nil, err)
		s.equal([]string{"Person 1", "Person 3", "Ola"}, s.members(nurses.ID))

		g, err := s.SetRule(s.Context(), acme, nurses.ID, contacts.Rule{{Field: contacts.FieldJobTitle, Op: contacts.Is, Values: []string{" clerk "}}})
		s.equal(nil, err)
		s.equal(1, g.Members)
		s.equal([]string{"Kari"}, s.members(nurses.ID))
	})
}

func TestARuleGoesThroughALargeAddressBook(t *testing.T) {
	eachBook(t, func(s shelf) {
		var people []contacts.Person
		for i := range 10_003 {
			people = append(people, worker(fmt.Sprintf("%05d", i), fmt.Sprint("Ward ", i%2), "", "", "", ""))
		}
		s.follow(people...)
		g := s.ruleGroup("Ward 1", contacts.Condition{Field: contacts.FieldDepartment, Op: contacts.Is, Values: []string{"ward 1"}})
		s.equal(5001, g.Members)
		s.follow(people[:10]...)
		s.equal(contacts.Applied{Removed: 4996}, s.apply())
	})
}

func TestRulesThatCannotBeAreRefused(t *testing.T) {
	eachBook(t, func(s shelf) {
		for _, r := range []contacts.Rule{
			nil,
			{{Field: "shoe_size", Op: "is", Values: []string{"44"}}},
			{{Field: "office", Op: "resembles", Values: []string{"Oslo"}}},
			{{Field: "office", Op: "is"}},
			{{Field: "office", Op: "is", Values: []string{" "}}},
			{{Field: "office", Op: "is", Values: []string{"Oslo", "Bergen"}}},
			{{Field: "office", Op: "empty", Values: []string{"Oslo"}}},
			make(contacts.Rule, 11),
		} {
			_, err := s.AddRuleGroup(s.Context(), acme, "Group", r)
			s.refused("invalid_rule", err)
			_, _, err = s.PreviewRule(s.Context(), acme, r)
			s.refused("invalid_rule", err)
		}
		rule := contacts.Rule{{Field: "office", Op: "empty"}}
		_, err := s.AddRuleGroup(s.Context(), acme, " ", rule)
		s.refused("invalid_name", err)
		listed, ruled := s.group("Listed"), s.ruleGroup("Ruled", rule...)
		_, err = s.SetRule(s.Context(), acme, listed.ID, rule)
		s.refused("listed_group", err)
		_, err = s.AddMembers(s.Context(), acme, ruled.ID, nil)
		s.refused("rule_group", err)
		_, err = s.RemoveMembers(s.Context(), acme, ruled.ID, nil)
		s.refused("rule_group", err)
		s.equal(nil, s.DeleteGroup(s.Context(), acme, ruled.ID))
		s.equal(contacts.Applied{}, s.apply())
	})
}
