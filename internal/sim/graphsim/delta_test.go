package graphsim

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func TestAllThreeSpellingsOfDelta(t *testing.T) {
	_, c := start(t, Options{Org: staff()})
	for _, spelling := range []string{"delta", "delta()", "microsoft.graph.delta()", "delta%28%29"} {
		equal(t, "users/"+spelling, c.round("/users/"+spelling).ids(), []string{"anna", "bo", "cato", "dag", "eli"})
		equal(t, "groups/"+spelling, c.round("/groups/"+spelling).ids(), []string{"all", "some"})
	}
}

func TestInitialRoundComesInPages(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	r := c.round("/users/delta?$select=id,displayName,mail,city")
	equal(t, "pages", len(r.pages), 3)
	equal(t, "ids", r.ids(), []string{"anna", "bo", "cato", "dag", "eli"})
	// mail has been cleared, city was never set, mobilePhone was not selected.
	equal(t, "properties", r.items()[0], map[string]any{"id": "anna", "displayName": "anna", "mail": nil})
	if !strings.HasPrefix(r.delta, s.GraphURL()+"/users/delta?$deltatoken=") {
		t.Errorf("delta link %s", r.delta)
	}
}

func TestWithoutSelectTheDefaultPropertiesCome(t *testing.T) {
	_, c := start(t, Options{Org: staff()})
	equal(t, "keys", slices.Sorted(maps.Keys(c.round("/users/delta").items()[0])),
		[]string{"displayName", "id", "mail", "mobilePhone", "userPrincipalName"})
}

func TestLaterRoundsTellOnlyWhatChanged(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/users/delta?$select=displayName,mobilePhone")
	r = c.round(r.delta)
	equal(t, "nothing", r.ids(), []string{})

	s.UpdateUser("bo", map[string]any{"mobilePhone": nil})
	s.UpdateUser("cato", map[string]any{"department": "Finance"})        // not selected
	s.UpdateUser("dag", map[string]any{"mobilePhone": "+47 412 34 567"}) // as it was
	s.AddUser(User{ID: "finn", Properties: map[string]any{"displayName": "finn"}})
	later := c.round(r.delta)
	equal(t, "changed", later.items(), []map[string]any{
		{"id": "bo", "displayName": "bo", "mobilePhone": nil},
		{"id": "finn", "displayName": "finn"},
	})
	equal(t, "nothing more", c.round(later.delta).ids(), []string{})
	equal(t, "the older link tells it again", c.round(r.delta).ids(), []string{"bo", "finn"})
}

func TestMinimalTellsOnlyChangedProperties(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/users/delta?$select=displayName,mobilePhone")
	s.UpdateUser("bo", map[string]any{"mobilePhone": nil})
	s.SoftDelete("cato")
	s.Restore("cato")
	c.prefer = "return=minimal"
	equal(t, "changed", c.round(r.delta).items(), []map[string]any{
		{"id": "bo", "mobilePhone": nil},
		{"id": "cato", "displayName": "cato", "mobilePhone": "+47 412 34 567"},
	})
	if got := c.get(r.delta).header.Get("Preference-Applied"); got != "return=minimal" {
		t.Errorf("Preference-Applied: %q", got)
	}
}

func TestAChangeDuringARoundIsToldInTheNext(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	first := c.get("/users/delta?$select=displayName")
	s.UpdateUser("anna", map[string]any{"displayName": "Anna"})
	r := c.round(first.link("nextLink"))
	equal(t, "rest", r.ids(), []string{"cato", "dag", "eli"})
	equal(t, "next round", c.round(r.delta).ids(), []string{"anna"})
}

func TestLeaversReturnAndGo(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/users/delta?$select=displayName")
	tell := func(what string, want ...map[string]any) {
		t.Helper()
		r = c.round(r.delta)
		equal(t, what, r.items(), want)
	}
	removed := func(reason string) map[string]any {
		return map[string]any{"id": "bo", "@removed": map[string]any{"reason": reason}}
	}
	s.SoftDelete("bo")
	tell("soft-deleted", removed("changed"))
	equal(t, "a first round has the recycle bin", c.round("/users/delta").items()[1], removed("changed"))
	s.Restore("bo")
	tell("restored", map[string]any{"id": "bo", "displayName": "bo"})
	s.SoftDelete("bo")
	s.HardDelete("bo")
	tell("hard-deleted", removed("deleted"))
	equal(t, "a first round has no tombstones", c.round("/users/delta").ids(), []string{"anna", "cato", "dag", "eli"})
}

