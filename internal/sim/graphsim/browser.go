package graphsim

import (
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// SignIn is the person at the browser, who answers every question the sign-in
// pages would put to them.
type SignIn struct {
	Tenant string // directory (tenant) id; the server's first when empty
	UserID string // object id; one of nobody in the directory when empty
	Name   string // "Administrator" when empty
	Admin  bool   // Global Administrator
	Deny   bool   // declines whatever is asked
}

// SignInAs seats a person at the browser until another one takes over. Before
// that there is nobody.
func (s *Server) SignInAs(p SignIn) {
	p.Tenant = strings.ToLower(orElse(p.Tenant, s.Tenant.id))
	if s.tenant(p.Tenant) == nil {
		panic(fmt.Sprintf("graphsim: no tenant has id %q", p.Tenant))
	}
	p.UserID = orElse(p.UserID, exampleID("administrator", p.Tenant))
	p.Name = orElse(p.Name, "Administrator")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person = &p
}

func (s *Server) atBrowser() *SignIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.person
}

// visit is a browser's arrival at a sign-in page.
type visit struct {
	*SignIn
	tenant   *Tenant
	app      *app
	query    url.Values
	redirect *url.URL
}

// visit refuses with a page what must not be redirected: an app or an address
// that nobody vouches for.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) (v visit, ok bool) {
	v.query = r.URL.Query()
	no := func(code int, text string) (visit, bool) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<!doctype html><title>Sign in</title><p>AADSTS%d: %s</p>\n", code, html.EscapeString(text))
		return v, false
	}
	name, id := r.PathValue("tenant"), v.query.Get("client_id")
	named := s.tenant(name)
	v.SignIn = s.atBrowser()
	var address bool
	v.redirect, address = loopback(v.query.Get("redirect_uri"))
	switch {
	case named == nil && !anyTenant(name):
		return no(90002, fmt.Sprintf("Tenant '%s' not found.", name))
	case v.SignIn == nil:
		return no(50058, "Nobody is signed in.")
	case named != nil && named.id != v.Tenant:
		return no(50020, fmt.Sprintf("User account '%s' does not exist in tenant '%s'.", v.Name, name))
	case !address:
		return no(50011, fmt.Sprintf("The redirect URI '%s' does not match the redirect URIs configured for the application '%s'.", v.query.Get("redirect_uri"), id))
	}
	v.tenant = s.tenant(v.Tenant)
	if v.app = s.knownApp(v.tenant, id); v.app == nil {
		return no(700016, fmt.Sprintf("No application with identifier '%s' is known in the directory '%s'.", id, v.Tenant))
	}
	return v, true
}

func anyTenant(name string) bool { return name == "organizations" || name == "common" }

// loopback addresses are the only ones registered on the apps here.
func loopback(address string) (*url.URL, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
		return nil, false
	}
	ip := net.ParseIP(u.Hostname())
	return u, u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// leave sends the browser back with an answer, and the state as it came.
func (v visit) leave(w http.ResponseWriter, r *http.Request, answer url.Values) {
	if v.query.Has("state") {
		answer.Set("state", v.query.Get("state"))
	}
	to := *v.redirect
	q := to.Query()
	for name, values := range answer {
		q[name] = values
	}
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

func (v visit) fail(w http.ResponseWriter, r *http.Request, err string, code int, text string) {
	v.leave(w, r, url.Values{"error": {err}, "error_description": {fmt.Sprintf("AADSTS%d: %s", code, text)}})
}

// authorize gives a code for an id token (OpenID Connect Core 3.1.2, RFC 7636).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	v, ok := s.visit(w, r)
	if !ok {
		return
	}
	q := v.query
	switch {
	case q.Get("response_type") != "code":
		v.fail(w, r, "unsupported_response_type", 70005, "Only response_type 'code' is supported.")
	case orElse(q.Get("response_mode"), "query") != "query":
		v.fail(w, r, "invalid_request", 70007, "Only response_mode 'query' is supported.")
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		v.fail(w, r, "invalid_scope", 70011, "The scope has no 'openid'.")
	case q.Has("code_challenge") && q.Get("code_challenge_method") != "S256":
		v.fail(w, r, "invalid_request", 501491, "Only code_challenge_method 'S256' is supported.")
	case v.Deny:
		v.fail(w, r, "access_denied", 65004, "User declined to consent to access the app.")
	default:
		v.leave(w, r, url.Values{"code": {s.codes.issue(v, s.now())}, "session_state": {randomGUID()}})
	}
}

// adminConsent lets an app into the tenant of the administrator at the browser.
func (s *Server) adminConsent(w http.ResponseWriter, r *http.Request) {
	v, ok := s.visit(w, r)
	switch {
	case !ok:
	case v.query.Get("scope") == "":
		v.fail(w, r, "invalid_request", 900144, "The request must have the parameter 'scope'.")
	case v.Deny || !v.Admin:
		v.fail(w, r, "access_denied", 65004, "User declined to consent to access the app.")
	default:
		v.tenant.consent(v.app.clientID, true)
		v.leave(w, r, url.Values{"admin_consent": {"True"}, "tenant": {v.Tenant}, "scope": {v.query.Get("scope")}})
	}
}
