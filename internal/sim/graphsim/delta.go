package graphsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// collection is one of the two kinds of object that Graph lists.
type collection struct {
	name    string
	units   int // that a list of it costs
	schema  *schema
	objects func(*directory) []*object
}

var (
	userCollection  = &collection{"users", 2, userSchema, func(d *directory) []*object { return d.users }}
	groupCollection = &collection{"groups", 1, groupSchema, func(d *directory) []*object { return d.groups }}
)

// delta answers one page of a round: a first request, a next link or a delta link.
func (col *collection) delta(c *call) (any, *graphError) {
	b, refused := col.bookmark(c)
	if refused != nil {
		return nil, refused
	}
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	if b.Done || b.Until == 0 {
		b.begin(c)
	}
	r := round{bookmark: b, col: col, call: c, minimal: c.faults.Minimal || minimal(c.request.Header), ids: idSet(b.IDs)}
	p := r.page()
	if c.Tenant.faults.take(func(w *waiting) *int { return &w.foreign }) {
		p.leadAway(c.srv)
	}
	return p, nil
}

// leadAway points at a host that has no business in a round, and does not exist.
func (p *page) leadAway(s *Server) {
	p.Next = strings.Replace(p.Next, s.url, "https://graph.elsewhere.example", 1)
	p.Delta = strings.Replace(p.Delta, s.url, "https://graph.elsewhere.example", 1)
}

// bookmark says where the request wants to read on. A first request gets an
// empty one: Until is zero.
func (col *collection) bookmark(c *call) (bookmark, *graphError) {
	skip, delta := c.query.Get("$skiptoken"), c.query.Get("$deltatoken")
	if skip == "" && (delta == "" || delta == "latest") {
		return col.first(c, delta == "latest")
	}
	if refused := onlyOptions(c.query, "$skiptoken", "$deltatoken"); refused != nil {
		return bookmark{}, refused
	}
	b, refused := c.srv.sealer.open(skip + delta)
	if refused != nil {
		return b, refused
	}
	if b.Kind != col.name+"/delta" || b.Tenant != c.Tenant.id || b.Done != (delta != "") {
		return b, badQuery("The token does not belong to this request.")
	}
	if c.Tenant.faults.take(func(w *waiting) *int { return &w.gone }) {
		return b, col.gone(c, b)
	}
	if c.Tenant.faults.take(func(w *waiting) *int { return &w.resync }) {
		return b, &graphError{status: http.StatusBadRequest, code: "resyncRequired", message: "The sync state is no longer kept; start a full synchronization."}
	}
	if b.Done && c.faults.tooOld(c.srv.now().Sub(b.Issued)) {
		return b, stateNotFound()
	}
	return b, nil
}

func (col *collection) first(c *call, latest bool) (bookmark, *graphError) {
	b := bookmark{Kind: col.name + "/delta", Tenant: c.Tenant.id}
	refused := onlyOptions(c.query, "$select", "$filter", "$deltatoken")
	if refused != nil {
		return b, refused
	}
	if b.Select, refused = col.schema.tracked(c.query); refused != nil {
		return b, refused
	}
	if b.IDs, refused = filteredIDs(c.query); refused != nil {
		return b, refused
	}
	if latest {
		c.dir.mu.RLock()
		defer c.dir.mu.RUnlock()
		b.Since, b.Done = c.dir.last, true
	}
	return b, nil
}

// gone sends the client to a fresh round, its options kept, its token empty.
func (col *collection) gone(c *call, b bookmark) *graphError {
	q := "?$deltatoken=&$select=" + url.QueryEscape(strings.Join(append([]string{"id"}, b.Select...), ","))
	if b.IDs != nil {
		q += "&$filter=" + url.QueryEscape("id eq '"+strings.Join(b.IDs, "' or id eq '")+"'")
	}
	return &graphError{
		status: http.StatusGone, code: "resyncRequired", message: "The sync state is no longer kept; start a full synchronization.",
		header: http.Header{"Location": {c.srv.GraphURL() + "/" + col.name + "/delta" + q}},
	}
}

// begin opens a new round that tells what came after the last one.
func (b *bookmark) begin(c *call) {
	b.Until, b.At, b.Done = c.dir.last, place{}, false
	b.Pause = c.faults.EmptyPages && b.Since != b.Until
}

// round is one page's view of a round.
type round struct {
	bookmark
	col     *collection
	call    *call
	minimal bool
	ids     map[string]bool
}

// page ends in a next link while there is more, else in a delta link; never both.
func (r *round) page() page {
	p := page{Context: r.call.context(r.col.name), Value: []item{}}
	if r.Pause {
		r.Pause = false
		p.Next = r.link("$skiptoken", r.bookmark)
		return p
	}
	items, first, next := r.collect()
	if r.Again != nil {
		items = r.replay(items)
	}
	p.Value = append(p.Value, r.disturbed(items)...)
	on := r.bookmark
	on.Again, on.Pause = nil, r.call.faults.EmptyPages
	if r.call.faults.ReplayItems {
		on.Again = first
	}
	switch {
	case next != nil:
		on.At = *next
		p.Next = r.link("$skiptoken", on)
	case on.Again != nil: // one page more, for the replay alone
		on.At = place{Wave: r.waves()}
		p.Next = r.link("$skiptoken", on)
	default:
		p.Delta = r.link("$deltatoken", r.end())
	}
	return p
}

