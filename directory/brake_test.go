package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
)

// staff makes so many people, each with a number.
func (o *office) staff(n int) {
	o.entra.pageSize = 100
	for i := range n {
		o.entra.person(fmt.Sprintf("p%03d", i), fmt.Sprintf("900 00 %03d", i))
	}
	o.synced()
	o.entra.asked = nil
}

func (o *office) remove(from, to int) {
	for i := from; i < to; i++ {
		o.entra.remove(fmt.Sprintf("p%03d", i))
	}
}

func (o *office) held() map[string]string {
	o.Helper()
	list, err := o.Held(o.Context(), acme, o.only().ID, "", 1000)
	o.equal(nil, err)
	all := map[string]string{}
	for _, h := range list {
		all[h.DirectoryID] = h.Loss
	}
	return all
}

func TestSoManyRemovalsAreHeldUntilTheyAreApproved(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(150)
		o.remove(0, 15)
		o.equal([]int{15, 0}, figures(o.synced())) // a tenth goes

		o.remove(15, 17)
		o.entra.set("p020", map[string]any{"displayName": "Renamed"})
		o.entra.person("new", "900 00 999")
		run := o.synced()
		o.equal([]int{0, 2}, figures(run))
		o.equal([]int{1, 1}, []int{run.Added, run.Changed}) // all else goes on
		o.equal(map[string]string{"p015": "removed", "p016": "removed"}, o.held())
		o.equal([]string{"+4790000015", "+4790000999"}, []string{o.numbers()["p015"], o.numbers()["new"]}) // they can be texted still
		list, _ := o.Held(o.Context(), acme, o.only().ID, "", 10)
		o.equal("Person p015", list[0].Name)

		o.refused("held_changed", o.Approve(o.Context(), acme, o.only().ID, 3, "kari@example.com"))
		o.refused("connection_not_found", o.Approve(o.Context(), other, o.only().ID, 2, "kari@example.com"))
		o.equal([]int{0, 2}, figures(o.synced()))
		o.equal(nil, o.Approve(o.Context(), acme, o.only().ID, 2, "kari@example.com"))
		o.equal(1, len(o.due(time.Now())))
		o.equal([]int{2, 0}, figures(o.synced()))
		o.equal(map[string]string{}, o.held())
		o.refused("nothing_held", o.Approve(o.Context(), acme, o.only().ID, 2, "kari@example.com"))

		// What was approved does not count against what comes.
		o.exec(`UPDATE sync_runs SET started_at = started_at - 90000000`)
		o.remove(17, 27)
		o.equal([]int{10, 0}, figures(o.synced()))
	})
}

func figures(r directory.Run) []int { return []int{r.Removed, r.Held} }

func TestTenPeopleMayAlwaysGo(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(12)
		o.remove(0, 10)
		o.equal([]int{10, 0}, figures(o.synced()))
		o.remove(10, 11)
		o.equal([]int{0, 1}, figures(o.synced()))
	})
}

func TestLostNumbersAreHeldToo(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(30)
		for i := range 12 {
			o.entra.set(fmt.Sprintf("p%03d", i), map[string]any{"mobilePhone": nil, "jobTitle": "Adviser"})
		}
		run := o.synced()
		o.equal([]int{0, 12, 0}, []int{run.NumberLost, run.Held, run.Changed})
		o.equal("number", o.held()["p003"])
		o.equal([]string{"+4790000003", "Adviser"}, []string{o.contacts()[3].Phone.E164, o.contacts()[3].JobTitle})
		o.equal(nil, o.Approve(o.Context(), acme, o.only().ID, 12, "kari@example.com"))
		run = o.synced()
		o.equal([]int{12, 0}, []int{run.NumberLost, run.Held})
		o.equal("", o.numbers()["p003"])
	})
}

func TestWhoComesBackIsHeldNoMore(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(30)
		before := o.numbers()
		o.remove(0, 12)
		o.equal([]int{0, 12}, figures(o.synced()))
		for i := range 12 {
			o.entra.restore(fmt.Sprintf("p%03d", i))
		}
		o.equal([]int{0, 0}, figures(o.synced()))
		o.equal(map[string]string{}, o.held())
		o.equal(before, o.numbers())
	})
}

// A wrong scope passes the same brake as a wrong directory.
func TestANarrowerScopeIsHeldToo(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(30)
		o.scope(directory.Scope{Filter: []directory.Condition{{Field: "department", Is: directory.IsOneOf, Values: []string{"Nobody's"}}}})
		run := o.synced()
		o.equal([]int{0, 30, 30}, []int{run.Removed, run.Held, run.Skipped[directory.SkippedFilter]})
		o.equal(30, len(o.numbers()))
		o.scope(directory.Scope{})
		o.equal([]int{0, 0}, figures(o.synced()))
	})
}

func (o *office) scope(s directory.Scope) {
	o.Helper()
	c := o.only()
	o.equal(nil, o.Change(o.Context(), acme, c.ID, directory.Settings{Scope: s}, c.Every, c.Preview))
}
