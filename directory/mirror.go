package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// lot is how many rows are written in one transaction: SQLite has one writer,
// and nobody keeps it longer than this takes.
const lot = 5000

// The rounds, as they are called in delta_links.
const (
	peopleName = "people"
	groupsName = "groups"
)

// mirrorPerson is a row of mirror_people. The names of the Go fields are those
// in the statement that writes it.
type mirrorPerson struct {
	Fields  string
	Skipped string // why they do not belong in the address book
	Says    int64  // what their contact says, of those who do
	Removed int64  // when, 0 for not
	Seen    int64
}

func (s *syncing) peopleRound() round {
	return round{
		name:  peopleName,
		page:  func(ctx context.Context, link string) (Page, error) { return s.reader().People(ctx, link) },
		put:   s.putPeople,
		sweep: s.sweepPeople,
	}
}

func (s *syncing) putPeople(ctx context.Context, items []Item, at cursor, last func(met int) step) error {
	items = s.notErased(items)
	rows, err := s.mirroredPeople(ctx, idsOf(items))
	if err != nil {
		return err
	}
	next, met := map[string]mirrorPerson{}, 0
	for _, it := range items {
		was, known := next[it.ID]
		if !known {
			if was, known = rows[it.ID]; !known || was.Seen != at.mark {
				met++
			}
		}
		if next[it.ID], err = s.person(ctx, was, known, it, at); err != nil {
			return err
		}
	}
	return putRows(ctx, s, next, s.upsertPeople, last(met))
}

// person applies one change to what the mirror says of a person. In a full round
// the first meeting replaces what was there; a later one, and any change, adds
// to it.
func (s *syncing) person(ctx context.Context, was mirrorPerson, known bool, it Item, at cursor) (mirrorPerson, error) {
	if it.Removed {
		return was.removed(at.mark), nil
	}
	old, adds := fields{}, known && (!at.whole || was.Seen == at.mark)
	if adds {
		var err error
		if old, err = readFields(was.Fields); err != nil {
			return was, err
		}
	}
	now := s.mirrored(it.ID, old.with(it.Fields, s.selected), at.mark)
	if _, named := it.Fields["displayName"]; adds && !named && was.isMinimal() && now.Skipped == "" {
		return s.readAgain(ctx, was, it.ID, at.mark)
	}
	return now, nil
}

// mirrored is the row of a person who is in the directory.
func (s *syncing) mirrored(id string, f fields, mark int64) mirrorPerson {
	row := mirrorPerson{Skipped: s.skips(id, f), Seen: mark}
	if row.Skipped == SkippedErased {
		f = fields{}
	} else if row.Skipped != "" {
		f = s.settings.Scope.minimal(f)
	} else {
		row.Says = f.person(id, s.region, s.settings).Says()
	}
	row.Fields = f.text()
	return row
}

// skips says why a person does not belong in the address book, "" when they do.
func (s *syncing) skips(id string, f fields) string {
	if why := s.settings.Scope.skips(f); why != "" {
		return why
	}
	if s.chosen != nil && !s.chosen[id] {
		return SkippedGroups
	}
	if s.erased.Number(f.phone(f.region(s.region), s.settings).E164) {
		return SkippedErased
	}
	return ""
}

func (was mirrorPerson) removed(mark int64) mirrorPerson {
	if was.Removed == 0 {
		was.Removed = db.Millis(time.Now())
	}
	return mirrorPerson{Fields: "{}", Removed: was.Removed, Seen: mark}
}

func (was mirrorPerson) isMinimal() bool { return was.Removed != 0 || was.Skipped != "" }

// readAgain is for somebody who comes back, of whom we had thrown away all but
// the id, when the change does not bring along what they are called: Microsoft's
// pages disagree on whether a change has the whole person or only what changed.
func (s *syncing) readAgain(ctx context.Context, was mirrorPerson, id string, mark int64) (mirrorPerson, error) {
	it, err := s.reader().Person(ctx, id)
	if err != nil {
		return was, err
	}
	if it.Removed {
		return was.removed(mark), nil
	}
	return s.mirrored(id, fields{}.with(it.Fields, s.selected), mark), nil
}

