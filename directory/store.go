package directory

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// This package writes connections, delta_links, sync_runs and mirror_*. It reads
// accounts.region and incarnations.ended_at; the address book is written by
// package contacts alone.

const connectionColumns = `c.id, c.account_id, c.tenant_id, c.client_id, c.secret_last4, c.secret_at, c.state, c.reason,
	c.requested_at, c.due_at, c.every_ms, c.created_at`

func (c *Connection) scan(row interface{ Scan(...any) error }, more ...any) error {
	var secret, requested, due, every, created int64
	err := row.Scan(append([]any{&c.ID, &c.Account, &c.Tenant, &c.Client, &c.SecretLast4, &secret, &c.State, &c.Reason,
		&requested, &due, &every, &created}, more...)...)
	c.SecretAt, c.RequestedAt, c.DueAt, c.Created = db.Time(secret), db.Time(requested), db.Time(due), db.Time(created)
	c.Every = time.Duration(every) * time.Millisecond
	return err
}

func scanConnection(row *sql.Rows) (c Connection, err error) { return c, c.scan(row) }

// Connections lists the account's connections, the oldest first.
func (d *Directory) Connections(ctx context.Context, account int64) ([]Connection, error) {
	return db.Collect(ctx, d.db, scanConnection, `
		SELECT `+connectionColumns+` FROM connections c WHERE c.account_id = $1 ORDER BY c.id`, account)
}

// Connection finds one connection of the account.
func (d *Directory) Connection(ctx context.Context, account, id int64) (c Connection, err error) {
	err = c.scan(d.db.QueryRowContext(ctx, `
		SELECT `+connectionColumns+` FROM connections c WHERE c.account_id = $1 AND c.id = $2`, account, id))
	if db.IsNone(err) {
		return c, errNoConnection
	}
	return c, err
}

// saveConnection answers the id of the connection that the tenant has, or has now.
func (d *Directory) saveConnection(ctx context.Context, id, account int64, c Credentials, now time.Time) (int64, error) {
	sealed := d.ring.Seal([]byte(c.Secret), about(account, c.Tenant))
	err := d.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `
			INSERT INTO connections (id, account_id, tenant_id, client_id, secret_sealed, secret_last4, secret_at, state, due_at, every_ms, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'connected', $7, $8, $7)
			ON CONFLICT (account_id, tenant_id) DO UPDATE SET client_id = EXCLUDED.client_id, secret_sealed = EXCLUDED.secret_sealed,
				secret_last4 = EXCLUDED.secret_last4, secret_at = EXCLUDED.secret_at, state = 'connected', reason = '', due_at = EXCLUDED.due_at
			RETURNING id`, id, account, c.Tenant, c.Client, sealed, last4(c.Secret), db.Millis(now), defaultEvery.Milliseconds()).Scan(&id)
	})
	return id, err
}

// markRequested answers a time that is later than that of any request before.
func (d *Directory) markRequested(ctx context.Context, account, connection int64, now time.Time) (at int64, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `
			UPDATE connections SET due_at = $3, requested_at = CASE WHEN requested_at >= $3 THEN requested_at + 1 ELSE $3 END
			WHERE account_id = $1 AND id = $2 AND state <> 'disconnected'
			RETURNING requested_at`, account, connection, db.Millis(now)).Scan(&at)
	})
	return at, err
}

type dueConnection struct {
	connection Connection
	running    runningRun
}

const (
	withRunning = ` FROM connections c
		LEFT JOIN sync_runs r ON r.connection_id = c.id AND r.state = 'running'
		LEFT JOIN incarnations i ON i.id = r.incarnation`
	runningColumns = `COALESCE(r.id, 0), COALESCE(r.incarnation, 0), CASE WHEN COALESCE(i.ended_at, 0) = 0 THEN 0 ELSE 1 END`
)

func (d *Directory) dueConnections(ctx context.Context, now time.Time) ([]dueConnection, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (one dueConnection, err error) {
		return one, one.connection.scan(row, &one.running.id, &one.running.incarnation, &one.running.ended)
	}, `
		SELECT `+connectionColumns+`, `+runningColumns+withRunning+`
		WHERE c.state <> 'disconnected' AND c.due_at <= $1 ORDER BY c.due_at, c.id`, db.Millis(now))
}

