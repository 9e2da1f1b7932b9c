package cards_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/slug"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/conditions"
	"github.com/varsel/varsel/internal/problem"
)

const contoso = "contoso"

// design takes name, title and mobile number from the directory, the office once, and
// lets holders write a website.
func design() cards.Body {
	b := cards.Usual()
	b.Sections = []cards.Section{{Fields: []cards.Field{
		{ID: "name", Kind: cards.FullName, From: "displayName", Sync: cards.Always},
		{ID: "title", Kind: cards.JobTitle, From: "jobTitle", Sync: cards.Always, Default: "Colleague"},
		{ID: "mobile", Kind: cards.Mobile, From: "mobilePhone", Sync: cards.Always, Editable: true},
		{ID: "office", Kind: cards.Office, From: "officeLocation", Sync: cards.Once, Editable: true},
		{ID: "site", Kind: cards.Website, Sync: cards.Never, Editable: true},
		{ID: "secret", Kind: cards.Text, Label: "Nothing", From: "employeeId", Sync: cards.Always, Hidden: true},
	}}}
	return b
}

// person is somebody in a department.
func person(id, department string, more ...string) cards.Person {
	p := cards.Person{DirectoryID: id, Contact: int64(1000 + len(id)*100 + int(id[0])), Language: "nb-NO",
		Values: map[string]string{"displayName": "Person " + id, "department": department}}
	for i := 0; i < len(more); i += 2 {
		p.Values[more[i]] = more[i+1]
	}
	return p
}

func listed(people []cards.Person) iter.Seq2[cards.Person, error] {
	return func(yield func(cards.Person, error) bool) {
		for _, p := range people {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (d drawer) follow(people ...cards.Person) cards.Followed {
	d.Helper()
	did, err := d.Follow(d.Context(), acme, contoso, listed(people))
	d.equal(nil, err)
	return did
}

func (d drawer) equal(want, got any) {
	d.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		d.Error(diff)
	}
}

func (d drawer) refused(code string, err error) {
	d.Helper()
	if !problem.Has(err, code) {
		d.Errorf("want %s, got %v", code, err)
	}
}

func (d drawer) grouped(g cards.Grouping) cards.Grouping {
	d.Helper()
	g.Tenant = contoso
	g, err := d.SaveGrouping(d.Context(), acme, g, "")
	d.equal(nil, err)
	return g
}

// designed groups by department and applies a design to all groups.
func (d drawer) designed() cards.Template {
	d.Helper()
	d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"department"}})
	t := d.saved(0, "Design", design())
	d.equal(nil, d.Apply(d.Context(), acme, t.ID, nil))
	return t
}

// cards are all, by directory id.
func (d drawer) cards() map[string]cards.Card {
	d.Helper()
	list, err := d.List(d.Context(), acme, cards.ListFilter{}, 0, 100_000)
	d.equal(nil, err)
	all := map[string]cards.Card{}
	for _, c := range list {
		all[c.DirectoryID] = c
	}
	return all
}

// names are the active cards of each group, by its name.
func (d drawer) names() map[string]int {
	d.Helper()
	groups, err := d.Groups(d.Context(), acme, contoso)
	d.equal(nil, err)
	all := map[string]int{}
	for _, g := range groups {
		all[g.Name] += g.Cards
	}
	return all
}

func (d drawer) groupCalled(name string) cards.CardGroup {
	d.Helper()
	groups, err := d.Groups(d.Context(), acme, contoso)
	d.equal(nil, err)
	for _, g := range groups {
		if g.Name == name {
			return g
		}
	}
	d.Fatalf("there is no group %q among %v", name, groups)
	return cards.CardGroup{}
}

