package contacts

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Gone is the reason why somebody who left the directory has no number.
const Gone = "gone"

// Applied counts what following a directory changed. Who returns is added.
type Applied struct {
	Added, Changed, Removed int
	NumberLost              int // of the changed, those left without a number
	Held                    int // left as they were by the brake

	// Of all people that the directory told of:
	People, WithoutNumber, Invalid int
	Shared                         int // those who have a number in common
}

// Change is what following a directory does to somebody.
type Change string

// The changes. A NumberLost is also a change.
const (
	Added      Change = "added"
	Changed    Change = "changed"
	Removed    Change = "removed"
	NumberLost Change = "number"
)

// Loss is somebody whom following would take out of the address book, or leave
// without a number.
type Loss struct {
	DirectoryID string
	Kind        Change // Removed or NumberLost
}

// Leaver is somebody who is about to be taken out of the address book.
type Leaver struct {
	DirectoryID, Email string
}

// Following says whose address book follows which directory, and how.
type Following struct {
	Account int64
	Tenant  string
	Preview bool // compare and count, and write nothing

	// Brake, when not nil, hears of all losses before the first is applied, and
	// how many people there were; it answers whom to leave as they are. The rest
	// of what changed about those who stay goes on.
	Brake func(ctx context.Context, people int, losses []Loss) (stay map[string]bool, err error)
	// Leaving, when not nil, hears of people before they are taken out.
	Leaving func(ctx context.Context, some []Leaver) error
	// Tell, when not nil, hears of every person who changes.
	Tell func(directoryID string, change Change)
	// See, when not nil, sees every person, not only those who changed.
	See func(Person)
}

// Described is what says whether somebody, or a group, changed.
type Described struct {
	DirectoryID string
	Says        int64
}

// Load answers what a directory says of some, in any order.
type Load[T any] func(ctx context.Context, directoryIDs []string) ([]T, error)

// Unit is a group as a directory describes it.
type Unit struct {
	DirectoryID, Name string
}

// Membership is everybody in one of a directory's groups, by directory id,
// nested groups resolved. Ids of people who are not in the address book are
// passed over.
type Membership struct {
	Group  string
	People []string
}

// FollowPeople makes the address book tell what the directory tells: people are
// all of the tenant's that belong in it, with what Person.Says of them, and load
// tells more of those who changed. Newcomers are added, edits and deletions made
// here are undone, and who is not among people any more loses name and number;
// their contact keeps its id for their return. What is right already is not
// written. An error among people removes nobody.
func (b *Book) FollowPeople(ctx context.Context, f Following, people iter.Seq2[Described, error], load Load[Person]) (Applied, error) {
	t := peopleTable{b, f.Account, f.Tenant}
	w := &following[Person]{Following: f, book: b, table: t, load: load, losing: map[int64]Person{}, numbers: map[uint64]int{}}
	w.loses = func(row *kept, p Person) bool { return row.phone != 0 && p.Phone.E164 == "" }
	w.count = func(p Person) {
		w.countNumber(p.Phone.Reason, hashOf(p.Phone.E164))
		if f.See != nil {
			f.See(p)
		}
	}
	err := w.compare(ctx, people)
	if err == nil {
		err = w.applyLosses(ctx, t)
	}
	if err != nil {
		return w.done, fmt.Errorf("follow the directory's people: %w", err)
	}
	return w.done, nil
}

