package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// shelf is an office whose people have cards.
type shelf struct {
	*office
	cards *cards.Cards
}

func eachShelf(t *testing.T, test func(s shelf)) {
	t.Helper()
	eachOffice(t, func(o *office) { test(shelf{o, cards.New(o.db)}) })
}

func shows(kind cards.Kind, property string) cards.Field {
	return cards.Field{ID: string(kind), Kind: kind, From: property, Sync: cards.Always}
}

// design groups by department and applies a design to all groups.
func (s shelf) design(fields ...cards.Field) cards.Template {
	s.Helper()
	_, err := s.cards.SaveGrouping(s.Context(), acme, cards.Grouping{Tenant: "contoso", Method: cards.ByFields, Fields: []string{"department"}}, "")
	s.equal(nil, err)
	return s.redesign(0, fields...)
}

func (s shelf) redesign(id int64, fields ...cards.Field) cards.Template {
	s.Helper()
	b := cards.Usual()
	b.Sections = []cards.Section{{Fields: append(fields, cards.Field{ID: "site", Kind: cards.Website, Editable: true})}}
	t, err := s.cards.SaveTemplate(s.Context(), acme, id, "Design", b)
	s.equal(nil, err)
	s.equal(nil, s.cards.Apply(s.Context(), acme, t.ID, nil))
	return t
}

func (s shelf) employs(id, department string) {
	s.entra.set(id, map[string]any{"displayName": "Person " + id, "department": department, "givenName": "Given " + id, "mobilePhone": "900 00 00" + id,
		"accountEnabled": true, "userType": "Member"})
}

// all are the cards by directory id.
func (s shelf) all() map[string]cards.Card {
	s.Helper()
	list, err := s.cards.List(s.Context(), acme, cards.ListFilter{}, 0, 100_000)
	s.equal(nil, err)
	all := map[string]cards.Card{}
	for _, c := range list {
		all[c.DirectoryID] = c
	}
	return all
}

// told is what everybody's active card tells, as the public sees it.
func (s shelf) told() map[string]string {
	s.Helper()
	all := map[string]string{}
	for id, c := range s.all() {
		card, design, err := s.cards.Public(s.Context(), c.Slug)
		if c.State == cards.Withdrawn {
			s.refused("card_gone", err)
			continue
		}
		s.equal(nil, err)
		var says []string
		for _, section := range design.Tell(card.Values) {
			for _, f := range section.Fields {
				says = append(says, f.Value)
			}
		}
		all[id] = strings.Join(says, ", ")
	}
	return all
}

func TestCardsFollowTheDirectory(t *testing.T) { // Q30, Q41, Q44, Q48, Q53, Q59, Q63
	eachShelf(t, func(s shelf) {
		s.employs("1", "Sales")
		s.employs("2", "Sales")
		s.design(shows(cards.FullName, "displayName"), shows(cards.Department, "department"))
		run := s.synced()
		s.equal(cards.Followed{Cards: 2, Added: 2}, run.Cards)
		s.equal(map[string]string{"1": "Person 1, Sales", "2": "Person 2, Sales"}, s.told())
		before := s.all()

		s.entra.set("1", map[string]any{"displayName": "Renamed"})
		s.entra.remove("2")
		s.employs("3", "Robotics") // somebody new in a new department
		s.equal(cards.Followed{Cards: 2, Added: 1, Changed: 1, Withdrawn: 1}, s.synced().Cards)
		s.equal(map[string]string{"1": "Renamed, Sales", "3": "Person 3, Robotics"}, s.told())

		s.entra.restore("2")
		s.synced()
		s.equal("Person 2, Sales", s.told()["2"])
		s.equal(before["2"].Slug, s.all()["2"].Slug)
		s.equal(before["1"].Slug, s.all()["1"].Slug)

		s.entra.set("1", map[string]any{"accountEnabled": false}) // out of scope is out of cards
		s.synced()
		s.equal("", s.told()["1"])
		s.equal(cards.Followed{Cards: 2}, s.synced().Cards)
	})
}

func TestAPropertyThatADesignShowsIsFetchedForEverybody(t *testing.T) { // Q33, Q51, Q52
	for _, partial := range []bool{false, true} {
		eachShelf(t, func(s shelf) {
			s.entra.partial = partial
			s.employs("1", "Sales")
			tpl := s.design(shows(cards.FullName, "displayName"))
			s.synced()
			s.equal(0, s.mirrorHas("Given 1"))
			c := s.all()["1"]
			_, err := s.cards.Edit(s.Context(), acme, c.ID, map[string]string{"site": "https://example.com"})
			s.equal(nil, err)

			s.redesign(tpl.ID, shows(cards.FullName, "displayName"), shows(cards.GivenName, "givenName"))
			s.equal("Person 1, https://example.com", s.told()["1"])
			s.synced()
			s.equal("Person 1, Given 1, https://example.com", s.told()["1"])
			s.equal(c.Slug, s.all()["1"].Slug)
			if !strings.Contains(strings.Join(s.opened[1].PersonFields, " "), "givenName") {
				s.Errorf("asked for %v", s.opened[1].PersonFields)
			}

			// What no design shows any more is not kept.
			s.redesign(tpl.ID, shows(cards.FullName, "displayName"))
			s.synced()
			s.equal(0, s.mirrorHas("Given 1"))
		})
	}
}

func TestContactsOfOnesOwnAreLeftAlone(t *testing.T) { // Q43
	eachShelf(t, func(s shelf) {
		own, err := s.book.Add(s.Context(), acme, contacts.NewContact{Name: "Own", Phone: "911 11 111", Region: "NO"})
		s.equal(nil, err)
		s.employs("1", "Sales")
		s.design(shows(cards.FullName, "displayName"))
		s.synced()
		slugs, err := s.cards.OfContacts(s.Context(), s.db, acme, []int64{own.ID})
		s.equal([]any{nil, 0}, []any{err, len(slugs)})
		s.equal(1, len(s.all()))
	})
}