func TestPeopleAreGroupedAllInOne(t *testing.T) { // Q22, Q26
	eachDrawer(t, func(d drawer) {
		d.grouped(cards.Grouping{Method: cards.InOne})
		d.equal(map[string]int{"": 0}, d.names()) // it is there to be designed
		tpl := d.saved(0, "Design", design())
		d.equal(nil, d.Apply(d.Context(), acme, tpl.ID, nil))
		d.follow(person("a", "Sales"), person("b", ""))
		d.equal(map[string]int{"": 2}, d.names())
	})
}

func TestPeopleAreGroupedByUpToThreeFields(t *testing.T) { // Q23, Q41
	eachDrawer(t, func(d drawer) {
		tpl := d.designed()
		g := d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"department", "jobTitle", "city"}})
		d.equal(tpl.ID, g.Template)
		d.follow(person("a", "Marketing", "jobTitle", "Writer"), person("b", " marketing ", "jobTitle", "WRITER", "city", " "),
			person("c", "Marketing", "jobTitle", "Writer", "city", "Oslo"), person("d", "", "city", "Oslo"), person("e", ""))
		d.equal(map[string]int{"Marketing | Writer": 2, "Marketing | Writer | Oslo": 1, "Oslo": 1, "": 1}, d.names())

		d.follow(person("a", "Marketing", "jobTitle", "Writer"), person("f", "Robotics")) // a new department
		d.equal(1, d.names()["Robotics"])
		d.equal(tpl.ID, d.groupCalled("Robotics").Template)

		for _, fields := range [][]string{nil, {"department", "city", "state", "country"}, {"password"}, {"city", "city"}} {
			_, err := d.SaveGrouping(d.Context(), acme, cards.Grouping{Tenant: contoso, Method: cards.ByFields, Fields: fields}, "")
			d.refused("invalid_fields", err)
		}
		_, err := d.SaveGrouping(d.Context(), acme, cards.Grouping{Tenant: contoso, Method: "rows"}, "")
		d.refused("invalid_method", err)
	})
}

func TestPeopleAreGroupedByTheFirstFilterTheyFit(t *testing.T) { // Q24
	eachDrawer(t, func(d drawer) {
		in := func(departments ...string) []conditions.Condition {
			return []conditions.Condition{{Field: "department", Is: conditions.IsOneOf, Values: departments}}
		}
		g := d.grouped(cards.Grouping{Method: cards.ByFilters, Filters: []cards.Filter{
			{Name: "Field", Conditions: in("sales", "service")}, {Name: "Office", Conditions: in("Service", "Finance")}}})
		d.equal(map[string]int{"Field": 0, "Office": 0}, d.names())
		tpl := d.saved(0, "Design", design())
		d.equal(nil, d.Apply(d.Context(), acme, tpl.ID, nil))
		staff := []cards.Person{person("a", "Sales"), person("b", "Service"), person("c", "Finance"), person("d", "Board")}
		d.equal(1, d.follow(staff...).Unmatched)
		d.equal(map[string]int{"Field": 2, "Office": 1}, d.names())

		// Renamed, reordered and widened: the groups are the same.
		before, field := d.cards(), d.groupCalled("Field")
		g.Filters = []cards.Filter{{ID: g.Filters[1].ID, Name: "Headquarters", Conditions: in("Finance")},
			{ID: g.Filters[0].ID, Name: "Outdoors", Conditions: in("Sales", "Service")}, {Name: "Others"}}
		d.grouped(g)
		d.equal(0, d.follow(staff...).Withdrawn)
		d.equal(map[string]int{"Headquarters": 1, "Outdoors": 2, "Others": 1}, d.names())
		d.equal(field.ID, d.groupCalled("Outdoors").ID)
		for id, c := range before {
			d.equal(c.Slug, d.cards()[id].Slug)
		}

		for _, filters := range [][]cards.Filter{nil, {{Name: " "}}, {{Name: "A"}, {Name: "a"}}, {{ID: "7", Name: "A"}}} {
			_, err := d.SaveGrouping(d.Context(), acme, cards.Grouping{Tenant: contoso, Method: cards.ByFilters, Filters: filters}, "")
			d.refused("invalid_filters", err)
		}
	})
}

