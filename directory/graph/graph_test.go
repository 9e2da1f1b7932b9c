package graph_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

func startSim(t *testing.T, o graphsim.Options) *graphsim.Server {
	t.Helper()
	sim, err := graphsim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim
}

func trusting(t testing.TB, pems ...[]byte) *http.Transport {
	t.Helper()
	pool := x509.NewCertPool()
	for _, one := range pems {
		if !pool.AppendCertsFromPEM(one) {
			t.Fatal("no certificate")
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func config(t *testing.T, sim *graphsim.Server) graph.Config {
	return graph.Config{
		Access: directory.Access{
			Credentials:  directory.Credentials{Tenant: sim.TenantID(), Client: sim.ClientID(), Secret: sim.Secret()},
			PersonFields: directory.PersonFields,
		},
		Authority: sim.URL(), GraphURL: sim.GraphURL(), Transport: trusting(t, sim.CAPEM()),
	}
}

func open(t *testing.T, c graph.Config) directory.Source {
	t.Helper()
	source, err := graph.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// round reads a round to its end and answers its items and the delta link.
func round(t *testing.T, page func(link string) (directory.Page, error), link string) (items []directory.Item, delta string) {
	t.Helper()
	for range 1000 {
		p, err := page(link)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, p.Items...)
		if link = p.Next; p.Delta != "" {
			return items, p.Delta
		}
	}
	t.Fatal("the round does not end")
	return nil, ""
}

func TestPeopleAndGroupsAreRead(t *testing.T) { // S5
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(450)})
	s := open(t, config(t, sim))
	people, delta := round(t, func(link string) (directory.Page, error) { return s.People(t.Context(), link) }, "")
	equal(t, 450, len(people))
	groups, _ := round(t, func(link string) (directory.Page, error) { return s.Groups(t.Context(), link) }, "")
	edges := 0
	for _, g := range groups {
		edges += len(g.Members)
	}
	if edges < 450 {
		t.Errorf("only %d memberships", edges)
	}

	sim.UpdateUser(people[0].ID, map[string]any{"mobilePhone": nil, "displayName": "Changed"})
	sim.SoftDelete(people[1].ID)
	changes, _ := round(t, func(link string) (directory.Page, error) { return s.People(t.Context(), link) }, delta)
	equal(t, 2, len(changes))
	equal(t, []string{`"Changed"`, "null"}, []string{string(changes[0].Fields["displayName"]), string(changes[0].Fields["mobilePhone"])})
	if _, told := changes[0].Fields["unasked"]; told {
		t.Error("an absent property is there")
	}
	equal(t, []bool{false, true}, []bool{changes[0].Removed, changes[1].Removed})

	one, err := s.Person(t.Context(), people[0].ID)
	equal(t, nil, err)
	equal(t, `"Changed"`, string(one.Fields["displayName"]))
	gone, err := s.Person(t.Context(), people[1].ID)
	equal(t, nil, err)
	equal(t, directory.Item{ID: people[1].ID, Removed: true}, gone)
}

func TestNothingButReadingReachesGraph(t *testing.T) { // S12, S13
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(20)})
	s := open(t, config(t, sim))
	if _, err := s.People(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Groups(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	equal(t, map[string]int{"GET": 2}, sim.GraphMethods())
	equal(t, 1, sim.SignIns())
	for _, r := range sim.Requests() {
		if r.Method != "GET" && !strings.HasSuffix(r.Path, "/oauth2/v2.0/token") {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

func TestTheFaultsOfSigningInAreExplained(t *testing.T) { // S19
	sim := startSim(t, graphsim.Options{})
	faults := []struct {
		code   string
		number string
		change func(c *graph.Config)
	}{
		{"directory_tenant", "AADSTS90002", func(c *graph.Config) { c.Tenant = "00000000-0000-0000-0000-000000000001" }},
		{"directory_client", "AADSTS700016", func(c *graph.Config) { c.Client = "00000000-0000-0000-0000-000000000002" }},
		{"directory_secret", "AADSTS7000215", func(c *graph.Config) { c.Secret = "wrong~secret" }},
		{"directory_secret_expired", "AADSTS7000222", func(*graph.Config) { sim.SetFaults(graphsim.Faults{SecretExpired: true}) }},
	}
	for _, f := range faults {
		c := config(t, sim)
		f.change(&c)
		_, err := open(t, c).People(t.Context(), "")
		explained(t, c, f.code, f.number, err)
	}
}

// explained wants a sentence with a code and no secret.
func explained(t *testing.T, c graph.Config, code, says string, err error) {
	t.Helper()
	if !problem.Has(err, code) || !strings.Contains(err.Error(), says) {
		t.Errorf("want %s and %q, got %v", code, says, err)
	}
	if text := fmt.Sprintf("%v %#v", err, err); strings.Contains(text, c.Secret) || strings.Contains(text, "\n") || len(err.Error()) > 300 {
		t.Errorf("not a sentence, or it tells the secret: %s", text)
	}
}

func TestTheFaultsOfGraphAreExplained(t *testing.T) {
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(5)})
	c := config(t, sim)
	s := open(t, c)
	people := func() error { _, err := s.People(t.Context(), ""); return err }
	groups := func() error { _, err := s.Groups(t.Context(), ""); return err }

	sim.SetFaults(graphsim.Faults{NoConsent: []string{"users", "groups"}})
	explained(t, c, "directory_consent", "User.Read.All", people())
	explained(t, c, "directory_consent", "GroupMember.Read.All", groups())
	sim.ClearFaults()

	for status, code := range map[int]string{502: "directory_unavailable", 500: "directory_unavailable", 400: "directory_answer"} {
		sim.Fail(1, status)
		err := people()
		explained(t, c, code, "Microsoft Graph", err)
		var later *directory.Later
		equal(t, status >= 500, errors.As(err, &later))
	}
	sim.Throttle(1, 120) // not waited for here
	explained(t, c, "directory_busy", "2m0s", people())
	equal(t, nil, people())

	sim.ExpireTokens()
	explained(t, c, "directory_token", "InvalidAuthenticationToken", people())
	s = open(t, c)
	equal(t, nil, people())
}

func TestAThrottleIsLeftToWhoAsks(t *testing.T) {
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(5)})
	s := open(t, config(t, sim))
	sim.Throttle(1, 7)
	_, err := s.People(t.Context(), "")
	var later *directory.Later
	if !errors.As(err, &later) || later.After != 7*time.Second {
		t.Errorf("got %v", err)
	}
	p, err := s.People(t.Context(), "")
	equal(t, nil, err)
	equal(t, 5, len(p.Items))
}

