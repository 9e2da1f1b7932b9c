package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// setHealth keeps a carrier's health, unless another worker has changed it since it
// was read.
func setHealth(ctx context.Context, d *db.DB, route int64, h Health, before time.Time) error {
	_, err := d.ExecContext(ctx, `
		INSERT INTO route_health (carrier_id, state, reason, since, probe_at, failures) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (carrier_id) DO UPDATE SET state = EXCLUDED.state, reason = EXCLUDED.reason, since = EXCLUDED.since,
			probe_at = EXCLUDED.probe_at, failures = EXCLUDED.failures WHERE route_health.since = $7`,
		route, string(h.State), h.Reason, db.Millis(h.Since), db.Millis(h.probeAt), h.failures, db.Millis(before))
	return err
}

// mayMove is a condition on ranges that wait for the carrier $1 and of which nothing
// was ever claimed.
const mayMove = `carrier_id = $1 AND state <> 'done' AND state = 'waiting' AND closed = FALSE AND generation = 0 AND claimed_id = 0`

// placedRange is a range that could go another way.
type placedRange struct{ id, rule int64 }

func scanPlaced(row *sql.Rows) (r placedRange, err error) { return r, row.Scan(&r.id, &r.rule) }

// selectFresh are ranges of which nothing was ever claimed, from an id on.
func selectFresh(ctx context.Context, q db.Querier, route, after int64, limit int) ([]placedRange, error) {
	return db.Collect(ctx, q, scanPlaced, `
		SELECT id, rule_id FROM ranges WHERE `+mayMove+` AND id > $2 ORDER BY id LIMIT $3`, route, after, int64(limit))
}

// selectBegun are ranges that were given to a worker before, and may have messages
// that go another way.
func selectBegun(ctx context.Context, q db.Querier, route, after int64, limit int) ([]placedRange, error) {
	return db.Collect(ctx, q, scanPlaced, `
		SELECT id, rule_id FROM ranges
		WHERE carrier_id = $1 AND state <> 'done' AND closed = FALSE AND (generation > 0 OR claimed_id > 0) AND id > $2 ORDER BY id LIMIT $3`,
		route, after, int64(limit))
}

// moveFresh gives ranges of which nothing was ever claimed to other carriers. No
// task names them, so that their generation stays.
func moveFresh(ctx context.Context, d *db.DB, from int64, to map[int64]int64) error {
	list, err := destinations(to)
	if err != nil {
		return err
	}
	_, err = d.ExecContext(ctx, `
		UPDATE ranges SET carrier_id = r.carrier, reason = '', moved_from = `+origin("r.carrier")+`
		FROM (SELECT CAST(key AS BIGINT) AS id, CAST(CAST(value AS TEXT) AS BIGINT) AS carrier FROM json_each($2)) AS r
		WHERE ranges.id = r.id AND `+mayMove, from, list)
	return err
}

// origin is the carrier that a range goes back to when it is moved to another: the
// one it was moved away from first, and none when it is there again.
func origin(to string) string {
	return `CASE WHEN moved_from = ` + to + ` THEN 0 WHEN moved_from = 0 THEN carrier_id ELSE moved_from END`
}

// sayDown tells of the ranges that wait for a carrier why they do.
func sayDown(ctx context.Context, d *db.DB, route int64) error {
	_, err := d.ExecContext(ctx, `
		UPDATE ranges SET reason = $2 WHERE carrier_id = $1 AND state <> 'done' AND state = 'waiting' AND reason = ''`, route, routeDown)
	return err
}

// sayUp takes that back.
func sayUp(ctx context.Context, d *db.DB, route int64) error {
	_, err := d.ExecContext(ctx, `UPDATE ranges SET reason = '' WHERE carrier_id = $1 AND state <> 'done' AND reason = $2`, route, routeDown)
	return err
}

// moveHome gives a carrier back what was moved away from it and is not begun.
func moveHome(ctx context.Context, d *db.DB, route int64) error {
	_, err := d.ExecContext(ctx, `
		UPDATE ranges SET carrier_id = $1, moved_from = 0
		WHERE moved_from <> 0 AND moved_from = $1 AND state <> 'done' AND state = 'waiting' AND closed = FALSE AND generation = 0 AND claimed_id = 0`, route)
	return err
}

func forgetFailures(ctx context.Context, d *db.DB, route int64) error {
	_, err := d.ExecContext(ctx, `UPDATE route_health SET failures = 0 WHERE carrier_id = $1 AND state = 'healthy'`, route)
	return err
}