// FollowGroups makes the tenant's groups in the address book those of the
// directory. One that is gone there loses its members here.
func (b *Book) FollowGroups(ctx context.Context, f Following, units []Unit) (Applied, error) {
	f.Tell, f.See = nil, nil
	byID, all := map[string]Unit{}, make([]Described, len(units))
	for i, u := range units {
		byID[u.DirectoryID] = u
		all[i] = Described{u.DirectoryID, unitTable{}.says(unitTable{}.tidy(u))}
	}
	w := &following[Unit]{Following: f, book: b, table: unitTable{b, f.Account, f.Tenant}, losing: map[int64]Unit{}}
	w.load = func(_ context.Context, ids []string) (some []Unit, _ error) {
		for _, id := range ids {
			some = append(some, byID[id])
		}
		return some, nil
	}
	w.loses = func(*kept, Unit) bool { return false }
	w.count = func(Unit) {}
	err := w.compare(ctx, func(yield func(Described, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	})
	if err == nil {
		err = w.remove(ctx, w.unmet())
	}
	if err != nil {
		return w.done, fmt.Errorf("follow the directory's groups: %w", err)
	}
	return w.done, nil
}

// followed is a table whose rows follow those of a directory.
type followed[T any] interface {
	directoryID(T) string
	tidy(T) T
	says(T) int64
	// kept are all rows of the tenant, the removed ones included, by directory id.
	kept(ctx context.Context) (map[string]*kept, error)
	insert(ctx context.Context, first int64, some []T) error
	update(ctx context.Context, rows map[int64]T) error
	remove(ctx context.Context, ids []int64) error
}

// kept is a row as it stands. All of a tenant's are held in memory while they
// are compared, so of what a row says there is only a hash.
type kept struct {
	id     int64
	state  string
	says   int64
	phone  uint64 // hash of the number, 0 for none
	reason string // why there is none
	met    bool
}

const (
	stateActive  = "active"
	stateRemoved = "removed"
)

// following is a comparison under way. What adds or changes is written lot by
// lot; who would lose something waits for the end, when all of them are known.
type following[T any] struct {
	Following
	book    *Book
	table   followed[T]
	load    Load[T]
	loses   func(*kept, T) bool
	count   func(T)
	rows    map[string]*kept
	losing  map[int64]T
	numbers map[uint64]int // people, by hash of their number
	done    Applied
}

func (w *following[T]) compare(ctx context.Context, all iter.Seq2[Described, error]) (err error) {
	if w.rows, err = w.table.kept(ctx); err != nil {
		return err
	}
	for some, err := range inLots(all) {
		if err != nil {
			return err
		}
		if err := w.lot(ctx, some); err != nil {
			return err
		}
	}
	for _, people := range w.numbers {
		if people > 1 {
			w.done.Shared += people
		}
	}
	return nil
}

// lot loads only what does not say already what it has to.
func (w *following[T]) lot(ctx context.Context, some []Described) error {
	var ids []string
	for _, d := range some {
		w.done.People++
		row, ok := w.rows[d.DirectoryID]
		if ok && row.state == stateActive && row.says == d.Says && w.See == nil {
			row.met = true
			w.countNumber(row.reason, row.phone)
			continue
		}
		ids = append(ids, d.DirectoryID)
	}
	if len(ids) == 0 {
		return nil
	}
	loaded, err := w.load(ctx, ids)
	if err != nil {
		return err
	}
	return w.settle(ctx, loaded)
}

func (w *following[T]) settle(ctx context.Context, loaded []T) error {
	var fresh []T
	changed := map[int64]T{}
	for _, one := range loaded {
		one = w.table.tidy(one)
		w.count(one)
		id := w.table.directoryID(one)
		row, ok := w.rows[id]
		switch {
		case !ok:
			fresh = append(fresh, one)
			w.counted(id, Added)
			continue
		case row.state == stateRemoved:
			changed[row.id] = one
			w.counted(id, Added)
		case row.state == stateActive && row.says == w.table.says(one):
		case row.state == stateActive && w.loses(row, one):
			w.losing[row.id] = one
		default:
			changed[row.id] = one
			w.counted(id, Changed)
		}
		row.met = true
	}
	if w.Preview {
		return nil
	}
	if err := insertFresh(ctx, w.book, fresh, w.table); err != nil || len(changed) == 0 {
		return err
	}
	return w.table.update(ctx, changed)
}

func (w *following[T]) countNumber(reason string, phone uint64) {
	switch {
	case w.numbers == nil: // these are groups
	case reason == NoNumber:
		w.done.WithoutNumber++
	case reason != "":
		w.done.Invalid++
	default:
		w.numbers[phone]++
	}
}

func (w *following[T]) counted(directoryID string, change Change) {
	switch change {
	case Added:
		w.done.Added++
	case Changed:
		w.done.Changed++
	case NumberLost:
		w.done.Changed++
		w.done.NumberLost++
	case Removed:
		w.done.Removed++
	}
	if w.Tell != nil {
		w.Tell(directoryID, change)
	}
}

// unmet are the rows that the directory told nothing of, by directory id.
func (w *following[T]) unmet() (ids []string) {
	for id, row := range w.rows {
		if !row.met && row.state != stateRemoved {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(w.rows[a].id, w.rows[b].id) })
	return ids
}

// applyLosses asks the brake who stays. Of those, a lost number is kept.
func (w *following[T]) applyLosses(ctx context.Context, t lossy[T]) error {
	gone, losses := w.unmet(), []Loss{}
	for _, id := range gone {
		if w.rows[id].state == stateActive { // one that was deleted here is no loss
			losses = append(losses, Loss{id, Removed})
		}
	}
	for _, one := range w.losing {
		losses = append(losses, Loss{t.directoryID(one), NumberLost})
	}
	var stay map[string]bool
	if w.Brake != nil && len(losses) > 0 {
		var err error
		if stay, err = w.Brake(ctx, w.active(), losses); err != nil {
			return err
		}
	}
	w.done.Held = len(stay)
	if err := w.applyLosing(ctx, t, stay); err != nil {
		return err
	}
	return w.remove(ctx, slices.DeleteFunc(gone, func(id string) bool { return stay[id] }))
}

// lossy is a table whose rows can lose a number and keep the rest.
type lossy[T any] interface {
	followed[T]
	updateKeepingNumber(ctx context.Context, rows map[int64]T) error
	leavers(ctx context.Context, ids []int64) ([]Leaver, error)
}

func (w *following[T]) active() (n int) {
	for _, row := range w.rows {
		if row.state == stateActive {
			n++
		}
	}
	return n
}

func (w *following[T]) applyLosing(ctx context.Context, t lossy[T], stay map[string]bool) error {
	lost, held := map[int64]T{}, map[int64]T{}
	for id, one := range w.losing {
		if stay[t.directoryID(one)] {
			held[id] = one
			continue
		}
		lost[id] = one
		w.counted(t.directoryID(one), NumberLost)
	}
	if w.Preview {
		return nil
	}
	if err := inMapLots(lost, func(some map[int64]T) error { return t.update(ctx, some) }); err != nil {
		return err
	}
	return inMapLots(held, func(some map[int64]T) error { return t.updateKeepingNumber(ctx, some) })
}

func inMapLots[T any](rows map[int64]T, do func(map[int64]T) error) error {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(rows)), lot) {
		part := make(map[int64]T, len(some))
		for _, id := range some {
			part[id] = rows[id]
		}
		if err := do(part); err != nil {
			return err
		}
	}
	return nil
}

