package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
)

// requests asks all that the server answers, changes after looks and removals last.
func (w *walk) requests() {
	w.t.Helper()
	w.serve(roleAPI)
	w.described = w.document()
	stopping := make(chan struct{})
	defer close(stopping)
	routes := w.app.http(stopping).GetRoutes(true)
	order := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	for _, last := range []bool{false, true} {
		for _, method := range order {
			for _, r := range routes {
				if r.Method == method && removes(method, r.Path) == last {
					w.request(method, r.Path)
					w.after(method + " " + r.Path)
				}
			}
		}
	}
}

// removes says whether a route takes away what others are tried on.
func removes(method, path string) bool {
	return method == http.MethodDelete || method == http.MethodPost && regexp.MustCompile(`/(disconnect|cancel|terminate)$`).MatchString(path)
}

// document is what the API says of its operations.
type document struct {
	Paths      map[string]map[string]describedOperation
	Components struct{ Schemas map[string]schema }
}

type describedOperation struct {
	OperationID string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
	}
	RequestBody *struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]struct{ Content map[string]any }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Examples   []any
	Enum       []any
	Required   []string
	Properties map[string]schema
	Items      *schema
}

func (w *walk) document() (d document) {
	w.t.Helper()
	res, err := http.Get(w.url + "/openapi.json")
	must(w.t, err)
	defer res.Body.Close()
	must(w.t, json.NewDecoder(res.Body).Decode(&d))
	return d
}

var (
	placeholder = regexp.MustCompile(`:(\w+)`)
	constraint  = regexp.MustCompile(`<[^/]*>`) // of what may stand in a place
)

// request asks one route, with all that it names filled from the fixtures.
func (w *walk) request(method, route string) {
	w.t.Helper()
	path := w.filled(route)
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, nil)
	must(w.t, err)
	req.Header.Set("Origin", w.url)
	switch {
	case strings.HasPrefix(route, "/scim/"):
		w.asDirectory(req, route)
	case strings.HasPrefix(route, "/v1/"):
		w.asKey(req, method, route)
	default:
		w.asUser(req, route)
	}
	res, err := w.client().Do(req)
	must(w.t, err)
	defer res.Body.Close()
	var said []byte
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		said, _ = io.ReadAll(res.Body)
	}
	w.asDescribed(method, route, res)
	if !w.fine(route, res.StatusCode) {
		w.unfilled = append(w.unfilled, fmt.Sprintf("%s %s answers %d %.300s; say in gate_fixtures_test.go what is to be filled in", method, route, res.StatusCode, said))
	}
}

// asDescribed checks that an operation of the API answered as its document says: with a
// status and a media type that are there.
func (w *walk) asDescribed(method, route string, res *http.Response) {
	w.t.Helper()
	op, described := w.operation(method, route)
	if !described {
		return
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		kind = "" // without a body there is none
	}
	answer, known := op.Responses[strconv.Itoa(res.StatusCode)]
	if _, typed := answer.Content[kind]; !known || !typed && len(answer.Content) > 0 {
		w.t.Errorf("%s %s answers %d with %q; described are %v", method, route, res.StatusCode, kind, op.Responses)
	}
}

// operation is what the API's document says of a route; false where it says nothing.
func (w *walk) operation(method, route string) (describedOperation, bool) {
	op, described := w.described.Paths[placeholder.ReplaceAllString(route, "{$1}")][strings.ToLower(method)]
	return op, described
}

func (w *walk) client() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// filled is a route with a fixture in each of its places. A place is known by what
// stands before or after it.
func (w *walk) filled(route string) string {
	w.t.Helper()
	route = constraint.ReplaceAllString(route, "")
	names := append(strings.Split(strings.ReplaceAll(route, ":", ""), "/"), "")
	parts := strings.Split(route, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = url.PathEscape(w.placed(route, names[i]+"/"+names[i+1], names[i-1]+"/"+names[i]))
		}
	}
	return strings.Join(parts, "/")
}

