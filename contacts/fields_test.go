package contacts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/db"
)

func TestAContactHasFieldsOfItsOwn(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari := s.contact("Kari", "90000001")
		got, err := s.SetFields(s.Context(), acme, kari.ID, map[string]string{"badge": " A\n1 ", "floor_2": "3", "gone": ""})
		s.equal(nil, err)
		s.equal(map[string]string{"badge": "A 1", "floor_2": "3"}, got)
		got, err = s.SetFields(s.Context(), acme, kari.ID, map[string]string{"badge": "B", "floor_2": ""})
		s.equal(nil, err)
		s.equal(map[string]string{"badge": "B"}, got)

		_, err = s.SetFields(s.Context(), other, kari.ID, map[string]string{"badge": "X"})
		s.refused("contact_not_found", err)
		_, err = s.Fields(s.Context(), other, kari.ID)
		s.refused("contact_not_found", err)
		many := map[string]string{}
		for i := range 51 {
			many[fmt.Sprintf("field%d", i)] = "x"
		}
		for _, wrong := range []map[string]string{{"Badge": "x"}, {"": "x"}, {"a b": "x"}, {strings.Repeat("a", 41): "x"},
			{"badge": strings.Repeat("å", 201)}, {"time_zone": "Oslo"}, {"time_zone": "Local"}, many} {
			_, err := s.SetFields(s.Context(), acme, kari.ID, wrong)
			s.refused("invalid_fields", err)
		}
		got, err = s.Fields(s.Context(), acme, kari.ID)
		s.equal(nil, err)
		s.equal(map[string]string{"badge": "B"}, got)
	})
}

func TestWhoIsGoneLeavesNoFields(t *testing.T) {
	eachBook(t, func(s shelf) {
		byHand := s.contact("Kari", "90000001")
		s.follow(person("a", "90000002"), person("b", "90000003"))
		all, err := s.Contacts(s.Context(), acme, 0, 10)
		s.equal(nil, err)
		for _, c := range all {
			_, err := s.SetFields(s.Context(), acme, c.ID, map[string]string{"badge": c.Name})
			s.equal(nil, err)
		}
		hidden := all[1] // it comes back with the next sync, with its fields
		s.equal(nil, s.Remove(s.Context(), acme, hidden.ID))
		s.equal(nil, s.Remove(s.Context(), acme, byHand.ID))
		s.follow(person(hidden.DirectoryID, "90000002")) // the other has left
		left, err := db.Column[string](s.Context(), s.db, `SELECT value FROM contact_fields ORDER BY value`)
		s.equal(nil, err)
		s.equal([]string{hidden.Name}, left)
	})
}
