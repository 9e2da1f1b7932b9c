package smscsim

import (
	"container/list"
	"maps"
	"slices"
	"sync"
	"time"
)

// mailbox holds the receipts owed to one system_id and the sessions that take them.
type mailbox struct {
	counts *counters
	clock  *clock
	most   int // unacknowledged on one session

	mu      sync.Mutex
	waiting list.List // of *receipt
	readers []*session
	turn    int
}

const (
	// How many deliver_sm may be unacknowledged on one bind unless Options say
	// otherwise; the rest waits here, as at a carrier.
	usualUnacknowledged = 200
	// A client that cannot take a receipt just now gets it again after this.
	receiptRetry = time.Second
)

// post sends receipts that are due, or keeps them until they can be sent.
func (m *mailbox) post(due ...*receipt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range due {
		m.waiting.PushBack(r)
	}
	m.pump()
}

// join adds a session that is bound as receiver or transceiver.
func (m *mailbox) join(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers = append(m.readers, s)
	m.pump()
}

// leave takes a session out; what it did not acknowledge goes to the head of the queue.
func (m *mailbox) leave(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers = slices.DeleteFunc(m.readers, func(r *session) bool { return r == s })
	for _, sequence := range slices.Backward(slices.Sorted(maps.Keys(s.unacknowledged))) {
		m.waiting.PushFront(s.unacknowledged[sequence])
	}
	clear(s.unacknowledged)
	m.pump()
}

// acknowledge settles a deliver_sm by its deliver_sm_resp. A passing failure of the client means
// again later; any other is its last word.
func (m *mailbox) acknowledge(s *session, sequence, status uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := s.unacknowledged[sequence]
	if !ok {
		return
	}
	delete(s.unacknowledged, sequence)
	switch status {
	case statusOK:
		if r.counts() {
			m.counts.receiptAcks.Add(1)
		}
	case statusSystemError, statusQueueFull, statusThrottled, statusReceiverTrouble:
		m.clock.after(receiptRetry, func() { m.post(r) })
	}
	m.pump()
}

// pump sends while there is something to send and a session with room for it.
func (m *mailbox) pump() {
	for m.waiting.Len() > 0 {
		s := m.next()
		if s == nil {
			return
		}
		m.send(s, m.waiting.Remove(m.waiting.Front()).(*receipt))
	}
}

// next takes sessions in turn, as carriers spread receipts over binds.
func (m *mailbox) next() *session {
	for range m.readers {
		m.turn = (m.turn + 1) % len(m.readers)
		if s := m.readers[m.turn]; len(s.unacknowledged) < m.most {
			return s
		}
	}
	return nil
}

func (m *mailbox) send(s *session, r *receipt) {
	if !r.sent && r.counts() {
		m.counts.receipts.Add(1)
	}
	r.sent = true
	sequence := s.sequence.Add(1)
	s.unacknowledged[sequence] = r
	s.out.send(deliverSM, statusOK, sequence, r.body())
}
