package smscsim

import (
	"container/list"
	"maps"
	"slices"
	"sync"
	"time"
)

// delivery is what goes to a client in deliver_sm.
type delivery interface {
	body(b []byte) []byte // appends the body of the deliver_sm
	leaves(c *counters)   // counts it, when it is sent
	arrives(c *counters)  // counts it, when it is acknowledged
}

// mailbox holds what is owed to one system_id and the sessions that take it.
type mailbox struct {
	counts *counters
	clock  *clock
	most   int // unacknowledged on one session

	mu      sync.Mutex
	waiting list.List // of delivery
	scratch []byte    // for the body being sent
	readers []*session
	turn    int
}

const (
	// How many deliver_sm may be unacknowledged on one bind unless Options say
	// otherwise; the rest waits here, as at a carrier.
	usualUnacknowledged = 200
	// A client that cannot take a delivery just now gets it again after this.
	receiptRetry = time.Second
)

// post sends what is due, or keeps it until it can be sent.
func (m *mailbox) post(due ...delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range due {
		m.waiting.PushBack(d)
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
		r.arrives(m.counts)
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
		m.send(s, m.waiting.Remove(m.waiting.Front()).(delivery))
	}
}

// next takes sessions in turn, as carriers spread deliveries over binds.
func (m *mailbox) next() *session {
	for range m.readers {
		m.turn = (m.turn + 1) % len(m.readers)
		if s := m.readers[m.turn]; len(s.unacknowledged) < m.most {
			return s
		}
	}
	return nil
}

func (m *mailbox) send(s *session, d delivery) {
	d.leaves(m.counts)
	sequence := s.sequence.Add(1)
	s.unacknowledged[sequence] = d
	m.scratch = d.body(m.scratch[:0])
	s.out.send(deliverSM, statusOK, sequence, m.scratch)
}
