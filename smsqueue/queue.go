// Package smsqueue takes messages and campaigns, brings them to the carriers
// and their answers and receipts back. The database is the truth; Asynq on
// Redis, in-process or real, is only the engine that spreads the work, and
// whatever it forgets is put back.
//
// Queue accepts and tells; Worker does the sending. Any process may have a
// Queue; on SQLite one process has a Worker, on PostgreSQL any number.
package smsqueue

import (
	"encoding/json"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// CarrierType is a kind of carrier that can be configured.
type CarrierType struct {
	Open     carriers.Opener
	Validate func(config json.RawMessage) error
}

// Queue accepts messages and campaigns, and tells where they are.
type Queue struct {
	db       *db.DB
	ring     *secrets.Keyring
	accounts *accounts.Accounts
	types    map[string]CarrierType
	singles  *batcher[*single]
	wake     chan struct{} // tells a worker in this process that there is something to do
}

// New opens a queue on d. types are the kinds of carriers this program has.
func New(d *db.DB, ring *secrets.Keyring, acc *accounts.Accounts, types map[string]CarrierType) *Queue {
	q := &Queue{db: d, ring: ring, accounts: acc, types: types, wake: make(chan struct{}, 1)}
	q.singles = newBatcher(acceptBatch, 0, q.acceptSingles)
	return q
}

// Close waits until everything that was handed in is answered.
func (q *Queue) Close() { q.singles.Close() }

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
