package accounts

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Operator is a user who runs the installation: carriers, and what all accounts
// share. It gives no role in any account.
type Operator struct {
	ID    int64
	Email string
}

// AddOperator makes a user an operator. One who is there already keeps the
// password, and password may be empty.
func (a *Accounts) AddOperator(ctx context.Context, email, password string) (Operator, error) {
	email = plainEmail(email)
	if err := checkEmail(email); err != nil {
		return Operator{}, err
	}
	id, err := a.userID(ctx, email)
	if db.IsNone(err) {
		id, err = a.newUser(ctx, email, password)
	}
	if err != nil {
		return Operator{}, err
	}
	_, err = a.db.ExecContext(ctx, `UPDATE users SET operator = TRUE WHERE id = $1`, id)
	return Operator{ID: id, Email: email}, err
}

func (a *Accounts) newUser(ctx context.Context, email, password string) (int64, error) {
	if password == "" {
		return 0, problem.Invalid("password", "there is no user %s yet: a new one needs a password", email)
	}
	if err := checkPassword(password); err != nil {
		return 0, err
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return 0, err
	}
	_, err = a.db.ExecContext(ctx, `INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)`,
		id, email, hashPassword(password), db.Millis(time.Now()))
	return id, err
}

// Operators lists who runs the installation.
func (a *Accounts) Operators(ctx context.Context) ([]Operator, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (o Operator, err error) {
		return o, row.Scan(&o.ID, &o.Email)
	}, `SELECT id, email FROM users WHERE operator = TRUE ORDER BY email`)
}

// RemoveOperator takes effect at once, also for who is signed in. Roles in
// accounts stay.
func (a *Accounts) RemoveOperator(ctx context.Context, email string) error {
	done, err := a.db.ExecContext(ctx, `UPDATE users SET operator = FALSE WHERE email = $1 AND operator = TRUE`, plainEmail(email))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return problem.NotFound("operator", email)
}

// operatorPrefix is how the secret of an operator's key begins.
const operatorPrefix = "vo_"

// OperatorKey is an API key of those who run the installation, without its secret.
type OperatorKey struct {
	ID      int64
	Name    string // what it is for: "billing system"
	Created time.Time
}

// CreateOperatorKey makes a key with the scope ScopeInstallation and returns it this
// once.
func (a *Accounts) CreateOperatorKey(ctx context.Context, name string) (OperatorKey, string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return OperatorKey{}, "", problem.Invalid("name", "say what the key is for")
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return OperatorKey{}, "", err
	}
	secret := newToken(operatorPrefix)
	k := OperatorKey{ID: id, Name: name, Created: time.Now()}
	_, err = a.db.ExecContext(ctx, `INSERT INTO operator_keys (id, name, key_hash, created_at) VALUES ($1, $2, $3, $4)`,
		id, name, hashToken(secret), db.Millis(k.Created))
	return k, secret, err
}

// OperatorKeys lists the keys that are not revoked, the oldest first.
func (a *Accounts) OperatorKeys(ctx context.Context) ([]OperatorKey, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (k OperatorKey, err error) {
		var created int64
		err = row.Scan(&k.ID, &k.Name, &created)
		k.Created = db.Time(created)
		return k, err
	}, `SELECT id, name, created_at FROM operator_keys WHERE revoked_at = 0 ORDER BY id`)
}

// RevokeOperatorKey ends a key at once.
func (a *Accounts) RevokeOperatorKey(ctx context.Context, id int64) error {
	done, err := a.db.ExecContext(ctx, `UPDATE operator_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, db.Millis(time.Now()), id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return problem.NotFound("key", "")
}

func (a *Accounts) findOperatorKey(ctx context.Context, hash string) (Key, error) {
	k := Key{Scopes: []string{ScopeInstallation}}
	err := a.db.QueryRowContext(ctx, `SELECT id FROM operator_keys WHERE key_hash = $1 AND revoked_at = 0`, hash).Scan(&k.ID)
	return k, err
}
