package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
)

// This package writes connections, delta_links, sync_runs, mirror_*, held_people,
// brake_approvals, preview_people,
// directory_subscriptions and directory_consents. It reads accounts.region,
// incarnations.ended_at and, to name the people it has only ids of, contacts; the
// address book is written by package contacts alone.

const connectionColumns = `c.id, c.account_id, c.kind, c.tenant_id, c.client_id, c.cloud, c.credential, c.secret_last4, c.secret_at,
	c.secret_expires_at, c.state, c.reason, c.settings, c.preview, c.requested_at, c.due_at, c.every_ms, c.activated_at, c.succeeded_at,
	c.stalled_at, c.checked_at, c.findings, c.created_at`

func (c *Connection) scan(row interface{ Scan(...any) error }, more ...any) error {
	var secret, expires, requested, due, every, activated, succeeded, stalled, checked, created int64
	var settings, findings string
	err := row.Scan(append([]any{&c.ID, &c.Account, &c.Kind, &c.Tenant, &c.Client, &c.Cloud, &c.Credential, &c.SecretLast4, &secret,
		&expires, &c.State, &c.Reason, &settings, &c.Preview, &requested, &due, &every, &activated, &succeeded,
		&stalled, &checked, &findings, &created}, more...)...)
	if err != nil {
		return err
	}
	c.SecretAt, c.SecretExpires, c.RequestedAt, c.DueAt = db.Time(secret), db.Time(expires), db.Time(requested), db.Time(due)
	c.ActivatedAt, c.SucceededAt, c.StalledAt, c.Created = db.Time(activated), db.Time(succeeded), db.Time(stalled), db.Time(created)
	c.Checked, c.Every = db.Time(checked), time.Duration(every)*time.Millisecond
	return errors.Join(json.Unmarshal([]byte(settings), &c.Settings), json.Unmarshal([]byte(findings), &c.Findings))
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

// connectionOf finds the connection of a tenant, if there is one.
func (d *Directory) connectionOf(ctx context.Context, account int64, tenant string) (c Connection, found bool, err error) {
	err = c.scan(d.db.QueryRowContext(ctx, `
		SELECT `+connectionColumns+` FROM connections c WHERE c.account_id = $1 AND c.tenant_id = $2`, account, tenant))
	if db.IsNone(err) {
		return c, false, nil
	}
	return c, err == nil, err
}

// saveConnection answers the id of the connection that the tenant has, or has
// now. What an administrator decided about one that was activated stays.
func (d *Directory) saveConnection(ctx context.Context, c Connection, sealed string) (id int64, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `
			INSERT INTO connections (id, account_id, kind, tenant_id, client_id, cloud, credential, secret_sealed, secret_last4, secret_at,
				secret_expires_at, state, reason, settings, preview, due_at, every_ms, activated_at, checked_at, findings, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
			ON CONFLICT (account_id, tenant_id) DO UPDATE SET client_id = EXCLUDED.client_id, cloud = EXCLUDED.cloud,
				credential = EXCLUDED.credential, secret_sealed = EXCLUDED.secret_sealed, secret_last4 = EXCLUDED.secret_last4,
				secret_at = EXCLUDED.secret_at, secret_expires_at = EXCLUDED.secret_expires_at, warned_days = 0, state = EXCLUDED.state,
				settings = CASE WHEN connections.activated_at = 0 THEN EXCLUDED.settings ELSE connections.settings END,
				activated_at = CASE WHEN EXCLUDED.activated_at > 0 THEN EXCLUDED.activated_at ELSE connections.activated_at END,
				preview = CASE WHEN connections.activated_at = 0 THEN EXCLUDED.preview ELSE connections.preview END,
				reason = EXCLUDED.reason, due_at = EXCLUDED.due_at, checked_at = EXCLUDED.checked_at, findings = EXCLUDED.findings
			RETURNING id`, c.ID, c.Account, c.Kind, c.Tenant, c.Client, c.Cloud, c.Credential, sealed, c.SecretLast4, db.Millis(c.SecretAt),
			db.Millis(c.SecretExpires), c.State, c.Reason, c.Settings.text(), flag(c.Preview), db.Millis(c.DueAt), c.Every.Milliseconds(),
			db.Millis(c.ActivatedAt), db.Millis(c.Checked), toJSON(c.Findings), db.Millis(c.Created)).Scan(&id)
	})
	return id, err
}

