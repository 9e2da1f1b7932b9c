package cards_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/varsel/varsel/cards"
)

func TestHoldersWriteWhatIsNotTheDirectorys(t *testing.T) { // Q31, Q64
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales", "officeLocation", "Oslo"), person("b", "Sales", "mobilePhone", "900 00 001"))
		a, b := d.cards()["a"].ID, d.cards()["b"].ID
		edited, err := d.Edit(d.Context(), acme, a, map[string]string{"site": " https://example.com ", "mobile": "+47 911 11 111", "office": "Ny\u202ebyen"})
		d.equal(nil, err)
		d.equal(map[string]string{"site": "https://example.com", "mobile": "+47 911 11 111", "office": "Nybyen"}, edited.Edits)
		d.equal(int64(2), edited.Revision)
		facts := d.audited("card.edited")
		d.equal(`{"fields":["mobile","office","site"]}`, facts) // and not what they say

		for field, code := range map[string]string{"name": "card_field_locked", "title": "card_field_locked", "mobile": "card_field_locked",
			"secret": "card_field_not_found", "nothing": "card_field_not_found"} {
			_, err := d.Edit(d.Context(), acme, b, map[string]string{"site": "https://example.com", field: "911 11 111"})
			d.refused(code, err)
		}
		d.equal(0, len(d.cards()["b"].Edits)) // of several, none was written
		_, err = d.Edit(d.Context(), other, a, map[string]string{"site": ""})
		d.refused("card_not_found", err)

		edited, err = d.Edit(d.Context(), acme, a, map[string]string{"site": " "})
		d.equal(nil, err)
		d.equal([]any{"", int64(3)}, []any{edited.Edits["site"], edited.Revision})
		edited, err = d.Edit(d.Context(), acme, a, map[string]string{"site": ""})
		d.equal([]any{nil, int64(3)}, []any{err, edited.Revision}) // that was so already
	})
}

func TestWhatAHolderWroteIsInertInAFieldThatBecameTheDirectorys(t *testing.T) { // Q31
	eachDrawer(t, func(d drawer) {
		tpl := d.designed()
		a := person("a", "Sales")
		d.follow(a)
		id := d.cards()["a"].ID
		_, err := d.Edit(d.Context(), acme, id, map[string]string{"mobile": "+47 911 11 111"})
		d.equal(nil, err)
		d.equal("+47 911 11 111", tpl.First(d.cards()["a"].Values, cards.Mobile))
		a.Values["mobilePhone"] = "900 00 001"
		d.follow(a)
		d.equal("900 00 001", tpl.First(d.cards()["a"].Values, cards.Mobile))
		_, err = d.Edit(d.Context(), acme, id, map[string]string{"mobile": ""})
		d.refused("card_field_locked", err)
	})
}

func TestAHolderMayWriteWhatWasTakenOnce(t *testing.T) { // Q31, Q33
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales", "officeLocation", "Oslo"))
		edited, err := d.Edit(d.Context(), acme, d.cards()["a"].ID, map[string]string{"office": "Oslo"})
		d.equal(nil, err)
		d.equal([]string{"Oslo", "Oslo"}, []string{edited.Once["office"], edited.Edits["office"]})
	})
}

func TestWhatAHolderWritesIsCheckedByItsKind(t *testing.T) { // Q64
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales"))
		id := d.cards()["a"].ID
		for _, wrong := range [][3]string{{"site", "javascript:alert(1)", "invalid_website"}, {"site", "https://", "invalid_website"},
			{"mobile", "call me", "invalid_mobile"}, {"mobile", "12", "invalid_mobile"}, {"office", strings.Repeat("å", 301), "invalid_office"}} {
			_, err := d.Edit(d.Context(), acme, id, map[string]string{wrong[0]: wrong[1]})
			d.refused(wrong[2], err)
		}
	})
}

func TestTwoWhoEditAtOnceBothHaveTheirFields(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("a", "Sales"))
		id := d.cards()["a"].ID
		var all sync.WaitGroup
		for i, field := range []string{"site", "mobile", "office"} {
			all.Go(func() {
				_, err := d.Edit(d.Context(), acme, id, map[string]string{field: []string{"https://example.com", "911 11 111", "Oslo"}[i]})
				d.equal(nil, err)
			})
		}
		all.Wait()
		d.equal(map[string]string{"site": "https://example.com", "mobile": "911 11 111", "office": "Oslo"}, d.cards()["a"].Edits)
	})
}

func TestCardsAreFound(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		staff := []cards.Person{person("a", "Sales", "jobTitle", "Ølbrygger"), person("b", "Sales"), person("c", "Board")}
		d.follow(staff...)
		d.follow(staff[0], staff[2])
		all := d.cards()
		for want, f := range map[string]cards.ListFilter{
			"a b c": {}, "a b": {Group: d.groupCalled("Sales").ID}, "a c": {State: cards.Active}, "b": {State: cards.Withdrawn},
			"a": {Text: " øLBRYGGER"}, "c": {Text: strings.ToUpper(all["c"].Slug)}, "": {Text: "nobody"},
		} {
			found, err := d.List(d.Context(), acme, f, 0, 10)
			d.equal(nil, err)
			var ids []string
			for _, c := range found {
				ids = append(ids, c.DirectoryID)
			}
			d.equal(want, strings.Join(ids, " "))
		}
		page, err := d.List(d.Context(), acme, cards.ListFilter{}, all["a"].ID, 1)
		d.equal([]any{nil, 1, "b"}, []any{err, len(page), page[0].DirectoryID})
		found, err := d.List(d.Context(), other, cards.ListFilter{}, 0, 10)
		d.equal([]any{nil, 0}, []any{err, len(found)})
		slugs, err := d.OfContacts(d.Context(), d.db, acme, []int64{staff[0].Contact, staff[1].Contact, 5})
		d.equal(nil, err)
		d.equal(map[int64]string{staff[0].Contact: all["a"].Slug}, slugs)
		g := d.groupCalled("Sales")
		d.equal("1 1", fmt.Sprint(g.Cards, g.Withdrawn))
	})
}
