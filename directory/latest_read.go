package directory

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// LatestDone finds the latest run of a kind that came to its end.
func (d *Directory) LatestDone(ctx context.Context, account, connection int64, kind string) (Run, bool, error) {
	found, err := d.runs(ctx, `WHERE account_id = $1 AND connection_id = $2 AND kind = $3 AND state = 'done' ORDER BY id DESC LIMIT 1`,
		account, connection, kind)
	if err != nil || len(found) == 0 {
		return Run{}, false, err
	}
	return found[0], true, nil
}

// Approval is the record of somebody letting go whom the brake held.
type Approval struct {
	People int
	By     string
	At     time.Time
}

// Approvals lists the connection's approvals, the latest first, at most limit.
func (d *Directory) Approvals(ctx context.Context, account, connection int64, limit int) ([]Approval, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (a Approval, err error) {
		var at int64
		err = row.Scan(&a.People, &a.By, &at)
		a.At = db.Time(at)
		return a, err
	}, `
		SELECT people, approved_by, at FROM brake_approvals WHERE account_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT $3`,
		account, connection, limit)
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