func (d *Directory) sealedSecret(ctx context.Context, account, connection int64) (sealed string, err error) {
	err = d.db.QueryRowContext(ctx, `SELECT secret_sealed FROM connections WHERE account_id = $1 AND id = $2`, account, connection).Scan(&sealed)
	return sealed, err
}

// update sets columns of a connection; set is written here, never made of data.
func (d *Directory) update(ctx context.Context, account, connection int64, set string, args ...any) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE connections SET `+set+` WHERE account_id = $1 AND id = $2`, append([]any{account, connection}, args...)...)
		return err
	})
}

func (d *Directory) recordCheck(ctx context.Context, c Connection) error {
	return d.update(ctx, c.Account, c.ID, `state = $3, reason = $4, activated_at = $5, due_at = $6, checked_at = $7, findings = $8`,
		c.State, c.Reason, db.Millis(c.ActivatedAt), db.Millis(c.DueAt), db.Millis(c.Checked), toJSON(c.Findings))
}

// flag is how a truth is stored.
func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}

// disconnect also ends a run that is under way.
func (d *Directory) disconnect(ctx context.Context, account, connection int64, now time.Time) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE connections SET state = 'disconnected', reason = '', stalled_at = 0, hinted_at = 0 WHERE account_id = $1 AND id = $2`, account, connection)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE sync_runs SET state = 'failed', code = 'disconnected', reason = 'the directory was disconnected', ended_at = $3
			WHERE account_id = $1 AND connection_id = $2 AND state IN ('running', 'waiting')`, account, connection, db.Millis(now))
		return err
	})
}

// markRequested answers a time that is later than that of any request before. A
// sync that was asked for answers a preview that is asked for meanwhile.
func (d *Directory) markRequested(ctx context.Context, account, connection int64, kind, group string, now time.Time) (at int64, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `
			UPDATE connections SET due_at = $3, requested = $4, requested_group = $5,
				requested_at = CASE WHEN requested_at >= $3 THEN requested_at + 1 ELSE $3 END
			WHERE account_id = $1 AND id = $2 AND state <> 'disconnected'
			RETURNING requested_at`, account, connection, db.Millis(now), kind, group).Scan(&at)
	})
	return at, err
}

type dueConnection struct {
	connection Connection
	open       openRun
}

const (
	withOpenRun = ` FROM connections c
		LEFT JOIN sync_runs r ON r.connection_id = c.id AND r.state IN ('running', 'waiting')
		LEFT JOIN incarnations i ON i.id = r.incarnation`
	openRunColumns = `COALESCE(r.id, 0), COALESCE(r.incarnation, 0), COALESCE(r.state, ''), COALESCE(r.resume_at, 0),
		CASE WHEN COALESCE(i.ended_at, 0) = 0 THEN 0 ELSE 1 END`
)

func (r *openRun) columns() []any {
	return []any{&r.id, &r.incarnation, &r.state, &r.resumeAt, &r.ended}
}

// hintWait lets the changes of a moment be read together.
const hintWait = 2 * time.Second

// dueConnections also answers those with a run that waits, as soon as it may go
// on, and not before.
func (d *Directory) dueConnections(ctx context.Context, now time.Time) ([]dueConnection, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (one dueConnection, err error) {
		return one, one.connection.scan(row, one.open.columns()...)
	}, `
		SELECT `+connectionColumns+`, `+openRunColumns+withOpenRun+`
		WHERE c.state <> 'disconnected' AND CASE
			WHEN COALESCE(r.state, '') = 'waiting' THEN r.resume_at
			WHEN c.hinted_at > 0 AND c.hinted_at + CAST($2 AS BIGINT) < c.due_at THEN c.hinted_at + CAST($2 AS BIGINT)
			ELSE c.due_at END <= $1
		ORDER BY c.due_at, c.id`, db.Millis(now), hintWait.Milliseconds())
}

// startRun takes the connection for a new run, or for the one that waits or whose
// process has ended.
func (d *Directory) startRun(ctx context.Context, id, account, connection int64, now time.Time) (*syncing, error) {
	var s *syncing
	err := d.db.InTx(ctx, func(tx *db.Tx) error {
		s = &syncing{Directory: d, run: Run{ID: id, Account: account, Connection: connection, State: Running, Phase: ReadingGroups, Started: now}}
		before, err := s.lock(ctx, tx)
		if err != nil {
			return err
		}
		if before.id != 0 {
			return s.goOnWith(ctx, tx, before.id)
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO sync_runs (id, account_id, connection_id, incarnation, kind, group_id, answers, state, started_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8)`, id, account, connection, d.incarnation, s.run.Kind, s.run.Group,
			db.Millis(s.connection.RequestedAt), db.Millis(now))
		return err
	})
	if db.IsDuplicate(err) {
		return nil, errSyncRunning
	}
	return s, err
}

