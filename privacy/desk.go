// Package privacy is the desk that the rights of a person and the duties of a
// processor are served from: it asks every room for what it holds and to forget it.
package privacy

import (
	"context"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// Desk answers for an account about people.
type Desk struct {
	parts Parts
	cards *cards.Cards
}

// Parts is what a Desk stands on.
type Parts struct {
	DB        *db.DB
	Names     *secrets.Names
	Keyring   *secrets.Keyring
	Accounts  *accounts.Accounts
	Book      *contacts.Book
	Directory *directory.Directory
	Queue     *smsqueue.Queue
	// Erasures is the path of the file that erasures are written to beside the
	// database, so that they can be done again after a restore.
	Erasures string
	// Exports is the directory in which exports of whole accounts are kept.
	Exports string
	// Processing is the configuration of the program as the annexes of agreements
	// tell it; account 0 asks for what is the same for all.
	Processing func(ctx context.Context, account int64, language string) (accounts.Processing, error)
}

// New makes a desk.
func New(p Parts) *Desk { return &Desk{parts: p, cards: cards.New(p.DB).Marking(p.Names)} }
