package graphsim

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
)

// app is one app registration and what a client proves to be it with.
type app struct {
	clientID, secret string

	mu           sync.Mutex
	certificates []*x509.Certificate
}

func newApp(clientID, secret string, certificates [][]byte) (*app, error) {
	a := &app{clientID: clientID, secret: secret}
	for _, c := range certificates {
		if err := a.addCertificate(c); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *app) addCertificate(pemOrDER []byte) error {
	if block, _ := pem.Decode(pemOrDER); block != nil {
		pemOrDER = block.Bytes
	}
	c, err := x509.ParseCertificate(pemOrDER)
	if err != nil {
		return fmt.Errorf("graphsim: certificate of app %s: %w", a.clientID, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.certificates = append(a.certificates, c)
	return nil
}

// certificate is the registered one that the header of an assertion names.
func (a *app) certificate(named func(*x509.Certificate) bool) *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.certificates {
		if named(c) {
			return c
		}
	}
	return nil
}

// AddCertificate registers a public certificate on the tenant's app, next to
// those it has.
func (t *Tenant) AddCertificate(pemOrDER []byte) error { return t.app.addCertificate(pemOrDER) }

// RemoveCertificates leaves the tenant's app with its secret alone.
func (t *Tenant) RemoveCertificates() {
	t.app.mu.Lock()
	defer t.app.mu.Unlock()
	t.app.certificates = nil
}

func (a *app) is(clientID string) bool { return a != nil && strings.EqualFold(a.clientID, clientID) }

// AddMultiTenantApp registers an app of nobody's tenant. It gets tokens for a
// tenant from when an administrator has consented there.
func (s *Server) AddMultiTenantApp(clientID, secret string, certificates ...[]byte) error {
	a, err := newApp(clientID, secret, certificates)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps = append(s.apps, a)
	return nil
}

// knownApp is the one of this tenant, or a multi-tenant one, consented or not.
func (s *Server) knownApp(t *Tenant, clientID string) *app {
	if t.app.is(clientID) {
		return t.app
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		if a.is(clientID) {
			return a
		}
	}
	return nil
}

// Consented tells whether a multi-tenant app was let in.
func (t *Tenant) Consented(clientID string) bool {
	t.consents.Lock()
	defer t.consents.Unlock()
	return t.consents.to[strings.ToLower(clientID)]
}

// RevokeConsent removes a multi-tenant app from the tenant. Tokens it has last.
func (t *Tenant) RevokeConsent(clientID string) { t.consent(clientID, false) }

func (t *Tenant) consent(clientID string, given bool) {
	t.consents.Lock()
	defer t.consents.Unlock()
	if t.consents.to == nil {
		t.consents.to = map[string]bool{}
	}
	t.consents.to[strings.ToLower(clientID)] = given
}
