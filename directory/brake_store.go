package directory

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// approved are the losses that may happen, by object id.
func (s *syncing) approved(ctx context.Context) (map[string]string, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT object_id, loss FROM held_people WHERE connection_id = $1 AND approved_at > 0`, s.run.Connection)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var id, loss string
		if err := rows.Scan(&id, &loss); err != nil {
			return nil, err
		}
		all[id] = loss
	}
	return all, rows.Err()
}

// lossesSince counts what the brake let through in other runs.
func (s *syncing) lossesSince(ctx context.Context, since time.Time) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(losses), 0) AS BIGINT) FROM sync_runs
		WHERE connection_id = $1 AND started_at >= $2 AND id <> $3`, s.run.Connection, db.Millis(since), s.run.ID).Scan(&n)
	return n, err
}

// replaceHeld writes down who is held now. Since when somebody is held stays.
func (s *syncing) replaceHeld(ctx context.Context, held map[string]string) error {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(held)), lot) {
		if err := s.inRun(ctx, s.upsertHeld(only(held, some), time.Now())); err != nil {
			return err
		}
	}
	return s.sweep(ctx, `
		DELETE FROM held_people WHERE connection_id = $1 AND object_id IN (
			SELECT object_id FROM held_people WHERE connection_id = $1 AND run_id <> $2 LIMIT $3)`, s.run.ID)
}

func (s *syncing) upsertHeld(held map[string]string, now time.Time) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO held_people (connection_id, object_id, loss, since, run_id)
			SELECT $1, r.key, r.value->>0, $3, $4 FROM json_each($2) AS r WHERE true
			ON CONFLICT (connection_id, object_id) DO UPDATE SET loss = EXCLUDED.loss, run_id = EXCLUDED.run_id, approved_at = 0`,
			s.run.Connection, toJSON(singles(held)), db.Millis(now), s.run.ID)
		return err
	}
}

// singles wraps each value in a list, so that both databases read it by its place.
func singles(values map[string]string) map[string][]string {
	all := make(map[string][]string, len(values))
	for key, value := range values {
		all[key] = []string{value}
	}
	return all
}

// approveHeld answers how many were held; they are approved if that is what the
// caller believes.
func (d *Directory) approveHeld(ctx context.Context, id, account, connection int64, people int, by string, now time.Time) (found int, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		locked := int64(0)
		err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT id FROM connections WHERE account_id = $1 AND id = $2`), account, connection).Scan(&locked)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM held_people WHERE connection_id = $1 AND approved_at = 0`, connection).Scan(&found)
		if err != nil || found == 0 || found != people {
			return err
		}
		if _, err = tx.ExecContext(ctx, `UPDATE held_people SET approved_at = $2 WHERE connection_id = $1`, connection, db.Millis(now)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO brake_approvals (id, account_id, connection_id, people, approved_by, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, account, connection, people, by, db.Millis(now))
		return err
	})
	return found, err
}

// Held lists whom the brake keeps in the address book, in the order of their
// object ids, those after the one given, at most limit.
func (d *Directory) Held(ctx context.Context, account, connection int64, after string, limit int) ([]Held, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (h Held, err error) {
		var since int64
		err = row.Scan(&h.DirectoryID, &h.Loss, &since, &h.Approved, &h.Contact, &h.Name)
		h.Since = db.Time(since)
		return h, err
	}, `
		SELECT h.object_id, h.loss, h.since, CASE WHEN h.approved_at > 0 THEN 1 ELSE 0 END, COALESCE(p.id, 0), COALESCE(p.name, '')
		FROM held_people h JOIN connections c ON c.id = h.connection_id
		LEFT JOIN contacts p ON p.account_id = c.account_id AND p.tenant_id = c.tenant_id AND p.directory_id = h.object_id AND p.directory_id <> ''
		WHERE c.account_id = $1 AND h.connection_id = $2 AND h.object_id > $3 ORDER BY h.object_id LIMIT $4`,
		account, connection, after, limit)
}

// HeldCount is how many wait for an approval.
func (d *Directory) HeldCount(ctx context.Context, account, connection int64) (n int, err error) {
	err = d.db.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM held_people h JOIN connections c ON c.id = h.connection_id
		WHERE c.account_id = $1 AND h.connection_id = $2 AND h.approved_at = 0`, account, connection).Scan(&n)
	return n, err
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