func TestWithoutAGroupingAndADesignThereAreNoCards(t *testing.T) { // Q25, Q27, Q28, Q45
	eachDrawer(t, func(d drawer) {
		staff := []cards.Person{person("a", "Sales"), person("b", "Board")}
		_, err := d.Grouping(d.Context(), acme, contoso)
		d.refused("card_grouping_not_found", err)
		one, two := d.saved(0, "One", design()), d.saved(0, "Two", design())
		d.equal(nil, d.Apply(d.Context(), acme, one.ID, nil))
		d.equal(cards.Followed{}, d.follow(staff...))

		d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"department"}})
		d.equal(cards.Followed{Undesigned: 2}, d.follow(staff...))
		d.equal(map[string]int{"Sales": 0, "Board": 0}, d.names()) // they can be designed before there are cards

		d.equal(nil, d.Apply(d.Context(), acme, two.ID, []int64{d.groupCalled("Board").ID}))
		d.equal(cards.Followed{Cards: 1, Added: 1, Undesigned: 1}, d.follow(staff...))
		d.equal(nil, d.Apply(d.Context(), acme, one.ID, []int64{d.groupCalled("Sales").ID}))
		d.equal(cards.Followed{Cards: 2, Added: 1}, d.follow(staff...))
		_, shown, err := d.Public(d.Context(), d.cards()["a"].Slug)
		d.equal([]any{nil, "One"}, []any{err, shown.Name})
		_, shown, err = d.Public(d.Context(), d.cards()["b"].Slug)
		d.equal([]any{nil, "Two"}, []any{err, shown.Name})
	})
}

func TestAGroupThatComesIntoBeingShowsWhatWasAppliedAndNotWhatIsSavedOnly(t *testing.T) { // Q40, Q41
	eachDrawer(t, func(d drawer) {
		tpl := d.designed()
		next := design()
		next.Settings.Indexed = true
		d.saved(tpl.ID, "Design", next)
		d.follow(person("a", "Sales"))
		d.equal([]int64{tpl.ID, 1}, []int64{d.groupCalled("Sales").Template, d.groupCalled("Sales").Version})
	})
}

func TestACardTakesWhatItsDesignShowsAndNothingElse(t *testing.T) { // Q30, Q33, Q34
	eachDrawer(t, func(d drawer) {
		tpl := d.designed()
		someone := person("a", "Sales", "mobilePhone", "900 00 001", "officeLocation", "Oslo\u202e 3", "employeeId", "77", "mail", "a@example.com")
		d.follow(someone)
		c := d.cards()["a"]
		d.equal(map[string]string{"displayName": "Person a", "mobilePhone": "900 00 001"}, c.Taken)
		d.equal(map[string]string{"office": "Oslo 3"}, c.Once)
		d.equal("Colleague", tpl.First(c.Values, cards.JobTitle)) // the default
		d.equal("nb-NO", c.Language)

		someone.Values["officeLocation"], someone.Values["jobTitle"] = "Bergen", "Chief"
		d.follow(someone)
		d.equal([]string{"Chief", "Oslo 3"}, []string{d.cards()["a"].Taken["jobTitle"], d.cards()["a"].Once["office"]})

		// What another version shows comes when it was applied and synced.
		next := design()
		next.Sections[0].Fields = append(next.Sections[0].Fields, cards.Field{ID: "mail", Kind: cards.Email, From: "mail", Sync: cards.Always})
		d.saved(tpl.ID, "Design", next)
		d.properties("department", "displayName", "jobTitle", cards.AgeGroup, "mail", "mobilePhone", "officeLocation")
		d.equal(0, d.follow(someone).Changed)
		d.equal(nil, d.Apply(d.Context(), acme, tpl.ID, nil))
		d.equal(1, d.follow(someone).Changed)
		d.equal("a@example.com", d.cards()["a"].Taken["mail"])
	})
}

