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
