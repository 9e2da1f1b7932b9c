package smpp

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// session is one bound connection. One goroutine reads, one writes, and run
// owns both.
//
// A submission waits in outbox until the writer takes it into pending, which it
// does before it hands the bytes to the socket: what is in pending may have
// been sent, what is in outbox never was.
type session struct {
	link    *link
	carrier *carrier
	addr    string
	conn    net.Conn

	in       *frames     // of the reader alone
	gathered reading     // of the reader alone
	said     atomic.Bool // the peer has said something since the last sweep

	// The fields of this block are guarded by carrier.mu.
	changed   *sync.Cond // outbox or closed
	outbox    []*packet
	pending   map[int32]*packet
	overdue   map[int32]late
	sequence  int32 // the last one given
	free      int   // places in the window
	useful    bool  // the peer has answered something, or sent a receipt
	retired   bool  // takes no submissions any more
	closed    bool  // takes nothing any more: the writer ends when outbox is empty
	listening clock
	heard     time.Duration // when the peer last said something, as all times here by listening
	enquired  time.Duration // when it was last asked for a sign of life
	enquiry   int32         // the sequence number of that
	unbind    int32         // the sequence number of our unbind

	ending    chan ending   // why the session shall end; the first reason counts
	quiet     chan struct{} // retired, and no answer is owed
	unbound   chan struct{} // the peer has answered our unbind
	readDone  chan struct{} // closed when the reader has ended
	writeDone chan struct{} // closed when the writer has ended
}

// ending is why a session ends, and how.
type ending struct {
	why    error
	grace  time.Duration // how long answers may still come
	unbind bool          // whether it is for us to say goodbye
}

func newSession(l *link, conn net.Conn, in *frames) *session {
	return &session{
		link:      l,
		carrier:   l.carrier,
		addr:      l.addr(),
		conn:      conn,
		in:        in,
		changed:   sync.NewCond(&l.carrier.mu),
		pending:   map[int32]*packet{},
		sequence:  bindSequence,
		free:      l.window,
		listening: clock{began: time.Now()},
		ending:    make(chan ending, 1),
		quiet:     make(chan struct{}, 1),
		unbound:   make(chan struct{}, 1),
		readDone:  make(chan struct{}),
		writeDone: make(chan struct{}),
	}
}

// run is the session's life; the error is why it ended. When it returns every
// request has been answered and both goroutines have ended.
func (s *session) run(stop <-chan struct{}) error {
	go s.read()
	go s.write()
	end := s.watch(stop)
	s.retire()
	s.link.fell(end.why)
	s.takeLeave(end)
	s.hangUp()
	s.giveUp(end.why)
	<-s.readDone
	s.carrier.arrivals.left(s, time.Now())
	return end.why
}

// end asks for the session's end.
func (s *session) end(e ending) {
	select {
	case s.ending <- e:
	default:
	}
}

// watch looks after what is late until there is a reason to end.
func (s *session) watch(stop <-chan struct{}) ending {
	tick := time.NewTicker(s.grain())
	defer tick.Stop()
	for {
		select {
		case e := <-s.ending:
			return e
		case <-stop:
			return ending{errors.New("the carrier is closed"), s.carrier.pace.lastAnswer, true}
		case <-tick.C:
			s.sweep()
		}
	}
}

// grain is how exactly time limits are kept.
func (s *session) grain() time.Duration {
	limit := min(s.carrier.config.enquireLink(), s.carrier.config.responseTimeout())
	return min(max(limit/4, 5*time.Millisecond), time.Second)
}

func (s *session) sweep() {
	for _, p := range s.late() {
		p.answer(refused(carriers.NoAnswer, fmt.Sprintf("no answer within %v", s.carrier.config.responseTimeout())))
	}
	if !s.alive() {
		s.end(ending{why: down("%s does not answer enquire_link", s.addr)})
	}
	s.carrier.arrivals.forget(time.Now())
}

// late takes out the submissions whose answer is overdue.
func (s *session) late() []*packet {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	now := s.listening.now()
	s.forgetLate(now)
	var late []*packet
	for sequence, p := range s.pending {
		if now-p.written > s.carrier.config.responseTimeout() {
			s.remember(sequence, p, now)
			late = append(late, s.settle(sequence))
		}
	}
	s.wakeSubmitters(len(late))
	return late
}