func (d drawer) properties(want ...string) {
	d.Helper()
	got, err := d.Properties(d.Context(), d.db, acme, contoso)
	d.equal(nil, err)
	slices.Sort(want)
	d.equal(want, got)
}

func TestWhatIsRightAlreadyIsNotWritten(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		staff := []cards.Person{person("a", "Sales", "officeLocation", "Oslo"), person("b", "Board")}
		d.follow(staff...)
		_, err := d.Edit(d.Context(), acme, d.cards()["a"].ID, map[string]string{"site": "https://example.com"})
		d.equal(nil, err)
		before := d.cards()
		staff[0].Values["officeLocation"] = "Bergen" // was taken once
		staff[1].Values["city"] = "Oslo"             // is on no card
		d.equal(cards.Followed{Cards: 2}, d.follow(staff...))
		d.equal(before, d.cards())
	})
}

func TestALeaversCardIsGoneAndWhoReturnsHasTheirAddressAgain(t *testing.T) { // Q44, Q53
	eachDrawer(t, func(d drawer) {
		d.designed()
		a, b := person("a", "Sales", "officeLocation", "Oslo"), person("b", "Sales")
		d.follow(a, b)
		before := d.cards()["a"]
		_, err := d.Edit(d.Context(), acme, before.ID, map[string]string{"site": "https://example.com"})
		d.equal(nil, err)

		d.equal(cards.Followed{Cards: 1, Withdrawn: 1}, d.follow(b))
		_, _, err = d.Public(d.Context(), before.Slug)
		d.refused("card_gone", err)
		gone := d.cards()["a"]
		d.equal([]any{cards.Withdrawn, before.Slug, ""}, []any{gone.State, gone.Slug, gone.Language})
		for _, values := range []map[string]string{gone.Taken, gone.Once, gone.Edits} {
			d.equal(0, len(values))
		}
		_, err = d.Edit(d.Context(), acme, before.ID, map[string]string{"site": ""})
		d.refused("card_gone", err)
		d.equal(cards.Followed{Cards: 1}, d.follow(b))

		d.equal(nil, d.Purge(d.Context(), time.Now().Add(29*24*time.Hour)))
		d.equal(cards.Followed{Cards: 2, Added: 1}, d.follow(a, b))
		back := d.cards()["a"]
		d.equal([]any{cards.Active, before.ID, before.Slug, "Oslo", 0}, []any{back.State, back.ID, back.Slug, back.Once["office"], len(back.Edits)})
		_, _, err = d.Public(d.Context(), before.Slug)
		d.equal(nil, err)

		d.follow(b)
		d.equal(nil, d.Purge(d.Context(), time.Now().Add(31*24*time.Hour)))
		d.equal(1, len(d.cards()))
		_, _, err = d.Public(d.Context(), before.Slug)
		d.refused("card_gone", err)
		d.follow(a, b)
		if again := d.cards()["a"]; again.Slug == before.Slug || again.ID == before.ID {
			d.Error("after 30 days the card came back")
		}
	})
}

func TestWhoIsKeptInTheAddressBookKeepsTheirCard(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales"), person("b", "Sales"))
		before := d.cards()
		d.equal(cards.Followed{Cards: 2}, d.follow(cards.Person{DirectoryID: "a", Contact: 7, Stays: true}, person("b", "Sales"),
			cards.Person{DirectoryID: "c", Contact: 8, Stays: true}))
		d.equal(before, d.cards())
		d.follow(person("b", "Sales"))
		d.equal(cards.Followed{Cards: 1}, d.follow(cards.Person{DirectoryID: "a", Contact: 7, Stays: true}, person("b", "Sales"))) // nor is one given back
	})
}

func TestAFailureAmongThePeopleWithdrawsNothing(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales"), person("b", "Sales"))
		broken := errors.New("broken")
		_, err := d.Follow(d.Context(), acme, contoso, func(yield func(cards.Person, error) bool) {
			_ = yield(person("a", "Sales"), nil) && yield(cards.Person{}, broken)
		})
		d.equal(true, errors.Is(err, broken))
		d.equal(map[string]int{"Sales": 2}, d.names())
	})
}