// mirrorGroup is a row of mirror_groups.
type mirrorGroup struct {
	Name    string
	Removed int64
	Seen    int64
}

// edge is a direct membership.
type edge struct{ group, member string }

func (e edge) compare(other edge) int {
	return cmp.Or(strings.Compare(e.group, other.group), strings.Compare(e.member, other.member))
}

func (s *syncing) groupsRound() round {
	return round{
		name:  groupsName,
		page:  func(ctx context.Context, link string) (Page, error) { return s.reader().Groups(ctx, link) },
		put:   s.putGroups,
		sweep: s.sweepGroups,
	}
}

// putGroups stores memberships whether or not their group and member are known
// yet: they come in any order.
func (s *syncing) putGroups(ctx context.Context, items []Item, at cursor, last func(met int) step) error {
	rows, err := s.mirroredGroups(ctx, idsOf(items))
	if err != nil {
		return err
	}
	next, edges, met := map[string]mirrorGroup{}, map[edge]bool{}, 0
	for _, it := range items {
		was, known := next[it.ID]
		if !known {
			if was, known = rows[it.ID]; !known || was.Seen != at.mark {
				met++
			}
		}
		next[it.ID] = was.changed(it, at.mark)
		for _, m := range it.Members {
			if s.erased.Object(s.connection.Tenant, m.ID) {
				continue
			}
			edges[edge{it.ID, m.ID}] = !m.Removed
		}
	}
	if err := s.putEdges(ctx, edges, at.mark); err != nil {
		return err
	}
	if len(items) > 0 {
		return putRows(ctx, s, next, s.upsertGroups, both(s.markStale, last(met)))
	}
	return putRows(ctx, s, next, s.upsertGroups, last(met))
}

func (was mirrorGroup) changed(it Item, mark int64) mirrorGroup {
	now := mirrorGroup{Name: was.Name, Seen: mark}
	if raw, ok := it.Fields["displayName"]; ok {
		now.Name = strings.ReplaceAll(fields{"displayName": raw}.string("displayName"), "\x00", "")
	}
	if it.Removed {
		now.Removed = was.Removed
		if now.Removed == 0 {
			now.Removed = db.Millis(time.Now())
		}
	}
	return now
}

// putEdges lets the last word on each membership stand.
func (s *syncing) putEdges(ctx context.Context, edges map[edge]bool, mark int64) error {
	var come, gone []edge
	for _, e := range slices.SortedFunc(maps.Keys(edges), edge.compare) {
		if edges[e] {
			come = append(come, e)
		} else {
			gone = append(gone, e)
		}
	}
	for some := range slices.Chunk(come, lot) {
		if err := s.inRun(ctx, s.upsertEdges(some, mark)); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(gone, lot) {
		if err := s.inRun(ctx, s.deleteEdges(some)); err != nil {
			return err
		}
	}
	return nil
}

// putRows writes rows in lots, the last of which also does last.
func putRows[T any](ctx context.Context, s *syncing, rows map[string]T, upsert func(map[string]T) step, last step) error {
	ids := slices.Sorted(maps.Keys(rows))
	for len(ids) > lot {
		if err := s.inRun(ctx, upsert(only(rows, ids[:lot]))); err != nil {
			return err
		}
		ids = ids[lot:]
	}
	return s.inRun(ctx, both(upsert(only(rows, ids)), last))
}

func only[T any](rows map[string]T, ids []string) map[string]T {
	some := make(map[string]T, len(ids))
	for _, id := range ids {
		some[id] = rows[id]
	}
	return some
}

// toJSON writes maps of strings and numbers, which cannot fail.
func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
