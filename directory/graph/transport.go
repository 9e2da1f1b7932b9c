package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/directory"
)

// mode is what a client is opened for.
type mode int

const (
	readOnly    mode = iota
	subscribing      // to changes: the only thing we ever write
	verifying        // who signed in, which asks Graph nothing
)

// guard lets through what its mode needs, and nothing else: GET to Graph, the
// POST that gets a token, the GET that finds out where to send that, and in mode
// subscribing what makes, renews and ends a subscription. In mode verifying, of
// all these, the POST for a token, and the GET of the keys that signed it.
type guard struct {
	mode
	graph, authority *url.URL
	next             http.RoundTripper
	told             func(directory.Exchange)
}

func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.allows(r) {
		return nil, report(r.Context(), errElsewhere)
	}
	resp, err := g.next.RoundTrip(r)
	if g.told != nil {
		g.told(g.exchange(r, resp))
	}
	return resp, report(r.Context(), err)
}

// exchange tells what was asked without telling of whom.
func (g guard) exchange(r *http.Request, resp *http.Response) directory.Exchange {
	e := directory.Exchange{Method: r.Method, Resource: "/sign-in"}
	if resp != nil {
		e.Status = resp.StatusCode
	}
	if path, ok := strings.CutPrefix(r.URL.Path, g.graph.Path); ok && sameOrigin(r.URL, g.graph) {
		e.Resource = resource(path)
	}
	return e
}

// resource names a path as Microsoft's reference does: /groups/{id}/members.
func resource(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > 1 {
		switch strings.TrimPrefix(strings.TrimSuffix(parts[1], "()"), "microsoft.graph.") {
		case "delta":
			parts[1] = "delta"
		default:
			parts[1] = "{id}"
		}
	}
	return "/" + strings.Join(parts, "/")
}

func (g guard) allows(r *http.Request) bool {
	if g.mode == verifying {
		return sameOrigin(r.URL, g.authority) && verifies(r.Method, r.URL.Path)
	}
	if path, below := strings.CutPrefix(r.URL.Path, g.graph.Path+"/"); below && sameOrigin(r.URL, g.graph) {
		if r.Method == http.MethodGet || g.mode == subscribing && subscribes(r.Method, path) {
			return true
		}
	}
	if !sameOrigin(r.URL, g.authority) {
		return false
	}
	switch r.Method {
	case http.MethodPost:
		return strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token")
	case http.MethodGet:
		return strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") || r.URL.Path == "/common/discovery/instance"
	}
	return false
}

func verifies(method, path string) bool {
	return method == http.MethodPost && strings.HasSuffix(path, "/oauth2/v2.0/token") ||
		method == http.MethodGet && strings.HasSuffix(path, "/discovery/v2.0/keys")
}

var oneSubscription = regexp.MustCompile(`^subscriptions/[0-9A-Za-z-]+$`)

func subscribes(method, path string) bool {
	switch method {
	case http.MethodPost:
		return path == "subscriptions"
	case http.MethodPatch, http.MethodDelete:
		return oneSubscription.MatchString(path)
	}
	return false
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" || u.Scheme != "https" {
		return p
	}
	return "443"
}

type brokenKey struct{}

// watched remembers how the last exchange of a call broke: sign-in keeps of such
// errors only a text.
func watched(ctx context.Context) (context.Context, *error) {
	broken := new(error)
	return context.WithValue(ctx, brokenKey{}, broken), broken
}

func report(ctx context.Context, err error) error {
	if broken, ok := ctx.Value(brokenKey{}).(*error); ok {
		*broken = err
	}
	return err
}

// onlyJSON stops at the pages that gateways and proxies put in Graph's place.
type onlyJSON struct{ next http.RoundTripper }

func (o onlyJSON) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := o.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	if resp.StatusCode == http.StatusNoContent {
		return resp, nil
	}
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind == "application/json" && (resp.StatusCode < 300 || resp.StatusCode >= 400) {
		return resp, nil
	}
	resp.Body.Close()
	return nil, &notJSON{resp.StatusCode, retryAfter(resp.Header, time.Now())}
}

// notJSON is an answer that did not come from Graph.
type notJSON struct {
	status int
	after  time.Duration
}

func (e *notJSON) Error() string { return fmt.Sprintf("HTTP %d that is not JSON", e.status) }

// retryAfter reads seconds or a date in any of its three forms (RFC 9110 10.2.3,
// 5.6.7), 0 for none. A date that has passed means at once.
func retryAfter(h http.Header, now time.Time) time.Duration {
	said := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(said, 64); err == nil && seconds >= 0 && seconds < maxRetryAfter.Seconds() {
		return max(time.Duration(seconds*float64(time.Second)), time.Millisecond)
	}
	if at, err := http.ParseTime(said); err == nil {
		return max(at.Sub(now), time.Millisecond)
	}
	return 0
}

// maxRetryAfter is beyond what anybody means.
const maxRetryAfter = 30 * 24 * time.Hour
