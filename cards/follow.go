package cards

import (
	"context"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/cards/slug"
	"github.com/varsel/varsel/internal/problem"
)

// Gate says whether an account may have cards issued: it answers a problem when it has
// no agreement, or a plan without cards.
type Gate func(ctx context.Context, account int64) error

// Gated issues cards only where the gate lets through. Those that are there follow the
// directory all the same.
func (c *Cards) Gated(gate Gate) *Cards {
	c.gate = gate
	return c
}

func (c *Cards) allowed(ctx context.Context, account int64) error {
	if c.gate == nil {
		return nil
	}
	return c.gate(ctx, account)
}

// Person is somebody in the address book from a directory.
type Person struct {
	DirectoryID string
	Contact     int64
	Language    string
	Values      map[string]string // what the directory says, by property
	// Stays is for somebody of whom it says nothing now, and who is not to lose
	// anything for that: their card stays as it is.
	Stays bool
}

// Followed counts the cards of a directory as following it leaves them, and what it
// did. Of those without a card it counts who is in a group without a design, who fits no
// filter, who is a minor, and for whom none may be issued.
type Followed struct {
	Cards      int `json:"cards"`
	Added      int `json:"added"` // and restored
	Changed    int `json:"changed"`
	Withdrawn  int `json:"withdrawn"`
	Undesigned int `json:"undesigned"`
	Unmatched  int `json:"unmatched"`
	Minors     int `json:"minors"`
	Refused    int `json:"refused"`
}

// lot is how many cards are written in one transaction.
const lot = 1000

// Follow makes the cards of a directory those of its people: holders are all of them
// who are in the address book. Whoever is in a group with a design has a card, and who
// is not any more has theirs withdrawn; what is right already is not written. An error
// among the holders withdraws nothing. A directory whose people nobody has grouped is
// not asked for them.
func (c *Cards) Follow(ctx context.Context, account int64, tenant string, holders iter.Seq2[Person, error]) (Followed, error) {
	g, err := c.Grouping(ctx, account, tenant)
	if err == errNoGrouping {
		return Followed{}, nil
	}
	if err != nil {
		return Followed{}, err
	}
	f := &following{Cards: c, account: account, grouping: g, now: time.Now()}
	if err := f.begin(ctx); err != nil {
		return f.did, err
	}
	some := make([]Person, 0, lot)
	for h, err := range holders {
		if err != nil {
			return f.did, err
		}
		if some = append(some, h); len(some) == lot {
			if err := f.follow(ctx, some); err != nil {
				return f.did, err
			}
			some = some[:0]
		}
	}
	if err := f.follow(ctx, some); err != nil {
		return f.did, err
	}
	return f.did, f.end(ctx)
}

// following is one time that cards follow.
type following struct {
	*Cards
	account  int64
	grouping Grouping
	now      time.Time
	refused  bool // no cards may be issued
	rows     map[string]*kept
	groups   map[string]*shown // by place
	byID     map[int64]*shown
	did      Followed
}

// kept is a card as it stands. All of a directory's are held in memory while they are
// compared, so of what a card says there is only a hash.
type kept struct {
	id, group int64
	active    bool
	says      int64
	met       bool
}

// shown is a group and what its design takes from the directory.
type shown struct {
	id, template, version int64
	always                []string // properties
	once                  []Field
	met                   bool
}

func (f *following) begin(ctx context.Context) error {
	if err := f.dropStrays(ctx, f.account, f.grouping.Tenant); err != nil {
		return err
	}
	err := f.allowed(ctx, f.account)
	if f.refused = problem.As(err) != nil; err != nil && !f.refused {
		return err
	}
	f.groups, f.byID = map[string]*shown{}, map[int64]*shown{}
	if err := f.knowGroups(ctx); err != nil {
		return err
	}
	f.rows, err = f.selectKept(ctx)
	return err
}

// said is what a card is to say.
type said struct {
	Person
	group *shown
	taken map[string]string
	once  map[string]string // what the fields that take once would take
	says  int64
}

func (f *following) follow(ctx context.Context, some []Person) error {
	if err := f.makeGroups(ctx, some); err != nil {
		return err
	}
	var fresh []said
	changed := map[int64]said{}
	for _, h := range some {
		row := f.rows[h.DirectoryID]
		if h.Stays {
			f.stays(row)
			continue
		}
		group := f.groupOf(h, row)
		if group == nil {
			continue
		}
		now := group.saidOf(h)
		switch {
		case row != nil && row.active && row.says == now.says:
		case row != nil && row.active:
			changed[row.id] = now
			f.did.Changed++
		case f.refused:
			f.did.Refused++
			continue
		case row != nil:
			changed[row.id] = now
			f.did.Added++
		default:
			fresh = append(fresh, now)
			f.did.Added++
		}
		if row != nil {
			row.met = true
		}
		f.did.Cards++
	}
	if err := f.issue(ctx, fresh); err != nil {
		return err
	}
	return f.change(ctx, changed)
}

