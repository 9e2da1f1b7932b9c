package smsqueue

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// OptOutPath is below the public address where people stop messages themselves.
const OptOutPath = "/o/"

// OptOutLink is the address at which whoever has the number, in E.164, can stop the
// account's messages and take that back: for senders that cannot be answered. It
// is the same whenever it is asked for, and needs nothing to be stored. Empty when
// the installation has no public address.
func (q *Queue) OptOutLink(account int64, phone string) string {
	number, err := strconv.ParseUint(strings.TrimPrefix(phone, "+"), 10, 64)
	if q.public == "" || err != nil || !longNumber.MatchString(phone) {
		return ""
	}
	return q.public + OptOutPath + q.ring.Link(account, number)
}

// OptOut is what an opt-out link is about.
type OptOut struct {
	Account int64
	Name    string // of the account
	Phone   string // E.164
	Texted  string // a number of the account's that can be texted; empty when it has none
	// Stopped says that the account sends nothing to the number, and MayResume that
	// this was done with the link, and can be undone with it.
	Stopped, MayResume bool
}

// errNoLink is all that is said of a link that leads nowhere.
var errNoLink = problem.New(problem.KindNotFound, "no_such_link", "this link leads nowhere")

// OptOut finds what the last part of an opt-out link is about.
func (q *Queue) OptOut(ctx context.Context, token string) (OptOut, error) {
	o, err := q.linked(ctx, token)
	if err != nil {
		return o, err
	}
	s, stands, err := q.SuppressionOf(ctx, o.Account, o.Phone)
	o.Stopped, o.MayResume = stands, stands && s.Reason == ByLink
	if err == nil {
		o.Texted, err = q.textedNumber(ctx, o.Account)
	}
	return o, err
}

func (q *Queue) textedNumber(ctx context.Context, account int64) (string, error) {
	all, err := db.Column[string](ctx, q.db, `
		SELECT n.number FROM numbers n LEFT JOIN opt_out_settings o ON o.account_id = n.account_id AND o.number = n.number
		WHERE n.account_id = $1 ORDER BY CASE WHEN o.account_id IS NULL THEN 1 ELSE 0 END, n.id LIMIT 1`, account)
	return append(all, "")[0], err
}

// linked takes the account whose link it can be: of what a link opens as, by chance,
// for other accounts hardly anything is a number.
func (q *Queue) linked(ctx context.Context, token string) (o OptOut, err error) {
	accounts, err := db.Column[int64](ctx, q.db, `SELECT id FROM accounts ORDER BY id`)
	if err != nil {
		return o, err
	}
	for _, l := range q.ring.Linked(token, accounts) {
		phone, _, reason := contacts.Normalise("+"+strconv.FormatUint(l.Number, 10), "")
		if reason != "" {
			continue
		}
		acc, err := q.accounts.ByID(ctx, l.Account)
		return OptOut{Account: l.Account, Name: acc.Name, Phone: phone}, err
	}
	return o, errNoLink
}

// StopByLink suppresses the number of a link.
func (q *Queue) StopByLink(ctx context.Context, token string) error {
	o, err := q.linked(ctx, token)
	if err != nil {
		return err
	}
	s := Suppression{Account: o.Account, Phone: o.Phone, Reason: ByLink, Created: time.Now()}
	_, err = q.suppressNow(ctx, &s)
	return err
}

// ResumeByLink undoes StopByLink. What the person said in another way stands.
func (q *Queue) ResumeByLink(ctx context.Context, token string) error {
	o, err := q.OptOut(ctx, token)
	if err != nil || !o.MayResume {
		return err
	}
	_, err = q.liftNow(ctx, o.Account, o.Phone, ByLink)
	return err
}
