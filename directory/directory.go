// Package directory keeps address books in step with directories such as
// Microsoft Entra ID: read-only, one way. What a directory says goes page by
// page into a mirror; from the mirror the address book is derived, after every
// run, whether anything changed or not.
package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

// Gate says whether an account may have personal data processed: it answers a
// problem when there is no concluded agreement.
type Gate func(ctx context.Context, account int64) error

// Directory keeps the connections and syncs them.
type Directory struct {
	db          *db.DB
	ring        *secrets.Keyring
	book        *contacts.Book
	gate        Gate
	cloud       Cloud
	incarnation int64

	mu       sync.Mutex
	inFlight map[int64]bool // connections that a Sync of ours is busy with
}

// New syncs the connections in d into book. incarnation is the row of the
// running process in table incarnations; a run of one that has ended is taken
// over.
func New(d *db.DB, ring *secrets.Keyring, book *contacts.Book, gate Gate, cloud Cloud, incarnation int64) *Directory {
	return &Directory{db: d, ring: ring, book: book, gate: gate, cloud: cloud, incarnation: incarnation, inFlight: map[int64]bool{}}
}

// defaultEvery is how often a connection is synced without being asked.
const defaultEvery = 15 * time.Minute

// linksHash changes with everything that a delta link is bound to.
func (d *Directory) linksHash(c Connection) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		d.cloud.Hosts, c.Tenant, c.Client, strings.Join(PersonFields, ","), strings.Join(GroupFields, ","),
	}, "\n")))
	return hex.EncodeToString(sum[:16])
}
