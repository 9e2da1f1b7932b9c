// Package smscsim is a carrier's SMPP 3.4 server for demonstrations, tests and measurements: it
// takes messages on real sockets, sends delivery receipts, misbehaves on demand and remembers
// what it saw. It shares no code with the product, so that their agreement means something.
package smscsim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a server. The zero value listens on a free loopback port and lets anyone in.
type Options struct {
	Addr string // "127.0.0.1:0" if empty
	// SystemID and Password are checked at bind when they are not empty.
	SystemID, Password string
	// EnquireEvery sends enquire_link to bound clients this often and closes a connection that
	// left the last one unanswered. 0: never.
	EnquireEvery time.Duration
	// Unacknowledged is how many deliver_sm one bind may leave unacknowledged before
	// it gets no more. 0: 200.
	Unacknowledged int
	Faults
}

// Server is a running SMSC.
type Server struct {
	listener           *net.TCPListener
	systemID, password string
	enquireEvery       time.Duration
	unacknowledged     int

	faults     atomic.Pointer[Faults]
	ids        atomic.Uint64
	references atomic.Uint32 // of concatenated messages from handsets
	counts     counters
	bound      atomic.Int64 // connections that are now
	throttle   throttle
	record     *record
	clock      *clock

	stop    chan struct{}
	running sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	sessions  map[*session]struct{}
	mailboxes map[string]*mailbox // by system_id
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	if err := o.Faults.check(); err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	s := newServer(o, listener.(*net.TCPListener))
	s.running.Go(s.accept)
	s.running.Go(func() { s.clock.run(s.stop) })
	return s, nil
}

func newServer(o Options, listener *net.TCPListener) *Server {
	s := &Server{
		listener:       listener,
		systemID:       o.SystemID,
		password:       o.Password,
		enquireEvery:   o.EnquireEvery,
		unacknowledged: cmp.Or(o.Unacknowledged, usualUnacknowledged),
		record:         newRecord(),
		clock:          newClock(),
		stop:           make(chan struct{}),
		sessions:       map[*session]struct{}{},
		mailboxes:      map[string]*mailbox{},
	}
	s.SetFaults(o.Faults)
	s.ids.Store(firstID())
	return s
}

// Addr is the host:port clients connect to.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// SetFaults changes the faults for what arrives from now on. An unknown IDForm means decimal.
func (s *Server) SetFaults(f Faults) {
	f = f.clone()
	s.faults.Store(&f)
}

// Faults returns a copy of the faults in force.
func (s *Server) Faults() Faults { return s.faults.Load().clone() }

// Close stops listening, closes every connection and returns when nothing runs any more.
// The record can still be read.
func (s *Server) Close() error {
	if !s.markClosed() {
		return nil
	}
	err := s.listener.Close()
	for _, c := range s.open() {
		c.close()
	}
	close(s.stop)
	s.running.Wait()
	return err
}

// DropAll resets every connection.
func (s *Server) DropAll() {
	for _, c := range s.open() {
		c.reset()
	}
}

// Counts returns what happened so far.
func (s *Server) Counts() Counts { return s.counts.read() }

// Numbers returns how many messages each destination, as sent, got accepted. A concatenated
// message counts when its part 1 is accepted.
func (s *Server) Numbers() map[string]int { return s.record.messages() }

// Texts returns the last texts, up to 8, that a number received whole, oldest first.
func (s *Server) Texts(number string) []string {
	n, _ := s.record.find(number)
	return n.texts
}

// Times returns when the first and the last accepted part for a number arrived; zero times for
// a number that got none.
func (s *Server) Times(number string) (first, last time.Time) {
	n, ok := s.record.find(number)
	if !ok {
		return time.Time{}, time.Time{}
	}
	return time.Unix(0, n.first), time.Unix(0, n.last)
}

// Reset forgets counts and record. Receipts owed stay owed.
func (s *Server) Reset() {
	s.counts.reset()
	s.record.reset()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, say: it passes
			s.pause(10 * time.Millisecond)
		default:
			s.admit(conn)
		}
	}
}

func (s *Server) pause(d time.Duration) {
	select {
	case <-s.stop:
	case <-time.After(d):
	}
}

func (s *Server) admit(conn *net.TCPConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return
	}
	c := newSession(s, conn)
	s.sessions[c] = struct{}{}
	s.running.Go(c.run)
}

func (s *Server) forget(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
}

func (s *Server) open() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.sessions))
}

// markClosed is false when it was closed before.
func (s *Server) markClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.closed
	s.closed = true
	return first
}

func (s *Server) mailbox(systemID string) *mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mailboxes[systemID]
	if m == nil {
		m = &mailbox{counts: &s.counts, clock: s.clock, most: s.unacknowledged}
		s.mailboxes[systemID] = m
	}
	return m
}
