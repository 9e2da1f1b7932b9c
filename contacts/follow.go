package contacts

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
)

// Gone is the reason why somebody who left the directory has no number.
const Gone = "gone"

// Applied counts what following a directory changed. Who returns is added.
type Applied struct {
	Added, Changed, Removed int
}

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
// all of the tenant's that belong in it. Newcomers are added, edits and
// deletions made here are undone, and who is not among people any more loses
// name and number; their contact keeps its id for their return. What is right
// already is not written. An error among people removes nobody.
func (b *Book) FollowPeople(ctx context.Context, account int64, tenant string, people iter.Seq2[Person, error]) (Applied, error) {
	done, err := follow(ctx, b, people, peopleTable{b, account, tenant})
	if err != nil {
		return done, fmt.Errorf("follow the directory's people: %w", err)
	}
	return done, nil
}

// FollowGroups makes the tenant's groups in the address book those of the
// directory. One that is gone there loses its members here.
func (b *Book) FollowGroups(ctx context.Context, account int64, tenant string, units iter.Seq2[Unit, error]) (Applied, error) {
	done, err := follow(ctx, b, units, unitTable{b, account, tenant})
	if err != nil {
		return done, fmt.Errorf("follow the directory's groups: %w", err)
	}
	return done, nil
}

// followed is a table whose rows follow those of a directory.
type followed[T comparable] interface {
	directoryID(T) string
	tidy(T) T
	// kept are all rows of the tenant, the removed ones included, by directory id.
	kept(ctx context.Context) (map[string]*kept, error)
	insert(ctx context.Context, first int64, some []T) error
	update(ctx context.Context, rows map[int64]T) error
	remove(ctx context.Context, ids []int64) error
}

// kept is a row as it stands. All of a tenant's are held in memory while they
// are compared, so what a row says is only a hash.
type kept struct {
	id    int64
	state string
	says  uint64
	met   bool
}

const (
	stateActive  = "active"
	stateRemoved = "removed"
)

var hashSeed = maphash.MakeSeed()

func hash[T comparable](says T) uint64 { return maphash.Comparable(hashSeed, says) }

func follow[T comparable](ctx context.Context, b *Book, all iter.Seq2[T, error], t followed[T]) (Applied, error) {
	rows, err := t.kept(ctx)
	if err != nil {
		return Applied{}, err
	}
	var done Applied
	for some, err := range inLots(all) {
		if err != nil {
			return done, err
		}
		if err := followLot(ctx, b, some, t, rows, &done); err != nil {
			return done, err
		}
	}
	for some := range slices.Chunk(unmet(rows), lot) {
		if err := t.remove(ctx, some); err != nil {
			return done, err
		}
		done.Removed += len(some)
	}
	return done, nil
}

func followLot[T comparable](ctx context.Context, b *Book, some []T, t followed[T], rows map[string]*kept, done *Applied) error {
	var fresh []T
	changed := map[int64]T{}
	for _, one := range some {
		one = t.tidy(one)
		row, ok := rows[t.directoryID(one)]
		if !ok {
			fresh = append(fresh, one)
			done.Added++
			continue
		}
		row.met = true
		if row.state == stateActive && row.says == hash(one) {
			continue
		}
		changed[row.id] = one
		if row.state == stateRemoved {
			done.Added++
		} else {
			done.Changed++
		}
	}
	if err := insertFresh(ctx, b, fresh, t); err != nil {
		return err
	}
	if len(changed) == 0 {
		return nil
	}
	return t.update(ctx, changed)
}

func unmet(rows map[string]*kept) (gone []int64) {
	for _, row := range rows {
		if !row.met && row.state != stateRemoved {
			gone = append(gone, row.id)
		}
	}
	slices.Sort(gone)
	return gone
}

func insertFresh[T comparable](ctx context.Context, b *Book, fresh []T, t followed[T]) error {
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
	people, err := b.idsByDirectoryID(ctx, activeContactIDs, account, tenant)
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
