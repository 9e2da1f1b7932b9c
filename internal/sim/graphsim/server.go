// Package graphsim plays Microsoft's sign-in and Microsoft Graph over real
// HTTPS: users, groups, memberships and their delta rounds, for one or more
// tenants, with switches for the faults the real service is known for.
//
// It shares no code with the product, so agreement between them is evidence.
package graphsim

import (
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What a tenant is made of when Options leave it open.
const (
	DefaultTenantID = "7c1e9a52-3d40-4f6b-9b1e-52f0a6c3d801"
	DefaultClientID = "b5a0c3f4-88d2-4e17-a6c9-1f3e7d904b26"
	DefaultSecret   = "graphsim_secret.value~not-a-guid"
)

const graphPrefix = "/v1.0"

// Options say how the server is to behave from the start. The zero value is a
// server on a free loopback port with an empty directory.
type Options struct {
	Addr string // loopback only; 127.0.0.1:0 when empty

	TenantID, ClientID, Secret string
	Certificates               [][]byte // public ones registered on the app, PEM or DER

	PageSize       int           // items per delta page, 200 when zero
	MembersPerPage int           // memberships per delta page, 500 when zero
	TokenLife      time.Duration // of an access token, one hour when zero
	Org            Org

	EnforceLimits bool         // throttle at Microsoft's documented limits
	NotifyClient  *http.Client // posts notifications; nil: one that trusts public authorities

	Now func() time.Time // for token and delta link ages, time.Now when nil
}

func (o Options) withDefaults() Options {
	o.Addr = orElse(o.Addr, "127.0.0.1:0")
	o.PageSize = orElse(o.PageSize, 200)
	o.MembersPerPage = orElse(o.MembersPerPage, 500)
	o.TokenLife = orElse(o.TokenLife, time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Server is sign-in and Graph on one address. The embedded Tenant is the one
// named in Options; AddTenant brings further ones.
type Server struct {
	*Tenant

	url            string
	pageSize       int
	membersPerPage int
	tokenLife      time.Duration
	enforceLimits  bool
	now            func() time.Time

	authority authority
	signer    signer
	sealer    sealer
	record    record
	codes     codes
	office    *postOffice
	idKey     func() *rsa.PrivateKey

	mu       sync.Mutex
	tenants  map[string]*Tenant
	apps     []*app  // multi-tenant ones
	person   *SignIn // nobody when nil
	closing  bool
	inFlight sync.WaitGroup

	http   *http.Server
	signIn *http.ServeMux
	graph  *http.ServeMux
	served chan struct{}
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{
		pageSize:       o.PageSize,
		membersPerPage: o.MembersPerPage,
		tokenLife:      o.TokenLife,
		enforceLimits:  o.EnforceLimits,
		now:            o.Now,
		office:         newPostOffice(o.NotifyClient),
		signer:         newSigner(),
		sealer:         newSealer(),
		idKey:          sync.OnceValue(newIDKey),
		record:         record{methods: map[string]int{}},
		tenants:        map[string]*Tenant{},
		served:         make(chan struct{}),
	}
	home, err := s.AddTenant(TenantOptions{TenantID: o.TenantID, ClientID: o.ClientID, Secret: o.Secret, Certificates: o.Certificates, Org: o.Org})
	if err != nil {
		return nil, err
	}
	s.Tenant = home
	if s.authority, err = newAuthority(); err != nil {
		return nil, fmt.Errorf("graphsim: make certificates: %w", err)
	}
	if err := s.listen(o.Addr); err != nil {
		return nil, fmt.Errorf("graphsim: %w", err)
	}
	return s, nil
}

func (s *Server) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		l.Close()
		return fmt.Errorf("%s is not a loopback address: the secrets here are public", addr)
	}
	s.url = "https://" + l.Addr().String()
	s.signIn, s.graph = s.signInRoutes(), s.graphRoutes()
	s.http = &http.Server{
		Handler:     s,
		ConnContext: withWire,
		TLSConfig:   &tls.Config{Certificates: []tls.Certificate{s.authority.server}, MinVersion: tls.VersionTLS12},
		ErrorLog:    log.New(io.Discard, "", 0), // clients that refuse our certificate are their own witness
	}
	go func() {
		defer close(s.served)
		s.http.ServeTLS(l, "", "")
	}()
	return nil
}

// URL is the sign-in authority, such as https://127.0.0.1:8443.
func (s *Server) URL() string { return s.url }

// GraphURL is the root of the Graph API.
func (s *Server) GraphURL() string { return s.url + graphPrefix }

// CAPEM is the certificate a client has to trust.
func (s *Server) CAPEM() []byte { return s.authority.pem }

// Close ends the server and waits for the requests it was answering and the
// notifications under way.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.office.stop()
	err := s.http.Close()
	<-s.served
	s.inFlight.Wait()
	s.office.client.CloseIdleConnections()
	return err
}

// ServeHTTP records each request before its answer leaves, so that a test which
// has the answer also finds the record.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return
	}
	defer s.inFlight.Done()
	rec := &recorder{ResponseWriter: w, record: &s.record, request: Request{
		Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, Time: s.now(),
		Prefer:           strings.Join(r.Header.Values("Prefer"), ", "),
		ThrottlePriority: r.Header.Get("x-ms-throttle-priority"),
		ConsistencyLevel: r.Header.Get("ConsistencyLevel"),
	}}
	if isGraph(r.URL.Path) {
		s.graph.ServeHTTP(rec, r)
	} else {
		s.signIn.ServeHTTP(rec, r)
	}
}

// enter counts a request in, unless Close has begun to wait for the last one.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.inFlight.Add(1)
	return true
}

func isGraph(path string) bool { return strings.HasPrefix(path, graphPrefix+"/") }

func isSubscriptions(path string) bool {
	return path == graphPrefix+"/subscriptions" || strings.HasPrefix(path, graphPrefix+"/subscriptions/")
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
