package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/scim"
)

// SCIM (RFC 7644) has its own types, errors and conventions, and so its own
// routes beside those of /v1.
const (
	scimPath = directory.SCIMPath
	scimType = "application/scim+json"
)

func (s Services) scimRoutes(r fiber.Router) {
	for _, kind := range []*scim.Kind{scim.User, scim.Group} {
		h := scimResources{s, kind}
		all, one := scimPath+kind.Endpoint, scimPath+kind.Endpoint+"/:id"
		r.Post(all+"/.search", s.scim(h.search))
		r.Get(all, s.scim(h.list))
		r.Post(all, s.scim(h.create))
		r.Get(one, s.scim(h.read))
		r.Put(one, s.scim(h.replace))
		r.Patch(one, s.scim(h.patch))
		r.Delete(one, s.scim(h.delete))
	}
	r.Get(scimPath+"/ServiceProviderConfig", s.scim(func(q scimRequest) error {
		return q.send(http.StatusOK, scim.ServiceProviderConfig(q.base))
	}))
	for path, documents := range map[string]func(string) []map[string]any{"/Schemas": scim.Schemas, "/ResourceTypes": scim.ResourceTypes} {
		r.Get(scimPath+path, s.scim(func(q scimRequest) error { return q.sendDocuments(documents(q.base)) }))
		r.Get(scimPath+path+"/:id", s.scim(func(q scimRequest) error { return q.sendDocument(documents(q.base)) }))
	}
	r.Post(scimPath+"/Bulk", s.scim(notServed))
	r.All(scimPath+"/Me", s.scim(notServed))
}

func notServed(q scimRequest) error {
	return newProblem(http.StatusNotImplemented, "not_implemented", q.c.Path()+" is not served; /ServiceProviderConfig says what is")
}

// scimRequest is a request that carries a token.
type scimRequest struct {
	c                   *fiber.Ctx
	ctx                 context.Context
	account, connection int64
	base                string // where SCIM is served
}

// scim lets pass who carries a token of a connection, and answers errors in
// SCIM's way.
func (s Services) scim(handle func(scimRequest) error) fiber.Handler {
	return func(c *fiber.Ctx) (err error) {
		operation := c.Method() + " " + c.Route().Path
		defer func() {
			if cause := recover(); cause != nil {
				err = sendSCIMError(c, unexpected(operation, fmt.Errorf("panic: %v", cause), "stack", string(debug.Stack())))
			}
		}()
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		ctx, cancel := context.WithTimeout(c.UserContext(), patience)
		defer cancel()
		if err := s.serveSCIM(ctx, c, handle); err != nil {
			return sendSCIMError(c, scimProblem(ctx, operation, err))
		}
		return nil
	}
}

func (s Services) serveSCIM(ctx context.Context, c *fiber.Ctx, handle func(scimRequest) error) error {
	if p := unreadable(c); p != nil {
		return p
	}
	q := scimRequest{c: c, ctx: ctx, base: cmp.Or(s.PublicURL, c.BaseURL()) + scimPath}
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return newProblem(http.StatusUnauthorized, "unknown_token", "send the connection's token: Authorization: Bearer vscim_...")
	}
	var err error
	if q.account, q.connection, err = s.Directory.SCIMConnectionOf(ctx, strings.TrimSpace(token)); err != nil {
		return err
	}
	if err := checkSCIMBody(c); err != nil {
		return err
	}
	return handle(q)
}

func checkSCIMBody(c *fiber.Ctx) error {
	switch body := c.Body(); {
	case len(body) > bodyLimit:
		return tooLarge()
	case len(body) == 0:
		return nil
	}
	sent, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || sent != scimType && sent != fiber.MIMEApplicationJSON {
		return newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "send the body as "+scimType)
	}
	return nil
}

func (q scimRequest) send(status int, document any) error { return sendSCIM(q.c, status, document) }

func sendSCIM(c *fiber.Ctx, status int, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, scimType)
	return c.Status(status).Send(body)
}

// scimList is RFC 7644 3.4.2. Resources is there though it be empty: Entra looks
// for a user who is not there, and expects an empty list.
type scimList struct {
	Schemas      []string         `json:"schemas"`
	TotalResults int              `json:"totalResults"`
	StartIndex   int              `json:"startIndex"`
	ItemsPerPage int              `json:"itemsPerPage"`
	Resources    []map[string]any `json:"Resources"`
}

func newSCIMList(total, start int, resources []map[string]any) scimList {
	return scimList{[]string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, total, start, len(resources), resources}
}

func (q scimRequest) sendDocuments(all []map[string]any) error {
	if q.c.Query("filter") != "" { // RFC 7644 4: as if the client might see nothing
		return newProblem(http.StatusForbidden, "not_filtered", "this list is not filtered")
	}
	return q.send(http.StatusOK, newSCIMList(len(all), 1, all))
}

func (q scimRequest) sendDocument(all []map[string]any) error {
	for _, one := range all {
		if one["id"] == q.id() {
			return q.send(http.StatusOK, one)
		}
	}
	return newProblem(http.StatusNotFound, "not_found", "there is no "+q.c.Path())
}

// id is the one in the path. What is not text is no id.
func (q scimRequest) id() string {
	id, err := url.PathUnescape(q.c.Params("id"))
	if err != nil || !utf8.ValidString(id) || strings.Contains(id, "\x00") {
		return ""
	}
	return id
}

// scimError is RFC 7644 3.12.
type scimError struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
}

// scimProblem is problemOf with SCIM's statuses.
func scimProblem(ctx context.Context, operation string, err error) *Problem {
	var refusal *scim.Error
	if errors.As(err, &refusal) {
		status := http.StatusBadRequest
		if refusal.Type == scim.Uniqueness {
			status = http.StatusConflict
		}
		return newProblem(status, refusal.Type, refusal.Detail)
	}
	p := problemOf(ctx, operation, err)
	if p.Code == "version_mismatch" {
		p.Status = http.StatusPreconditionFailed
	}
	return p
}

var scimTypes = map[string]bool{
	scim.InvalidFilter: true, scim.InvalidPath: true, scim.InvalidSyntax: true, scim.InvalidValue: true,
	scim.Mutability: true, scim.NoTarget: true, scim.TooMany: true, scim.Uniqueness: true,
}

func sendSCIMError(c *fiber.Ctx, p *Problem) error {
	for name := range p.GetHeaders() {
		c.Set(name, p.GetHeaders().Get(name))
	}
	e := scimError{Schemas: []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, Status: fmt.Sprint(p.Status), Detail: p.Detail}
	if scimTypes[p.Code] {
		e.ScimType = p.Code
	}
	return sendSCIM(c, p.Status, e)
}

func isSCIM(c *fiber.Ctx) bool {
	path := strings.ToLower(c.Path())
	return path == scimPath || strings.HasPrefix(path, scimPath+"/")
}
