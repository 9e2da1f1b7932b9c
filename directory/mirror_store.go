package directory

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
)

func idsOf(items []Item) []string {
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = it.ID
	}
	return list
}

// keys writes ids as the keys of a JSON object, the form in which both databases
// take a list of them.
func keys(ids []string) string {
	set := make(map[string]int, len(ids))
	for _, id := range ids {
		set[id] = 0
	}
	return toJSON(set)
}

func (s *syncing) mirroredPeople(ctx context.Context, ids []string) (map[string]mirrorPerson, error) {
	return mirrored(ctx, s, func(row *sql.Rows) (id string, m mirrorPerson, err error) {
		return id, m, row.Scan(&id, &m.Fields, &m.Skipped, &m.Removed, &m.Seen)
	}, `
		SELECT object_id, fields, skipped, removed_at, seen FROM mirror_people
		JOIN (SELECT key, CAST($1 AS BIGINT) AS connection FROM json_each($2) LIMIT 100000) AS r
			ON object_id = r.key AND connection_id = r.connection`, s.run.Connection, keys(ids))
}

func (s *syncing) mirroredGroups(ctx context.Context, ids []string) (map[string]mirrorGroup, error) {
	return mirrored(ctx, s, func(row *sql.Rows) (id string, m mirrorGroup, err error) {
		return id, m, row.Scan(&id, &m.Name, &m.Removed, &m.Seen)
	}, `
		SELECT object_id, name, removed_at, seen FROM mirror_groups
		JOIN (SELECT key, CAST($1 AS BIGINT) AS connection FROM json_each($2) LIMIT 100000) AS r
			ON object_id = r.key AND connection_id = r.connection`, s.run.Connection, keys(ids))
}

// mirrored reads in a transaction only for PostgreSQL's plan.
func mirrored[T any](ctx context.Context, s *syncing, scan func(*sql.Rows) (string, T, error), query string, args ...any) (map[string]T, error) {
	var all map[string]T
	err := s.inRun(ctx, func(ctx context.Context, tx *db.Tx) error {
		all = map[string]T{}
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			id, one, err := scan(rows)
			if err != nil {
				return err
			}
			all[id] = one
		}
		return rows.Err()
	})
	return all, err
}

func (s *syncing) upsertPeople(rows map[string]mirrorPerson) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO mirror_people (connection_id, object_id, fields, skipped, says, removed_at, seen)
			SELECT $1, r.key, r.value->>'Fields', r.value->>'Skipped', CAST(r.value->>'Says' AS BIGINT), CAST(r.value->>'Removed' AS BIGINT), CAST(r.value->>'Seen' AS BIGINT)
			FROM json_each($2) AS r WHERE true
			ON CONFLICT (connection_id, object_id) DO UPDATE SET fields = EXCLUDED.fields, skipped = EXCLUDED.skipped,
				says = EXCLUDED.says, removed_at = EXCLUDED.removed_at, seen = EXCLUDED.seen`,
			s.run.Connection, toJSON(rows))
		return err
	}
}

func (s *syncing) upsertGroups(rows map[string]mirrorGroup) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO mirror_groups (connection_id, object_id, name, removed_at, seen)
			SELECT $1, r.key, r.value->>'Name', CAST(r.value->>'Removed' AS BIGINT), CAST(r.value->>'Seen' AS BIGINT)
			FROM json_each($2) AS r WHERE true
			ON CONFLICT (connection_id, object_id) DO UPDATE SET name = EXCLUDED.name, removed_at = EXCLUDED.removed_at, seen = EXCLUDED.seen`,
			s.run.Connection, toJSON(rows))
		return err
	}
}

// pairs are edges in the form that both databases read: an object of arrays.
func pairs(edges []edge) string {
	all := make(map[int][2]string, len(edges))
	for i, e := range edges {
		all[i] = [2]string{e.group, e.member}
	}
	return toJSON(all)
}

func (s *syncing) upsertEdges(edges []edge, mark int64) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO mirror_edges (connection_id, group_id, member_id, seen)
			SELECT $1, r.value->>0, r.value->>1, $3 FROM json_each($2) AS r WHERE true
			ON CONFLICT (connection_id, group_id, member_id) DO UPDATE SET seen = EXCLUDED.seen`,
			s.run.Connection, pairs(edges), mark)
		return err
	}
}

func (s *syncing) deleteEdges(edges []edge) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			DELETE FROM mirror_edges WHERE
			(connection_id, group_id, member_id) IN (
				SELECT CAST($1 AS BIGINT), r.value->>0, r.value->>1 FROM json_each($2) AS r LIMIT 100000)`, s.run.Connection, pairs(edges))
		return err
	}
}

func (s *syncing) sweepPeople(ctx context.Context, mark int64) error {
	return s.sweep(ctx, `
		UPDATE mirror_people SET removed_at = $4, fields = '{}', skipped = '' WHERE connection_id = $1 AND object_id IN (
			SELECT object_id FROM mirror_people WHERE connection_id = $1 AND seen <> $2 AND removed_at = 0 LIMIT $3)`,
		mark, db.Millis(time.Now()))
}

