package contacts_test

import (
	"testing"

	"github.com/varsel/varsel/contacts"
)

func TestAContactIsFoundByPartOfNameOrNumber(t *testing.T) {
	eachBook(t, func(s shelf) {
		ase := s.contact("Åse Ødegård", "90000001")
		s.contact("Per Åsen", "90000002")
		s.follow(person("x", "91111111"))
		s.group("Zulu", ase)
		s.group("Alfa", ase)
		find := func(text string, limit int) (names []string) {
			s.Helper()
			list, err := s.Find(s.Context(), acme, text, limit)
			s.equal(nil, err)
			return namesOf(list)
		}
		s.equal([]string{"Åse Ødegård", "Per Åsen"}, find("  ÅSE", 10))
		s.equal([]string{"Åse Ødegård"}, find("åse", 1))
		s.equal([]string{"Person x"}, find("911 11", 10))
		s.equal([]string(nil), find("  ", 10))
		s.equal([]string(nil), find("nobody", 10))
		list, err := s.Find(s.Context(), other, "åse", 10)
		s.equal(nil, err)
		s.equal([]contacts.Contact(nil), list)
		names, err := s.GroupNames(s.Context(), acme, ase.ID)
		s.equal(nil, err)
		s.equal([]string{"Alfa", "Zulu"}, names)
	})
}
