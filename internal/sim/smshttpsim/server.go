// Package smshttpsim is a server that speaks as SMS providers over HTTP do, for
// demonstrations, tests and measurements: Twilio, both APIs of GatewayAPI, and
// SureSMS, on one socket. It posts signed callbacks, misbehaves on demand and
// remembers what it saw. It shares no code with the product, so that their
// agreement means something.
package smshttpsim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a server. The zero value listens on a free loopback port and takes
// any credentials.
type Options struct {
	Addr string // "127.0.0.1:0" if empty
	// Credentials are checked where they are not empty.
	AccountSID, AuthToken string // Twilio; the token signs its callbacks
	Token                 string // GatewayAPI
	WebhookSecret         string // of GatewayAPI's callbacks; empty: they are not signed
	Login, Password       string // SureSMS
	// Webhook is where GatewayAPI's Mobile Messaging posts its events, as one sets
	// it in the dashboard; empty: nowhere.
	Webhook string
	Faults
}

// Server is a running provider.
type Server struct {
	Options
	listener net.Listener
	server   *http.Server
	client   *http.Client // for callbacks
	faults   atomic.Pointer[Faults]
	webhook  atomic.Pointer[string]
	ids      atomic.Uint64
	counts   counters
	record   *record
	throttle throttle
	posting  chan struct{}   // a place for each callback under way
	ctx      context.Context // of callbacks; done when the server is closed
	stop     context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // requests and callbacks
	conns   map[net.Conn]struct{}
}

// callbacksAtOnce bounds callbacks under way.
const callbacksAtOnce = 32

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
	s := &Server{
		Options:  o,
		listener: listener,
		client: &http.Client{
			Timeout:       15 * time.Second, // as GatewayAPI and Twilio wait
			Transport:     &http.Transport{MaxIdleConnsPerHost: callbacksAtOnce},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		record:  newRecord(),
		posting: make(chan struct{}, callbacksAtOnce),
		conns:   map[net.Conn]struct{}{},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.SetFaults(o.Faults)
	s.SetWebhook(o.Webhook)
	s.ids.Store(firstID())
	s.server = &http.Server{Handler: s.routes(), ConnState: s.track, ReadHeaderTimeout: 10 * time.Second}
	s.running.Go(func() { _ = s.server.Serve(listener) }) // it ends with Close
	return s, nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", s.takes(twilio{}))
	mux.HandleFunc("POST /rest/mtsms", s.takes(classic{}))
	mux.HandleFunc("POST /mobile/single", s.takes(messaging{}))
	mux.HandleFunc("GET /Script/SendSMS.aspx", s.takes(suresms{}))
	return mux
}

// URL is what stands before the providers' paths.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// SetFaults changes the faults for what arrives from now on.
func (s *Server) SetFaults(f Faults) {
	f = f.clone()
	s.faults.Store(&f)
}

// CurrentFaults returns a copy of the faults in force.
func (s *Server) CurrentFaults() Faults { return s.faults.Load().clone() }

// SetWebhook says where GatewayAPI's Mobile Messaging posts its events.
func (s *Server) SetWebhook(url string) { s.webhook.Store(&url) }

// Counts returns what happened so far.
func (s *Server) Counts() Counts { return s.counts.read() }

// Numbers returns how many messages each destination got accepted, with a plus.
func (s *Server) Numbers() map[string]int { return s.record.numbers() }

// Messages returns what was accepted for a number, oldest first.
func (s *Server) Messages(number string) []Message { return s.record.messages(number) }

// Reset forgets counts and record. Callbacks owed stay owed.
func (s *Server) Reset() {
	s.counts.reset()
	s.record.reset()
}

// DropAll resets every connection.
func (s *Server) DropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		reset(c)
	}
}

// Close ends every connection and callback and returns when nothing runs any
// more. The record can still be read.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	s.stop()
	err := s.server.Close()
	s.running.Wait()
	s.client.CloseIdleConnections()
	return err
}

// begin lets Close wait until running.Done; it is false when the server is closed.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
	}
}

// pause is false when the server is closed meanwhile.
func (s *Server) pause(d time.Duration) bool {
	select {
	case <-s.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
