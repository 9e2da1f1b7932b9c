package directory

import (
	"context"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// scimSource reads what was written to a connection, the way a Source reads a
// directory. Its links are change numbers. As writes are committed in the order
// of their numbers, nothing new comes up behind a link.
type scimSource struct {
	db                  *db.DB
	account, connection int64
}

// SCIMSource reads what a directory wrote to the connection.
func (d *Directory) SCIMSource(account, connection int64) Source {
	return scimSource{db: d.db, account: account, connection: connection}
}

// scimPage is how many rows are read at once.
const scimPage = 500

// place is in a list ordered by change number, then by ids. Its row has been
// told, and all before it.
type place struct {
	Change int64
	ID     string `json:",omitempty"`
	Member string `json:",omitempty"`
}

// scimLink is where a round goes on. Groups are read before members, and each of
// the two has its place; people have one.
type scimLink struct {
	At        place
	Members   place `json:",omitzero"`
	InMembers bool  `json:",omitempty"`
	// Full is not 0 in a full round: the first change number after its beginning.
	// Removals from before that are not told: nobody has been told of what went.
	Full int64 `json:",omitempty"`
}

// scimLog is how far the change numbers go, and up to which removals are
// forgotten.
type scimLog struct{ last, forgotten int64 }

// open reads a link. It has expired when a removal that it would tell of is
// forgotten.
func (s scimSource) open(ctx context.Context, link string, told func(scimLink) int64) (l scimLink, log scimLog, err error) {
	if log, err = s.log(ctx); err != nil {
		return l, log, err
	}
	if link == "" {
		return scimLink{Full: log.last + 1}, log, nil
	}
	if json.Unmarshal([]byte(link), &l) != nil || log.forgotten >= max(l.Full, told(l)) {
		return l, log, ErrExpired
	}
	return l, log, nil
}

// tells says whether a row is worth telling.
func (l scimLink) tells(change int64, removed bool) bool { return !removed || change >= l.Full }

// end is the place behind all that is there: the log was read before the last
// row, so that whatever comes has a higher number than both. last is 0 when
// there was no row.
func (log scimLog) end(last int64) place { return place{Change: max(log.last, last) + 1} }

// People answers users with what they are now.
func (s scimSource) People(ctx context.Context, link string) (Page, error) {
	l, log, err := s.open(ctx, link, func(l scimLink) int64 { return l.At.Change })
	if err != nil {
		return Page{}, err
	}
	items, last, full, err := s.items(ctx, l, scim.User, scim.Fields)
	if err != nil {
		return Page{}, err
	}
	if full {
		l.At = last
		return Page{Items: items, Next: toJSON(l)}, nil
	}
	return Page{Items: items, Delta: toJSON(scimLink{At: log.end(last.Change)})}, nil
}

// Groups answers the groups, then the memberships that began or ended, in slices
// that say the group's name too: the group may be newer than the place at which
// groups were read.
func (s scimSource) Groups(ctx context.Context, link string) (Page, error) {
	l, log, err := s.open(ctx, link, func(l scimLink) int64 { return min(l.At.Change, l.Members.Change) })
	if err != nil {
		return Page{}, err
	}
	if l.InMembers {
		return s.memberPage(ctx, l, log)
	}
	items, last, full, err := s.items(ctx, l, scim.Group, groupFields)
	if err != nil {
		return Page{}, err
	}
	if l.At = last; !full {
		l.At, l.InMembers = log.end(last.Change), true
	}
	return Page{Items: items, Next: toJSON(l)}, nil
}

func groupFields(doc scim.Document) map[string]json.RawMessage {
	name, _ := doc["displayName"].(string)
	return map[string]json.RawMessage{"displayName": json.RawMessage(toJSON(name))}
}

// Person answers a user.
func (s scimSource) Person(ctx context.Context, id string) (Item, error) {
	r, err := readSCIM(ctx, s.db, s.account, s.connection, scim.User, id)
	if problem.Has(err, "resource_not_found") {
		return Item{ID: id, Removed: true}, nil
	}
	if err != nil {
		return Item{}, err
	}
	return Item{ID: id, Fields: scim.Fields(r.Document)}, nil
}

// Group answers a group and the users in it.
func (s scimSource) Group(ctx context.Context, id string) (group Item, people []Item, err error) {
	r, err := readSCIM(ctx, s.db, s.account, s.connection, scim.Group, id)
	if problem.Has(err, "resource_not_found") {
		return Item{ID: id, Removed: true}, nil, nil
	}
	if err != nil {
		return group, nil, err
	}
	group = Item{ID: id, Fields: groupFields(r.Document)}
	members, err := scimMembers(ctx, s.db, s.connection, id)
	for _, m := range members {
		group.Members = append(group.Members, Member{ID: m.ID})
		if m.Kind != scim.User.Name {
			continue
		}
		one, err := s.Person(ctx, m.ID)
		if err != nil {
			return group, nil, err
		}
		people = append(people, one)
	}
	return group, people, err
}

// items are the changed resources of a kind, the place of the last row, and
// whether there may be more.
func (s scimSource) items(ctx context.Context, l scimLink, kind *scim.Kind, fields func(scim.Document) map[string]json.RawMessage) ([]Item, place, bool, error) {
	rows, err := s.changed(ctx, kind, l.At)
	var last place
	var items []Item
	for _, row := range rows {
		last = place{Change: row.Version, ID: row.ID}
		switch {
		case !l.tells(row.Version, row.removed):
		case row.removed:
			items = append(items, Item{ID: row.ID, Removed: true})
		default:
			items = append(items, Item{ID: row.ID, Fields: fields(row.Document)})
		}
	}
	return items, last, len(rows) == scimPage, err
}

func (s scimSource) memberPage(ctx context.Context, l scimLink, log scimLog) (Page, error) {
	rows, err := s.changedMembers(ctx, l.Members)
	if err != nil {
		return Page{}, err
	}
	var last place
	var items []Item
	for _, row := range rows {
		last = row.at
		if row.group == nil || !l.tells(row.at.Change, row.removed) {
			continue
		}
		if n := len(items); n == 0 || items[n-1].ID != row.at.ID {
			items = append(items, Item{ID: row.at.ID, Fields: groupFields(row.group)})
		}
		it := &items[len(items)-1]
		it.Members = append(it.Members, Member{ID: row.at.Member, Removed: row.removed})
	}
	if len(rows) == scimPage {
		l.Members = last
		return Page{Items: items, Next: toJSON(l)}, nil
	}
	return Page{Items: items, Delta: toJSON(scimLink{At: l.At, Members: log.end(last.Change)})}, nil
}

// keepRemovals is how long a removal can be told of. A source that has not been
// asked for longer has to be read anew.
const keepRemovals = 30 * 24 * time.Hour

// PurgeSCIM forgets removals that are old, and the memberships of groups that
// are gone.
func (d *Directory) PurgeSCIM(ctx context.Context, now time.Time) error {
	before := db.Millis(now.Add(-keepRemovals))
	for _, some := range []func(context.Context, *db.Tx) ([]forgotten, error){
		membersOfNoGroup,
		func(ctx context.Context, tx *db.Tx) ([]forgotten, error) { return oldMembers(ctx, tx, before) },
		func(ctx context.Context, tx *db.Tx) ([]forgotten, error) { return oldResources(ctx, tx, before) },
	} {
		if err := d.purgeSCIM(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// purgeSCIM deletes lot after lot, and notes with each up to where removals are
// forgotten.
func (d *Directory) purgeSCIM(ctx context.Context, some func(context.Context, *db.Tx) ([]forgotten, error)) error {
	for {
		var gone []forgotten
		err := d.db.InTx(ctx, func(tx *db.Tx) (err error) {
			if gone, err = some(ctx, tx); err != nil {
				return err
			}
			return noteForgotten(ctx, tx, gone)
		})
		if err != nil || len(gone) < lot {
			return err
		}
	}
}
