package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
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
			UPDATE connections SET reason = '', stalled_at = 0, hinted_at = 0, state = 'disconnected',
				disconnected_at = CASE WHEN state = 'disconnected' THEN disconnected_at ELSE $3 END
			WHERE account_id = $1 AND id = $2`, account, connection, db.Millis(now))
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
