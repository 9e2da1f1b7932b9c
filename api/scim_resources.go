package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/scim"
)

// scimResources serves the resources of one kind.
type scimResources struct {
	Services
	kind *scim.Kind
}

// scimSearch is what a list is asked with: parameters, or the body of a POST
// (RFC 7644 3.4.3).
type scimSearch struct {
	Filter             string
	StartIndex, Count  *int
	Attributes         []string
	ExcludedAttributes []string
}

func (h scimResources) list(q scimRequest) error {
	in := scimSearch{
		Filter:     q.c.Query("filter"),
		Attributes: strings.Split(q.c.Query("attributes"), ","), ExcludedAttributes: strings.Split(q.c.Query("excludedAttributes"), ","),
	}
	var err error
	if in.StartIndex, err = queryNumber(q.c, "startIndex"); err != nil {
		return err
	}
	if in.Count, err = queryNumber(q.c, "count"); err != nil {
		return err
	}
	return h.find(q, in)
}

func queryNumber(c *fiber.Ctx, name string) (*int, error) {
	text := c.Query(name)
	if text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, &scim.Error{Type: scim.InvalidValue, Detail: name + " is a whole number"}
	}
	return &n, nil
}

func (h scimResources) search(q scimRequest) error {
	var in scimSearch
	if json.Unmarshal(q.c.Body(), &in) != nil {
		return &scim.Error{Type: scim.InvalidSyntax, Detail: "the body is not a search request"}
	}
	return h.find(q, in)
}

func (h scimResources) find(q scimRequest, in scimSearch) error {
	want, err := scim.ReadProjection(in.Attributes, in.ExcludedAttributes)
	if err != nil {
		return err
	}
	query := directory.SCIMQuery{Start: within(in.StartIndex, 1, 1, 1<<30), Count: within(in.Count, scim.MostResults, 0, scim.MostResults), Members: want.WantsMembers()}
	if strings.TrimSpace(in.Filter) != "" {
		if query.Filter, err = h.kind.ParseFilter(in.Filter); err != nil {
			return err
		}
	}
	found, err := h.Directory.SCIMFind(q.ctx, q.account, q.connection, h.kind, query)
	if err != nil {
		return err
	}
	shown := make([]map[string]any, len(found.Resources))
	for i, r := range found.Resources {
		shown[i] = r.Show(q.base, want)
	}
	return q.send(http.StatusOK, newSCIMList(found.Total, query.Start, shown))
}

// within takes a number that is out of bounds for the nearest (RFC 7644 3.4.2.4).
func within(n *int, otherwise, least, most int) int {
	if n == nil {
		return otherwise
	}
	return min(max(*n, least), most)
}

func (h scimResources) projection(q scimRequest) (scim.Projection, error) {
	return scim.ReadProjection(strings.Split(q.c.Query("attributes"), ","), strings.Split(q.c.Query("excludedAttributes"), ","))
}

func (h scimResources) create(q scimRequest) error {
	want, err := h.projection(q)
	if err != nil {
		return err
	}
	r, err := h.Directory.SCIMCreate(q.ctx, q.account, q.connection, h.kind, q.c.Body())
	if err != nil {
		return err
	}
	q.c.Set(fiber.HeaderLocation, r.Location(q.base))
	return h.answer(q, http.StatusCreated, r, want)
}

func (h scimResources) read(q scimRequest) error {
	want, err := h.projection(q)
	if err != nil {
		return err
	}
	r, err := h.Directory.SCIMRead(q.ctx, q.account, q.connection, h.kind, q.id(), want.WantsMembers())
	if err != nil {
		return err
	}
	if have := q.c.Get(fiber.HeaderIfNoneMatch); have != "" && r.TagIn(have) {
		q.c.Set(fiber.HeaderETag, r.Tag())
		return q.c.SendStatus(http.StatusNotModified)
	}
	return h.show(q, http.StatusOK, r, want)
}

func (h scimResources) replace(q scimRequest) error {
	want, err := h.projection(q)
	if err != nil {
		return err
	}
	r, err := h.Directory.SCIMReplace(q.ctx, q.account, q.connection, h.kind, q.id(), q.c.Get(fiber.HeaderIfMatch), q.c.Body())
	if err != nil {
		return err
	}
	return h.answer(q, http.StatusOK, r, want)
}

// patch answers a group with 204 unless attributes are asked for: it may have
// many members, and Entra wants none of them back.
func (h scimResources) patch(q scimRequest) error {
	want, err := h.projection(q)
	if err != nil {
		return err
	}
	r, err := h.Directory.SCIMPatch(q.ctx, q.account, q.connection, h.kind, q.id(), q.c.Get(fiber.HeaderIfMatch), q.c.Body())
	if err != nil {
		return err
	}
	if h.kind == scim.Group && q.c.Query("attributes") == "" {
		q.c.Set(fiber.HeaderETag, r.Tag())
		return q.c.SendStatus(http.StatusNoContent)
	}
	return h.answer(q, http.StatusOK, r, want)
}

func (h scimResources) delete(q scimRequest) error {
	err := h.Directory.SCIMDelete(q.ctx, q.account, q.connection, h.kind, q.id(), q.c.Get(fiber.HeaderIfMatch))
	if err != nil {
		return err
	}
	return q.c.SendStatus(http.StatusNoContent)
}

// answer is for what was written, which comes without members.
func (h scimResources) answer(q scimRequest, status int, r scim.Resource, want scim.Projection) (err error) {
	if h.kind == scim.Group && want.WantsMembers() {
		if r, err = h.Directory.SCIMRead(q.ctx, q.account, q.connection, h.kind, r.ID, true); err != nil {
			return err
		}
	}
	return h.show(q, status, r, want)
}

func (h scimResources) show(q scimRequest, status int, r scim.Resource, want scim.Projection) error {
	q.c.Set(fiber.HeaderETag, r.Tag())
	return q.send(status, r.Show(q.base, want))
}
