package graphsim

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRetryAfterInEveryForm(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	forms := []string{
		"120", "0", "-1", "1e9999", "soon", "",
		"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
	}
	for _, form := range forms {
		s.ThrottleAs(1, http.Header{"retry-after": {form}})
		s.FailWith(1, http.StatusServiceUnavailable, http.Header{"Retry-After": {form}})
	}
	s.ThrottleAs(1, nil)
	for _, form := range forms {
		for _, want := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			a := c.get("/users")
			if got := a.header["Retry-After"]; a.status != want || len(got) != 1 || got[0] != form {
				t.Errorf("%d with Retry-After %q, want %d with %q", a.status, got, want, form)
			}
		}
	}
	if a := c.get("/users"); a.status != http.StatusTooManyRequests || a.header.Values("Retry-After") != nil {
		t.Errorf("without: %d %q", a.status, a.header.Values("Retry-After"))
	}
	equal(t, "afterwards", c.get("/users").status, http.StatusOK)
}

// attempt is one request whose answer may not come, or not whole.
func (c *client) attempt(path string) (status int, body string, err error) {
	c.t.Helper()
	req, _ := http.NewRequest("GET", c.server.GraphURL()+path, nil)
	req.Header.Set("Authorization", "Bearer "+c.bearer)
	res, err := c.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), err
}

// overBoth runs a test with HTTP/2 and with HTTP/1.1, which break in different ways.
func overBoth(t *testing.T, f func(t *testing.T, s *Server, c *client)) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, Options{Org: staff()})
			roots := c.http.Transport.(*http.Transport).TLSClientConfig.RootCAs
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: two}
			t.Cleanup(transport.CloseIdleConnections)
			c.http = &http.Client{Transport: transport}
			f(t, s, c)
		})
	}
}

func TestBodiesAreCut(t *testing.T) {
	overBoth(t, func(t *testing.T, s *Server, c *client) {
		_, whole, err := c.attempt("/users/delta")
		if err != nil {
			t.Fatal(err)
		}
		s.CutBody(2)
		for range 2 {
			status, half, err := c.attempt("/users/delta?$select=displayName,mobilePhone")
			// Go's HTTP/2 client may throw away what it had not handed over yet.
			if status != http.StatusOK || err == nil || len(half) >= len(whole) || json.Valid([]byte(half)) {
				t.Errorf("%d, %v, %q", status, err, half)
			}
		}
		equal(t, "afterwards", c.get("/users").status, http.StatusOK)
	})
}

func TestConnectionsAreDropped(t *testing.T) {
	overBoth(t, func(t *testing.T, s *Server, c *client) {
		c.http.CloseIdleConnections() // a fresh one, or Go repeats the request by itself
		s.DropConnection(1)
		if status, _, err := c.attempt("/users"); err == nil {
			t.Errorf("answered %d", status)
		}
		equal(t, "afterwards", c.get("/users").status, http.StatusOK)
		var statuses []int
		for _, q := range s.Requests() {
			statuses = append(statuses, q.Status)
		}
		equal(t, "recorded", statuses, []int{200, 0, 200})
	})
}

func TestLinksLeadAway(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	s.ForeignNextLink(1)
	away := c.get("/users/delta").link("nextLink")
	if !strings.HasPrefix(away, "https://graph.elsewhere.example/v1.0/users/delta?$skiptoken=") {
		t.Errorf("next link %s", away)
	}
	c.get("/users")
	r := c.round("/users/delta")
	equal(t, "then as usual", len(r.ids()), 5)
	s.ForeignNextLink(1)
	if away := c.get(r.delta).link("deltaLink"); !strings.HasPrefix(away, "https://graph.elsewhere.example/") {
		t.Errorf("delta link %s", away)
	}
}

func TestTokensExpireInTheMiddleOfARound(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	s.ExpireTokensAfter(2)
	next := c.get("/users/delta").link("nextLink")
	next = c.get(next).link("nextLink")
	for range 2 {
		equal(t, "expired", c.get(next).code(), "InvalidAuthenticationToken")
	}
	c.signIn(s.Tenant)
	equal(t, "the rest", c.round(next).ids(), []string{"eli"})
	s.ExpireTokensAfter(0)
	equal(t, "at once", c.get("/users").status, http.StatusUnauthorized)
}

var claimsOf = regexp.MustCompile(`error="insufficient_claims", claims="([^"]+)"`)

