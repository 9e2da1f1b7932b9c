package graph

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestWhatTheGuardLetsThrough(t *testing.T) { // S12, S13
	const graph, authority = "https://graph.microsoft.com", "https://login.microsoftonline.com"
	root, _ := url.Parse(graph + "/v1.0")
	login, _ := url.Parse(authority)
	reads := []string{
		"GET " + graph + "/v1.0/users/delta()", "GET " + graph + ":443/v1.0/groups", "GET " + graph + "/v1.0/subscriptions",
		"GET " + authority + "/acme.example/v2.0/.well-known/openid-configuration",
	}
	writes := []string{
		"POST " + graph + "/v1.0/subscriptions", "PATCH " + graph + "/v1.0/subscriptions/1-a", "DELETE " + graph + "/v1.0/subscriptions/1-a",
	}
	keys := []string{"GET " + authority + "/organizations/discovery/v2.0/keys"}
	token := []string{"POST " + authority + "/organizations/oauth2/v2.0/token"}
	never := []string{
		"POST " + graph + "/v1.0/users", "PATCH " + graph + "/v1.0/users/a", "DELETE " + graph + "/v1.0/users/a", "PUT " + graph + "/v1.0/groups/a",
		"POST " + graph + "/v1.0/$batch", "POST " + graph + "/beta/subscriptions", "POST " + graph + "/v1.0/subscriptions/", "POST " + graph + "/v1.0/subscriptions/a",
		"PATCH " + graph + "/v1.0/subscriptions", "DELETE " + graph + "/v1.0/subscriptions", "PUT " + graph + "/v1.0/subscriptions/a",
		"DELETE " + graph + "/v1.0/subscriptions/../users/a", "DELETE " + graph + "/v1.0/subscriptions/..", "DELETE " + graph + "/v1.0/subscriptions/a%2F..%2F..%2Fusers%2Fa",
		"PATCH " + graph + "/v1.0/subscriptions/a/b", "POST http://graph.microsoft.com/v1.0/subscriptions", "POST https://graph.example/v1.0/subscriptions",
		"GET https://graph.example/v1.0/users", "POST " + authority + "/acme.example/v1.0/subscriptions", "HEAD " + graph + "/v1.0/users",
		"DELETE " + authority + "/acme.example/oauth2/v2.0/token",
	}
	for mode, lets := range map[mode][][]string{readOnly: {reads, token}, subscribing: {reads, token, writes}, verifying: {token, keys}} {
		allowed := map[string]bool{}
		for _, some := range lets {
			for _, one := range some {
				allowed[one] = true
			}
		}
		g := guard{mode: mode, graph: root, authority: login}
		for _, some := range [][]string{reads, token, writes, keys, never} {
			for _, one := range some {
				if got := g.allows(request(t, one)); got != allowed[one] {
					t.Errorf("mode %d, %s: %v", mode, one, got)
				}
			}
		}
	}
}

func request(t *testing.T, line string) *http.Request {
	t.Helper()
	method, address, _ := strings.Cut(line, " ")
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
