package smsqueue

import (
	"errors"
	"sync"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// recent remembers the messages that this process sent of late, by the id the
// carrier gave: most receipts come soon, to the link that sent the message, with
// the id as it was given. They need not be looked for in the database. Receipts
// that come before the answer is stored wait here for that.
type recent struct {
	mu   sync.Mutex
	byID map[string]*sentMessage
	ring []string // the ids in the order they came
	next int
}

// sentMessage is a message that one accepted submission has sent.
type sentMessage struct {
	row          // as it stands once the answer is stored
	stored  bool // the answer is
	waiting []*receipt
}

// recentMost bounds it to some 30 MB.
const recentMost = 100_000

// expect is told of an answer that will be stored.
func (r *recent) expect(f *flight) {
	id, found := f.singleID()
	if !found {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = map[string]*sentMessage{}
	}
	if len(r.ring) < recentMost {
		r.ring = append(r.ring, id)
	} else {
		if old := r.byID[r.ring[r.next]]; old != nil && old.stored {
			delete(r.byID, r.ring[r.next])
		}
		r.ring[r.next] = id
		r.next = (r.next + 1) % recentMost
	}
	m := &sentMessage{row: f.afterSent()}
	if before := r.byID[id]; before != nil { // the carrier has used the id again at once
		m.waiting = before.waiting
	}
	r.byID[id] = m
}

// settle is told that an answer is stored, and whether the message stands as
// expected; it returns the receipts that waited for that.
func (r *recent) settle(f *flight, asExpected bool) []*receipt {
	id, found := f.singleID()
	if !found {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.byID[id]
	if m == nil || m.id != f.id { // the carrier has used the id again
		return nil
	}
	waiting := m.waiting
	m.stored, m.waiting = true, nil
	if !asExpected {
		delete(r.byID, id)
	}
	return waiting
}

var errNotStored = errors.New("the answer to the message is not stored")

// park keeps those receipts that wait for the answer and returns the others.
func (r *recent) park(batch []*receipt) (others []*receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range batch {
		if m := r.byID[one.ID]; m != nil && !m.stored {
			m.waiting = append(m.waiting, one)
			continue
		}
		others = append(others, one)
	}
	return others
}

// split tells the receipts of recent messages, by message, from the others. A
// carrier that uses an id again means the newest message that has it. Of two
// receipts for one message the second is not lost on the first.
func (r *recent) split(batch []*receipt) (fresh map[int64]receipted, others []*receipt) {
	if r == nil {
		return nil, batch
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh = make(map[int64]receipted, len(batch))
	for _, one := range batch {
		m := r.byID[one.ID]
		if m == nil || !m.stored || fresh[m.id].receipt != nil {
			others = append(others, one)
			continue
		}
		fresh[m.id] = receipted{m.row, one}
	}
	return fresh, others
}

// forget is for messages that are receipted.
func (r *recent) forget(done map[int64]receipted) {
	if len(done) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range done {
		delete(r.byID, one.ID)
	}
}

// close returns what still waits.
func (r *recent) close() (waiting []*receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.byID {
		waiting = append(waiting, m.waiting...)
	}
	r.byID = nil
	return waiting
}

// singleID is the carrier's id of a message that one submission has sent.
func (f *flight) singleID() (id string, found bool) {
	if len(f.answers) != 1 || f.answers[0].Err != nil || f.parts != 1 && f.submissions[0].Part != carriers.Whole {
		return "", false
	}
	return f.answers[0].ID, true
}

// afterSent is the message as it stands once it is sent.
func (f *flight) afterSent() row {
	m := f.row
	m.stored, m.status, m.money = Sent, Sent, Charged
	return m
}