// sweepGroups keeps the memberships of people who are gone: should they be
// restored, nothing tells us of them again.
func (s *syncing) sweepGroups(ctx context.Context, mark int64) error {
	if err := s.inRun(ctx, s.markStale); err != nil {
		return err
	}
	err := s.sweep(ctx, `
		UPDATE mirror_groups SET removed_at = $4 WHERE connection_id = $1 AND object_id IN (
			SELECT object_id FROM mirror_groups WHERE connection_id = $1 AND seen <> $2 AND removed_at = 0 LIMIT $3)`,
		mark, db.Millis(time.Now()))
	if err != nil {
		return err
	}
	err = s.sweep(ctx, `
		UPDATE mirror_edges SET seen = 0 WHERE connection_id = $1 AND (group_id, member_id) IN (
			SELECT e.group_id, e.member_id FROM mirror_edges e
			JOIN mirror_people p ON p.connection_id = e.connection_id AND p.object_id = e.member_id
			WHERE e.connection_id = $1 AND e.seen <> $2 AND e.seen <> 0 AND p.removed_at > 0 LIMIT $3)`, mark)
	if err != nil {
		return err
	}
	return s.sweep(ctx, `
		DELETE FROM mirror_edges WHERE connection_id = $1 AND (group_id, member_id) IN (
			SELECT e.group_id, e.member_id FROM mirror_edges e
			LEFT JOIN mirror_people p ON p.connection_id = e.connection_id AND p.object_id = e.member_id
			WHERE e.connection_id = $1 AND e.seen <> $2 AND COALESCE(p.removed_at, 0) = 0 LIMIT $3)`, mark)
}

// keptOfReturned says whether a membership was kept for somebody who was gone,
// though a full round did not meet it, and who is back: they may have returned
// before that round, and left the group, or after it.
func (s *syncing) keptOfReturned(ctx context.Context) (are bool, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT CASE WHEN EXISTS (
			SELECT 1 FROM mirror_edges e JOIN mirror_people p ON p.connection_id = e.connection_id AND p.object_id = e.member_id
			WHERE e.connection_id = $1 AND e.seen = 0 AND p.removed_at = 0) THEN 1 ELSE 0 END`, s.run.Connection).Scan(&are)
	return are, err
}

// sweepEdgesOf ends the memberships of one group that a reading of it did not
// meet, but for those of people who are gone.
func (s *syncing) sweepEdgesOf(ctx context.Context, group string, mark int64) error {
	return s.sweep(ctx, `
		DELETE FROM mirror_edges WHERE connection_id = $1 AND (group_id, member_id) IN (
			SELECT e.group_id, e.member_id FROM mirror_edges e
			LEFT JOIN mirror_people p ON p.connection_id = e.connection_id AND p.object_id = e.member_id
			WHERE e.connection_id = $1 AND e.group_id = $4 AND e.seen <> $2 AND COALESCE(p.removed_at, 0) = 0 LIMIT $3)`, mark, group)
}

// sweep repeats a statement, a lot at a time, until it finds no more.
func (s *syncing) sweep(ctx context.Context, statement string, mark int64, more ...any) error {
	args := append([]any{s.run.Connection, mark, lot}, more...)
	for {
		var n int64
		err := s.inRun(ctx, func(ctx context.Context, tx *db.Tx) error {
			done, err := tx.ExecContext(ctx, statement, args...)
			if err != nil {
				return err
			}
			n, err = done.RowsAffected()
			return err
		})
		if err != nil || n < lot {
			return err
		}
	}
}

// found is a person of the mirror who is in the directory.
type found struct {
	id      string
	skipped string // why they are out of scope
	says    int64
}

// mirrorPage is how many people are read at a time.
const mirrorPage = 5000

// inDirectory are the mirror's people who are not removed.
func (s *syncing) inDirectory(ctx context.Context) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for after := ""; ; {
			page, err := db.Collect(ctx, s.db, func(row *sql.Rows) (one found, err error) {
				return one, row.Scan(&one.id, &one.skipped, &one.says)
			}, `
				SELECT object_id, skipped, says FROM mirror_people
				WHERE connection_id = $1 AND removed_at = 0 AND object_id > $2 ORDER BY object_id LIMIT $3`,
				s.run.Connection, after, mirrorPage)
			if err != nil {
				yield(found{}, err)
				return
			}
			for _, one := range page {
				if !yield(one, nil) {
					return
				}
				after = one.id
			}
			if len(page) < mirrorPage {
				return
			}
		}
	}
}

// markStale notes that memberships may be wrong until they are derived again,
// all of them.
func (s *syncing) markStale(ctx context.Context, tx *db.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE connections SET derived = 0 WHERE id = $1 AND derived = 1`, s.run.Connection)
	return err
}

func (s *syncing) markDerived(ctx context.Context, tx *db.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE connections SET derived = 1 WHERE id = $1`, s.run.Connection)
	return err
}

func (s *syncing) isDerived(ctx context.Context) (are bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT derived FROM connections WHERE id = $1`, s.run.Connection).Scan(&are)
	return are, err
}

// units are the mirror's groups that are not removed.
func (s *syncing) units(ctx context.Context) ([]contacts.Unit, error) {
	return db.Collect(ctx, s.db, func(row *sql.Rows) (u contacts.Unit, err error) {
		return u, row.Scan(&u.DirectoryID, &u.Name)
	}, `
		SELECT object_id, name FROM mirror_groups
		WHERE connection_id = $1 AND removed_at = 0 ORDER BY object_id`, s.run.Connection)
}

// groupTree holds every id once, however many memberships name it.
func (s *syncing) groupTree(ctx context.Context, units []contacts.Unit) (*tree, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT group_id, member_id FROM mirror_edges WHERE connection_id = $1`, s.run.Connection)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	t, once := newTree(units), map[string]string{}
	for rows.Next() {
		var e edge
		if err := rows.Scan(&e.group, &e.member); err != nil {
			return nil, err
		}
		t.add(edge{interned(once, e.group), interned(once, e.member)})
	}
	return t, rows.Err()
}

func interned(once map[string]string, s string) string {
	if have, ok := once[s]; ok {
		return have
	}
	once[s] = s
	return s
}