func TestMinorsHaveNoCardUnlessTheGroupingSaysSo(t *testing.T) { // reading 8
	eachDrawer(t, func(d drawer) {
		d.designed()
		staff := []cards.Person{person("a", "Sales", cards.AgeGroup, "MinorWithParentalConsent"), person("b", "Sales", cards.AgeGroup, "adult")}
		d.equal(cards.Followed{Cards: 1, Added: 1, Minors: 1}, d.follow(staff...))
		d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"department"}, Minors: true})
		d.properties("department", "displayName", "jobTitle", "mobilePhone", "officeLocation") // and not how old they are
		d.equal(cards.Followed{Cards: 2, Added: 1}, d.follow(staff...))
	})
}

func TestFieldsOfAMethodAreChangedAndCardsStay(t *testing.T) { // Q60, reading 2
	eachDrawer(t, func(d drawer) {
		d.designed()
		staff := []cards.Person{person("a", "Sales", "city", "Oslo"), person("b", "Board", "city", "Oslo")}
		d.follow(staff...)
		before := d.cards()
		d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"city"}})
		d.equal(cards.Followed{Cards: 2, Changed: 2}, d.follow(staff...))
		d.equal(map[string]int{"Oslo": 2}, d.names()) // and no group is left behind
		for id, c := range d.cards() {
			d.equal([]any{before[id].ID, before[id].Slug}, []any{c.ID, c.Slug})
		}
	})
}

// Designs that were applied group by group are not those of groups to come.
func TestWhoComesIntoAGroupWithoutADesignKeepsTheirCardUntilItHasOne(t *testing.T) { // Q27, Q44, Q60
	eachDrawer(t, func(d drawer) {
		d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"department"}})
		a, b := person("a", "Sales", "officeLocation", "Oslo", "city", "Oslo"), person("b", "Sales", "city", "Moss")
		d.follow(a, b)
		tpl := d.saved(0, "Design", design())
		d.equal(nil, d.Apply(d.Context(), acme, tpl.ID, []int64{d.groupCalled("Sales").ID}))
		d.follow(a, b)
		before := d.cards()["a"]
		_, err := d.Edit(d.Context(), acme, before.ID, map[string]string{"site": "https://example.com"})
		d.equal(nil, err)
		d.equal(nil, d.SetPhoto(d.Context(), acme, before.ID, encoded(d.T, noise(40, 40), "png")))
		stays := func(title string) {
			d.Helper()
			now := d.cards()["a"]
			d.equal([]any{cards.Active, before.Slug, before.Group, "Oslo", "https://example.com", title},
				[]any{now.State, now.Slug, now.Group, now.Once["office"], now.Edits["site"], now.Taken["jobTitle"]})
			kept, err := d.Photo(d.Context(), acme, before.ID)
			d.equal([]any{nil, true}, []any{err, len(kept) > 0})
		}

		a.Values["department"], a.Values["jobTitle"] = "Board", "Chief" // they move, and the card follows all the same
		d.equal(cards.Followed{Cards: 2, Changed: 1}, d.follow(a, b))
		stays("Chief")
		d.grouped(cards.Grouping{Method: cards.ByFields, Fields: []string{"department", "city"}})
		d.equal(cards.Followed{Cards: 1, Withdrawn: 1}, d.follow(a)) // who has left has no card
		stays("Chief")
		d.equal(cards.Followed{Cards: 1, Undesigned: 1}, d.follow(a, b)) // nor has who returns, without a design

		d.equal(nil, d.Apply(d.Context(), acme, tpl.ID, []int64{d.groupCalled("Board | Oslo").ID}))
		d.equal(cards.Followed{Cards: 1, Changed: 1, Undesigned: 1}, d.follow(a, b))
		before.Group = d.groupCalled("Board | Oslo").ID
		stays("Chief")
		a.Values[cards.AgeGroup] = "minorWithOutParentalConsent"
		d.equal(1, d.follow(a, b).Withdrawn)
	})
}