// disturbed shuffles a page and says one thing on it twice, or puts a null into
// it, when such faults stand.
func (r *round) disturbed(items []item) []item {
	if len(items) == 0 {
		return items
	}
	if seed := r.call.faults.Shuffle; seed != 0 {
		d := newDice(int(seed) + r.At.Object<<8 + r.At.Wave)
		items = append(items, pick(d, items))
		for i := range items {
			j := i + d.roll(len(items)-i)
			items[i], items[j] = items[j], items[i]
		}
	}
	if r.call.faults.NullItems {
		items = slices.Insert(items, len(items)/2, item(nil))
	}
	return items
}

func (r *round) replay(items []item) []item {
	again, _ := r.tell(r.objects()[r.Again.Object], r.Again.Wave)
	if again == nil { // altered since
		return items
	}
	return append(items, again)
}

func (r *round) end() bookmark {
	b := r.bookmark
	b.Since, b.Until, b.At, b.Again, b.Pause, b.Done = b.Until, 0, place{}, nil, false, true
	return b
}

func (r *round) link(token string, b bookmark) string {
	b.Issued = r.call.srv.now()
	return r.call.srv.GraphURL() + "/" + r.col.name + "/delta?" + token + "=" + r.call.srv.sealer.seal(b)
}

func (r *round) objects() []*object { return r.col.objects(&r.call.dir) }

// collect fills a page from where the bookmark points, and says where its first
// item stood and where the next page begins.
func (r *round) collect() (items []item, first, next *place) {
	objects, members := r.objects(), 0
	from := r.At.Object
	for wave, waves := r.At.Wave, r.waves(); wave < waves; wave, from = wave+1, 0 {
		for i := from; i < len(objects); i++ {
			it, weight := r.tell(objects[i], wave)
			if it == nil {
				continue
			}
			here := place{wave, i}
			if len(items) == r.call.srv.pageSize || len(items) > 0 && members+weight > r.call.srv.membersPerPage {
				return items, first, &here
			}
			if first == nil {
				first = &here
			}
			items, members = append(items, it), members+weight
		}
	}
	return items, first, nil
}

// waves is how often the round goes over its objects: once, unless groups have
// more memberships than a page takes.
func (r *round) waves() int {
	waves := 1
	if !r.followsMembers() {
		return waves
	}
	for _, o := range r.objects() {
		if o.touched > r.Since {
			waves = max(waves, o.members.windows(r.call.srv.membersPerPage))
		}
	}
	return waves
}

func (r *round) followsMembers() bool { return slices.Contains(r.Select, membersRelation) }

// tell is what the round has to say of an object in a wave, nil for nothing, and
// how many memberships that names.
func (r *round) tell(o *object, wave int) (it item, weight int) {
	if o.touched <= r.Since || r.ids != nil && !r.ids[o.id] {
		return nil, 0
	}
	if o.state != live {
		return r.removed(o, wave), 0
	}
	edges := r.edges(o, wave)
	if len(edges) == 0 && (wave > 0 || !r.news(o)) {
		return nil, 0
	}
	it = r.properties(o)
	if len(edges) > 0 {
		it[membersRelation+"@delta"] = edges
	}
	return it, len(edges)
}

// removed tells of the recycle bin in a first round too, as Graph may; what is
// gone for good is told only to who may have seen it.
func (r *round) removed(o *object, wave int) item {
	reason := "changed"
	if o.state == hardDeleted {
		reason = "deleted"
	}
	if wave > 0 || r.Since == 0 && o.state == hardDeleted {
		return nil
	}
	return item{"id": o.id, "@removed": map[string]string{"reason": reason}}
}

// news: a property that the client follows, or the object itself.
func (r *round) news(o *object) bool {
	if o.born > r.Since {
		return true
	}
	for _, name := range r.Select {
		if p, ok := o.property(name); ok && p.since > r.Since {
			return true
		}
	}
	return false
}

// properties that were ever set; with return=minimal those that changed.
func (r *round) properties(o *object) item {
	it := item{"id": o.id}
	for _, name := range r.Select {
		p, ok := o.property(name)
		if name == membersRelation || !ok || r.minimal && p.since <= r.Since && o.born <= r.Since {
			continue
		}
		it[name] = p.value
	}
	return it
}

func (r *round) edges(o *object, wave int) []item {
	if !r.followsMembers() {
		return nil
	}
	var items []item
	for _, e := range o.members.window(wave, r.call.srv.membersPerPage) {
		if e.gone && r.Since > 0 && e.since > r.Since {
			it := edgeItem(e)
			it["@removed"] = map[string]string{"reason": "deleted"}
			items = append(items, it)
		} else if !e.gone && max(e.since, o.born) > r.Since {
			items = append(items, edgeItem(e))
		}
	}
	return items
}

func edgeItem(e edge) item {
	return item{"@odata.type": e.member.schema().odataType, "id": e.member.id}
}

func idSet(ids []string) map[string]bool {
	if ids == nil {
		return nil
	}
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}
