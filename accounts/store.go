package accounts

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// This package writes accounts, users, memberships, sessions, api_keys, operator_keys,
// processor, parties, agreements with their versions, texts, views and files, and
// idempotency_keys, and reads no others.

const (
	insertAccount = `
		INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	insertSession = `
		INSERT INTO sessions (token_hash, user_id, account_id, created_at, expires_at)
		VALUES ($1, $2, NULLIF(CAST($3 AS BIGINT), 0), $4, $5)`
	insertKey = `
		INSERT INTO api_keys (id, account_id, key_hash, scopes, owner_email, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	accountColumns = `id, handle, name, region, sender, currency, state, created_at`
)

func (a *Accounts) find(ctx context.Context, where string, arg any) (acc Account, err error) {
	var created int64
	err = a.db.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts `+where, arg).
		Scan(&acc.ID, &acc.Handle, &acc.Name, &acc.Region, &acc.Sender, &acc.Currency, &acc.State, &created)
	acc.Created = db.Time(created)
	return acc, err
}

func (a *Accounts) join(ctx context.Context, tx *db.Tx, id, account int64, email, role, hash string) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (email) DO NOTHING`, id, email, hash, db.Millis(time.Now())); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO memberships (account_id, user_id, role)
		SELECT $1, id, $2 FROM users WHERE email = $3
		ON CONFLICT (account_id, user_id) DO UPDATE SET role = EXCLUDED.role, left_at = 0`, account, role, email)
	return err
}

func (a *Accounts) userID(ctx context.Context, email string) (id int64, err error) {
	err = a.db.QueryRowContext(ctx, `SELECT id FROM users WHERE email = $1`, email).Scan(&id)
	return id, err
}

// credentials finds a user who may sign in, and their first account: 0 for an
// operator who has none.
func (a *Accounts) credentials(ctx context.Context, email string) (user int64, hash string, account int64, err error) {
	err = a.db.QueryRowContext(ctx, `
		SELECT u.id, u.password_hash, COALESCE(m.account_id, 0)
		FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND m.left_at = 0
		WHERE u.email = $1 AND (u.operator = TRUE OR m.account_id IS NOT NULL) ORDER BY m.account_id LIMIT 1`, email).Scan(&user, &hash, &account)
	return user, hash, account, err
}

// Session finds the session that a token opens; an ended one is unknown.
func (a *Accounts) Session(ctx context.Context, token string) (Session, error) {
	var s Session
	acc := &s.Account
	err := a.db.QueryRowContext(ctx, `
		SELECT u.id, u.email, u.operator, COALESCE(m.role, ''), COALESCE(a.id, 0), COALESCE(a.handle, ''), COALESCE(a.name, ''),
			COALESCE(a.region, ''), COALESCE(a.sender, ''), COALESCE(a.currency, ''), COALESCE(a.state, '')
		FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN accounts a ON a.id = s.account_id
		LEFT JOIN memberships m ON m.user_id = s.user_id AND m.account_id = s.account_id AND m.left_at = 0
		WHERE s.token_hash = $1 AND s.expires_at > $2
			AND (m.user_id IS NOT NULL OR s.account_id IS NULL AND u.operator = TRUE)`, hashToken(token), db.Millis(time.Now())).
		Scan(&s.User, &s.Email, &s.Operator, &s.Role, &acc.ID, &acc.Handle, &acc.Name, &acc.Region, &acc.Sender, &acc.Currency, &acc.State)
	if db.IsNone(err) {
		return Session{}, problem.New(problem.KindUnknown, "signed_out", "sign in first")
	}
	return s, err
}

// EndAccess ends the sign-in and the sessions in this account of the users with
// these e-mail addresses, in lower case or not, and flags the API keys that they
// answer for. Granting a role again gives the sign-in back.
func (a *Accounts) EndAccess(ctx context.Context, account int64, emails []string) error {
	now := db.Millis(time.Now())
	list := map[string]int{}
	for _, e := range emails {
		list[strings.ToLower(strings.TrimSpace(e))] = 0
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	const them = `(SELECT u.id FROM json_each($2) AS r JOIN users u ON u.email = r.key)`
	return a.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE account_id = $1 AND user_id IN `+them, account, string(text)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE memberships SET left_at = $3 WHERE account_id = $1 AND left_at = 0 AND user_id IN `+them, account, string(text), now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE api_keys SET flagged_at = $3 WHERE account_id = $1 AND flagged_at = 0 AND owner_email <> ''
				AND owner_email IN (SELECT r.key FROM json_each($2) AS r)`, account, string(text), now)
		return err
	})
}

// Keys lists the account's API keys that are not revoked, the oldest first.
func (a *Accounts) Keys(ctx context.Context, account int64) ([]Key, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (k Key, err error) {
		var words string
		var flagged, created int64
		err = row.Scan(&k.ID, &k.Account, &words, &k.Owner, &flagged, &created)
		k.Scopes, k.Flagged, k.Created = strings.Fields(words), db.Time(flagged), db.Time(created)
		return k, err
	}, `
		SELECT id, account_id, scopes, owner_email, flagged_at, created_at FROM api_keys
		WHERE account_id = $1 AND revoked_at = 0 ORDER BY id`, account)
}

func (a *Accounts) findKey(ctx context.Context, hash string) (k Key, err error) {
	var words string
	err = a.db.QueryRowContext(ctx, `
		SELECT id, account_id, scopes FROM api_keys WHERE key_hash = $1 AND revoked_at = 0`, hash).
		Scan(&k.ID, &k.Account, &words)
	k.Scopes = strings.Fields(words)
	return k, err
}

// Once is a request that must take effect once: its key, a hash of what it
// asked, and the id of what it makes.
type Once struct {
	Account  int64
	Key      string
	Hash     string
	Resource int64
}

// TakeKey keeps the key and says whether it was free. It never raises on a
// taken one, so it may stand in a transaction shared by many requests.
func TakeKey(ctx context.Context, tx *db.Tx, o Once, now time.Time) (bool, error) {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO idempotency_keys (account_id, key, request_hash, resource, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, o.Account, o.Key, o.Hash, o.Resource, db.Millis(now))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// FreeKey gives back a key that this transaction took for what it does not make.
func FreeKey(ctx context.Context, tx *db.Tx, o Once) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE account_id = $1 AND key = $2`, o.Account, o.Key)
	return err
}

// Replay finds what a key made: the resource when the request is the same, a
// conflict when it is another. None says that the key is free.
func (a *Accounts) Replay(ctx context.Context, account int64, key, hash string) (resource int64, found bool, err error) {
	var was string
	err = a.db.QueryRowContext(ctx, `
		SELECT request_hash, resource FROM idempotency_keys WHERE account_id = $1 AND key = $2`, account, key).Scan(&was, &resource)
	switch {
	case db.IsNone(err):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case was != hash:
		return 0, false, problem.Conflict("idempotency_key_reused", "this Idempotency-Key was used for another request")
	}
	return resource, true, nil
}

// keyLife is how long an idempotency key answers again.
const keyLife = 24 * time.Hour

// ForgetKeys removes idempotency keys that have served their time, and ended sessions.
func (a *Accounts) ForgetKeys(ctx context.Context) error {
	now := time.Now()
	if _, err := a.db.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE created_at < $1`, db.Millis(now.Add(-keyLife))); err != nil {
		return err
	}
	_, err := a.db.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at < $1`, db.Millis(now))
	return err
}
