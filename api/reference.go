package api

import (
	"bytes"
	"encoding/json"
	"html/template"
	"maps"
	"slices"
	"strings"

	_ "embed"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// reference is the description of the API: /openapi.json, and /docs made from it.
type reference struct {
	spec       *huma.OpenAPI
	operations []*huma.Operation // in the order of the route list
}

//go:embed reference.html
var referenceHTML string

//go:embed reference.css
var referenceCSS []byte

var referencePage = template.Must(template.New("reference").Parse(referenceHTML))

// newReference listens for operations as they are added to spec.
func newReference(spec *huma.OpenAPI) *reference {
	r := &reference{spec: spec}
	spec.OnAddOperation = append(spec.OnAddOperation, func(_ *huma.OpenAPI, op *huma.Operation) {
		r.operations = append(r.operations, op)
	})
	return r
}

const (
	specPath  = "/openapi.json"
	docsPath  = "/docs"
	stylePath = "/docs/reference.css"
)

// mount writes both documents once; they do not change while the program runs.
func (r *reference) mount(app *fiber.App) {
	r.letAnswersGrow()
	spec, err := json.MarshalIndent(r.spec, "", "  ")
	if err != nil {
		panic(err)
	}
	var page bytes.Buffer
	if err := referencePage.Execute(&page, r.page()); err != nil {
		panic(err)
	}
	app.Get(specPath, document("application/json", spec))
	app.Get(docsPath, document("text/html; charset=utf-8", page.Bytes()))
	app.Get(stylePath, document("text/css; charset=utf-8", referenceCSS))
}

// letAnswersGrow leaves it open what else an answer may hold, so that a client
// made from the document bears a field that comes later. What is sent to us
// stays closed.
func (r *reference) letAnswersGrow() {
	sent := map[*huma.Schema]bool{}
	for _, op := range r.operations {
		if op.RequestBody != nil && op.RequestBody.Content[csvType] == nil {
			r.collect(schemaIn(op.RequestBody.Content), sent)
		}
	}
	for _, s := range r.spec.Components.Schemas.Map() {
		if !sent[s] {
			s.AdditionalProperties = nil
		}
	}
}

func (r *reference) collect(s *huma.Schema, into map[*huma.Schema]bool) {
	s = r.resolve(s)
	into[s] = true
	for _, inner := range s.Properties {
		r.collect(inner, into)
	}
	if s.Items != nil {
		r.collect(s.Items, into)
	}
}

// pagePolicy lets the page load its own style and nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func document(contentType string, body []byte) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, contentType)
		c.Set(fiber.HeaderContentSecurityPolicy, pagePolicy)
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderXFrameOptions, "DENY")
		c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return c.Send(body)
	}
}

// noContent is the status of an answer without a body.
const noContent = "204"

type referenceView struct {
	Title, Description string
	Operations         []operationView
	Problem            []fieldView
}

type operationView struct {
	ID, Method, Path, Summary, Scope string
	Parameters, Body, Answer         []fieldView
	Success                          string   // its status
	Refusals                         []string // statuses
}

type fieldView struct {
	Name, In, Type, Text string
	Required             bool
}

func (r *reference) page() referenceView {
	v := referenceView{Title: r.spec.Info.Title, Description: r.spec.Info.Description}
	for _, op := range r.operations {
		v.Operations = append(v.Operations, r.operation(op))
	}
	v.Problem = r.fields("", &huma.Schema{Ref: "#/components/schemas/Problem"})
	return v
}

func (r *reference) operation(op *huma.Operation) operationView {
	v := operationView{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary}
	v.Scope, _ = scopeOf(op)
	for _, p := range op.Parameters {
		f := r.field(p.Name, p.Schema, p.Required)
		f.In = p.In
		v.Parameters = append(v.Parameters, f)
	}
	switch {
	case op.RequestBody == nil:
	case op.RequestBody.Content[csvType] != nil:
		v.Body = []fieldView{{Name: "(the whole body)", Type: csvType, Required: true}}
	default:
		v.Body = r.fields("", schemaIn(op.RequestBody.Content))
	}
	for _, code := range slices.Sorted(maps.Keys(op.Responses)) {
		if code[0] == '2' {
			v.Success = code
			v.Answer = r.answer(code, op.Responses[code].Content)
		} else {
			v.Refusals = append(v.Refusals, code)
		}
	}
	return v
}

func (r *reference) answer(code string, content map[string]*huma.MediaType) []fieldView {
	switch {
	case code == noContent:
		return nil
	case content["application/json"] == nil:
		return []fieldView{{Name: "(the whole body)", Type: strings.Join(slices.Sorted(maps.Keys(content)), ", "), Required: true}}
	}
	return r.fields("", schemaIn(content))
}

func schemaIn(content map[string]*huma.MediaType) *huma.Schema {
	return content["application/json"].Schema
}

// fields lists an object's fields and those of the objects in it.
func (r *reference) fields(prefix string, s *huma.Schema) []fieldView {
	s = r.resolve(s)
	var all []fieldView
	for _, name := range fieldOrder(s) {
		inner := s.Properties[name]
		all = append(all, r.field(prefix+name, inner, slices.Contains(s.Required, name)))
		switch inner = r.resolve(inner); inner.Type {
		case huma.TypeObject:
			all = append(all, r.fields(prefix+name+".", inner)...)
		case huma.TypeArray:
			all = append(all, r.fields(prefix+name+"[].", inner.Items)...)
		}
	}
	return all
}

// fieldOrder puts what must be there first. The document has no order of its own.
func fieldOrder(s *huma.Schema) []string {
	names := slices.Clone(s.Required)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (r *reference) field(name string, s *huma.Schema, required bool) fieldView {
	f := fieldView{Name: name, Required: required, Text: s.Description}
	s = r.resolve(s)
	f.Type = s.Type
	if s.Format == "date-time" {
		f.Type = "time, RFC 3339 in UTC"
	}
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, word := range s.Enum {
			words[i] = word.(string)
		}
		f.Type = strings.Join(words, ", ")
	}
	return f
}

func (r *reference) resolve(s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return r.spec.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}
