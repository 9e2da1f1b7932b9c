package graphsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is one admitted request to Graph.
type call struct {
	*Tenant
	appID    string // client id of who asks
	resource string
	id       string // of the object in the path, if any
	status   int    // of the answer, unless refused
	request  *http.Request
	query    url.Values
	faults   Faults // as they stood when the request came
}

// answerer gives a body for JSON, or a refusal.
type answerer func(*call) (any, *graphError)

func (s *Server) graphRoutes() *http.ServeMux {
	m := http.NewServeMux()
	for _, col := range []*collection{userCollection, groupCollection} {
		root, delta := graphPrefix+"/"+col.name, s.answer(col.name, 1, col.delta)
		m.HandleFunc(root, s.answer(col.name, col.units, col.list))
		m.HandleFunc(root+"/{id}", s.answer(col.name, 1, col.one))
		m.HandleFunc(root+"/delta", delta)
		m.HandleFunc(root+"/delta()", delta)
		m.HandleFunc(root+"/microsoft.graph.delta()", delta)
	}
	m.HandleFunc(graphPrefix+"/groups/{id}/members", s.answer("groups", 3, members))
	m.HandleFunc(graphPrefix+"/organization", s.answer("organization", 1, organization))
	s.subscriptionRoutes(m)
	m.HandleFunc(graphPrefix+"/", s.answer("", 1, unknownSegment))
	return m
}

func (s *Server) answer(resource string, units int, f answerer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, refused := s.admitted(resource, r)
		if refused != nil {
			s.replyError(w, r, refused)
			return
		}
		meets := c.Tenant.faults.next()
		if meets.dropped {
			w.(*recorder).note(0)
			hangUp(r)
		}
		if meets.cut {
			w = shortWriter{w, r}
		}
		refused = firstError(c.charge(w.Header(), units), meets.refusal)
		c.serve(w, refused, f)
	}
}

// serve decides in the order of the real service: how busy, allowed or not.
func (c *call) serve(w http.ResponseWriter, refused *graphError, f answerer) {
	var body any
	if refused == nil && !c.allowed() {
		refused = denied()
	}
	if refused == nil {
		body, refused = f(c)
	}
	switch {
	case refused != nil:
		c.srv.replyError(w, c.request, refused)
	case c.status == http.StatusNoContent:
		w.WriteHeader(c.status)
	default:
		c.srv.replyJSON(w, c.request, c.status, body)
	}
}

// allowed: nothing but subscriptions may be written.
func (c *call) allowed() bool {
	return (c.request.Method == http.MethodGet || c.resource == "subscriptions") && !c.faults.refuses(c.resource)
}

// admitted finds out who asks.
func (s *Server) admitted(resource string, r *http.Request) (*call, *graphError) {
	t, appID, why := s.admit(r.Header.Get("Authorization"))
	if t == nil {
		return nil, s.unauthenticated(why, "")
	}
	if t.faults.take(func(w *waiting) *int { return &w.challenges }) {
		claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, s.now().Unix())
		return nil, s.unauthenticated("Continuous access evaluation resulted in challenge.",
			`, error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`)
	}
	return &call{
		Tenant: t, appID: appID, resource: resource, id: r.PathValue("id"), status: http.StatusOK,
		request: r, query: r.URL.Query(), faults: t.Faults(),
	}, nil
}

func denied() *graphError {
	return &graphError{status: http.StatusForbidden, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
}

func (s *Server) unauthenticated(why, more string) *graphError {
	challenge := fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", client_id="%s"%s`, s.url, graphAppID, more)
	return &graphError{
		status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", message: why,
		header: http.Header{"Www-Authenticate": {challenge}},
	}
}

func unknownSegment(c *call) (any, *graphError) {
	return nil, badQuery("Resource not found for the segment in the request's path.")
}

func organization(c *call) (any, *graphError) {
	sel, refused := organizationSchema.selected(c.query)
	if refused != nil {
		return nil, refused
	}
	it := item{"id": c.Tenant.id}
	for _, name := range sel {
		it[name] = c.org.property(name)
	}
	return page{Context: c.context("organization"), Value: []item{it}}, nil
}

// page is a list as OData writes it.
type page struct {
	Context string `json:"@odata.context"`
	Next    string `json:"@odata.nextLink,omitempty"`
	Delta   string `json:"@odata.deltaLink,omitempty"`
	Value   []item `json:"value"`
}

// item is one object in an answer: what is not a key is absent, nil is null.
type item map[string]any

func (c *call) context(path string) string { return c.srv.GraphURL() + "/$metadata#" + path }

// graphError is an error the way Graph words it, or a gateway's page.
type graphError struct {
	status        int
	code, message string
	header        http.Header
	page          string
}

func badQuery(format string, args ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: "BadRequest", message: fmt.Sprintf(format, args...)}
}

func notFound(id string) *graphError {
	return &graphError{status: http.StatusNotFound, code: "Request_ResourceNotFound",
		message: fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
}

func (s *Server) replyError(w http.ResponseWriter, r *http.Request, e *graphError) {
	for name, values := range e.header {
		w.Header()[name] = values
	}
	if e.page != "" {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", strconv.Itoa(len(e.page)))
		w.WriteHeader(e.status)
		w.Write([]byte(e.page))
		return
	}
	s.replyJSON(w, r, e.status, map[string]any{"error": map[string]any{
		"code":    e.code,
		"message": e.message,
		"innerError": map[string]any{
			"date":       s.now().UTC().Format("2006-01-02T15:04:05"),
			"request-id": randomGUID(),
		},
	}})
}

func (s *Server) replyJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(fmt.Sprintf("graphsim: a property that JSON cannot hold: %v", err))
	}
	h := w.Header()
	h.Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("OData-Version", "4.0")
	h.Set("Request-Id", randomGUID())
	if id := r.Header.Get("client-request-id"); id != "" {
		h.Set("Client-Request-Id", id)
	}
	if minimal(r.Header) {
		h.Set("Preference-Applied", "return=minimal")
	}
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func minimal(h http.Header) bool {
	return strings.Contains(strings.Join(h.Values("Prefer"), ","), "return=minimal")
}