// startRun takes the connection for a new run, and takes over a run whose
// process has ended.
func (d *Directory) startRun(ctx context.Context, id, account, connection int64, now time.Time) (*syncing, error) {
	s := &syncing{Directory: d, run: Run{ID: id, Account: account, Connection: connection, State: Running, Started: now}}
	err := d.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := s.lock(ctx, tx)
		if err != nil {
			return err
		}
		if before.id != 0 {
			_, err := tx.ExecContext(ctx, `
				UPDATE sync_runs SET state = 'failed', reason = 'its process ended; the next run went on from there', ended_at = $2
				WHERE id = $1`, before.id, db.Millis(now))
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO sync_runs (id, account_id, connection_id, incarnation, answers, state, started_at)
			VALUES ($1, $2, $3, $4, $5, 'running', $6)`, id, account, connection, d.incarnation, db.Millis(s.connection.RequestedAt), db.Millis(now))
		return err
	})
	if db.IsDuplicate(err) {
		return nil, errSyncRunning
	}
	return s, err
}

// lock reads the connection for a run and answers the dead run that is in the
// way, if any.
func (s *syncing) lock(ctx context.Context, tx *db.Tx) (before runningRun, err error) {
	err = s.connection.scan(tx.QueryRowContext(ctx, tx.ForUpdate(`
		SELECT `+connectionColumns+`, c.secret_sealed FROM connections c WHERE c.account_id = $1 AND c.id = $2`),
		s.run.Account, s.run.Connection), &s.sealed)
	switch {
	case db.IsNone(err):
		return before, errNoConnection
	case err != nil:
		return before, err
	case s.connection.State == Disconnected:
		return before, problem.Conflict("disconnected", "the directory is disconnected")
	}
	err = tx.QueryRowContext(ctx, `SELECT `+runningColumns+withRunning+` WHERE c.id = $1`, s.run.Connection).
		Scan(&before.id, &before.incarnation, &before.ended)
	if err != nil {
		return before, err
	}
	if before.id != 0 && !before.ended && before.incarnation != s.incarnation {
		return before, errSyncRunning
	}
	return before, nil
}

// recordEnd closes the run. A connection that was stopped, or asked to sync again
// meanwhile, stays due.
func (s *syncing) recordEnd(ctx context.Context, stopped bool, now time.Time) error {
	s.run.Ended = now
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		r := &s.run
		err := tx.QueryRowContext(ctx, `
			UPDATE sync_runs SET state = $2, reason = $3, people = $4, contact_count = $5, without_number = $6, invalid = $7,
				added = $8, changed = $9, removed = $10, ended_at = $11
			WHERE id = $1 AND state = 'running' RETURNING records`,
			r.ID, r.State, r.Reason, r.People, r.Contacts, r.WithoutNumber, r.Invalid, r.Added, r.Changed, r.Removed, db.Millis(now)).Scan(&r.Records)
		if db.IsNone(err) {
			return errTakenOver
		}
		if err != nil || stopped {
			return err
		}
		state := Connected
		if r.State == Failed {
			state = Failing
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE connections SET
				state = CASE WHEN state = 'disconnected' THEN state ELSE $2 END, reason = $3,
				due_at = CASE WHEN requested_at > $4 THEN due_at ELSE $5 + every_ms END
			WHERE id = $1`, r.Connection, state, r.Reason, db.Millis(s.connection.RequestedAt), db.Millis(now))
		return err
	})
}

func (d *Directory) runs(ctx context.Context, where string, args ...any) ([]Run, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (r Run, err error) {
		var started, ended int64
		err = row.Scan(&r.ID, &r.Account, &r.Connection, &r.State, &r.Reason, &r.Records, &r.People, &r.Contacts,
			&r.WithoutNumber, &r.Invalid, &r.Added, &r.Changed, &r.Removed, &started, &ended)
		r.Started, r.Ended = db.Time(started), db.Time(ended)
		return r, err
	}, `
		SELECT id, account_id, connection_id, state, reason, records, people, contact_count,
			without_number, invalid, added, changed, removed, started_at, ended_at
		FROM sync_runs `+where, args...)
}

func (s *syncing) accountRegion(ctx context.Context) (region string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT region FROM accounts WHERE id = $1`, s.run.Account).Scan(&region)
	return region, err
}

// cursor is empty when there is no link, or only one of another cloud, tenant,
// client or selection.
func (s *syncing) cursor(ctx context.Context, round string) (at cursor, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT link, full_round FROM delta_links WHERE connection_id = $1 AND round = $2 AND hash = $3`,
		s.run.Connection, round, s.linksHash(s.connection)).Scan(&at.link, &at.mark)
	if db.IsNone(err) {
		return cursor{}, nil
	}
	return at, err
}

// step is a part of a transaction.
type step func(ctx context.Context, tx *db.Tx) error

func both(first, second step) step {
	return func(ctx context.Context, tx *db.Tx) error {
		if err := first(ctx, tx); err != nil {
			return err
		}
		return second(ctx, tx)
	}
}