func TestAnUnreachableMicrosoftIsExplained(t *testing.T) {
	sim := startSim(t, graphsim.Options{})
	c := config(t, sim)
	c.Transport = http.DefaultTransport.(*http.Transport).Clone()
	_, err := open(t, c).People(t.Context(), "")
	explained(t, c, "directory_network", "not trusted", err)

	c = config(t, sim)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c.GraphURL = "https://" + l.Addr().String() + "/v1.0"
	_, err = open(t, c).People(t.Context(), "")
	explained(t, c, "directory_network", "refused", err)

	c.Authority = "https://login.invalid"
	_, err = open(t, c).People(t.Context(), "")
	explained(t, c, "directory_network", "login.invalid", err)
}

func TestExpiredLinksAreTold(t *testing.T) {
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(5)})
	s := open(t, config(t, sim))
	p, err := s.People(t.Context(), "")
	equal(t, nil, err)
	sim.Gone(1) // 410
	_, err = s.People(t.Context(), p.Delta)
	equal(t, directory.ErrExpired.Error(), fmt.Sprint(err))
	sim.SetFaults(graphsim.Faults{DeltaHorizon: -1}) // 400 syncStateNotFound
	_, err = s.People(t.Context(), p.Delta)
	equal(t, directory.ErrExpired.Error(), fmt.Sprint(err))
}

