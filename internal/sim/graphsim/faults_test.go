package graphsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestQueuedFaults(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	s.Pass(1)
	s.Throttle(2, 17)
	s.Fail(1, http.StatusServiceUnavailable)
	s.Fail(1, http.StatusBadGateway)
	var got []int
	for range 6 {
		a := c.get("/users")
		got = append(got, a.status)
		if a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") != "17" {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		if html := a.header.Get("Content-Type") == "text/html"; html != (a.status == http.StatusBadGateway) {
			t.Errorf("%d is %s", a.status, a.header.Get("Content-Type"))
		}
	}
	equal(t, "statuses", got, []int{200, 429, 429, 503, 502, 200})

	s.Fail(1<<30, 500)
	equal(t, "failing", c.get("/groups").status, 500)
	c.signIn(s.Tenant) // sign-in is not Graph
	s.ClearFaults()
	equal(t, "cleared", c.get("/groups").status, 200)
}

func TestConsentByName(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	for _, denied := range []string{"users", "groups", "organization"} {
		s.SetFaults(Faults{NoConsent: []string{denied}})
		for _, path := range []string{"/users", "/users/bo", "/users/delta", "/groups", "/groups/delta()", "/groups/some/members", "/organization"} {
			a, want := c.get(path), http.StatusOK
			if strings.HasPrefix(path, "/"+denied) {
				want = http.StatusForbidden
			}
			if a.status != want || want == http.StatusForbidden && a.code() != "Authorization_RequestDenied" {
				t.Errorf("without %s, %s: %d %s", denied, path, a.status, a.raw)
			}
		}
	}
}

func TestMembersWithoutUserRead(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	s.SetFaults(Faults{NoUserRead: true})
	equal(t, "null, with status 200", c.get("/groups/all/members?$select=displayName").items(), []map[string]any{
		{"@odata.type": "#microsoft.graph.group", "id": "some", "displayName": "Some"},
		{"@odata.type": "#microsoft.graph.user", "id": "eli", "displayName": nil},
	})
	for path, want := range map[string]int{"/users": 403, "/users/delta": 403, "/users/eli": 403, "/groups/delta": 200, "/organization": 200} {
		equal(t, path, c.get(path).status, want)
	}
	equal(t, "memberships", c.round("/groups/delta?$select=members").edges("all"), map[string]string{"some": "", "eli": ""})
}

func TestEmptyPagesBetween(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	s.SetFaults(Faults{EmptyPages: true})
	r := c.round("/users/delta")
	var sizes []int
	for _, p := range r.pages {
		sizes = append(sizes, len(p))
	}
	equal(t, "sizes", sizes, []int{0, 2, 0, 2, 0, 1})
	s.UpdateUser("bo", map[string]any{"displayName": "Bo"})
	equal(t, "later", c.round(r.delta).ids(), []string{"bo"})
}

func TestItemsAgainOnALaterPage(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	s.SetFaults(Faults{ReplayItems: true})
	r := c.round("/users/delta?$select=displayName")
	equal(t, "ids", r.ids(), []string{"anna", "bo", "cato", "dag", "anna", "eli", "cato", "eli"})
	s.UpdateUser("bo", map[string]any{"displayName": "Bo"})
	r = c.round(r.delta)
	equal(t, "later", r.ids(), []string{"bo", "bo"})
	equal(t, "nothing to replay", c.round(r.delta).ids(), []string{})
	equal(t, "groups", c.round("/groups/delta?$select=members").ids(), []string{"all", "some", "all"})
}