// probeable finds a range elsewhere of which the carrier could send some messages:
// one that was moved away from it, or else of one of its rules, and the last of
// those. What is urgent is left alone.
func probeable(ctx context.Context, q db.Querier, route int64, rules string, now time.Time) (id int64, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT r.id FROM ranges r LEFT JOIN campaigns c ON c.id = r.campaign_id
		WHERE r.state <> 'done' AND r.closed = FALSE AND r.claimed_id < r.last_id AND r.lane <> 'urgent'
			AND r.carrier_id <> $1 AND r.due_at <= $2 AND (r.campaign_id = 0 OR c.state IN ('running', 'sent'))
			AND (r.moved_from = $1 OR r.rule_id IN (SELECT CAST(key AS BIGINT) FROM json_each($3)))
		ORDER BY CASE r.moved_from WHEN $1 THEN 0 ELSE 1 END, r.id DESC LIMIT 1`, route, db.Millis(now), rules).Scan(&id)
	if db.IsNone(err) {
		return 0, nil
	}
	return id, err
}

// keepProbe says when the carrier is tried once more, unless its health is another.
func keepProbe(ctx context.Context, d *db.DB, route int64, h Health, again time.Time) (mine bool, err error) {
	done, err := d.ExecContext(ctx, `
		UPDATE route_health SET probe_at = $1 WHERE carrier_id = $2 AND state = 'probing' AND probe_at = $3`,
		db.Millis(again), route, db.Millis(h.probeAt))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// lockMoving keeps a range of the carrier's that is about to be cut, nil when it is
// not there any more.
func lockMoving(ctx context.Context, tx *db.Tx, id, route int64) (*moving, error) {
	return lockRangeWhere(ctx, tx, `id = $1 AND carrier_id = $2 AND state <> 'done' AND closed = FALSE`, id, route)
}

// lockElsewhere keeps a range of another carrier, nil when it is not there any more.
func lockElsewhere(ctx context.Context, tx *db.Tx, id, route int64) (*moving, error) {
	return lockRangeWhere(ctx, tx, `id = $1 AND carrier_id <> $2 AND state <> 'done' AND closed = FALSE`, id, route)
}

func lockRangeWhere(ctx context.Context, tx *db.Tx, where string, args ...any) (*moving, error) {
	m := &moving{}
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`
		SELECT id, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, claimed_id, deadline, rule_id, moved_from, state, reservation_id
		FROM ranges WHERE `+where), args...).
		Scan(&m.id, &m.account, &m.campaign, &m.route, &m.lane, &m.first, &m.last, &m.maxParts, &m.claimed, &m.until, &m.rule, &m.from, &m.state, &m.reservation)
	if db.IsNone(err) {
		return nil, nil
	}
	return m, err
}

// loose says of each message of a range, in their order, whether it may go another
// way: it is queued, and no part of it was accepted.
func (m *moving) loose(ctx context.Context, tx *db.Tx) ([]looseness, error) {
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	return db.Collect(ctx, tx, func(row *sql.Rows) (l looseness, err error) {
		var status Status
		var due int64
		var begun bool
		err = row.Scan(&l.id, &status, &due, &begun)
		l.queued = status == Queued && !flying(status, due, l.id, m.claimed)
		l.loose = l.queued && !begun
		return l, err
	}, `
		SELECT m.id, m.status, m.due_at, EXISTS (SELECT 1 FROM message_parts p WHERE p.message_id = m.id AND p.part >= 0)
		FROM messages m WHERE m.id BETWEEN $1 AND $2 ORDER BY m.id`, m.first, m.last)
}

// insertPiece makes a range of its own of some messages of another.
func insertPiece(ctx context.Context, tx *db.Tx, m *moving, p piece, id int64) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO ranges (id, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, state, due_at, deadline, rule_id, moved_from, claimed_id, reservation_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13, $14)`,
		id, m.account, m.campaign, p.route, string(m.lane), p.first, p.last, m.maxParts, p.state, m.until, m.rule, p.from, p.claimed, m.reservation); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE messages SET range_id = $1 WHERE id BETWEEN $2 AND $3`, id, p.first, p.last)
	return err
}

// updatePiece leaves the range one piece of what it had. A handler that works on it
// goes on with that, unless the generation is raised.
func updatePiece(ctx context.Context, tx *db.Tx, m *moving, p piece, raise bool) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE ranges SET carrier_id = $1, first_id = $2, last_id = $3, moved_from = $4, claimed_id = $5, reason = '',
			state = CASE WHEN CAST($6 AS BIGINT) = 1 THEN $7 ELSE state END, generation = generation + $6,
			incarnation = CASE WHEN CAST($6 AS BIGINT) = 1 THEN 0 ELSE incarnation END
		WHERE id = $8`, p.route, p.first, p.last, p.from, p.claimed, bit(raise), p.state, m.id)
	return err
}

// hurryPiece lets messages that came back go at once: another carrier has them now.
func hurryPiece(ctx context.Context, tx *db.Tx, p piece) error {
	_, err := tx.ExecContext(ctx, `UPDATE messages SET due_at = 1 WHERE id BETWEEN $1 AND $2 AND status = 'queued' AND due_at > 1`, p.first, p.last)
	return err
}
