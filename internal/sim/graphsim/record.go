package graphsim

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// Requests kept; older ones survive only in the counts.
const recordSize = 10_000

// Request is one request the server answered, to sign-in or to Graph.
type Request struct {
	Method, Path, RawQuery string
	Status                 int
	Time                   time.Time
}

type record struct {
	mu      sync.Mutex
	ring    []Request
	oldest  int
	methods map[string]int
	signIns int
}

func (r *record) add(q Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if isGraph(q.Path) {
		r.methods[q.Method]++
	} else if q.Method == http.MethodPost {
		r.signIns++
	}
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
	r.request.Status = status
	r.record.add(r.request)
	r.ResponseWriter.WriteHeader(status)
}
