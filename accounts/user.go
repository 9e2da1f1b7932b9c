package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// sessionLife is how long a sign-in lasts.
const sessionLife = 12 * time.Hour

// passwordMin is the fewest characters of a password (NIST SP 800-63B 5.1.1.1
// asks for eight at least).
const passwordMin = 10

// Session is a signed-in user in one of their accounts. An operator may be in
// none: the account's ID is 0 then.
type Session struct {
	User     int64
	Email    string
	Account  Account
	Role     string // in the account
	Operator bool   // of the installation
}

// CreateUser makes a user and their membership. A user is global: one who is
// there already gets the membership and keeps the password.
func (a *Accounts) CreateUser(ctx context.Context, account int64, email, role, password string) (int64, error) {
	email = plainEmail(email)
	if err := checkEmail(email); err != nil {
		return 0, err
	}
	if role != "owner" && role != "admin" && role != "sender" && role != "viewer" {
		return 0, problem.Invalid("role", "a role is owner, admin, sender or viewer, not %q", role)
	}
	if err := checkPassword(password); err != nil {
		return 0, err
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return 0, err
	}
	err = a.db.InTx(ctx, func(tx *db.Tx) error { return a.join(ctx, tx, id, account, email, role, hashPassword(password)) })
	if err != nil {
		return 0, err
	}
	return a.userID(ctx, email)
}

func plainEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func checkEmail(email string) error {
	if _, err := mail.ParseAddress(email); err != nil {
		return problem.Invalid("email", "%q is no e-mail address", email)
	}
	return nil
}

func checkPassword(password string) error {
	if len([]rune(password)) < passwordMin {
		return problem.Invalid("password", "a password has %d characters or more", passwordMin)
	}
	return nil
}

// SignIn checks a password and opens a session in the user's first account, or in
// none for an operator who has no account. It returns the session's token, which is kept only as its hash.
func (a *Accounts) SignIn(ctx context.Context, email, password string) (token string, err error) {
	user, hash, account, err := a.credentials(ctx, plainEmail(email))
	if err != nil && !db.IsNone(err) {
		return "", err
	}
	// An unknown address costs as much time as a wrong password.
	if !samePassword(hash, password) {
		return "", problem.New(problem.KindUnknown, "sign_in_refused", "the e-mail address or the password is wrong")
	}
	token = newToken("")
	now := time.Now()
	_, err = a.db.ExecContext(ctx, insertSession, hashToken(token), user, account, db.Millis(now), db.Millis(now.Add(sessionLife)))
	return token, err
}

// SignOut ends a session.
func (a *Accounts) SignOut(ctx context.Context, token string) error {
	_, err := a.db.ExecContext(ctx, `DELETE FROM sessions WHERE token_hash = $1`, hashToken(token))
	return err
}

// Parameters of argon2id (RFC 9106 section 4, second recommended option with
// less memory for a small machine).
const (
	argonTime   = 3
	argonMemory = 32 * 1024 // KiB
	argonLanes  = 2
)

func hashPassword(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, 32)
	return fmt.Sprintf("argon2id$%d$%d$%d$%s$%s", argonTime, argonMemory, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

func samePassword(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		hashPassword(password)
		return false
	}
	var t, m uint32
	var lanes uint8
	if _, err := fmt.Sscanf(strings.Join(parts[1:4], " "), "%d %d %d", &t, &m, &lanes); err != nil {
		return false
	}
	salt, _ := base64.RawStdEncoding.DecodeString(parts[4])
	want, _ := base64.RawStdEncoding.DecodeString(parts[5])
	got := argon2.IDKey([]byte(password), salt, t, m, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}
