package privacy

import (
	"context"
	"slices"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/lots"
	"github.com/varsel/varsel/internal/problem"
)

// Class is a kind of data that is kept for a time. Each room removes its own.
type Class struct {
	Name           string
	Days, Min, Max int  // how long where nobody said otherwise, and what may be said
	Hours          int  // of a class with a time that nobody can change, in place of Days
	Installation   bool // the same for all accounts: the operator's to say
	forget         func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error)
}

// Fixed says that nobody can change how long it is kept.
func (c Class) Fixed() bool { return c.Hours > 0 }

// Names of the classes that are spoken of elsewhere.
const (
	MessageTexts   = "message_texts"
	MessageNumbers = "message_numbers"
	Ledger         = "ledger"
	strays         = "stray_receipts"
)

// Classes are all kinds of data with a time. A text and a number stay a week at
// least, longer than a message may be on its way or wait to be sent again; bookkeeping
// law asks for five to ten years, by the seller's country.
var Classes = []Class{
	{Name: MessageTexts, Days: 180, Min: 7, Max: 3650, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.parts.Queue.EmptyTexts(ctx, account, before)
	}},
	{Name: MessageNumbers, Days: 400, Min: 30, Max: 3650, forget: (*Desk).replaceNumbers},
	{Name: "inbound_texts", Days: 180, Min: 7, Max: 3650, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.parts.Queue.EmptyReceived(ctx, account, before)
	}},
	{Name: "receipts", Days: 90, Min: 7, Max: 3650, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.parts.Queue.DropParts(ctx, account, before)
	}},
	{Name: strays, Days: 30, Min: 7, Max: 3650, Installation: true, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		if account != 0 {
			return lots.Done{}, nil
		}
		return d.parts.Queue.DropStrays(ctx, before)
	}},
	{Name: "roll_answers", Days: 180, Min: 1, Max: 3650, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.parts.Queue.DropAnswers(ctx, account, before)
	}},
	{Name: "card_consents", Days: 365, Min: 30, Max: 365, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.cards.ForgetConsents(ctx, account, before)
	}},
	{Name: "hidden_contacts", Days: 30, Min: 1, Max: 400, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.parts.Book.ForgetHidden(ctx, account, before)
	}},
	{Name: "access_log", Days: 400, Min: 30, Max: 3650, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return d.parts.Directory.ForgetAccess(ctx, account, before)
	}},
	{Name: "audit_details", Days: 1095, Min: 90, Max: 3650, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return audit.EraseBefore(ctx, d.parts.DB, account, before)
	}},
	{Name: Ledger, Days: 3653, Min: 1827, Max: 5479, Installation: true, forget: func(d *Desk, ctx context.Context, account int64, before time.Time) (lots.Done, error) {
		return billing.ForgetLedger(ctx, d.parts.DB, account, before)
	}},
	{Name: "imports", Hours: 1},
	{Name: "idempotency_keys", Hours: 24},
}

func classNamed(name string) (Class, error) {
	i := slices.IndexFunc(Classes, func(c Class) bool { return c.Name == name })
	if i < 0 {
		return Class{}, problem.Invalid("class", "there is no class of data %q", name)
	}
	return Classes[i], nil
}

// Says is who said how long a class is kept.
type Says string

const (
	SaysDefault      Says = "default" // nobody
	SaysInstallation Says = "installation"
	SaysAccount      Says = "account"
)

// Kept is how long an account keeps a class of data, and how its last run ended.
type Kept struct {
	Class
	Days int
	Says Says
	Held *Hold // what keeps all of it, if anything
	Last *Run
}

// Retention lists what an account keeps and for how long. Account 0 is what holds for
// accounts that say nothing.
func (d *Desk) Retention(ctx context.Context, account int64) ([]Kept, error) {
	said, err := selectDays(ctx, d.parts.DB, account)
	if err != nil {
		return nil, err
	}
	holds, err := d.Holds(ctx, account)
	if err != nil {
		return nil, err
	}
	last, err := lastRuns(ctx, d.parts.DB, account)
	if err != nil {
		return nil, err
	}
	var all []Kept
	for _, c := range Classes {
		k := Kept{Class: c, Days: c.Days, Says: SaysDefault, Held: holding(holds, c.Name)}
		if days, ok := said[said0(c.Name)]; ok {
			k.Days, k.Says = days, SaysInstallation
		}
		if days, ok := said[daysKey{account, c.Name}]; ok && account != 0 {
			k.Days, k.Says = days, SaysAccount
		}
		if r, ok := last[c.Name]; ok {
			k.Last = &r
		}
		all = append(all, k)
	}
	return all, nil
}

func said0(class string) daysKey { return daysKey{0, class} }

// SetRetention says for how many days an account, or with account 0 every account
// that says nothing, keeps a class. 0 days is to say nothing. What is older than a
// shorter time goes with the next run and cannot be brought back.
func (d *Desk) SetRetention(ctx context.Context, account int64, class string, days int) error {
	c, err := classNamed(class)
	switch {
	case err != nil:
		return err
	case c.Fixed():
		return problem.Conflict("retention_fixed", "%s are kept for %d hours, whatever anybody says", class, c.Hours)
	case c.Installation && account != 0:
		return problem.New(problem.KindForbidden, "retention_installation", "how long %s is kept is the same for all accounts: only an operator can say it", class)
	case days != 0 && (days < c.Min || days > c.Max):
		return problem.Invalid("days", "%s is kept for %d to %d days, not %d", class, c.Min, c.Max, days)
	}
	return d.inTx(ctx, audit.Entry{Account: account, Action: "retention.changed", Facts: map[string]any{"class": class, "days": days}},
		func(tx tx) error { return setDays(ctx, tx, account, class, days) })
}

// holding is what keeps a class, if anything.
func holding(holds []Hold, class string) *Hold {
	for _, h := range holds {
		if h.Class == "" || h.Class == class {
			return &h
		}
	}
	return nil
}
