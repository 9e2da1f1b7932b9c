package graphsim

import (
	"net/url"
	"strings"
)

// list answers GET /users and /groups, page by page.
func (col *collection) list(c *call) (any, *graphError) {
	ids, refused := filteredIDs(c.query)
	if refused != nil {
		return nil, refused
	}
	wanted := idSet(ids)
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	objects := col.objects(&c.dir)
	return c.listing(col.name, col.schema, len(objects), func(i int, sel []string) item {
		if o := objects[i]; wanted == nil || wanted[o.id] {
			return o.shown(sel)
		}
		return nil
	})
}

// one answers GET /users/{id} (or userPrincipalName) and /groups/{id}.
func (col *collection) one(c *call) (any, *graphError) {
	sel, refused := col.schema.selected(c.query)
	if refused != nil {
		return nil, refused
	}
	if refused := onlyOptions(c.query, "$select"); refused != nil {
		return nil, refused
	}
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	o := col.find(c)
	if o == nil {
		return nil, notFound(c.id)
	}
	it := o.shown(sel)
	it["@odata.context"] = c.context(col.name + "/$entity")
	return it, nil
}

func (col *collection) find(c *call) *object {
	if o := c.dir.byID[c.id]; o != nil {
		if o.schema() == col.schema && o.state == live {
			return o
		}
		return nil
	}
	for _, o := range col.objects(&c.dir) {
		if o.state == live && strings.EqualFold(o.text("userPrincipalName"), c.id) && col.schema == userSchema {
			return o
		}
	}
	return nil
}

// members answers GET /groups/{id}/members: direct ones, without those in the
// recycle bin.
func members(c *call) (any, *graphError) {
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	g := groupCollection.find(c)
	if g == nil {
		return nil, notFound(c.id)
	}
	edges := g.members.edges
	return c.listing("groups/"+c.id+"/members", userSchema, len(edges), func(i int, sel []string) item {
		if edges[i].gone {
			return nil
		}
		return c.member(edges[i].member, sel)
	})
}

// member keeps the value of every property back when the app may not read
// people: type and id are told all the same, with status 200.
func (c *call) member(o *object, sel []string) item {
	it := o.shown(sel)
	if it == nil {
		return nil
	}
	if c.faults.NoUserRead && o.schema() == userSchema {
		for name := range it {
			it[name] = nil
		}
		it["id"] = o.id
	}
	it["@odata.type"] = o.schema().odataType
	return it
}

// shown is an object in a plain read, where what was never set is null. What the
// type does not have is left out. nil when the object is deleted.
func (o *object) shown(sel []string) item {
	if o.state != live {
		return nil
	}
	it, s := item{"id": o.id}, o.schema()
	for _, name := range sel {
		if p, ok := o.property(name); ok {
			it[name] = p.value
		} else if s.has(name) {
			it[name] = s.blank(name)
		}
	}
	return it
}

// listing pages over n entries; show returns nil for one that is not to be seen.
// The next link repeats the options of the request, as Graph's do.
func (c *call) listing(path string, s *schema, n int, show func(i int, sel []string) item) (any, *graphError) {
	if refused := onlyOptions(c.query, "$select", "$filter", "$top", "$skiptoken"); refused != nil {
		return nil, refused
	}
	sel, refused := s.selected(c.query)
	if refused != nil {
		return nil, refused
	}
	size, refused := top(c.query)
	if refused != nil {
		return nil, refused
	}
	i, refused := c.listPlace(path)
	if refused != nil {
		return nil, refused
	}
	p := page{Context: c.context(path), Value: []item{}}
	for ; i < n; i++ {
		it := show(i, sel)
		if it == nil {
			continue
		}
		if len(p.Value) == size {
			p.Next = c.listLink(path, i)
			break
		}
		p.Value = append(p.Value, it)
	}
	return p, nil
}

func (c *call) listPlace(path string) (int, *graphError) {
	token := c.query.Get("$skiptoken")
	if token == "" {
		return 0, nil
	}
	b, refused := c.srv.sealer.open(token)
	if refused != nil {
		return 0, refused
	}
	if b.Kind != path || b.Tenant != c.Tenant.id {
		return 0, badQuery("The token does not belong to this request.")
	}
	return b.At.Object, nil
}

func (c *call) listLink(path string, at int) string {
	token := c.srv.sealer.seal(bookmark{Kind: path, Tenant: c.Tenant.id, At: place{Object: at}})
	q := "?"
	for _, name := range []string{"$select", "$filter", "$top"} {
		if c.query.Has(name) {
			q += name + "=" + url.QueryEscape(c.query.Get(name)) + "&"
		}
	}
	return c.srv.GraphURL() + "/" + path + q + "$skiptoken=" + token
}
