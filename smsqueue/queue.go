// Package smsqueue takes messages and campaigns, brings them to the carriers
// and their answers and receipts back. The database is the truth; Asynq on
// Redis, in-process or real, is only the engine that spreads the work, and
// whatever it forgets is put back.
//
// Queue accepts and tells; Worker does the sending. Any process may have a
// Queue; on SQLite one process has a Worker, on PostgreSQL any number.
package smsqueue

import (
	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// House is what a queue stands on.
type House struct {
	DB       *db.DB
	Ring     *secrets.Keyring
	Accounts *accounts.Accounts
	Carriers map[string]carriers.Type // the kinds of carriers that can be configured, by name
	// Callbacks is the public address below which a provider can post to a
	// carrier; empty when there is none.
	Callbacks string
	// PublicURL is the public address below which people find their pages, without
	// a slash at its end; empty when there is none.
	PublicURL string
	// Mails says that there is a relay that takes mail.
	Mails bool
	// Marks know again whom an account erased.
	Marks contacts.Marks
}

// Queue accepts messages and campaigns, and tells where they are.
type Queue struct {
	db        *db.DB
	ring      *secrets.Keyring
	accounts  *accounts.Accounts
	types     map[string]carriers.Type
	callbacks string
	public    string
	marks     contacts.Marks
	teams     *billing.Teams
	cards     *cards.Cards
	mails     bool
	singles   *batcher[*single]
	lates     *batcher[lateAnswer]
	arrivals  *batcher[*arrival]
	others    sightings
	ruled     ruled
	turns     turns
	wake      chan struct{} // tells a worker in this process that there is something to send
	urgent    chan struct{} // the same, of the urgent lane
	starts    chan struct{} // tells it that there is a campaign to start
	clears    chan struct{} // that one was cancelled
}

// New opens a queue.
func New(h House) *Queue {
	q := &Queue{db: h.DB, ring: h.Ring, accounts: h.Accounts, types: h.Carriers, callbacks: h.Callbacks, public: h.PublicURL, marks: h.Marks, teams: billing.NewTeams(h.DB), cards: cards.New(h.DB), mails: h.Mails,
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1), starts: make(chan struct{}, 1), clears: make(chan struct{}, 1)}
	q.singles = newBatcher(bounds{max: acceptBatch}, q.acceptSingles)
	q.lates = newBatcher(bounds{max: largestClaim}, q.storeLates)
	q.arrivals = newBatcher(bounds{max: acceptBatch, limit: 4 * acceptBatch}, q.storeArrivals)
	return q
}

// Close waits until everything that was handed in is answered, and everything
// that carriers said is stored. Workers are to be stopped before.
func (q *Queue) Close() {
	q.singles.Close()
	q.lates.Close()
	q.arrivals.Close()
}

// What is accepted is said in the transaction, to workers in other processes.
const (
	wordUrgent   = "urgent"
	wordMessage  = "message"
	wordCampaign = "campaign"
	wordTurned   = "turned" // paused, resumed, cancelled or changed
)

func (l Lane) word() string {
	if l == Urgent {
		return wordUrgent
	}
	return wordMessage
}

// hear wakes what a word is for.
func (q *Queue) hear(word string) {
	switch word {
	case wordUrgent:
		signal(q.urgent)
	case wordMessage:
		signal(q.wake)
	case wordCampaign:
		signal(q.starts)
	case wordTurned:
		signal(q.starts)
		signal(q.clears)
		q.nudge()
	}
}

// nudge says that there is something to send.
func (q *Queue) nudge() {
	signal(q.urgent)
	signal(q.wake)
}

func (q *Queue) nudgeLane(l Lane) {
	if l == Urgent {
		signal(q.urgent)
	} else {
		signal(q.wake)
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