func TestAllFaultsOfARoundAtOnce(t *testing.T) {
	s, c := start(t, Options{Org: Example(300), PageSize: 7, MembersPerPage: 5})
	plain := c.round("/groups/delta?$select=displayName,members")
	s.SetFaults(Faults{EmptyPages: true, ReplayItems: true})
	odd := c.round("/groups/delta?$select=displayName,members")
	for _, g := range s.Groups() {
		want := map[string]string{}
		for _, id := range g.Members {
			want[id] = ""
		}
		equal(t, g.DisplayName, plain.edges(g.ID), want)
		equal(t, g.DisplayName+", with faults", odd.edges(g.ID), want)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	c.get("/users")
	equal(t, "so far", s.GraphMethods(), map[string]int{"GET": 1})
	for _, method := range []string{"POST", "PATCH", "DELETE"} {
		if a := c.send(method, "/users/bo"); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	equal(t, "now", s.GraphMethods(), map[string]int{"GET": 1, "POST": 1, "PATCH": 1, "DELETE": 1})
	var writes []string
	for _, q := range s.GraphWrites() {
		writes = append(writes, q.Method+" "+q.Path)
	}
	equal(t, "writes", writes, []string{"POST /v1.0/users/bo", "PATCH /v1.0/users/bo", "DELETE /v1.0/users/bo"})
	c.send("POST", "/subscriptions")
	equal(t, "apart", fmt.Sprint(len(s.GraphWrites()), len(s.SubscriptionCalls())), "3 1")
	equal(t, "unknown", c.get("/me").status, http.StatusBadRequest)
}

func TestRecordsWhatItSaw(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	c.get("/users?$top=3")
	c.bearer = ""
	c.get("/groups")
	var got []string
	for _, q := range s.Requests() {
		got = append(got, fmt.Sprint(q.Method, " ", q.Path, " ", q.RawQuery, " ", q.Status))
	}
	equal(t, "requests", got, []string{
		"POST /" + DefaultTenantID + "/oauth2/v2.0/token  200",
		"GET /v1.0/users $top=3 200",
		"GET /v1.0/groups  401",
	})
	equal(t, "sign-ins", s.SignIns(), 1)
}

func TestRecordsHowItWasAsked(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	req, _ := http.NewRequest("GET", s.GraphURL()+"/users", nil)
	req.Header = http.Header{"Prefer": {"return=minimal", "x"}, "X-Ms-Throttle-Priority": {"low"}, "Consistencylevel": {"eventual"}}
	c.do(req)
	all := s.Requests()
	q := all[len(all)-1]
	equal(t, "headers", []string{q.Prefer, q.ThrottlePriority, q.ConsistencyLevel}, []string{"return=minimal, x", "low", "eventual"})
}

func TestTheRecordIsBounded(t *testing.T) {
	r := record{methods: map[string]int{}}
	s := &Server{}
	for i := range recordSize + 5 {
		r.add(Request{Method: "GET", Path: "/v1.0/users", Status: i})
	}
	s.record.ring, s.record.oldest, s.record.methods = r.ring, r.oldest, r.methods
	all := s.Requests()
	equal(t, "kept", fmt.Sprint(len(all), all[0].Status, all[len(all)-1].Status), fmt.Sprint(recordSize, 5, recordSize+4))
	equal(t, "counted", s.GraphMethods(), map[string]int{"GET": recordSize + 5})
}

// Clients read while the directory and the faults change: this is for -race, and
// for the promise that what a reader was told adds up.
func TestReadersAndWritersTogether(t *testing.T) {
	s, c := start(t, Options{Org: Example(400), PageSize: 20, MembersPerPage: 20})
	people := s.Users()
	var writers sync.WaitGroup
	writers.Go(func() {
		for i, u := range people[:200] {
			s.UpdateUser(u.ID, map[string]any{"jobTitle": fmt.Sprint("Job ", i)})
			if i%10 == 0 {
				s.SoftDelete(u.ID)
				s.SetFaults(Faults{EmptyPages: i%20 == 0, ReplayItems: i%30 == 0})
			}
		}
	})
	seen := map[string]bool{}
	apply := func(r roundOf) {
		for _, it := range r.items() {
			seen[it["id"].(string)] = it["@removed"] == nil
		}
	}
	r := c.round("/users/delta?$select=jobTitle")
	apply(r)
	writers.Wait()
	apply(c.round(r.delta))
	var got, want []string
	for id, there := range seen {
		if there {
			got = append(got, id)
		}
	}
	for _, u := range s.Users() {
		want = append(want, u.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	equal(t, "people", got, want)
}