func TestClaimsChallengeAsksForANewToken(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	s.ClaimsChallenge(1 << 30)
	for range 2 {
		a := c.get("/users")
		found := claimsOf.FindStringSubmatch(a.header.Get("WWW-Authenticate"))
		if a.status != http.StatusUnauthorized || found == nil {
			t.Fatalf("%d %s", a.status, a.header.Get("WWW-Authenticate"))
		}
		if claims, err := base64.StdEncoding.DecodeString(found[1]); err != nil || !json.Valid(claims) {
			t.Errorf("claims %s: %v", claims, err)
		}
	}
	c.signIn(s.Tenant)
	equal(t, "with a new token", c.get("/users").status, http.StatusOK)
	s.ClaimsChallenge(1)
	c.get("/users")
	equal(t, "once", c.get("/users").status, http.StatusOK)
}

func TestResyncWithoutAPlaceToGo(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	r := c.round("/users/delta")
	s.ResyncRequired(1)
	next := c.get("/users/delta").link("nextLink") // has no token
	a := c.get(next)
	if a.status != http.StatusBadRequest || a.code() != "resyncRequired" || a.header.Get("Location") != "" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	equal(t, "only once", c.get(r.delta).status, http.StatusOK)
}

func TestNullAmongTheItems(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 3})
	s.SetFaults(Faults{NullItems: true})
	a := c.get("/users/delta?$select=displayName")
	var ids []any
	for _, v := range a.body["value"].([]any) {
		if v == nil {
			ids = append(ids, nil)
			continue
		}
		ids = append(ids, v.(map[string]any)["id"])
	}
	equal(t, "ids", ids, []any{"anna", nil, "bo", "cato"})
	equal(t, "not in lists", len(c.get("/users").items()), 5)
}

func TestShuffledPages(t *testing.T) {
	s, c := start(t, Options{Org: Example(100), PageSize: 40})
	const target = "/users/delta?$select=displayName"
	plain := c.round(target)
	inOrder := func(seed int64) roundOf {
		s.SetFaults(Faults{Shuffle: seed})
		return c.round(target)
	}
	first := inOrder(7)
	equal(t, "the same again", first.ids(), inOrder(7).ids())
	if slices.Equal(first.ids(), inOrder(8).ids()) {
		t.Error("two seeds, one order")
	}
	for i, page := range first.pages {
		got, want := roundOf{pages: first.pages[i : i+1]}.ids(), roundOf{pages: plain.pages[i : i+1]}.ids()
		equal(t, "one is told twice", len(page), len(want)+1)
		if slices.Equal(slices.Compact(slices.Clone(got)), want) {
			t.Errorf("page %d is in order", i)
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, "the same people", slices.Compact(got), want)
	}
	byID := map[any]map[string]any{}
	for _, it := range plain.items() {
		byID[it["id"]] = it
	}
	for _, it := range first.items() {
		if !maps.EqualFunc(it, byID[it["id"]], func(a, b any) bool { return a == b }) {
			t.Errorf("%v, was %v", it, byID[it["id"]])
		}
	}
}

func TestMinimalMayBeTheDefault(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	r := c.round("/users/delta?$select=displayName,mobilePhone,department")
	s.SetFaults(Faults{Minimal: true})
	s.UpdateUser("bo", map[string]any{"mobilePhone": nil, "department": "Finance"})
	equal(t, "changed", c.round(r.delta).items(), []map[string]any{{"id": "bo", "mobilePhone": nil, "department": "Finance"}})
	s.SetFaults(Faults{})
	equal(t, "full again", c.round(r.delta).items(), []map[string]any{{"id": "bo", "displayName": "bo", "mobilePhone": nil, "department": "Finance"}})
}

func TestClearingEndsWhatWaits(t *testing.T) {
	s, c := start(t, Options{Org: staff(), PageSize: 2})
	r := c.round("/users/delta")
	for _, f := range []func(int){s.Gone, s.ResyncRequired, s.ForeignNextLink, s.ExpireTokensAfter, s.ClaimsChallenge, s.CutBody, s.DropConnection} {
		f(1)
	}
	s.ClearFaults()
	equal(t, "nothing", c.round(r.delta).ids(), []string{})
	for range 2 {
		equal(t, "answered", c.get("/users").status, http.StatusOK)
	}
}