func (w *following[T]) remove(ctx context.Context, gone []string) error {
	for some := range slices.Chunk(gone, lot) {
		ids := make([]int64, len(some))
		for i, id := range some {
			ids[i] = w.rows[id].id
		}
		if !w.Preview {
			if err := w.tellLeaving(ctx, ids); err != nil {
				return err
			}
			if err := w.table.remove(ctx, ids); err != nil {
				return err
			}
		}
		for _, id := range some {
			w.counted(id, Removed)
		}
	}
	return nil
}

func (w *following[T]) tellLeaving(ctx context.Context, ids []int64) error {
	people, ok := w.table.(lossy[T])
	if !ok || w.Leaving == nil {
		return nil
	}
	some, err := people.leavers(ctx, ids)
	if err != nil {
		return err
	}
	return w.Leaving(ctx, some)
}

func insertFresh[T any](ctx context.Context, b *Book, fresh []T, t followed[T]) error {
	if len(fresh) == 0 {
		return nil
	}
	first, err := b.db.NewIDs(ctx, len(fresh))
	if err != nil {
		return err
	}
	return t.insert(ctx, first, fresh)
}

// FollowMembers replaces the members of the tenant's groups, writing only the
// difference. all must tell of every group that FollowGroups was told of.
func (b *Book) FollowMembers(ctx context.Context, account int64, tenant string, all iter.Seq2[Membership, error]) (Applied, error) {
	people, err := b.InDirectory(ctx, account, tenant)
	if err != nil {
		return Applied{}, err
	}
	groups, err := b.idsByDirectoryID(ctx, activeGroupIDs, account, tenant)
	if err != nil {
		return Applied{}, err
	}
	w := membershipWriter{book: b}
	for m, err := range all {
		if err != nil {
			return w.done, err
		}
		group, ok := groups[m.Group]
		if !ok {
			continue
		}
		if err := w.replace(ctx, group, idsOf(m.People, people)); err != nil {
			return w.done, fmt.Errorf("follow the members of group %d: %w", group, err)
		}
	}
	err = w.flush(ctx)
	return w.done, err
}

func idsOf(directoryIDs []string, known map[string]int64) []int64 {
	ids := make([]int64, 0, len(directoryIDs))
	for _, d := range directoryIDs {
		if id, ok := known[d]; ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

type member struct{ group, contact int64 }

func membersOf(group int64, contacts []int64) []member {
	all := make([]member, len(contacts))
	for i, c := range contacts {
		all[i] = member{group, c}
	}
	return all
}

// membershipWriter gathers the differences of many groups into lots.
type membershipWriter struct {
	book          *Book
	joined, ended []member
	done          Applied
}

func (w *membershipWriter) replace(ctx context.Context, group int64, want []int64) error {
	have, err := w.book.membersIn(ctx, group)
	if err != nil {
		return err
	}
	joined, ended := difference(want, have)
	w.joined = append(w.joined, membersOf(group, joined)...)
	w.ended = append(w.ended, membersOf(group, ended)...)
	if len(w.joined)+len(w.ended) >= lot {
		return w.flush(ctx)
	}
	return nil
}

// difference of two sorted lists: what only the first has, and only the second.
func difference(a, b []int64) (onlyA, onlyB []int64) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			onlyA, a = append(onlyA, a[0]), a[1:]
		default:
			onlyB, b = append(onlyB, b[0]), b[1:]
		}
	}
	return append(onlyA, a...), append(onlyB, b...)
}

func (w *membershipWriter) flush(ctx context.Context) error {
	for some := range slices.Chunk(w.joined, lot) {
		if err := w.book.addMembers(ctx, some); err != nil {
			return err
		}
		w.done.Added += len(some)
	}
	for some := range slices.Chunk(w.ended, lot) {
		if err := w.book.dropMembers(ctx, some); err != nil {
			return err
		}
		w.done.Removed += len(some)
	}
	w.joined, w.ended = nil, nil
	return nil
}

// dissolve empties a group before it is marked: a crash between the two leaves
// work that the next sync finds again.
func (b *Book) dissolve(ctx context.Context, account, group int64) error {
	have, err := b.membersIn(ctx, group)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(have, lot) {
		if err := b.dropMembers(ctx, membersOf(group, some)); err != nil {
			return err
		}
	}
	return b.setGroupState(ctx, account, group, stateRemoved)
}