func TestSoftDeletedPeopleKeepTheirMemberships(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/groups/delta?$select=members")
	equal(t, "direct edges", r.edges("all"), map[string]string{"some": "", "eli": ""})
	s.SoftDelete("eli")
	r = c.round(r.delta)
	equal(t, "groups tell nothing", r.ids(), []string{})
	equal(t, "a first round has the edge", c.round("/groups/delta?$select=members").edges("all"), map[string]string{"some": "", "eli": ""})
	equal(t, "the list of members has not", len(c.get("/groups/all/members").items()), 1)
	s.HardDelete("eli")
	equal(t, "gone for good", c.round(r.delta).edges("all"), map[string]string{"eli": "deleted"})
	equal(t, "no edge", c.round("/groups/delta?$select=members").edges("all"), map[string]string{"some": ""})
}

func TestHardDeleteMayBeSilentInGroups(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/groups/delta?$select=members")
	s.SetFaults(Faults{SilentHardDelete: true})
	s.HardDelete("eli")
	equal(t, "groups tell nothing", c.round(r.delta).ids(), []string{})
	equal(t, "yet the edge is gone", c.round("/groups/delta?$select=members").edges("all"), map[string]string{"some": ""})
}

func TestMembershipsChange(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/groups/delta?$select=displayName,members")
	s.AddMember("some", "dag")
	s.RemoveMember("some", "bo")
	s.AddMember("some", "anna") // is one
	r = c.round(r.delta)
	equal(t, "items", r.items(), []map[string]any{{
		"id": "some", "displayName": "Some", "members@delta": []any{
			map[string]any{"@odata.type": "#microsoft.graph.user", "id": "bo", "@removed": map[string]any{"reason": "deleted"}},
			map[string]any{"@odata.type": "#microsoft.graph.user", "id": "dag"},
		},
	}})
	s.AddMember("some", "bo")
	equal(t, "back", c.round(r.delta).edges("some"), map[string]string{"bo": ""})
}

func TestGroupsComeAndGo(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/groups/delta?$select=displayName,members")
	s.AddGroup(Group{ID: "new", DisplayName: "New", Unified: true, Members: []string{"anna", "some"}})
	s.RenameGroup("some", "A few")
	r = c.round(r.delta)
	equal(t, "new and renamed", r.ids(), []string{"some", "new"})
	equal(t, "edges", r.edges("new"), map[string]string{"anna": "", "some": ""})
	equal(t, "a new name brings no edges", r.items()[0], map[string]any{"id": "some", "displayName": "A few"})

	s.DeleteGroup("new")
	s.DeleteGroup("some")
	r = c.round(r.delta)
	equal(t, "deleted", r.items(), []map[string]any{
		{"id": "all", "displayName": "All", "members@delta": []any{
			map[string]any{"@odata.type": "#microsoft.graph.group", "id": "some", "@removed": map[string]any{"reason": "deleted"}},
		}},
		{"id": "some", "@removed": map[string]any{"reason": "deleted"}},
		{"id": "new", "@removed": map[string]any{"reason": "changed"}},
	})
	s.Restore("new")
	equal(t, "restored", c.round(r.delta).items()[0]["displayName"], "New")
	equal(t, "still there", len(s.Groups()), 2)
}

func TestBigGroupsAreSplit(t *testing.T) {
	org := staff()
	big := Group{ID: "big", DisplayName: "Big"}
	want := map[string]string{}
	for i := range 23 {
		id := fmt.Sprint("p", i)
		org.Users = append(org.Users, User{ID: id})
		big.Members = append(big.Members, id)
		want[id] = ""
	}
	org.Groups = append([]Group{big}, org.Groups...)
	s, c := start(t, Options{Org: org, MembersPerPage: 10})
	r := c.round("/groups/delta?$select=displayName,members")
	equal(t, "all edges", r.edges("big"), want)
	equal(t, "others between", r.ids(), []string{"big", "all", "some", "big", "big"})
	for _, page := range r.pages {
		n := 0
		for _, it := range page {
			list, _ := it["members@delta"].([]any)
			n += len(list)
		}
		if n > 10 {
			t.Errorf("%d memberships on a page", n)
		}
	}
	s.RemoveMember("big", "p20")
	equal(t, "a change in the last slice", c.round(r.delta).edges("big"), map[string]string{"p20": "deleted"})
}