// alive asks a silent peer for a sign of life; it is false when none came.
func (s *session) alive() bool {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	now := s.listening.now()
	if s.said.Swap(false) {
		s.heard = now
	}
	switch {
	case s.enquired > s.heard:
		return now-s.enquired <= s.carrier.config.responseTimeout()
	case now-s.heard >= s.carrier.config.enquireLink():
		s.enquiry, s.enquired = s.nextSequence(), now
		s.post(header(data.ENQUIRE_LINK, data.ESME_ROK, s.enquiry))
	}
	return true
}

// retire takes the session out of choice. What was never written is free to go
// another way.
func (s *session) retire() {
	for _, p := range s.unwritten() {
		p.answer(refused(carriers.Retry, "the link ended before it was sent"))
	}
}

func (s *session) unwritten() []*packet {
	c := s.carrier
	c.mu.Lock()
	defer c.mu.Unlock()
	s.retired = true
	c.sessions = slices.DeleteFunc(c.sessions, func(other *session) bool { return other == s })
	c.room.Broadcast()
	var submissions []*packet
	s.outbox = slices.DeleteFunc(s.outbox, func(p *packet) bool {
		if p.answered != nil {
			submissions = append(submissions, p)
		}
		return p.answered != nil
	})
	s.tellQuiet()
	return submissions
}

// takeLeave gives the peer time for its last answers and says goodbye.
func (s *session) takeLeave(end ending) {
	if end.grace > 0 {
		s.await(s.quiet, min(end.grace, s.carrier.config.responseTimeout()))
	}
	if end.unbind {
		s.sayUnbind()
		s.await(s.unbound, s.carrier.pace.goodbye)
	}
}

func (s *session) await(c <-chan struct{}, most time.Duration) {
	select {
	case <-c:
	case <-s.readDone:
	case <-time.After(most):
	}
}

func (s *session) sayUnbind() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.unbind = s.nextSequence()
	s.post(header(data.UNBIND, data.ESME_ROK, s.unbind))
}

// hangUp lets the last bytes out, then closes the connection.
func (s *session) hangUp() {
	s.carrier.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.carrier.mu.Unlock()
	select {
	case <-s.writeDone:
	case <-time.After(s.carrier.pace.goodbye):
	}
	_ = s.conn.Close()
	<-s.writeDone
}

// giveUp answers what has been written and will not be answered any more.
func (s *session) giveUp(why error) {
	text := fmt.Sprintf("the link ended before the answer came: %v", why)
	for _, p := range s.unanswered() {
		p.answer(refused(carriers.NoAnswer, text))
	}
}

func (s *session) unanswered() []*packet {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	var submissions []*packet
	for sequence := range s.pending {
		submissions = append(submissions, s.settle(sequence))
	}
	return submissions
}

// The methods below are called with carrier.mu held.

// put queues a submission; the caller has seen that there is room.
func (s *session) put(p *packet) {
	s.free--
	s.post(p)
}

func (s *session) post(p *packet) {
	if s.closed {
		return
	}
	s.outbox = append(s.outbox, p)
	if len(s.outbox) == 1 {
		s.changed.Broadcast()
	}
}

// settle takes a submission out of pending; nil when it is not there any more.
// Whoever settles wakes those who wait for room.
func (s *session) settle(sequence int32) *packet {
	p, ok := s.pending[sequence]
	if !ok {
		return nil
	}
	delete(s.pending, sequence)
	s.free++
	s.tellQuiet()
	return p
}

func (s *session) wakeSubmitters(places int) {
	switch {
	case places == 1:
		s.carrier.room.Signal()
	case places > 1:
		s.carrier.room.Broadcast()
	}
}

func (s *session) tellQuiet() {
	if s.retired && len(s.pending) == 0 {
		select {
		case s.quiet <- struct{}{}:
		default:
		}
	}
}

// nextSequence passes over numbers whose answer is still owed.
func (s *session) nextSequence() int32 {
	for {
		s.sequence = s.sequence%sequenceMost + 1
		_, taken := s.pending[s.sequence]
		_, owed := s.overdue[s.sequence]
		if !taken && !owed {
			return s.sequence
		}
	}
}

// clock is time as the reader lives it. It stands still while a receipt is
// handed over: answers that wait unread meanwhile are not late.
type clock struct {
	began   time.Time
	stopped time.Time
	lost    time.Duration
}

func (c *clock) now() time.Duration {
	until := c.stopped
	if until.IsZero() {
		until = time.Now()
	}
	return until.Sub(c.began) - c.lost
}

func (c *clock) pause() { c.stopped = time.Now() }

func (c *clock) resume() {
	c.lost += time.Since(c.stopped)
	c.stopped = time.Time{}
}