func TestWhatWasTakenOnceGoesWithTheFieldThatTookIt(t *testing.T) { // Q33, Q34
	eachDrawer(t, func(d drawer) {
		tpl := d.designed()
		a := person("a", "Sales", "officeLocation", "Oslo 3", "city", "Bergen")
		d.follow(a)
		apply := func(change func(office *cards.Field)) {
			d.Helper()
			b := design()
			change(&b.Sections[0].Fields[3])
			d.saved(tpl.ID, "Design", b)
			d.equal(nil, d.Apply(d.Context(), acme, tpl.ID, nil))
			d.equal(cards.Followed{Cards: 1, Changed: 1}, d.follow(a))
		}
		apply(func(office *cards.Field) { office.From = "city" })
		d.equal(map[string]string{"office": "Bergen"}, d.cards()["a"].Once)
		a.Values["city"] = "Moss"
		d.equal(0, d.follow(a).Changed)
		apply(func(office *cards.Field) { office.From = "state" }) // which says nothing
		d.equal(0, len(d.cards()["a"].Once))
		apply(func(office *cards.Field) { office.From = "city" })
		d.equal(map[string]string{"office": "Moss"}, d.cards()["a"].Once)
		delete(a.Values, "city")
		d.follow(a)
		d.equal(map[string]string{"office": "Moss"}, d.cards()["a"].Once)
		apply(func(office *cards.Field) { office.Sync, office.From = cards.Never, "" })
		d.equal(0, len(d.cards()["a"].Once))
	})
}

// What was taken before the property was kept counts as that of the property of now.
func TestWhatWasTakenOnceLongAgoStays(t *testing.T) { // Q33
	eachDrawer(t, func(d drawer) {
		d.designed()
		a := person("a", "Sales", "officeLocation", "Oslo 3")
		d.follow(a)
		_, err := d.db.ExecContext(d.Context(), `UPDATE cards SET once_from = '{}', says = 1`)
		d.equal(nil, err)
		a.Values["officeLocation"] = "Moss"
		d.follow(a)
		d.equal(map[string]string{"office": "Oslo 3"}, d.cards()["a"].Once)
	})
}

func TestAnotherMethodDeletesTheCardsAfterATypedConfirmation(t *testing.T) { // Q57, Q58
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales"), person("b", "Board"), person("c", "Board"))
		before := d.cards()
		n, err := d.Regroups(d.Context(), acme, contoso, cards.ByFields)
		d.equal([]any{0, nil}, []any{n, err})
		n, err = d.Regroups(d.Context(), acme, contoso, cards.InOne)
		d.equal([]any{3, nil}, []any{n, err})
		d.equal(nil, err)
		for _, typed := range []string{"", "2", "yes"} {
			_, err = d.SaveGrouping(d.Context(), acme, cards.Grouping{Tenant: contoso, Method: cards.InOne}, typed)
			d.refused("card_regrouping", err)
		}
		d.equal(before, d.cards())
		g, err := d.SaveGrouping(d.Context(), acme, cards.Grouping{Tenant: contoso, Method: cards.InOne}, " 3 ")
		d.equal([]any{nil, cards.InOne, int64(0)}, []any{err, g.Method, g.Template})
		d.equal(0, len(d.cards()))
		d.equal(map[string]int{"": 0}, d.names())
		for _, c := range before {
			_, _, err := d.Public(d.Context(), c.Slug)
			d.refused("card_gone", err)
		}
		last := d.audited("cards.regrouped")
		d.equal(`{"before":"fields","cards":3,"method":"all","tenant":"contoso"}`, last)
	})
}