func TestOptionsBelongToTheFirstRequest(t *testing.T) {
	_, c := start(t, Options{Org: staff(), PageSize: 2})
	next := c.get("/users/delta?$select=displayName").link("nextLink")
	r := c.round(next)
	for _, target := range []string{
		"/users/delta?$expand=manager", "/users/delta?$orderby=displayName", "/users/delta?$top=5",
		"/users/delta?$select=shoeSize", "/users/delta?$filter=displayName%20eq%20'bo'",
		next + "&$select=displayName", r.delta + "&$select=displayName", r.delta + "&$top=5",
		next + "x", strings.Replace(r.delta, "deltatoken", "skiptoken", 1), strings.Replace(r.delta, "/users/", "/groups/", 1),
		"/users/delta?$deltatoken=!!",
	} {
		if a := c.get(target); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", target, a.status)
		}
	}
	if a := c.get("/users/delta?$select=photo"); a.status != http.StatusNotImplemented {
		t.Errorf("photo: %d", a.status)
	}
}

func TestFilterByIDs(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	filter := func(n int) string {
		clauses := []string{"id eq 'bo'", "id eq 'eli'"}
		for i := len(clauses); i < n; i++ {
			clauses = append(clauses, fmt.Sprintf("id eq 'x%d'", i))
		}
		return "/users/delta?$select=id&$filter=" + url.QueryEscape(strings.Join(clauses, " or "))
	}
	r := c.round(filter(50))
	equal(t, "ids", r.ids(), []string{"bo", "eli"})
	s.SoftDelete("anna")
	s.SoftDelete("eli")
	equal(t, "the filter lasts", c.round(r.delta).ids(), []string{"eli"})
	if a := c.get(filter(51)); a.status != http.StatusBadRequest {
		t.Errorf("51 ids: %d", a.status)
	}
}

func TestSyncFromNow(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/users/delta?$select=displayName&$deltatoken=latest")
	equal(t, "nothing yet", r.ids(), []string{})
	s.UpdateUser("bo", map[string]any{"displayName": "Bo"})
	equal(t, "from now", c.round(r.delta).ids(), []string{"bo"})
}

func TestOldLinksAreForgotten(t *testing.T) {
	clock := time.Now()
	s, c := start(t, Options{Org: staff(), Now: func() time.Time { return clock }})
	r := c.round("/users/delta")
	forgotten := func(why string) {
		t.Helper()
		if a := c.get(r.delta); a.status != http.StatusBadRequest || a.code() != "syncStateNotFound" {
			t.Errorf("%s: %d %s", why, a.status, a.raw)
		}
	}
	s.SetFaults(Faults{DeltaHorizon: -1})
	forgotten("all are too old")
	s.ClearFaults()
	equal(t, "today", c.get(r.delta).status, http.StatusOK)
	clock = clock.Add(7 * 24 * time.Hour)
	c.signIn(s.Tenant)
	forgotten("after a week")

	other, otherClient := start(t, Options{Org: staff()})
	r.delta = strings.Replace(r.delta, s.URL(), other.URL(), 1)
	c = otherClient
	forgotten("of another process")
}

func TestGoneSendsToAFreshRound(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	r := c.round("/users/delta?$select=displayName&$filter=" + url.QueryEscape("id eq 'bo' or id eq 'eli'"))
	s.Gone(1)
	equal(t, "a first request cannot be gone", c.get("/users/delta").status, http.StatusOK)
	a := c.get(r.delta)
	if a.status != http.StatusGone || a.code() != "resyncRequired" {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	again := c.round(a.header.Get("Location"))
	equal(t, "the same round", again.items(), r.items())
	equal(t, "only once", c.get(r.delta).status, http.StatusOK)
}
