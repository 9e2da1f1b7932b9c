// Package directory keeps address books in step with directories such as
// Microsoft Entra ID: read-only, one way. What a directory says goes page by
// page into a mirror; from the mirror the address book is derived, after every
// run, whether anything changed or not.
package directory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Gate says whether an account may have personal data processed: it answers a
// problem when there is no concluded agreement.
type Gate func(ctx context.Context, account int64) error

// Plan says whether an account may have directories: it answers a problem with the code
// plan_lacks_directory when its plan does not include them, and invoices_unpaid when it
// has to pay first.
type Plan func(ctx context.Context, account int64) error

// Leave ends the access of people who are gone from the directory: the sign-in
// and the sessions of the users with these e-mail addresses.
type Leave func(ctx context.Context, account int64, emails []string) error

// Directory keeps the connections and syncs them.
type Directory struct {
	db          *db.DB
	ring        *secrets.Keyring
	book        *contacts.Book
	cards       *cards.Cards
	gate        Gate
	plan        Plan
	leave       Leave
	clouds      Clouds
	notify      string
	app         Credentials
	patience    time.Duration
	marks       contacts.Marks
	incarnation int64

	mu       sync.Mutex
	inFlight map[int64]bool // connections that a Sync of ours is busy with
}

// House is the rooms and rules that a Directory works with.
type House struct {
	DB     *db.DB
	Ring   *secrets.Keyring
	Book   *contacts.Book
	Cards  *cards.Cards // those in DB, issued to everybody, when nil
	Gate   Gate
	Plan   Plan // nil: every plan does
	Leave  Leave
	Clouds Clouds
	// Notify is the URL below which directories can post to us that something
	// changed; empty when they cannot.
	Notify string
	// App is the installation's own, without a tenant: administrators let it into
	// theirs. It has no client id when there is none.
	App Credentials
	// Patience is how long a fresh consent may take to show; 30 s when zero.
	Patience time.Duration
	// Marks know again whom an account erased.
	Marks contacts.Marks
}

// New syncs the connections in h.DB into h.Book. incarnation is the row of the
// running process in table incarnations; a run of one that has ended is taken
// over.
func New(h House, incarnation int64) *Directory {
	return &Directory{db: h.DB, ring: h.Ring, book: h.Book, cards: cmp.Or(h.Cards, cards.New(h.DB)), gate: h.Gate, plan: h.Plan, leave: h.Leave, clouds: h.Clouds, notify: h.Notify,
		app: h.App, marks: h.Marks, patience: cmp.Or(h.Patience, consentPatience),
		incarnation: incarnation, inFlight: map[int64]bool{}}
}

func (d *Directory) cloud(name string) (Cloud, error) {
	c, ok := d.clouds[name]
	if !ok {
		return c, problem.Invalid("cloud", "there is no cloud %q; there are %s", name,
			strings.Join([]string{GlobalCloud, USGovCloud, DoDCloud, ChinaCloud}, ", "))
	}
	return c, nil
}

// linksHash changes with everything that a delta link is bound to, and with what
// decides how much of a person the mirror keeps and what it makes of them.
func (s *syncing) linksHash(round string) string {
	bound := []string{s.clouds[s.connection.Cloud].Hosts, s.connection.Tenant, s.connection.Client}
	if round == peopleName {
		bound = append(bound, strings.Join(s.selected, ","), s.settings.text(), s.region, numberRules())
	} else {
		bound = append(bound, strings.Join(GroupFields, ","))
	}
	sum := sha256.Sum256([]byte(strings.Join(bound, "\n")))
	return hex.EncodeToString(sum[:16])
}

// numberRules is the version of the library that knows the world's numbers.
var numberRules = sync.OnceValue(func() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range build.Deps {
		if m.Path == "github.com/nyaruka/phonenumbers" {
			return m.Version
		}
	}
	return ""
})