// lock reads the connection for a run and answers the run to go on with, if any.
// What was asked for is asked for once.
func (s *syncing) lock(ctx context.Context, tx *db.Tx) (before openRun, err error) {
	err = s.connection.scan(tx.QueryRowContext(ctx, tx.ForUpdate(`
		SELECT `+connectionColumns+`, c.secret_sealed, c.requested, c.requested_group FROM connections c WHERE c.account_id = $1 AND c.id = $2`),
		s.run.Account, s.run.Connection), &s.sealed, &s.run.Kind, &s.run.Group)
	switch {
	case db.IsNone(err):
		return before, errNoConnection
	case err != nil:
		return before, err
	case s.connection.State == Disconnected:
		return before, errDisconnected
	}
	if s.connection.Preview {
		s.run.Kind, s.run.Group = Preview, ""
	}
	err = tx.QueryRowContext(ctx, `SELECT `+openRunColumns+withOpenRun+` WHERE c.id = $1`, s.run.Connection).Scan(before.columns()...)
	if err != nil {
		return before, err
	}
	if before.state == Running && !before.ended && before.incarnation != s.incarnation {
		return before, errSyncRunning
	}
	if before.id == 0 {
		// A run that reads one group, or only compares, does not answer a hint.
		_, err = tx.ExecContext(ctx, `
			UPDATE connections SET requested = 'sync', requested_group = '', hinted_at = CASE WHEN CAST($2 AS BIGINT) = 1 THEN 0 ELSE hinted_at END
			WHERE id = $1`, s.run.Connection, flag(s.run.Kind == Sync || s.connection.Preview))
	}
	return before, err
}

func (s *syncing) goOnWith(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE sync_runs SET state = 'running', incarnation = $2, code = '', reason = '', resume_at = 0 WHERE id = $1`, id, s.incarnation)
	if err != nil {
		return err
	}
	found, err := db.Collect(ctx, tx, scanRun, `SELECT `+runColumns+` FROM sync_runs WHERE id = $1`, id)
	if err != nil {
		return err
	}
	s.run = found[0]
	var answers int64
	err = tx.QueryRowContext(ctx, `SELECT tries, answers FROM sync_runs WHERE id = $1`, id).Scan(&s.tries, &answers)
	s.connection.RequestedAt = db.Time(answers)
	return err
}

// record closes the run, or lets it wait. A connection that was asked to sync
// again meanwhile stays due.
func (s *syncing) record(ctx context.Context, now time.Time) error {
	if s.run.State != Waiting {
		s.run.Ended = now
	}
	id, err := s.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		r := &s.run
		var asOf int64
		err := tx.QueryRowContext(ctx, `
			UPDATE sync_runs SET state = $2, code = $3, reason = $4, resume_at = $5, tries = $6, counts = $7, requests = $8, ended_at = $9
			WHERE id = $1 AND state = 'running' AND incarnation = $10 RETURNING records, as_of`,
			r.ID, r.State, r.Code, r.Reason, db.Millis(r.ResumeAt), s.tries, toJSON(r.Counts), toJSON(s.asked.with(r.Requests)),
			db.Millis(r.Ended), s.incarnation).Scan(&r.Records, &asOf)
		if db.IsNone(err) {
			return errTakenOver
		}
		r.AsOf = db.Time(asOf)
		if err != nil || r.State == Waiting {
			return err
		}
		return s.recordOutcome(ctx, tx, id, now)
	})
}

func (s *syncing) recordOutcome(ctx context.Context, tx *db.Tx, event int64, now time.Time) error {
	r := s.run
	state, kind := Connected, "directory.synced"
	if r.State == Failed {
		state, kind = Failing, "directory.sync_failed"
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE connections SET
			state = CASE WHEN state = 'disconnected' THEN state ELSE $2 END, reason = $3,
			due_at = CASE WHEN requested_at > $4 THEN due_at ELSE $5 + every_ms END,
			succeeded_at = CASE WHEN $6 > succeeded_at THEN $6 ELSE succeeded_at END,
			stalled_at = CASE WHEN $6 > succeeded_at THEN 0 ELSE stalled_at END
		WHERE id = $1`, r.Connection, state, r.Reason, db.Millis(s.connection.RequestedAt), db.Millis(now), db.Millis(s.appliedAsOf()))
	if err != nil {
		return err
	}
	return events.Record(ctx, tx, events.Event{ID: event, Account: r.Account, Type: kind, At: now, Data: map[string]any{
		"connection": r.Connection, "run": r.ID, "kind": r.Kind, "code": r.Code, "counts": r.Counts}})
}

