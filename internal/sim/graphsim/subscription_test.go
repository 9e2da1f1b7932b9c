package graphsim

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// listener is a client's end of notifications. It answers the handshake as
// Microsoft wants it, and everything else with the statuses it was given, 202
// when these are used up.
type listener struct {
	*httptest.Server
	t        *testing.T
	posts    chan []map[string]any
	mu       sync.Mutex
	statuses []int
	token    func(w http.ResponseWriter, token string)
}

func listen(t *testing.T, statuses ...int) *listener {
	l := &listener{t: t, posts: make(chan []map[string]any, 100), statuses: statuses}
	l.token = func(w http.ResponseWriter, token string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, html.EscapeString(token))
	}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("validationToken"); token != "" {
		l.token(w, token)
		return
	}
	var body struct{ Value []map[string]any }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		l.t.Error(err)
	}
	w.WriteHeader(l.next())
	l.posts <- body.Value
}

func (l *listener) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.statuses) == 0 {
		return http.StatusAccepted
	}
	status := l.statuses[0]
	l.statuses = l.statuses[1:]
	return status
}

func wish(url string, more ...any) map[string]any {
	body := map[string]any{
		"changeType": "updated,deleted", "resource": "/users", "notificationUrl": url, "clientState": "secret",
		"expirationDateTime": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
	}
	for i := 0; i < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return body
}

// write sends JSON to Graph.
func (c *client) write(method, path string, body any) answer {
	c.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	req, _ := http.NewRequest(method, c.server.GraphURL()+path, strings.NewReader(string(raw)))
	req.Header.Set("Authorization", "Bearer "+c.bearer)
	req.Header.Set("Content-Type", "application/json")
	return c.do(req)
}

func (c *client) subscribe(body map[string]any) string {
	c.t.Helper()
	a := c.write("POST", "/subscriptions", body)
	if a.status != http.StatusCreated {
		c.t.Fatalf("%d %s", a.status, a.raw)
	}
	return a.body["id"].(string)
}

func TestSubscriptionsLive(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	l := listen(t)
	a := c.write("POST", "/subscriptions", wish(l.URL+"/hook?a=1", "lifecycleNotificationUrl", l.URL))
	equal(t, "made", []any{a.status, a.body["resource"], a.body["clientState"], a.body["applicationId"]}, []any{201, "/users", "secret", DefaultClientID})
	path := "/subscriptions/" + a.body["id"].(string)
	equal(t, "its secret is told once", c.get(path).body["clientState"], any(nil))
	later := time.Now().Add(20 * 24 * time.Hour).UTC().Format(time.RFC3339)
	a = c.write("PATCH", path, map[string]any{"expirationDateTime": later})
	equal(t, "renewed", []any{a.status, a.body["expirationDateTime"]}, []any{200, later})
	equal(t, "address stays", c.write("PATCH", path, map[string]any{"notificationUrl": l.URL}).status, 400)
	equal(t, "listed", len(c.get("/subscriptions").items()), 1)
	equal(t, "reauthorized", c.write("POST", path+"/reauthorize", nil).status, 204)
	equal(t, "ended", c.send("DELETE", path).status, 204)
	for _, method := range []string{"GET", "DELETE"} {
		equal(t, method, c.send(method, path).code(), "ResourceNotFound")
	}
	equal(t, "not the directory's business", fmt.Sprint(len(s.GraphWrites()), len(s.SubscriptionCalls())), "0 9")
}

func TestSubscriptionsEnd(t *testing.T) {
	clock := time.Now()
	s, c := start(t, Options{Org: staff(), TokenLife: 48 * time.Hour, Now: func() time.Time { return clock }})
	l := listen(t)
	id := c.subscribe(wish(l.URL))
	clock = clock.Add(25 * time.Hour)
	equal(t, "expired", c.get("/subscriptions/"+id).status, 404)
	equal(t, "none", len(c.get("/subscriptions").items()), 0)
	s.SoftDelete("bo")
	s.Close()
	equal(t, "nobody is told", len(s.Notifications()), 0)
}