// placed is the fixture of a whole route where there is one, else of the place.
func (w *walk) placed(route, before, after string) string {
	w.t.Helper()
	if value := w.values[route]; value != nil {
		return value()
	}
	return w.value(before, after)
}

// fine says whether an answer is one to a request that was filled rightly: done, or
// refused for the state of things, which earlier steps have changed.
func (w *walk) fine(route string, status int) bool {
	return status < 400 || status == http.StatusConflict || slices.Contains(w.answers[route], status)
}

func (w *walk) asDirectory(req *http.Request, route string) {
	req.Header.Set("Authorization", "Bearer "+w.token)
	if req.Method == http.MethodGet {
		return
	}
	w.send(req, "application/scim+json", w.value(req.Method, route))
}

// asKey asks an operation of the API, as its document describes it.
func (w *walk) asKey(req *http.Request, method, route string) {
	w.t.Helper()
	op, described := w.operation(method, route)
	if !described {
		return // callbacks and notifications: their addresses are the keys
	}
	key := w.key
	if op.Security[0]["api_key"][0] == accounts.ScopeInstallation {
		key = w.operatorKey
	}
	req.Header.Set("Authorization", "Bearer "+key)
	query := url.Values{}
	for _, p := range op.Parameters {
		if p.In == "query" && p.Required {
			query.Set(p.Name, w.value(op.OperationID, p.Name))
		}
	}
	req.URL.RawQuery = query.Encode()
	if op.RequestBody == nil {
		return
	}
	if _, list := op.RequestBody.Content["text/csv"]; list {
		w.send(req, "text/csv", "name,mobile\nBo,+4790000007\n")
		return
	}
	text, err := json.Marshal(w.body(op.OperationID, "", op.RequestBody.Content["application/json"].Schema))
	must(w.t, err)
	w.send(req, "application/json", string(text))
}

func (w *walk) send(req *http.Request, kind, body string) {
	req.Header.Set("Content-Type", kind)
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

// body makes a value of a schema: a fixture where there is one for the operation and
// the field, else the schema's example, and of an object all that is required and all
// that a fixture is there for.
func (w *walk) body(operation, field string, s schema) any {
	w.t.Helper()
	for s.Ref != "" {
		s = w.described.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	if text, there := w.known(operation, field); there && field != "" {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil || s.Type == "string" {
			return text
		}
		return v
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == "boolean":
		return true
	case s.Type == "array":
		return []any{}
	case s.Type == "object":
		made := map[string]any{}
		for name, p := range s.Properties {
			if w.values[operation+" "+name] != nil || slices.Contains(s.Required, name) {
				made[name] = w.body(operation, name, p)
			}
		}
		return made
	}
	w.unfilled = append(w.unfilled, fmt.Sprintf("%s: nothing is known for the field %q; give it an example in the API, or a value in gate_fixtures_test.go", operation, field))
	return ""
}

// asUser asks a page of the console, with every field of a form that a fixture is
// there for.
func (w *walk) asUser(req *http.Request, route string) {
	w.t.Helper()
	session := w.session
	if route == "/sign-out" {
		session = w.signIn()
	}
	req.AddCookie(&http.Cookie{Name: "varsel_session", Value: session})
	req.URL.RawQuery = w.query(route)
	if req.Method == http.MethodGet {
		return
	}
	if file, there := w.files[route]; there {
		w.sendFile(req, file, w.form(route))
		return
	}
	w.send(req, "application/x-www-form-urlencoded", w.form(route).Encode())
}

func (w *walk) sendFile(req *http.Request, file formFile, fields url.Values) {
	w.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	part, err := parts.CreateFormFile(file.field, file.field)
	must(w.t, err)
	io.WriteString(part, file.text)
	for name := range fields {
		must(w.t, parts.WriteField(name, fields.Get(name)))
	}
	must(w.t, parts.Close())
	w.send(req, parts.FormDataContentType(), body.String())
}
