package directory

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

type watchedConnection struct {
	Connection
	warned int
}

func (d *Directory) watched(ctx context.Context) ([]watchedConnection, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (w watchedConnection, err error) {
		return w, w.scan(row, &w.warned)
	}, `
		SELECT `+connectionColumns+`, c.warned_days FROM connections c WHERE c.state <> 'disconnected' ORDER BY c.id`)
}

// purgeMirror takes lots, each in a transaction of its own. A membership goes
// before its person: one without a person is someone who is yet to be read.
func (d *Directory) purgeMirror(ctx context.Context, before time.Time) error {
	for _, statement := range []string{`
		DELETE FROM mirror_edges WHERE (connection_id, group_id, member_id) IN (
			SELECT e.connection_id, e.group_id, e.member_id FROM mirror_people p
			JOIN mirror_edges e ON e.connection_id = p.connection_id AND e.member_id = p.object_id
			WHERE p.removed_at > 0 AND p.removed_at < $1 LIMIT $2)`, `
		DELETE FROM mirror_people WHERE (connection_id, object_id) IN (
			SELECT connection_id, object_id FROM mirror_people WHERE removed_at > 0 AND removed_at < $1 LIMIT $2)`, `
		DELETE FROM mirror_edges WHERE (connection_id, group_id, member_id) IN (
			SELECT e.connection_id, e.group_id, e.member_id FROM mirror_groups g
			JOIN mirror_edges e ON e.connection_id = g.connection_id AND e.group_id = g.object_id
			WHERE g.removed_at > 0 AND g.removed_at < $1 LIMIT $2)`, `
		DELETE FROM mirror_groups WHERE (connection_id, object_id) IN (
			SELECT connection_id, object_id FROM mirror_groups WHERE removed_at > 0 AND removed_at < $1 LIMIT $2)`,
	} {
		for n := int64(lot); n == lot; {
			done, err := d.db.ExecContext(ctx, statement, db.Millis(before), lot)
			if err != nil {
				return err
			}
			if n, err = done.RowsAffected(); err != nil {
				return err
			}
		}
	}
	return nil
}