// stays leaves a card as it is, if there is one.
func (f *following) stays(row *kept) {
	if row == nil || !row.active {
		return
	}
	row.met = true
	f.did.Cards++
	if g := f.byID[row.group]; g != nil {
		g.met = true
	}
}

// groupOf is the group whose design somebody's card has, nil when they have none. Who
// has a card and comes into a group without a design keeps the group that they were in
// until it has one: a withdrawn card would lose what its holder wrote.
func (f *following) groupOf(h Person, row *kept) *shown {
	if !f.grouping.Minors && isMinor(h) {
		f.did.Minors++
		return nil
	}
	p, fits := f.grouping.of(h)
	if !fits {
		f.did.Unmatched++
		return nil
	}
	g := f.groups[p.key]
	if g == nil { // it went meanwhile, with another method
		return nil
	}
	if g.met = true; g.template != 0 {
		return g
	}
	if row != nil && row.active {
		if before := f.byID[row.group]; before != nil && before.template != 0 {
			before.met = true
			return before
		}
	}
	f.did.Undesigned++
	return nil
}

func isMinor(h Person) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Values[AgeGroup])), "minor")
}

// makeGroups makes the groups that somebody is the first in.
func (f *following) makeGroups(ctx context.Context, some []Person) error {
	var fresh []place
	seen := map[string]bool{}
	for _, h := range some {
		if h.Stays || !f.grouping.Minors && isMinor(h) {
			continue
		}
		if p, fits := f.grouping.of(h); fits && f.groups[p.key] == nil && !seen[p.key] {
			fresh, seen[p.key] = append(fresh, p), true
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := f.insertGroups(ctx, fresh); err != nil {
		return err
	}
	return f.knowGroups(ctx)
}

// knowGroups takes up the groups that are not known yet.
func (f *following) knowGroups(ctx context.Context) error {
	groups, err := f.selectGroups(ctx)
	for key, g := range groups {
		if f.groups[key] == nil {
			f.groups[key], f.byID[g.id] = g, g
		}
	}
	return err
}

// saidOf is what somebody's card is to say. It takes nothing that no field shows.
func (g *shown) saidOf(h Person) said {
	h.Language = tidied(h.Language)
	now := said{Person: h, group: g, taken: map[string]string{}, once: map[string]string{}}
	for _, name := range g.always {
		if value := tidied(h.Values[name]); value != "" {
			now.taken[name] = value
		}
	}
	for _, field := range g.once {
		if value := tidied(h.Values[field.From]); value != "" {
			now.once[field.ID] = value
		}
	}
	now.says = now.hash()
	return now
}

// hash is of all that decides what the row says: of what is taken once, whether there is
// something to take, not what.
func (s said) hash() int64 {
	sum := fnv.New64a()
	write := func(text string) {
		sum.Write([]byte(text))
		sum.Write([]byte{0xff}) // in no UTF-8
	}
	write(strconv.FormatInt(s.Contact, 10))
	write(strconv.FormatInt(s.group.id, 10))
	write(s.Language)
	for _, name := range s.group.always {
		write(name)
		write(s.taken[name])
	}
	for _, field := range s.group.once {
		write(field.ID)
		write(field.From)
		write(strconv.FormatBool(s.once[field.ID] != ""))
	}
	return int64(sum.Sum64())
}

// issue makes cards, each with a slug that was never given before.
func (f *following) issue(ctx context.Context, fresh []said) error {
	if len(fresh) == 0 {
		return nil
	}
	first, err := f.db.NewIDs(ctx, len(fresh))
	if err != nil {
		return err
	}
	return f.insert(ctx, first, fresh)
}

// end withdraws the cards of those who were not met, and forgets the groups that nobody
// is in.
func (f *following) end(ctx context.Context) error {
	var gone []int64
	for _, row := range f.rows {
		if row.active && !row.met {
			gone = append(gone, row.id)
		}
	}
	slices.Sort(gone)
	for some := range slices.Chunk(gone, lot) {
		if err := f.withdraw(ctx, some); err != nil {
			return err
		}
		f.did.Withdrawn += len(some)
	}
	return f.dropEmpty(ctx)
}

// emptied are the groups that nobody was met in, and that are not there for good.
func (f *following) emptied() (ids []int64) {
	lasting := f.grouping.lasting()
	for key, g := range f.groups {
		if !g.met && !slices.ContainsFunc(lasting, func(p place) bool { return p.key == key }) {
			ids = append(ids, g.id)
		}
	}
	return ids
}

// takes are the properties that a design takes whenever they change, and the fields
// that take one a single time.
func (b Body) takes() (always []string, once []Field) {
	for _, s := range b.Sections {
		for _, f := range s.Fields {
			switch {
			case f.Hidden || f.From == "":
			case f.Sync == Always:
				always = append(always, f.From)
			case f.Sync == Once:
				once = append(once, f)
			}
		}
	}
	return sortedOnce(always), once
}

// mapped are the properties that a design takes from.
func (b Body) mapped() []string {
	names, once := b.takes()
	for _, f := range once {
		names = append(names, f.From)
	}
	return names
}

func sortedOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// newSlug is replaced where a test needs slugs that are taken.
var newSlug = slug.New
