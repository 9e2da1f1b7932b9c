package cards

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Invite is a short link to a page elsewhere, of an event or a sign-up. It leads to the
// same page until it is over.
type Invite struct {
	ID, Account int64
	Name        string
	Slug        string
	Target      string // https
	// Template and Version are whose style its code has; 0 for a plain one.
	Template, Version int64
	Ends              time.Time // zero: never
	Ended             time.Time // by hand; zero: it was not
	Created           time.Time
}

// Over says whether an invite leads nowhere any more.
func (i Invite) Over(now time.Time) bool {
	return !i.Ended.IsZero() || !i.Ends.IsZero() && !now.Before(i.Ends)
}

// NewInvite is an invite that is wanted. Also is done in the transaction that makes it;
// nil for nothing.
type NewInvite struct {
	Name     string
	Target   string
	Template int64 // whose last version it is; 0 for a plain code
	Ends     time.Time
	Also     func(ctx context.Context, tx *db.Tx, invite int64) error
}

// maxTarget is what browsers and servers take as an address, in bytes.
const maxTarget = 2000

var (
	errNoInvite   = problem.NotFound("invite", "")
	errInviteGone = problem.New(problem.KindGone, "invite_gone", "this invite is over")
)

// AddInvite makes an invite, where the account may have cards issued. Refusals:
// invalid_name, invalid_target, invalid_ends_at, card_template_not_found.
func (c *Cards) AddInvite(ctx context.Context, account int64, n NewInvite, now time.Time) (Invite, error) {
	if err := c.allowed(ctx, account); err != nil {
		return Invite{}, err
	}
	i := Invite{Account: account, Name: oneLine(n.Name), Template: n.Template, Created: db.Time(db.Millis(now))}
	if !isName(i.Name, 1) {
		return i, problem.Invalid("name", "the name of an invite has 1 to %d characters", MaxName)
	}
	var err error
	if i.Target, err = readTarget(n.Target); err != nil {
		return i, err
	}
	if !n.Ends.IsZero() {
		if i.Ends = db.Time(db.Millis(n.Ends)); !now.Before(i.Ends) {
			return i, problem.Invalid("ends_at", "an invite ends in the future")
		}
	}
	if n.Template != 0 {
		t, err := c.Template(ctx, account, n.Template)
		if err != nil {
			return i, err
		}
		i.Version = t.Version
	}
	if i.ID, err = c.db.NewIDs(ctx, 1); err != nil {
		return i, err
	}
	err = c.db.InTx(ctx, func(tx *db.Tx) (err error) {
		if i.Slug, err = takeInviteSlug(ctx, tx, now); err != nil {
			return err
		}
		if err := i.add(ctx, tx); err != nil || n.Also == nil {
			return err
		}
		return n.Also(ctx, tx, i.ID)
	})
	return i, err
}

// readTarget is an address that a browser is sent to. It is ASCII alone, with all else
// in percent, as a header carries nothing else (RFC 9110 10.2.2).
func readTarget(text string) (string, error) {
	text = inPercent(strings.TrimSpace(text))
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(text, "\\") || len(text) > maxTarget {
		return "", problem.Invalid("target", "an invite leads to an address that begins with https:// and has %d characters at most, as in https://www.example.no/party", maxTarget)
	}
	return u.String(), nil
}

func inPercent(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		if b > '~' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// EndInvite lets an invite lead nowhere from now on. One that is over stays as it is.
func (c *Cards) EndInvite(ctx context.Context, account, id int64, now time.Time) (Invite, error) {
	_, err := c.db.ExecContext(ctx, `
		UPDATE card_invites SET ended_at = $3 WHERE account_id = $1 AND id = $2 AND ended_at = 0 AND (ends_at = 0 OR ends_at > $3)`, account, id, db.Millis(now))
	if err != nil {
		return Invite{}, err
	}
	return c.Invite(ctx, account, id)
}

// Invited is where an invite leads. The codes invite_gone (KindGone: it is over, or was
// its account's that is no more) and invite_not_found (it never was) tell nothing of it.
func (c *Cards) Invited(ctx context.Context, slug string, now time.Time) (target string, err error) {
	i, err := c.invite(ctx, `i.slug = $1`, slug)
	if err == errNoInvite {
		return "", c.inviteGone(ctx, slug)
	}
	if err == nil && i.Over(now) {
		err = errInviteGone
	}
	if err != nil {
		return "", err
	}
	return i.Target, nil
}
