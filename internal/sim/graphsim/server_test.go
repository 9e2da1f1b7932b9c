package graphsim

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
)

func TestServesItsCertificateForAllLoopbackNames(t *testing.T) {
	s, c := start(t, Options{})
	port := s.URL()[strings.LastIndexByte(s.URL(), ':'):]
	for _, host := range []string{"127.0.0.1", "localhost"} {
		req, _ := http.NewRequest("GET", "https://"+host+port+"/"+DefaultTenantID+"/v2.0/.well-known/openid-configuration", nil)
		if a := c.do(req); a.status != http.StatusOK {
			t.Errorf("%s: %d", host, a.status)
		}
	}
	leaf, err := x509.ParseCertificate(s.authority.server.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := leaf.VerifyHostname("::1"); err != nil { // not every machine has IPv6
		t.Error(err)
	}
}

func TestStrangersDoNotTrustIt(t *testing.T) {
	s, _ := start(t, Options{})
	if _, err := http.Get(s.URL()); err == nil {
		t.Error("a client without the authority got an answer")
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	if s, err := Start(Options{Addr: "0.0.0.0:0"}); err == nil {
		s.Close()
		t.Error("listens on all addresses")
	}
}

func TestRefusesAnOrganisationThatContradictsItself(t *testing.T) {
	for name, org := range map[string]Org{
		"same id twice":    {Users: []User{{ID: "a"}, {ID: "a"}}},
		"no id":            {Users: []User{{}}},
		"unknown member":   {Groups: []Group{{ID: "g", Members: []string{"a"}}}},
		"unknown property": {Users: []User{{ID: "a", Properties: map[string]any{"mobile": "1"}}}},
	} {
		if s, err := Start(Options{Org: org}); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	other, err := s.AddTenant(TenantOptions{TenantID: "0d9f3e57-0000-4000-8000-000000000002", Secret: "other", Org: Org{Users: []User{{ID: "zoe"}}}})
	if err != nil {
		t.Fatal(err)
	}
	ours := c.round("/users/delta")
	c.signIn(other)
	if got := c.round("/users/delta").ids(); len(got) != 1 || got[0] != "zoe" {
		t.Errorf("the other tenant has %v", got)
	}
	if a := c.get(ours.delta); a.status != http.StatusBadRequest {
		t.Errorf("a delta link works in another tenant: %d", a.status)
	}
	if _, err := s.AddTenant(TenantOptions{}); err == nil {
		t.Error("the same tenant twice")
	}
}

func TestCloseEndsItAndMayBeRepeated(t *testing.T) {
	s, c := start(t, Options{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.http.Get(s.URL()); err == nil {
		t.Error("still answers")
	}
}
