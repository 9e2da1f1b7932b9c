package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
)

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
