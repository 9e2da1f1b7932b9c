package directory

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/varsel/varsel/internal/db"
)

// keepPreview replaces what an earlier preview found.
func (s *syncing) keepPreview(ctx context.Context, p preview) error {
	err := s.sweep(ctx, `
		DELETE FROM preview_people WHERE connection_id = $1 AND object_id IN (
			SELECT object_id FROM preview_people WHERE connection_id = $1 AND shared >= $2 LIMIT $3)`, 0)
	if err != nil {
		return err
	}
	rows := p.all()
	for some := range slices.Chunk(slices.Sorted(maps.Keys(rows)), lot) {
		if err := s.inRun(ctx, s.insertPreview(only(rows, some))); err != nil {
			return err
		}
	}
	return nil
}

func (s *syncing) insertPreview(rows map[string]previewRow) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO preview_people (connection_id, object_id, change, reason, shared)
			SELECT $1, r.key, r.value->>'Change', r.value->>'Reason', CAST(r.value->>'Shared' AS BIGINT) FROM json_each($2) AS r`,
			s.run.Connection, toJSON(rows))
		return err
	}
}

// What PreviewOf lists.
const (
	PreviewAdded         = "added"
	PreviewChanged       = "changed"
	PreviewRemoved       = "removed"
	PreviewNumberLost    = "number"
	PreviewWithoutNumber = "without_number"
	PreviewInvalid       = "invalid"
	PreviewShared        = "shared"
)

// PreviewOf lists those of the latest preview's people of whom what is true, in
// the order of the object ids, those after the one given, at most limit. "all"
// is everybody.
func (d *Directory) PreviewOf(ctx context.Context, account, connection int64, what, after string, limit int) ([]PreviewPerson, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (p PreviewPerson, err error) {
		var text string
		if err := row.Scan(&p.DirectoryID, &p.Change, &p.Reason, &p.Shared, &p.Name, &text); err != nil || p.Name != "" {
			return p, err
		}
		f, err := readFields(text)
		p.Name = f.string("displayName")
		return p, err
	}, `
		SELECT v.object_id, v.change, v.reason, v.shared, COALESCE(k.name, ''), COALESCE(m.fields, '{}')
		FROM preview_people v JOIN connections c ON c.id = v.connection_id
		LEFT JOIN mirror_people m ON m.connection_id = v.connection_id AND m.object_id = v.object_id
		LEFT JOIN contacts k ON k.account_id = c.account_id AND k.tenant_id = c.tenant_id AND k.directory_id = v.object_id AND k.directory_id <> ''
		WHERE c.account_id = $1 AND v.connection_id = $2 AND v.object_id > $4
		AND ($3 = 'all' OR v.change = $3
			OR $3 = 'without_number' AND v.reason = 'no_number' OR $3 = 'invalid' AND v.reason NOT IN ('', 'no_number')
			OR $3 = 'shared' AND v.shared > 1)
		ORDER BY v.object_id LIMIT $5`, account, connection, what, after, limit)
}

// Skipped is somebody of the directory who is not in the address book.
type Skipped struct {
	DirectoryID string
	Reason      string
}

// SkippedPeople lists who is out of scope and why, in the order of their object
// ids, those after the one given, at most limit. Of them nothing else is kept.
func (d *Directory) SkippedPeople(ctx context.Context, account, connection int64, after string, limit int) ([]Skipped, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (s Skipped, err error) {
		return s, row.Scan(&s.DirectoryID, &s.Reason)
	}, `
		SELECT m.object_id, m.skipped FROM mirror_people m JOIN connections c ON c.id = m.connection_id
		WHERE c.account_id = $1 AND m.connection_id = $2 AND m.removed_at = 0 AND m.skipped <> '' AND m.object_id > $3
		ORDER BY m.object_id LIMIT $4`, account, connection, after, limit)
}

// Units lists the directory's groups that were read, by name; those to choose a
// scope from.
func (d *Directory) Units(ctx context.Context, account, connection int64) ([]Unit, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (u Unit, err error) {
		return u, row.Scan(&u.DirectoryID, &u.Name)
	}, `
		SELECT g.object_id, g.name FROM mirror_groups g JOIN connections c ON c.id = g.connection_id
		WHERE c.account_id = $1 AND g.connection_id = $2 AND g.removed_at = 0 ORDER BY g.name, g.object_id LIMIT 10000`, account, connection)
}

// Unit is a group of the directory.
type Unit struct {
	DirectoryID, Name string
}