func TestADeletionThatWasBrokenOffIsGoneOnWith(t *testing.T) { // Q58
	eachDrawer(t, func(d drawer) {
		d.designed()
		staff := []cards.Person{person("a", "Sales"), person("b", "Board")}
		d.follow(staff...)
		before := d.cards()
		_, err := d.db.ExecContext(d.Context(), `DELETE FROM card_groups`) // as a crash after the decision leaves it
		d.equal(nil, err)
		_, _, err = d.Public(d.Context(), before["a"].Slug)
		d.refused("card_gone", err)
		d.equal(cards.Followed{Cards: 2, Added: 2}, d.follow(staff...))
		if after := d.cards()["a"]; after.Slug == before["a"].Slug {
			d.Error("a card that was to go came back")
		}
	})
}

// audited are the facts of the last entry with an action.
func (d drawer) audited(action string) (facts string) {
	d.Helper()
	err := audit.About(d.Context(), d.db, acme, func(e audit.Entry) bool { return e.Action == action }, func(e audit.Entry) error {
		facts = fmt.Sprintf("%s", e.Facts)
		return nil
	})
	d.equal(nil, err)
	return facts
}

func TestCardsAreIssuedOnlyWhereTheyMayBe(t *testing.T) { // Q3
	eachDrawer(t, func(d drawer) {
		d.designed()
		a, b := person("a", "Sales"), person("b", "Sales")
		d.follow(a, b)
		var refusal error
		d.Gated(func(context.Context, int64) error { return refusal })
		refusal = problem.New(problem.KindForbidden, "plan_lacks_cards", "not in your plan")
		a.Values["jobTitle"] = "Chief"
		d.equal(cards.Followed{Cards: 1, Changed: 1, Withdrawn: 1, Refused: 1}, d.follow(a, person("c", "Sales")))
		d.equal(cards.Followed{Cards: 1, Refused: 1}, d.follow(a, b)) // nor is a card given back
		_, err := d.SaveGrouping(d.Context(), acme, cards.Grouping{Tenant: contoso, Method: cards.ByFields, Fields: []string{"department"}}, "")
		d.refused("plan_lacks_cards", err)
		refusal = nil
		d.equal(cards.Followed{Cards: 2, Added: 1}, d.follow(a, b))
	})
}

func TestASlugThatWasEverGivenIsNotGivenAgain(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales"))
		taken := d.cards()["a"].Slug
		tried := 0
		cards.Slugs(d.T, func() string {
			if tried++; tried == 1 {
				return taken
			}
			return slug.New()
		})
		d.follow(person("a", "Sales"), person("b", "Sales"))
		if got := d.cards()["b"].Slug; got == taken || tried != 2 {
			d.Errorf("%q was given after %d tries", got, tried)
		}
	})
}

func TestTenThousandPeopleHaveCards(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		staff := make([]cards.Person, 10_000)
		for i := range staff {
			staff[i] = person(fmt.Sprintf("p%05d", i), fmt.Sprintf("Department %d", i%40), "mobilePhone", fmt.Sprintf("900 %05d", i))
			staff[i].Contact = int64(i + 1)
		}
		began := time.Now()
		d.equal(cards.Followed{Cards: 10_000, Added: 10_000}, d.follow(staff...))
		issued := time.Since(began)
		began = time.Now()
		d.equal(cards.Followed{Cards: 10_000}, d.follow(staff...))
		d.Logf("issued in %v, compared in %v", issued, time.Since(began))
		d.equal(40, len(d.names()))
		slugs := map[string]bool{}
		for _, c := range d.cards() {
			slugs[c.Slug] = true
		}
		d.equal(10_000, len(slugs))
		d.equal(9_000, d.follow(staff[9_000:]...).Withdrawn)
		d.equal(1_000, len(maps.Collect(active(d.cards()))))
	})
}

func active(all map[string]cards.Card) iter.Seq2[string, cards.Card] {
	return func(yield func(string, cards.Card) bool) {
		for id, c := range all {
			if c.State == cards.Active && !yield(id, c) {
				return
			}
		}
	}
}
