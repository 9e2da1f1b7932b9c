package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
)

func TestTheScopeDecidesWhoIsInTheAddressBook(t *testing.T) {
	for _, c := range []struct {
		name  string
		scope directory.Scope
		in    []string
		why   map[string]int
	}{
		{"as it comes", directory.Scope{}, []string{"minor", "plain", "sales"}, map[string]int{"blocked": 1, "guest": 1}},
		{"everybody", directory.Scope{Guests: true, Blocked: true}, []string{"blocked", "guest", "minor", "plain", "sales"}, map[string]int{}},
		{"no minors", directory.Scope{NoMinors: true}, []string{"plain", "sales"}, map[string]int{"blocked": 1, "guest": 1, "minor": 1}},
		{"licensed", directory.Scope{LicensedOnly: true}, []string{"sales"}, map[string]int{"blocked": 1, "guest": 1, "unlicensed": 2}},
		{"a filter", directory.Scope{Filter: []directory.Condition{{Field: "department", Is: directory.StartsWith, Values: []string{"north"}}}},
			nil, map[string]int{"blocked": 1, "guest": 1, "filter": 3}},
		{"not in", directory.Scope{Filter: []directory.Condition{{Field: "department", Is: directory.IsNoneOf, Values: []string{"sales north"}}}},
			[]string{"minor", "plain"}, map[string]int{"blocked": 1, "guest": 1, "filter": 1}},
		{"set", directory.Scope{Filter: []directory.Condition{{Field: "department", Is: directory.IsSet}, {Field: "department", Is: directory.Contains, Values: []string{"west", "NORTH"}}}},
			[]string{"sales"}, map[string]int{"blocked": 1, "guest": 1, "filter": 2}},
		{"empty", directory.Scope{Filter: []directory.Condition{{Field: "department", Is: directory.IsEmpty}}},
			[]string{"minor", "plain"}, map[string]int{"blocked": 1, "guest": 1, "filter": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachOffice(t, func(o *office) {
				for _, id := range []string{"blocked", "guest", "minor", "plain", "sales"} {
					o.entra.person(id, "900 00 001")
				}
				o.entra.set("blocked", map[string]any{"accountEnabled": false})
				o.entra.set("guest", map[string]any{"userType": "Guest"})
				o.entra.set("minor", map[string]any{"legalAgeGroupClassification": "MinorWithParentalConsent"})
				o.entra.set("sales", map[string]any{"department": "Sales North", "assignedLicenses": []any{map[string]any{"skuId": "x"}}})
				o.synced()
				o.scope(c.scope)
				run := o.synced()
				in := map[string]bool{}
				for id := range o.numbers() {
					in[id] = true
				}
				want := map[string]bool{}
				for _, id := range c.in {
					want[id] = true
				}
				o.equal(want, in)
				o.equal(c.why, run.Skipped)
				// Of the others only what the scope reads is kept.
				o.equal(len(c.in), o.mirrorHas("900 00 001"))
			})
		})
	}
}

func TestOnlyChosenGroupsAreInScope(t *testing.T) {
	for _, partial := range []bool{false, true} {
		eachOffice(t, func(o *office) {
			o.entra.partial = partial
			for _, id := range []string{"a", "b", "c", "d"} {
				o.entra.person(id, "900 00 001")
			}
			o.entra.group("inner", "Inner", "b")
			o.entra.group("outer", "Outer", "a", "inner", "outer")
			o.synced()
			o.scope(directory.Scope{Groups: []string{"outer", "gone"}})
			run := o.synced()
			o.equal(map[string]string{"a": "+4790000001", "b": "+4790000001"}, o.numbers())
			o.equal(map[string]int{"groups": 2}, run.Skipped)
			o.equal(2, o.mirrorHas("900 00 001"))

			// Nothing about c and b changes but where they are.
			o.entra.group("inner", "Inner", "c")
			o.entra.leaves("inner", "b")
			o.synced()
			o.equal(map[string]string{"a": "+4790000001", "c": "+4790000001"}, o.numbers())
			o.equal(2, o.mirrorHas("900 00 001"))
			o.equal(map[string]string{"Inner": "c", "Outer": "a c"}, o.groups())
		})
	}
}

func TestManyWhoComeIntoScopeAreReadInAFullRound(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.pageSize = 100
		var all []string
		for i := range 250 {
			id := fmt.Sprintf("p%03d", i)
			all = append(all, id)
			o.entra.person(id, "900 00 001")
		}
		o.entra.group("g", "Group")
		o.only()
		o.scope(directory.Scope{Groups: []string{"g"}})
		o.synced()
		o.equal(0, len(o.numbers()))
		o.entra.group("g", "Group", all...)
		o.entra.asked = nil
		o.synced()
		o.equal(250, len(o.numbers()))
		o.equal("people ", o.entra.asked[1])
	})
}

func TestSettingsThatCannotBeAreRefused(t *testing.T) {
	eachOffice(t, func(o *office) {
		id := o.only().ID
		quarter := 15 * time.Minute
		change := func(s directory.Settings, every time.Duration) error {
			return o.Change(o.Context(), acme, id, s, every, false)
		}
		filter := func(c directory.Condition) directory.Settings {
			return directory.Settings{Scope: directory.Scope{Filter: []directory.Condition{c}}}
		}
		o.refused("invalid_every", change(directory.Settings{}, time.Second))
		o.refused("invalid_filter", change(filter(directory.Condition{Field: "password", Is: directory.IsSet}), quarter))
		o.refused("invalid_filter", change(filter(directory.Condition{Field: "city", Is: "like", Values: []string{"x"}}), quarter))
		o.refused("invalid_filter", change(filter(directory.Condition{Field: "city", Is: directory.IsOneOf, Values: []string{" "}}), quarter))
		o.refused("connection_not_found", o.Change(o.Context(), other, id, directory.Settings{}, quarter, false))
		o.equal(nil, change(filter(directory.Condition{Field: "city", Is: directory.IsOneOf, Values: []string{" Oslo ", "Oslo"}}), time.Hour))
		c := o.only()
		o.equal([]string{"Oslo"}, c.Settings.Scope.Filter[0].Values)
		o.equal(time.Hour, c.Every)
	})
}

func TestAMobileNumberThatIsWrongMayGiveWayToADeskLine(t *testing.T) { // reading 5
	eachOffice(t, func(o *office) {
		o.entra.set("a", map[string]any{"displayName": "A", "mobilePhone": "1234", "businessPhones": []string{"n/a", "12", "22 33 44 55"}})
		o.synced()
		o.equal(map[string]string{"a": ""}, o.numbers())
		o.equal(nil, o.Change(o.Context(), acme, o.only().ID, directory.Settings{PhoneFallbackOnInvalid: true}, time.Hour, false))
		o.synced()
		o.equal(map[string]string{"a": "+4722334455"}, o.numbers())
	})
}