func TestSubscriptionRefusals(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	l := listen(t)
	in := func(minutes int) string {
		return time.Now().Add(time.Duration(minutes) * time.Minute).UTC().Format(time.RFC3339)
	}
	for name, c2 := range map[string]struct {
		body   map[string]any
		status int
	}{
		"too long":        {wish(l.URL, "expirationDateTime", in(41_761)), 400},
		"past":            {wish(l.URL, "expirationDateTime", in(-1)), 400},
		"no end":          {wish(l.URL, "expirationDateTime", ""), 400},
		"change":          {wish(l.URL, "changeType", "moved"), 400},
		"no change":       {wish(l.URL, "changeType", ""), 400},
		"resource":        {wish(l.URL, "resource", "/me/messages"), 400},
		"nobody":          {wish(l.URL, "resource", "/users/nobody"), 404},
		"no group":        {wish(l.URL, "resource", "/groups/bo/members"), 404},
		"long state":      {wish(l.URL, "clientState", strings.Repeat("x", 129)), 400},
		"plain http":      {wish("http://varsel.example/hook"), 400},
		"no address":      {wish(""), 400},
		"plain lifecycle": {wish(l.URL, "lifecycleNotificationUrl", "http://varsel.example/"), 400},
		"unknown":         {wish(l.URL, "x", 1), 400},
		"at the limit":    {wish(l.URL, "expirationDateTime", in(41_759), "clientState", strings.Repeat("x", 128)), 201},
		"members":         {wish(l.URL, "resource", "groups/some/members"), 201},
	} {
		if a := c.write("POST", "/subscriptions", c2.body); a.status != c2.status {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	s.SetFaults(Faults{NoConsent: []string{"users"}})
	equal(t, "no permission", c.write("POST", "/subscriptions", wish(l.URL)).code(), "Authorization_RequestDenied")
	s.SetFaults(Faults{SubscriptionQuota: true})
	equal(t, "quota", c.write("POST", "/subscriptions", wish(l.URL)).status, 403)
	s.ClearFaults()
	for range 98 {
		c.subscribe(wish(l.URL))
	}
	equal(t, "the hundred and first", c.write("POST", "/subscriptions", wish(l.URL)).status, 403)
}

func TestHandshakeHasToBeRight(t *testing.T) {
	_, c := start(t, Options{Org: staff()})
	text := func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain") }
	for name, answer := range map[string]func(http.ResponseWriter, string){
		"another status": func(w http.ResponseWriter, token string) { text(w); w.WriteHeader(202); io.WriteString(w, token) },
		"another type": func(w http.ResponseWriter, token string) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, token)
		},
		"still encoded": func(w http.ResponseWriter, token string) {
			text(w)
			io.WriteString(w, strings.ReplaceAll(token, " ", "+"))
		},
		"nothing":    func(w http.ResponseWriter, token string) { text(w) },
		"a redirect": func(w http.ResponseWriter, token string) { w.Header().Set("Location", "/"); w.WriteHeader(302) },
	} {
		wrong, right := listen(t), listen(t)
		wrong.token = answer
		for _, body := range []map[string]any{wish(wrong.URL), wish(right.URL, "lifecycleNotificationUrl", wrong.URL)} {
			if a := c.write("POST", "/subscriptions", body); a.status != http.StatusBadRequest || a.code() != "ValidationError" {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
	}
	closed := listen(t)
	closed.Close()
	equal(t, "nobody there", c.write("POST", "/subscriptions", wish(closed.URL)).code(), "ValidationError")
	equal(t, "none was made", len(c.get("/subscriptions").items()), 0)
}

// post is the next batch. A minute without one is a failure.
func (l *listener) post() []map[string]any {
	l.t.Helper()
	select {
	case items := <-l.posts:
		return items
	case <-time.After(time.Minute):
		l.t.Fatal("no notification came")
		return nil
	}
}

// heard reads until n items have come, whatever the batches.
func (l *listener) heard(n int) (items []map[string]any) {
	l.t.Helper()
	for len(items) < n {
		items = append(items, l.post()...)
	}
	return items
}

func words(items []map[string]any) []string {
	var all []string
	for _, it := range items {
		all = append(all, fmt.Sprint(it["changeType"], " ", it["resource"]))
	}
	return all
}

func TestChangesAreTold(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	users, groups, one := listen(t), listen(t), listen(t)
	id := c.subscribe(wish(users.URL))
	c.subscribe(wish(users.URL, "changeType", "created")) // Graph takes it, and tells it nothing
	c.subscribe(wish(groups.URL, "resource", "groups"))
	c.subscribe(wish(one.URL, "resource", "/groups/some/members", "changeType", "updated"))
	s.HoldNotifications(true)
	s.AddUser(User{ID: "finn"})
	s.UpdateUser("bo", map[string]any{"displayName": "Bo"})
	s.UpdateUser("bo", map[string]any{"displayName": "Bo"}) // as it was
	s.SoftDelete("bo")
	s.Restore("bo")
	s.AddMember("some", "dag")
	s.HardDelete("eli")
	s.RenameGroup("all", "Everyone")
	s.DeleteGroup("some")
	s.HoldNotifications(false)
	equal(t, "users", words(users.heard(5)), []string{"updated Users/finn", "updated Users/bo", "updated Users/bo", "updated Users/bo", "deleted Users/eli"})
	equal(t, "groups", words(groups.heard(5)), []string{"updated Groups/some", "updated Groups/all", "updated Groups/all", "updated Groups/all", "deleted Groups/some"})
	equal(t, "members of one", words(one.heard(1)), []string{"updated Groups/some/members"})

	s.UpdateUser("dag", map[string]any{"displayName": "Dag"})
	it := users.heard(1)[0]
	data := it["resourceData"].(map[string]any)
	equal(t, "notice", []any{it["subscriptionId"], it["clientState"], it["tenantId"], data["id"], data["@odata.type"]},
		[]any{id, "secret", DefaultTenantID, "dag", "#Microsoft.Graph.User"})
}

func TestManyChangesComeTogether(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	l := listen(t)
	c.subscribe(wish(l.URL))
	c.subscribe(wish(l.URL, "resource", "groups"))
	s.HoldNotifications(true)
	s.SoftDelete("bo")
	s.RenameGroup("some", "A few")
	s.HoldNotifications(false)
	equal(t, "one POST for two subscriptions", words(l.post()), []string{"updated Users/bo", "updated Groups/some"})
}

func TestNoticesAreRepeatedUntilAccepted(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	l := listen(t, 503, 302)
	c.subscribe(wish(l.URL))
	s.SoftDelete("bo")
	for range 3 {
		equal(t, "notice", words(l.post()), []string{"updated Users/bo"})
	}
	s.Close()
	var got []string
	for _, n := range s.Notifications() {
		got = append(got, fmt.Sprint(n.URL == l.URL, n.Attempt, n.Status, strings.Contains(n.Body, "Users/bo")))
	}
	// Close may have come before the third answer was noted.
	equal(t, "first attempts", got[:2], []string{"true 1 503 true", "true 2 302 true"})
}

func TestNoticesMayBeTwiceOrForged(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	l := listen(t)
	c.subscribe(wish(l.URL))
	s.DuplicateNotifications(true)
	s.WrongClientState(1)
	s.SoftDelete("bo")
	first, again := l.post(), l.post()
	equal(t, "twice", first, again)
	equal(t, "forged", first[0]["clientState"], any("not secret"))
	s.DuplicateNotifications(false)
	s.SoftDelete("cato")
	equal(t, "once", l.heard(1)[0]["clientState"], any("secret"))
}

func TestNoticesGoOverTLSToWhomTheClientTrusts(t *testing.T) {
	l := listen(t)
	secure := httptest.NewTLSServer(l)
	t.Cleanup(secure.Close)
	s, c := start(t, Options{Org: staff(), NotifyClient: secure.Client()})
	c.subscribe(wish(secure.URL))
	s.SoftDelete("bo")
	equal(t, "notice", words(l.heard(1)), []string{"updated Users/bo"})
	_, stranger := start(t, Options{Org: staff()})
	equal(t, "a stranger", stranger.write("POST", "/subscriptions", wish(secure.URL)).code(), "ValidationError")
}

func TestLifecycleEvents(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	l, life := listen(t), listen(t)
	id := c.subscribe(wish(l.URL, "lifecycleNotificationUrl", life.URL))
	s.SendLifecycle(id, "reauthorizationRequired")
	it := life.heard(1)[0]
	equal(t, "event", []any{it["lifecycleEvent"], it["subscriptionId"], it["clientState"]}, []any{"reauthorizationRequired", id, "secret"})
	defer func() {
		if recover() == nil {
			t.Error("no panic for a subscription that is not there")
		}
	}()
	s.SendLifecycle("x", "reauthorizationRequired")
}

// Close waits for the postmen, and does not wait for an endpoint that is down.
func TestCloseEndsNotifications(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	answering := make(chan struct{})
	l := listen(t)
	c.subscribe(wish(l.URL))
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("validationToken"); token != "" {
			l.token(w, token)
			return
		}
		io.Copy(io.Discard, r.Body) // or the server does not notice who leaves
		close(answering)
		<-r.Context().Done()
	}))
	t.Cleanup(stuck.Close)
	c.subscribe(wish(stuck.URL))
	s.SoftDelete("bo")
	<-answering
	s.Close()
	all := s.Notifications()
	equal(t, "no answer", all[len(all)-1].Status, 0)
}
