package directory

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// wished are the resources that connections are to be notified of, those to look
// after, and those of directories that were disconnected. What another process
// has subscribed to is left alone by one that has no address for it.
const wished = `
	FROM connections c
	CROSS JOIN (SELECT 'users' AS resource UNION ALL SELECT 'groups') AS r
	LEFT JOIN directory_subscriptions s ON s.connection_id = c.id AND s.resource = r.resource
	WHERE c.kind = 'graph' AND CASE
		WHEN c.state = 'disconnected' THEN s.connection_id IS NOT NULL
		WHEN CAST($2 AS TEXT) = '' THEN FALSE
		WHEN s.base = $2 THEN s.due_at <= $1
		ELSE TRUE END`

func (d *Directory) connectionsToSubscribe(ctx context.Context, now time.Time) ([]int64, error) {
	return db.Column[int64](ctx, d.db, `SELECT DISTINCT c.id`+wished+` AND c.subscribing_until <= $1 ORDER BY c.id`, db.Millis(now), d.notify)
}

func (d *Directory) wishesDue(ctx context.Context, connection int64, now time.Time) ([]wish, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (w wish, err error) {
		var expires int64
		err = w.connection.scan(row, &w.sealed, &w.resource, &w.base, &w.remote, &expires)
		w.expires = db.Time(expires)
		return w, err
	}, `
		SELECT `+connectionColumns+`, c.secret_sealed, r.resource, COALESCE(s.base, ''), COALESCE(s.remote_id, ''), COALESCE(s.expires_at, 0)`+
		wished+` AND c.id = $3 ORDER BY r.resource DESC`, db.Millis(now), d.notify, connection)
}

// takeSubscribing answers whether the connection's subscriptions are ours to look
// after, until then.
func (d *Directory) takeSubscribing(ctx context.Context, connection int64, now, until time.Time) (taken bool, err error) {
	err = d.db.InTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE connections SET subscribing_until = $2 WHERE id = $1 AND subscribing_until <= $3`,
			connection, db.Millis(until), db.Millis(now))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		taken = n == 1
		return err
	})
	return taken, err
}

func (d *Directory) freeSubscribing(ctx context.Context, connection int64) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE connections SET subscribing_until = 0 WHERE id = $1`, connection)
		return err
	})
}

// openWish keeps a new address. It takes over from the one before it.
func (d *Directory) openWish(ctx context.Context, w wish, base, addressHash, stateHash string) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO directory_subscriptions (connection_id, resource, base, address_hash, state_hash) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (connection_id, resource) DO UPDATE SET base = EXCLUDED.base, address_hash = EXCLUDED.address_hash,
				state_hash = EXCLUDED.state_hash, remote_id = '', expires_at = 0`, w.connection.ID, w.resource, base, addressHash, stateHash)
		return err
	})
}

func (d *Directory) recordWish(ctx context.Context, w wish, remote string, until, now time.Time) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE directory_subscriptions SET remote_id = $3, expires_at = $4, due_at = $5, code = '', reason = ''
			WHERE connection_id = $1 AND resource = $2`,
			w.connection.ID, w.resource, remote, db.Millis(until), db.Millis(renewal(now, until)))
		return err
	})
}

func (d *Directory) recordRefusal(ctx context.Context, w wish, p *problem.Problem, again time.Time) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE directory_subscriptions SET code = $3, reason = $4, due_at = $5 WHERE connection_id = $1 AND resource = $2`,
			w.connection.ID, w.resource, p.Code, p.Text, db.Millis(again))
		return err
	})
}

func (d *Directory) forgetWish(ctx context.Context, w wish) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM directory_subscriptions WHERE connection_id = $1 AND resource = $2`, w.connection.ID, w.resource)
		return err
	})
}

// listener is a subscription as a notification finds it.
type listener struct {
	connection          int64
	resource, stateHash string
	hinted              bool
}

// listenerAt goes by the address alone: who notifies us has no account.
func (d *Directory) listenerAt(ctx context.Context, address string) (l listener, found bool, err error) {
	err = d.db.QueryRowContext(ctx, `
		SELECT s.connection_id, s.resource, s.state_hash, CASE WHEN c.hinted_at = 0 THEN 0 ELSE 1 END
		FROM directory_subscriptions s JOIN connections c ON c.id = s.connection_id WHERE s.address_hash = $1`, hashed(address)).
		Scan(&l.connection, &l.resource, &l.stateHash, &l.hinted)
	if db.IsNone(err) {
		return l, false, nil
	}
	return l, err == nil, err
}

func (d *Directory) recordHearing(ctx context.Context, l listener, h hearing, now time.Time) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE directory_subscriptions SET refused = refused + $3,
				notified_at = CASE WHEN CAST($4 AS BIGINT) = 1 THEN $6 ELSE notified_at END,
				due_at = CASE WHEN CAST($5 AS BIGINT) = 1 THEN $6 ELSE due_at END
			WHERE connection_id = $1 AND resource = $2`, l.connection, l.resource, h.refused, flag(h.changed), flag(h.look), db.Millis(now))
		if err != nil || !h.changed {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE connections SET hinted_at = $2 WHERE id = $1 AND hinted_at = 0 AND state <> 'disconnected'`, l.connection, db.Millis(now))
		return err
	})
}

func (d *Directory) notifications(ctx context.Context, account, connection int64, now time.Time) (n Notifications, err error) {
	var active, until, last int64
	err = d.db.QueryRowContext(ctx, `
		SELECT COALESCE(SUM(CASE WHEN s.remote_id <> '' AND s.expires_at > $3 THEN 1 ELSE 0 END), 0), COALESCE(MIN(s.expires_at), 0),
			COALESCE(MAX(s.code), ''), COALESCE(MAX(s.reason), ''), COALESCE(MAX(s.notified_at), 0), COALESCE(SUM(s.refused), 0)
		FROM directory_subscriptions s JOIN connections c ON c.id = s.connection_id
		WHERE c.account_id = $1 AND c.id = $2 AND c.state <> 'disconnected'`, account, connection, db.Millis(now)).
		Scan(&active, &until, &n.Code, &n.Reason, &last, &n.Refused)
	n.Active, n.Last = active == 2, db.Time(last)
	if n.Active {
		n.Until = db.Time(until)
	}
	return n, err
}