// impostor is what answers in place of Graph; sign-in is the simulated one.
func impostor(t *testing.T, answer http.HandlerFunc) (graph.Config, *httptest.Server) {
	t.Helper()
	sim := startSim(t, graphsim.Options{})
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	c := config(t, sim)
	c.GraphURL = server.URL
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c.Transport = trusting(t, sim.CAPEM(), own)
	return c, server
}

func TestOddAnswers(t *testing.T) {
	var status int
	var kind, body string
	c, server := impostor(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Location", "https://example.com/v1.0/users/delta()")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	s := open(t, c)
	here := server.URL + "/v1.0/users/delta"
	for name, tt := range map[string]struct {
		status           int
		kind, body, code string
	}{
		"a captive portal":       {200, "text/html", "<html>sign in</html>", "directory_network"},
		"a redirect":             {302, "application/json", "{}", "directory_network"},
		"not JSON":               {200, "application/json", "{", "directory_answer"},
		"nothing":                {200, "application/json", "", "directory_answer"},
		"a next link elsewhere":  {200, "application/json", `{"value": [], "@odata.nextLink": "https://example.com/v1.0/users/delta?$skiptoken=x"}`, "directory_answer"},
		"a delta link by http":   {200, "application/json", `{"value": [], "@odata.deltaLink": "` + strings.Replace(here, "https", "http", 1) + `"}`, "directory_answer"},
		"a link to other things": {200, "application/json", `{"value": [], "@odata.deltaLink": "` + server.URL + `/beta/me"}`, "directory_answer"},
		"an error without words": {403, "application/json", "", "directory_network"},
	} {
		status, kind, body = tt.status, tt.kind, tt.body
		_, err := s.People(t.Context(), "")
		if !problem.Has(err, tt.code) {
			t.Errorf("%s: %v", name, err)
		}
	}

	status, kind = 200, "application/json;odata.metadata=minimal"
	body = `{"value": [null, {"id": "a", "mobilePhone": null, "members@delta": [null,
		{"@odata.type": "#microsoft.graph.user", "id": "b"}, {"@odata.type": "#microsoft.graph.device", "id": "c"},
		{"id": "d", "@removed": {"reason": "deleted"}}]}, {"id": "e", "@removed": {"reason": "changed"}}], "@odata.deltaLink": "` + here + `"}`
	p, err := s.Groups(t.Context(), "")
	equal(t, nil, err)
	equal(t, here, p.Delta)
	equal(t, []directory.Member{{ID: "b"}, {ID: "d", Removed: true}}, p.Items[0].Members)
	equal(t, []any{"null", false, true}, []any{string(p.Items[0].Fields["mobilePhone"]), p.Items[0].Removed, p.Items[1].Removed})
}

func TestAStoredLinkToAnotherHostIsNotFollowed(t *testing.T) {
	var asked []string
	c, server := impostor(t, func(w http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.String()) })
	s := open(t, c)
	for _, link := range []string{"https://example.com/v1.0/users/delta?x", "http://" + strings.TrimPrefix(server.URL, "https://") + "/v1.0/users/delta", "::"} {
		_, err := s.People(t.Context(), link)
		if !problem.Has(err, "directory_answer") {
			t.Errorf("%s: %v", link, err)
		}
	}
	equal(t, []string(nil), asked)
}

func TestALinkIsFollowedAsItIs(t *testing.T) {
	var asked string
	c, server := impostor(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RequestURI()
		w.WriteHeader(http.StatusGone)
	})
	link := "/v1.0/users/delta?$skiptoken=a%2Bb+c%24~.x&%24other=1"
	if _, err := open(t, c).People(t.Context(), server.URL+link); err == nil {
		t.Error("no error")
	}
	equal(t, link, asked)
}
