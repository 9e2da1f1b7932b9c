package contacts_test

import (
	"fmt"
	"testing"

	"github.com/varsel/varsel/contacts"
)

func business(id, number string) contacts.Person {
	return contacts.Person{DirectoryID: id, Name: "Person " + id, Phone: contacts.Choose("", []string{number}, "NO")}
}

func (s shelf) quality(f contacts.QualityFilter) (names []string) {
	s.Helper()
	list, err := s.Quality(s.Context(), acme, f, 0, 100)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func TestThePhoneReportSaysWhatIsWrongAndWithWhom(t *testing.T) { // S8
	eachBook(t, func(s shelf) {
		s.contact("By hand", "90000001")
		s.follow(person("a", "90000001"), person("b", "90000002"), person("c", "n/a"), person("d", "12"), person("e", "1234"),
			business("f", "22 33 44 55"), business("g", "22 33 44 55"), person("h", "90000008"))
		for reason, want := range map[string][]string{
			"":                    {"By hand", "Person a", "Person b", "Person c", "Person d", "Person e", "Person f", "Person g", "Person h"},
			contacts.AnyWarning:   {"By hand", "Person a", "Person c", "Person d", "Person e", "Person f", "Person g"},
			contacts.NoNumber:     {"Person c", "Person d"},
			contacts.TooShort:     {"Person e"},
			contacts.SharedNumber: {"By hand", "Person a", "Person f", "Person g"},
			contacts.DeskLine:     {"Person f", "Person g"},
		} {
			s.equal(want, s.quality(contacts.QualityFilter{Reason: reason}))
		}
		s.equal([]string{"Person a", "Person f", "Person g"}, s.quality(contacts.QualityFilter{Reason: contacts.SharedNumber, Tenant: tenant}))

		list, err := s.Quality(s.Context(), acme, contacts.QualityFilter{Reason: contacts.DeskLine}, 0, 1)
		s.equal(nil, err)
		s.equal(1, list[0].SharedWith)
		s.equal([]string{contacts.SharedNumber, contacts.DeskLine}, list[0].Warnings())
		list, err = s.Quality(s.Context(), acme, contacts.QualityFilter{Reason: contacts.DeskLine}, list[0].ID, 10)
		s.equal(nil, err)
		s.equal("Person g", list[0].Name)

		got, err := s.QualitySummary(s.Context(), acme, "")
		s.equal(nil, err)
		s.equal(contacts.QualitySummary{Shared: 4, DeskLines: 2, Coverage: contacts.Coverage{Contacts: 9, WithNumber: 6, WithoutNumber: 2,
			Invalid: 1, Reasons: map[string]int{contacts.NoNumber: 2, contacts.TooShort: 1}}}, got)
		for reason, n := range map[string]int{contacts.NoNumber: 2, contacts.SharedNumber: 4, contacts.DeskLine: 2, contacts.Letters: 0} {
			s.equal(n, got.Count(reason))
		}
		got, err = s.QualitySummary(s.Context(), acme, tenant)
		s.equal(nil, err)
		s.equal([]int{8, 3}, []int{got.Contacts, got.Shared})
		got, err = s.QualitySummary(s.Context(), other, "")
		s.equal(nil, err)
		s.equal(0, got.Contacts)
	})
}

func TestThePhoneReportOfAGroup(t *testing.T) {
	eachBook(t, func(s shelf) {
		kari, ola := s.contact("Kari", "90000001"), s.contact("Ola", "90000001")
		per := s.contact("Per", "90000003")
		g := s.group("Some", kari, per)
		s.equal([]string{"Kari", "Per"}, s.quality(contacts.QualityFilter{Group: g.ID}))
		s.equal([]string{"Kari"}, s.quality(contacts.QualityFilter{Group: g.ID, Reason: contacts.AnyWarning}))
		// Who is deleted shares nothing any more.
		s.equal(nil, s.Remove(s.Context(), acme, ola.ID))
		s.equal([]string(nil), s.quality(contacts.QualityFilter{Reason: contacts.AnyWarning}))
	})
}

func TestThePhoneReportIsWrittenToItsEnd(t *testing.T) {
	eachBook(t, func(s shelf) {
		var people []contacts.Person
		for i := range 2100 {
			people = append(people, person(fmt.Sprintf("%04d", i), ""))
		}
		s.follow(append(people, person("fine", "90000001"))...)
		rows := 0
		err := s.EachWarning(s.Context(), acme, contacts.QualityFilter{}, func(c contacts.Checked) error {
			s.equal(len(contacts.QualityColumns), len(c.Fields()))
			rows++
			return nil
		})
		s.equal(nil, err)
		s.equal(2100, rows)
	})
}

func TestPoorCoverageIsAdvisedAgainst(t *testing.T) { // S8
	for _, c := range []struct {
		with, all int
		advised   bool
	}{{0, 0, true}, {0, 1, false}, {79, 100, false}, {80, 100, true}, {4, 5, true}, {3, 4, false}} {
		q := contacts.QualitySummary{Coverage: contacts.Coverage{Contacts: c.all, WithNumber: c.with}}
		if q.Advised() != c.advised {
			t.Errorf("%d of %d: %v", c.with, c.all, q.Advised())
		}
	}
}
