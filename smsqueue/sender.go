package smsqueue

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/senders"
)

// AllowedSender is a sender that an account may use. An account with any may use no
// other; in a country where names are registered, these are.
type AllowedSender struct {
	Sender  string
	Created time.Time
}

// AllowSender lets an account use a sender.
func (q *Queue) AllowSender(ctx context.Context, account int64, sender string) (AllowedSender, error) {
	s := AllowedSender{Sender: strings.TrimSpace(sender), Created: time.Now()}
	if s.Sender == "" {
		return s, problem.Invalid("sender", "name the sender")
	}
	if err := accounts.ValidSender(s.Sender); err != nil {
		return s, err
	}
	_, err := q.db.ExecContext(ctx, `
		INSERT INTO account_senders (account_id, sender, created_at) VALUES ($1, $2, $3) ON CONFLICT (account_id, sender) DO NOTHING`,
		account, s.Sender, db.Millis(s.Created))
	return s, err
}

// AllowedSenders lists what an account may use; none is any valid sender.
func (q *Queue) AllowedSenders(ctx context.Context, account int64) ([]AllowedSender, error) {
	return db.Collect(ctx, q.db, func(row *sql.Rows) (s AllowedSender, err error) {
		var created int64
		err = row.Scan(&s.Sender, &created)
		s.Created = db.Time(created)
		return s, err
	}, `SELECT sender, created_at FROM account_senders WHERE account_id = $1 ORDER BY sender`, account)
}

// DisallowSender takes a sender away from an account. With the last one the account
// may use any valid sender again.
func (q *Queue) DisallowSender(ctx context.Context, account int64, sender string) error {
	done, err := q.db.ExecContext(ctx, `DELETE FROM account_senders WHERE account_id = $1 AND sender = $2`, account, strings.TrimSpace(sender))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return problem.NotFound("sender", sender)
}

// checkSender refuses a sender that the account may not use. It says whether the
// account's list has it.
func (q *Queue) checkSender(ctx context.Context, account int64, sender string) (listed bool, err error) {
	all, err := db.Column[string](ctx, q.db, `SELECT sender FROM account_senders WHERE account_id = $1 ORDER BY sender`, account)
	if err != nil || len(all) == 0 {
		return false, err
	}
	if listed = slices.Contains(all, sender); !listed {
		return false, problem.Invalid("sender", "the account may not send as %q, but as %s", sender, strings.Join(all, ", "))
	}
	return true, nil
}

// taken says whether a country takes the sender; listed, whether the account's list
// has it.
func taken(country, sender string, listed bool, now time.Time) bool {
	demand := senders.Of(country, sender, now)
	return demand == senders.None || demand == senders.Registered && listed
}

// refuseSender says why a country does not take the sender.
func refuseSender(country, sender string, now time.Time) error {
	if senders.Of(country, sender, now) == senders.Number {
		return problem.Invalid("sender", "in %s only a number or a short code can be the sender, not %q", country, sender)
	}
	return problem.Invalid("sender", "in %s a sender that is a name has to be registered, and then be on the account's list (varsel sender allow): %q is not", country, sender)
}