// appliedAsOf is zero for a run after which the address book may tell something
// else than the directory.
func (s *syncing) appliedAsOf() time.Time {
	if s.run.State != Done || s.run.Kind != Sync {
		return time.Time{}
	}
	return s.run.AsOf
}

const runColumns = `id, account_id, connection_id, kind, group_id, state, phase, code, reason, records, counts, requests, as_of, resume_at,
	started_at, ended_at`

func scanRun(row *sql.Rows) (r Run, err error) {
	var asOf, resume, started, ended int64
	var counts, requests string
	err = row.Scan(&r.ID, &r.Account, &r.Connection, &r.Kind, &r.Group, &r.State, &r.Phase, &r.Code, &r.Reason, &r.Records, &counts, &requests,
		&asOf, &resume, &started, &ended)
	if err != nil {
		return r, err
	}
	r.AsOf, r.ResumeAt, r.Started, r.Ended = db.Time(asOf), db.Time(resume), db.Time(started), db.Time(ended)
	return r, errors.Join(json.Unmarshal([]byte(counts), &r.Counts), json.Unmarshal([]byte(requests), &r.Requests))
}

func (d *Directory) runs(ctx context.Context, where string, args ...any) ([]Run, error) {
	return db.Collect(ctx, d.db, scanRun, `SELECT `+runColumns+` FROM sync_runs `+where, args...)
}

func (s *syncing) accountRegion(ctx context.Context) (region string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT region FROM accounts WHERE id = $1`, s.run.Account).Scan(&region)
	return region, err
}

// cursor is empty when there is no link, or only one of another cloud, tenant,
// client, selection or scope.
func (s *syncing) cursor(ctx context.Context, round string) (at cursor, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT link, mark, whole, met FROM delta_links WHERE connection_id = $1 AND round = $2 AND hash = $3`,
		s.run.Connection, round, s.linksHash(round)).Scan(&at.link, &at.mark, &at.whole, &at.met)
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

// nothing is the step of a transaction that has nothing more to do.
func nothing(context.Context, *db.Tx) error { return nil }

// inRun runs do in a transaction, unless the run is no longer ours.
func (s *syncing) inRun(ctx context.Context, do step) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		var state string
		var incarnation int64
		err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT state, incarnation FROM sync_runs WHERE id = $1`), s.run.ID).Scan(&state, &incarnation)
		if err != nil {
			return err
		}
		if state != Running || incarnation != s.incarnation {
			return errTakenOver
		}
		return do(ctx, tx)
	})
}

// count says how many objects the round has met. The run's records never fall,
// not even when a round begins anew.
func (s *syncing) count(met int) step {
	return func(ctx context.Context, tx *db.Tx) error {
		s.tries = 0
		_, err := tx.ExecContext(ctx, `
			UPDATE sync_runs SET tries = 0, records = CASE WHEN records > $2 THEN records ELSE $2 END WHERE id = $1`, s.run.ID, s.before+met)
		return err
	}
}

func (s *syncing) began(at time.Time) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_runs SET as_of = $2 WHERE id = $1 AND as_of = 0`, s.run.ID, db.Millis(at))
		return err
	}
}

func (s *syncing) recordPhase(phase string) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_runs SET phase = $2 WHERE id = $1`, s.run.ID, phase)
		return err
	}
}

// recordLosses is what the brake let through.
func (s *syncing) recordLosses(n int) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_runs SET losses = CASE WHEN losses > $2 THEN losses ELSE $2 END WHERE id = $1`, s.run.ID, n)
		return err
	}
}

func (s *syncing) saveCursor(round string, at cursor) step {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO delta_links (connection_id, round, hash, link, mark, whole, met) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (connection_id, round) DO UPDATE SET hash = EXCLUDED.hash, link = EXCLUDED.link, mark = EXCLUDED.mark,
				whole = EXCLUDED.whole, met = EXCLUDED.met`,
			s.run.Connection, round, s.linksHash(round), at.link, at.mark, flag(at.whole), at.met)
		return err
	}
}

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