// inRun runs do in a transaction, unless the run has been taken over.
func (s *syncing) inRun(ctx context.Context, do step) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		var state string
		err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT state FROM sync_runs WHERE id = $1`), s.run.ID).Scan(&state)
		if err != nil {
			return err
		}
		if state != Running {
			return errTakenOver
		}
		return do(ctx, tx)
	})
}

func (s *syncing) count(records int) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_runs SET records = records + $2 WHERE id = $1`, s.run.ID, records)
		return err
	}
}

func (s *syncing) saveCursor(round string, at cursor) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO delta_links (connection_id, round, hash, link, full_round) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (connection_id, round) DO UPDATE SET hash = EXCLUDED.hash, link = EXCLUDED.link, full_round = EXCLUDED.full_round`,
			s.run.Connection, round, s.linksHash(s.connection), at.link, at.mark)
		return err
	}
}

// ids are the keys of a page's objects, as a JSON object.
func ids(items []Item) string {
	set := make(map[string]int, len(items))
	for _, it := range items {
		set[it.ID] = 0
	}
	return toJSON(set)
}

func (s *syncing) mirroredPeople(ctx context.Context, items []Item) (map[string]mirrorPerson, error) {
	return mirrored(ctx, s, func(row *sql.Rows) (id string, m mirrorPerson, err error) {
		return id, m, row.Scan(&id, &m.Fields, &m.Removed, &m.Seen)
	}, `
		SELECT object_id, fields, removed_at, seen FROM mirror_people
		JOIN (SELECT key, CAST($1 AS BIGINT) AS connection FROM json_each($2) LIMIT 100000) AS r
			ON object_id = r.key AND connection_id = r.connection`, s.run.Connection, ids(items))
}

func (s *syncing) mirroredGroups(ctx context.Context, items []Item) (map[string]mirrorGroup, error) {
	return mirrored(ctx, s, func(row *sql.Rows) (id string, m mirrorGroup, err error) {
		return id, m, row.Scan(&id, &m.Name, &m.Removed, &m.Seen)
	}, `
		SELECT object_id, name, removed_at, seen FROM mirror_groups
		JOIN (SELECT key, CAST($1 AS BIGINT) AS connection FROM json_each($2) LIMIT 100000) AS r
			ON object_id = r.key AND connection_id = r.connection`, s.run.Connection, ids(items))
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
			INSERT INTO mirror_people (connection_id, object_id, fields, removed_at, seen)
			SELECT $1, r.key, r.value->>'Fields', CAST(r.value->>'Removed' AS BIGINT), CAST(r.value->>'Seen' AS BIGINT)
			FROM json_each($2) AS r WHERE true
			ON CONFLICT (connection_id, object_id) DO UPDATE SET fields = EXCLUDED.fields, removed_at = EXCLUDED.removed_at, seen = EXCLUDED.seen`,
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
		UPDATE mirror_people SET removed_at = $4, fields = '{}' WHERE connection_id = $1 AND object_id IN (
			SELECT object_id FROM mirror_people WHERE connection_id = $1 AND seen <> $2 AND removed_at = 0 LIMIT $3)`,
		mark, db.Millis(time.Now()))
}

// sweepGroups keeps the memberships of people who are gone: should they be
// restored, nothing tells us of them again.
func (s *syncing) sweepGroups(ctx context.Context, mark int64) error {
	err := s.sweep(ctx, `
		UPDATE mirror_groups SET removed_at = $4 WHERE connection_id = $1 AND object_id IN (
			SELECT object_id FROM mirror_groups WHERE connection_id = $1 AND seen <> $2 AND removed_at = 0 LIMIT $3)`,
		mark, db.Millis(time.Now()))
	if err != nil {
		return err
	}
	return s.sweep(ctx, `
		DELETE FROM mirror_edges WHERE connection_id = $1 AND (group_id, member_id) IN (
			SELECT e.group_id, e.member_id FROM mirror_edges e
			LEFT JOIN mirror_people p ON p.connection_id = e.connection_id AND p.object_id = e.member_id
			WHERE e.connection_id = $1 AND e.seen <> $2 AND COALESCE(p.removed_at, 0) = 0 LIMIT $3)`, mark)
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
	id string
	fields
}

// mirrorPage is how many people are held in memory while they are derived.
const mirrorPage = 1000

// inDirectory are the mirror's people who are not removed.
func (s *syncing) inDirectory(ctx context.Context) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for after := ""; ; {
			page, err := db.Collect(ctx, s.db, scanFound, `
				SELECT object_id, fields FROM mirror_people
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

func scanFound(row *sql.Rows) (one found, err error) {
	var text string
	if err := row.Scan(&one.id, &text); err != nil {
		return one, err
	}
	one.fields, err = readFields(text)
	return one, err
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
