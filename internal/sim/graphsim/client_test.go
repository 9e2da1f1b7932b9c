package graphsim

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// client is what a test knows of HTTP: it follows links, and trusts the server's
// authority alone.
type client struct {
	t      testing.TB
	http   *http.Client
	server *Server
	bearer string
	prefer string
}

func start(t testing.TB, o Options) (*Server, *client) {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := &client{t: t, http: trusting(t, s), server: s}
	c.signIn(s.Tenant)
	return s, c
}

func trusting(t testing.TB, s *Server) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CAPEM()) {
		t.Fatal("CAPEM is no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (c *client) signIn(t *Tenant) {
	c.t.Helper()
	a := c.token(t.TenantID(), grant(t.ClientID(), t.Secret()))
	if a.status != http.StatusOK {
		c.t.Fatalf("sign-in: %d %s", a.status, a.raw)
	}
	c.bearer = a.body["access_token"].(string)
}

func grant(id, secret string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret},
		"scope": {"https://graph.microsoft.com/.default"},
	}
}

type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) code() string {
	e, _ := a.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (a answer) items() []map[string]any {
	var items []map[string]any
	values, _ := a.body["value"].([]any)
	for _, v := range values {
		items = append(items, v.(map[string]any))
	}
	return items
}

func (a answer) link(name string) string {
	link, _ := a.body["@odata."+name].(string)
	return link
}

func (c *client) token(tenant string, form url.Values) answer {
	c.t.Helper()
	req, err := http.NewRequest("POST", c.server.URL()+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req)
}

// get takes a path under Graph's root, or a link.
func (c *client) get(target string) answer {
	c.t.Helper()
	return c.send("GET", target)
}

func (c *client) send(method, target string) answer {
	c.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = c.server.GraphURL() + target
	}
	req, err := http.NewRequest(method, target, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.bearer)
	if c.prefer != "" {
		req.Header.Set("Prefer", c.prefer)
	}
	return c.do(req)
}

func (c *client) do(req *http.Request) answer {
	c.t.Helper()
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			c.t.Fatalf("%s: %v in %s", req.URL, err, raw)
		}
	}
	return a
}

// roundOf is all pages of one delta round.
type roundOf struct {
	pages [][]map[string]any
	delta string
}

func (r roundOf) items() []map[string]any {
	var all []map[string]any
	for _, p := range r.pages {
		all = append(all, p...)
	}
	return all
}

func (r roundOf) ids() []string {
	ids := []string{}
	for _, it := range r.items() {
		ids = append(ids, it["id"].(string))
	}
	return ids
}

func (c *client) round(target string) roundOf {
	c.t.Helper()
	var r roundOf
	for target != "" {
		a := c.get(target)
		if a.status != http.StatusOK {
			c.t.Fatalf("GET %s: %d %s", target, a.status, a.raw)
		}
		if (a.link("nextLink") == "") == (a.link("deltaLink") == "") {
			c.t.Fatalf("a page has one link, next or delta: %s", a.raw)
		}
		r.pages = append(r.pages, a.items())
		r.delta, target = a.link("deltaLink"), a.link("nextLink")
	}
	return r
}

// edges are a group's members@delta of a round, by member: "" for there, or why
// removed.
func (r roundOf) edges(group string) map[string]string {
	edges := map[string]string{}
	for _, it := range r.items() {
		list, _ := it["members@delta"].([]any)
		for _, e := range list {
			e := e.(map[string]any)
			if it["id"] == group {
				removed, _ := e["@removed"].(map[string]any)
				reason, _ := removed["reason"].(string)
				edges[e["id"].(string)] = reason
			}
		}
	}
	return edges
}

// staff is five people, and two groups of which the first holds the second.
func staff() Org {
	org := Org{Name: "Nordlys", Domain: "nordlys.example"}
	for _, name := range []string{"anna", "bo", "cato", "dag", "eli"} {
		org.Users = append(org.Users, User{ID: name, Properties: map[string]any{
			"displayName": name, "mobilePhone": "+47 412 34 567", "department": "Sales",
			"userPrincipalName": name + "@nordlys.example", "mail": nil,
		}})
	}
	org.Groups = []Group{
		{ID: "all", DisplayName: "All", Members: []string{"some", "eli"}},
		{ID: "some", DisplayName: "Some", Members: []string{"anna", "bo", "cato"}},
	}
	return org
}
