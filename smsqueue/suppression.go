package smsqueue

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Suppression is a number that an account sends nothing to. It stands, whatever
// becomes of the contacts with that number, until it is lifted.
type Suppression struct {
	ID       int64
	Account  int64
	Phone    string // E.164
	Reason   SuppressedBy
	Inbound  int64 // the message that asked for it, 0 for none
	User     int64 // who wrote it down, 0 when nobody did
	Note     string
	Created  time.Time
	Lifted   time.Time // zero while it stands
	LiftedBy SuppressedBy
}

// Stands says that nothing is sent to the number.
func (s Suppression) Stands() bool { return s.Lifted.IsZero() }

// SuppressedBy is what a number was suppressed by, or what lifted that.
type SuppressedBy string

const (
	ByStop   SuppressedBy = "stop"   // texted by the person
	ByStart  SuppressedBy = "start"  // texted by the person; only lifts
	ByLink   SuppressedBy = "link"   // on the person's own page
	ByHand   SuppressedBy = "manual" // by somebody of the account
	ByImport SuppressedBy = "import" // in a list; never lifts
)

// NewSuppression is a number that somebody of the account writes down.
type NewSuppression struct {
	Phone string // as people type it; without a country code it is read in the account's region
	Note  string // why, in their words
	User  int64
}

// maxNote bounds a note, in bytes.
const maxNote = 500

// errOptedOut refuses a message to a number that is suppressed.
func errOptedOut(phone string) error {
	p := problem.As(problem.Conflict("opted_out", "%s wants no messages from this account: the number is suppressed until it is lifted (STOP, a link or by hand)", phone))
	p.Field = "to"
	return p
}

// Suppress keeps the account from sending to a number, at once. It says whether
// it was free to be sent to before; else it answers what stands.
func (q *Queue) Suppress(ctx context.Context, account int64, n NewSuppression) (s Suppression, added bool, err error) {
	phone, err := q.phoneOf(ctx, account, n.Phone)
	if err != nil {
		return s, false, err
	}
	if len(n.Note) > maxNote || strings.ContainsRune(n.Note, 0) || !utf8.ValidString(n.Note) {
		return s, false, problem.Invalid("note", "a note has at most %d characters and no control characters", maxNote)
	}
	s = Suppression{Account: account, Phone: phone, Reason: ByHand, User: n.User, Note: strings.TrimSpace(n.Note), Created: time.Now()}
	if added, err = q.suppressNow(ctx, &s); err != nil || added {
		return s, added, err
	}
	s, _, err = q.SuppressionOf(ctx, account, phone)
	return s, false, err
}

// Unsuppress lets the account send to a number again. A suppression that was
// lifted stays in the list.
func (q *Queue) Unsuppress(ctx context.Context, account int64, raw string) error {
	phone, err := q.phoneOf(ctx, account, raw)
	if err != nil {
		return err
	}
	lifted, err := q.liftNow(ctx, account, phone, ByHand)
	if err == nil && !lifted {
		err = problem.New(problem.KindNotFound, "not_suppressed", "%s is not suppressed", phone)
	}
	return err
}

// phoneOf is a number that people typed, in the form that messages have.
func (q *Queue) phoneOf(ctx context.Context, account int64, raw string) (string, error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return "", err
	}
	phone, _, reason := contacts.Normalise(raw, acc.Region)
	if reason != "" {
		return "", problem.Invalid("phone", "not a number that can be texted: %q (%s)", raw, reason)
	}
	return phone, nil
}

// SuppressionFilter chooses suppressions. Zero values choose all that stand.
type SuppressionFilter struct {
	Phone  string // as people type it
	Lifted bool   // those that were lifted too
	Before int64  // only ids below it
	Limit  int
}

// Suppressions lists the account's suppressed numbers, the newest first.
func (q *Queue) Suppressions(ctx context.Context, account int64, f SuppressionFilter) ([]Suppression, error) {
	phone := ""
	if f.Phone != "" {
		var err error
		if phone, err = q.phoneOf(ctx, account, f.Phone); err != nil {
			return nil, err
		}
	}
	return selectSuppressions(ctx, q.db, `
		WHERE account_id = $1 AND id < $2 AND ($3 = '' OR phone = $3) AND (lifted_at = 0 OR CAST($4 AS BIGINT) = 1)
		ORDER BY id DESC LIMIT $5`, account, older(f.Before), phone, bit(f.Lifted), f.Limit)
}

// Suppression finds one of the account's, standing or lifted.
func (q *Queue) Suppression(ctx context.Context, account, id int64) (Suppression, error) {
	all, err := selectSuppressions(ctx, q.db, `WHERE account_id = $1 AND id = $2`, account, id)
	if err != nil {
		return Suppression{}, err
	}
	if len(all) == 0 {
		return Suppression{}, problem.New(problem.KindNotFound, "suppression_not_found", "there is no such suppressed number")
	}
	return all[0], nil
}

// SuppressionOf finds what keeps the account from sending to a number in E.164.
func (q *Queue) SuppressionOf(ctx context.Context, account int64, phone string) (s Suppression, stands bool, err error) {
	return standingSuppression(ctx, q.db, account, phone)
}

func standingSuppression(ctx context.Context, q db.Querier, account int64, phone string) (s Suppression, stands bool, err error) {
	all, err := selectSuppressions(ctx, q, `WHERE account_id = $1 AND phone = $2 AND lifted_at = 0`, account, phone)
	if err != nil || len(all) == 0 {
		return s, false, err
	}
	return all[0], true, nil
}

// OptOutSettings are what an account has decided about those who want no messages.
type OptOutSettings struct {
	Replies bool   // stop, start and help are answered
	Urgent  bool   // urgent messages go to suppressed numbers too
	Number  string // of the account: where those text who cannot answer the sender; empty for none
}

// OptOutSettings tells what the account has decided.
func (q *Queue) OptOutSettings(ctx context.Context, account int64) (OptOutSettings, error) {
	return selectOptOutSettings(ctx, q.db, account)
}

// SetOptOutSettings decides it.
func (q *Queue) SetOptOutSettings(ctx context.Context, account int64, o OptOutSettings) (err error) {
	if o.Number, err = q.stopNumber(ctx, account, o.Number); err != nil {
		return err
	}
	_, err = q.db.ExecContext(ctx, `
		INSERT INTO opt_out_settings (account_id, replies, urgent, number) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account_id) DO UPDATE SET replies = excluded.replies, urgent = excluded.urgent, number = excluded.number`, account, o.Replies, o.Urgent, o.Number)
	return err
}

// stopNumber is one of the account's numbers, as it is kept, or none.
func (q *Queue) stopNumber(ctx context.Context, account int64, raw string) (string, error) {
	wanted := plainNumber(raw)
	if wanted == "" {
		return "", nil
	}
	all, err := q.NumbersOf(ctx, account)
	if err != nil {
		return "", err
	}
	for _, n := range all {
		if isOneOf([]string{n.Number}, wanted) {
			return n.Number, nil
		}
	}
	return "", problem.Invalid("opt_out_number", "the account has no number %q that people can text (varsel number add)", raw)
}
