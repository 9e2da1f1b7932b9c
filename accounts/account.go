// Package accounts is who may use Varsel: accounts, their users and API keys,
// and the data processing agreement without which nothing is read or sent.
package accounts

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Accounts keeps accounts, users, keys and agreements.
type Accounts struct {
	db    *db.DB
	clock func() time.Time

	describe func(ctx context.Context, account int64, language string) (Processing, error) // for annexes; nil for nothing
}

// New keeps them in d.
func New(d *db.DB) *Accounts { return &Accounts{db: d, clock: time.Now} }

// WithClock is the same accounts by another clock, which decides about days and
// deadlines.
func (a *Accounts) WithClock(clock func() time.Time) *Accounts {
	other := *a
	other.clock = clock
	return &other
}

// now is the time in the milliseconds in which it is kept.
func (a *Accounts) now() time.Time { return db.Time(db.Millis(a.clock())) }

// Account is one customer organisation.
type Account struct {
	ID       int64
	Handle   string // its name in commands: "acme"
	Name     string // its legal name: "Acme AS"
	Region   string // ISO 3166 alpha-2: how numbers without a country code are read
	Sender   string // used when a message names none
	Currency string // ISO 4217
	State    string // active or closed
	Created  time.Time
}

var handlePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,39}$`)

// Create opens an account: post-paid, without a limit, in EUR unless it says another
// currency. What else belongs to its opening is done in the same transaction.
func (a *Accounts) Create(ctx context.Context, acc Account, also ...func(ctx context.Context, tx *db.Tx, acc Account) error) (Account, error) {
	acc.Region, acc.Currency = strings.ToUpper(acc.Region), strings.ToUpper(cmp.Or(acc.Currency, "EUR"))
	if err := acc.validate(); err != nil {
		return Account{}, err
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return Account{}, err
	}
	acc.ID, acc.State, acc.Created = id, "active", time.Now()
	err = a.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, insertAccount, acc.ID, acc.Handle, acc.Name, acc.Region, acc.Sender, acc.Currency, acc.State, db.Millis(acc.Created))
		for _, do := range also {
			if err == nil {
				err = do(ctx, tx, acc)
			}
		}
		return err
	})
	if db.IsDuplicate(err) {
		return Account{}, problem.Conflict("account_exists", "there is an account %q already", acc.Handle)
	}
	if err != nil {
		return Account{}, err
	}
	return acc, nil
}

var currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)

func (acc Account) validate() error {
	switch {
	case !currencyPattern.MatchString(acc.Currency):
		return problem.Invalid("currency", "%q is no currency code such as EUR", acc.Currency)
	case !handlePattern.MatchString(acc.Handle):
		return problem.Invalid("id", "an account id is 2 to 40 small letters, digits and hyphens, not %q", acc.Handle)
	case strings.TrimSpace(acc.Name) == "":
		return problem.Invalid("name", "an account needs the organisation's name")
	case phonenumbers.GetCountryCodeForRegion(acc.Region) == 0:
		return problem.Invalid("region", "%q is no country code such as NO", acc.Region)
	}
	return ValidSender(acc.Sender)
}

var (
	wordSender   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 ._&-]{2,10}$`)
	numberSender = regexp.MustCompile(`^\+?[0-9]{3,15}$`)
)

// ValidSender accepts 3 to 11 characters beginning with a letter, a short code,
// or a number of up to 15 digits; empty is the account's default.
func ValidSender(sender string) error {
	if sender == "" || wordSender.MatchString(sender) || numberSender.MatchString(sender) {
		return nil
	}
	return problem.Invalid("sender", "a sender is 3 to 11 letters and digits beginning with a letter, or a number, not %q", sender)
}

// ByID finds an account by its id.
func (a *Accounts) ByID(ctx context.Context, id int64) (Account, error) {
	acc, err := a.find(ctx, `WHERE id = $1`, id)
	if db.IsNone(err) {
		return Account{}, problem.NotFound("account", fmt.Sprint(id))
	}
	return acc, err
}

// ByHandle finds an account by its handle.
func (a *Accounts) ByHandle(ctx context.Context, handle string) (Account, error) {
	acc, err := a.find(ctx, `WHERE handle = $1`, handle)
	if db.IsNone(err) {
		return Account{}, problem.NotFound("account", handle)
	}
	return acc, err
}
