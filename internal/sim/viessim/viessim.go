// Package viessim is a register of VAT numbers with the REST interface of VIES, which
// knows the numbers that it is told and can be told to fail.
package viessim

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Enquiry is a question that came.
type Enquiry struct {
	Country          string `json:"countryCode"`
	Number           string `json:"vatNumber"`
	RequesterCountry string `json:"requesterMemberStateCode"`
	RequesterNumber  string `json:"requesterNumber"`
}

// Server is a running one.
type Server struct {
	listener net.Listener
	server   http.Server

	mu     sync.Mutex
	valid  map[string]string // names by country and number
	fault  string
	status int
	asked  []Enquiry
}

// Start listens on a loopback port.
func Start() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, valid: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /check-vat-number", s.check)
	s.server.Handler = mux
	go s.server.Serve(listener)
	return s, nil
}

// URL is where it is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close ends it.
func (s *Server) Close() error { return s.server.Close() }

// Know makes a number valid: "DE123456788", and whose it is.
func (s *Server) Know(number, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.valid[number] = name
}

// Forget makes a number invalid again.
func (s *Server) Forget(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.valid, number)
}

// Fail makes every answer an error, such as MS_UNAVAILABLE, with an HTTP status; an empty
// one ends that.
func (s *Server) Fail(status int, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.fault = status, fault
}

// Asked are the enquiries so far.
func (s *Server) Asked() []Enquiry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *Server) check(w http.ResponseWriter, r *http.Request) {
	var e Enquiry
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, e)
	w.Header().Set("Content-Type", "application/json")
	if s.fault != "" {
		w.WriteHeader(s.status)
		json.NewEncoder(w).Encode(map[string]any{"actionSucceed": false, "errorWrappers": []map[string]string{{"error": s.fault}}})
		return
	}
	name, valid := s.valid[e.Country+e.Number]
	said := map[string]any{"countryCode": e.Country, "vatNumber": e.Number, "requestDate": time.Now().UTC().Format(time.RFC3339Nano), "valid": valid,
		"name": "---", "address": "---", "requestIdentifier": ""}
	if valid {
		said["name"] = name
	}
	if e.RequesterNumber != "" {
		said["requestIdentifier"] = fmt.Sprintf("WAPIAAAAX%07d", len(s.asked))
	}
	json.NewEncoder(w).Encode(said)
}
