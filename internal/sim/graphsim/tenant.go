package graphsim

import (
	"fmt"
	"strings"
	"sync"
)

// TenantOptions name one tenant, the one app registered in it, and its people.
// Empty values are the defaults.
type TenantOptions struct {
	TenantID, ClientID, Secret string
	Certificates               [][]byte // public ones registered on the app, PEM or DER
	Org                        Org
}

// Tenant is one organisation: its app registration, its directory and its faults.
type Tenant struct {
	id  string
	app *app

	consents struct {
		sync.Mutex
		to map[string]bool // client ids in lower case
	}

	srv    *Server
	org    orgCard
	dir    directory
	faults faults
	bucket bucket
	subs   subscriptions
}

// AddTenant brings a further organisation to the same address.
func (s *Server) AddTenant(o TenantOptions) (*Tenant, error) {
	a, err := newApp(orElse(o.ClientID, DefaultClientID), orElse(o.Secret, DefaultSecret), o.Certificates)
	if err != nil {
		return nil, err
	}
	t := &Tenant{
		id:  strings.ToLower(orElse(o.TenantID, DefaultTenantID)),
		app: a,
		srv: s,
		org: orgCard{name: orElse(o.Org.Name, "Example"), domain: orElse(o.Org.Domain, "example.com")},
	}
	if err := t.dir.load(o.Org); err != nil {
		return nil, fmt.Errorf("graphsim: tenant %s: %w", t.id, err)
	}
	t.dir.announce = func(objects []*object, now change) { s.announce(t, objects, now) }
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenants[t.id] != nil {
		return nil, fmt.Errorf("graphsim: tenant %s is there already", t.id)
	}
	s.tenants[t.id] = t
	return t, nil
}

func (s *Server) tenant(id string) *Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenants[strings.ToLower(id)]
}

// TenantID is the directory (tenant) id.
func (t *Tenant) TenantID() string { return t.id }

// ClientID is the application (client) id.
func (t *Tenant) ClientID() string { return t.app.clientID }

// Secret is the value of the application's client secret.
func (t *Tenant) Secret() string { return t.app.secret }
