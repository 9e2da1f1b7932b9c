package accounts

import (
	"context"
	"database/sql"
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