func TestDisconnectedCardsStayUntilTheyAreCaughtUp(t *testing.T) { // Q54, Q55, Q56
	eachShelf(t, func(s shelf) {
		s.employs("1", "Sales")
		s.employs("2", "Sales")
		s.design(shows(cards.FullName, "displayName"))
		s.synced()
		before := s.all()
		s.equal(nil, s.Disconnect(s.Context(), acme, s.only().ID))
		s.entra.remove("1")
		s.entra.set("2", map[string]any{"displayName": "Renamed"})
		s.employs("3", "Sales")
		s.equal(nil, s.cards.Purge(s.Context(), time.Now().Add(100*24*time.Hour)))
		s.equal(before, s.all())
		_, _, err := s.Check(s.Context(), acme, s.only().ID)
		s.equal(nil, err)
		s.synced()
		s.equal(map[string]string{"2": "Renamed", "3": "Person 3"}, s.told())
		s.equal(before["2"].Slug, s.all()["2"].Slug)
	})
}

func TestWhomTheBrakeHoldsKeepsTheirCard(t *testing.T) {
	eachShelf(t, func(s shelf) {
		s.design(shows(cards.FullName, "displayName"))
		s.staff(30)
		before := s.all()
		s.equal(30, len(before))
		s.remove(0, 20)
		run := s.synced()
		s.equal([]any{20, cards.Followed{Cards: 30}}, []any{run.Held, run.Cards})
		s.equal(before, s.all())
		s.equal(nil, s.Approve(s.Context(), acme, s.only().ID, 20, "kari@example.com"))
		s.equal(cards.Followed{Cards: 10, Withdrawn: 20}, s.synced().Cards)
	})
}

func TestAPreviewMakesNoCards(t *testing.T) {
	eachShelf(t, func(s shelf) {
		s.employs("1", "Sales")
		s.design(shows(cards.FullName, "displayName"))
		c := s.connect()
		_, err := s.RequestPreview(s.Context(), acme, c.ID)
		s.equal(nil, err)
		s.equal(directory.Preview, s.synced().Kind)
		s.equal(0, len(s.all()))
		s.synced()
		s.equal(1, len(s.all()))
	})
}

func TestMinorsAreKnownByWhatTheDirectorySays(t *testing.T) { // reading 8
	eachShelf(t, func(s shelf) {
		s.employs("1", "Sales")
		s.employs("2", "Sales")
		s.entra.set("2", map[string]any{"legalAgeGroupClassification": "MinorNoParentalConsentRequired"})
		s.design(shows(cards.FullName, "displayName"))
		s.equal(cards.Followed{Cards: 1, Added: 1, Minors: 1}, s.synced().Cards)
		s.equal(2, len(s.contacts()))
	})
}

func TestCardsFollowADirectoryThatWritesToUs(t *testing.T) { // Q33, Q44, Q53, reading 3
	eachWritten(t, func(w *written) {
		s := shelf{w.office, cards.New(w.db)}
		id := w.create(scim.User, `{"userName": "kari@acme.example", "displayName": "Kari", "active": true, "name": {"givenName": "Kari", "familyName": "Nordmann"},
			"addresses": [{"type": "work", "streetAddress": "Storgata 1", "postalCode": "0155", "locality": "Oslo"}],
			"phoneNumbers": [{"type": "mobile", "value": "900 00 001"}, {"type": "fax", "value": "22 33 44 55"}]}`)
		c := s.only()
		sync := func() cards.Followed {
			run, err := w.Sync(w.Context(), acme, c.ID)
			w.equal(nil, err)
			return run.Cards
		}
		sync()
		_, err := s.cards.SaveGrouping(w.Context(), acme, cards.Grouping{Tenant: c.Tenant, Method: cards.InOne}, "")
		w.equal(nil, err)
		s.redesign(0, shows(cards.FullName, "displayName"), shows(cards.FamilyName, "surname"), shows(cards.Street, "streetAddress"), shows(cards.PostalCode, "postalCode"),
			shows(cards.City, "city"), shows(cards.Fax, "faxNumber"))
		w.equal(cards.Followed{Cards: 1, Added: 1}, sync())
		w.equal(map[string]string{id: "Kari, Nordmann, Storgata 1, 0155, Oslo, 22 33 44 55"}, s.told())
		w.delete(scim.User, id)
		w.equal(cards.Followed{Withdrawn: 1}, sync())
		w.equal(0, len(s.told()))
	})
}

// BenchmarkTenThousandCards is of syncs of 10,000 people: nothing changed, with and
// without cards, and the first with cards.
func BenchmarkTenThousandCards(b *testing.B) {
	bench := func(name string, with, again bool) {
		b.Run(name, func(b *testing.B) {
			o := newOffice(b, dbtest.Open(b, dbtest.SQLiteURL(b)))
			o.entra.pageSize = 200
			fill(o.entra, 10_000, 100)
			s := shelf{o, cards.New(o.db)}
			if with {
				s.design(shows(cards.FullName, "displayName"), shows(cards.JobTitle, "jobTitle"), shows(cards.Mobile, "mobilePhone"), shows(cards.Email, "mail"))
			}
			o.synced()
			for b.Loop() {
				if !again {
					b.StopTimer()
					o.exec(`DELETE FROM cards`)
					b.StartTimer()
				}
				o.synced()
			}
			b.ReportMetric(float64(len(s.all())), "cards")
		})
	}
	bench("without", false, true)
	bench("unchanged", true, true)
	bench("first", true, false)
}
