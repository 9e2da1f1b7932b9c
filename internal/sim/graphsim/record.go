package graphsim

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Requests kept; older ones survive only in the counts.
const recordSize = 10_000

// Request is one request the server answered, to sign-in or to Graph.
type Request struct {
	Method, Path, RawQuery string
	Status                 int // 0: the connection was dropped instead
	Time                   time.Time

	Prefer, ThrottlePriority, ConsistencyLevel string // request headers
}

type record struct {
	mu      sync.Mutex
	ring    []Request
	oldest  int
	methods map[string]int
	signIns int

	writes        []Request
	subscriptions []Request
}

// keep files a request where a test will look for it.
func (r *record) keep(q Request) {
	switch {
	case isSubscriptions(q.Path):
		r.subscriptions = append(r.subscriptions, q)
	case isGraph(q.Path) && q.Method != http.MethodGet:
		r.writes = append(r.writes, q)
	}
	if isGraph(q.Path) {
		r.methods[q.Method]++
	} else if q.Method == http.MethodPost {
		r.signIns++
	}
}

func (r *record) add(q Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(q)
	if len(r.ring) < recordSize {
		r.ring = append(r.ring, q)
		return
	}
	r.ring[r.oldest] = q
	r.oldest = (r.oldest + 1) % recordSize
}

// Requests are the last 10,000 requests, oldest first.
func (s *Server) Requests() []Request {
	r := &s.record
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]Request{}, r.ring[r.oldest:]...), r.ring[:r.oldest]...)
}

// GraphMethods counts all requests that ever reached Graph, by HTTP method.
func (s *Server) GraphMethods() map[string]int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return maps.Clone(s.record.methods)
}

// GraphWrites are all requests that ever reached Graph with another method than
// GET, but for those to /subscriptions: a client that only reads has none.
func (s *Server) GraphWrites() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.writes)
}

// SubscriptionCalls are all requests that ever reached /subscriptions.
func (s *Server) SubscriptionCalls() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return slices.Clone(s.record.subscriptions)
}

// SignIns counts the requests for a token, granted or refused.
func (s *Server) SignIns() int {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	return s.record.signIns
}

// recorder notes the request when its status is known, just before it leaves.
type recorder struct {
	http.ResponseWriter
	record  *record
	request Request
}

func (r *recorder) WriteHeader(status int) {
	r.note(status)
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) note(status int) {
	r.request.Status = status
	r.record.add(r.request)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
