package graph_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// outcomes are those of a check, by step.
func outcomes(found []directory.Finding) map[string]string {
	all := map[string]string{}
	for _, f := range found {
		all[f.Step] = f.Outcome
	}
	return all
}

func TestACheckOfGoodAccess(t *testing.T) { // S23, Q2, Q47
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(50)})
	found := graph.Check(t.Context(), config(t, sim))
	equal(t, map[string]string{"sign_in": "passed", "people": "passed", "groups": "passed", "members": "passed", "organisation": "passed"}, outcomes(found))
	equal(t, []string{"GET"}, slices.Collect(maps.Keys(sim.GraphMethods())))
}

func TestACheckOfAnEmptyTenantPasses(t *testing.T) { // S23
	sim := startSim(t, graphsim.Options{})
	found := directory.Report(graph.Check(t.Context(), config(t, sim)))
	equal(t, "not_tried", outcomes(found)["members"])
	equal(t, true, found.OK())
}

// A private peer may have no more of Graph than a sync asks for.
func TestACheckPassesOverWhatAPeerDoesNotHave(t *testing.T) {
	for _, answer := range []http.HandlerFunc{
		http.NotFound,
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotImplemented)
			io.WriteString(w, `{"error": {"code": "NotImplemented", "message": "not here"}}`)
		},
	} {
		c, _ := impostor(t, answer)
		found := directory.Report(graph.Check(t.Context(), c))
		equal(t, map[string]string{"sign_in": "passed", "people": "not_tried", "groups": "not_tried", "members": "not_tried", "organisation": "not_tried"}, outcomes(found))
	}
}

// Every row of the table of failures is a sentence of its own.
func TestACheckSaysWhichStepFailed(t *testing.T) { // S19, S21, S23
	for _, f := range []struct {
		name, step, code, says string
		faults                 graphsim.Faults
		change                 func(*graph.Config)
	}{
		{name: "tenant", step: "sign_in", code: "directory_tenant", says: "tenant id is wrong",
			change: func(c *graph.Config) { c.Tenant = "00000000-0000-0000-0000-000000000001" }},
		{name: "client", step: "sign_in", code: "directory_client", says: "client id is wrong",
			change: func(c *graph.Config) { c.Client = "00000000-0000-0000-0000-000000000002" }},
		{name: "secret", step: "sign_in", code: "directory_secret", says: "Secret ID",
			change: func(c *graph.Config) { c.Secret = "wrong~secret" }},
		{name: "expired", step: "sign_in", code: "directory_secret_expired", says: "make a new one", faults: graphsim.Faults{SecretExpired: true}},
		{name: "disabled", step: "sign_in", code: "directory_app_disabled", says: "disabled", faults: graphsim.Faults{AppDisabled: true}},
		{name: "policy", step: "sign_in", code: "directory_policy", says: "Conditional Access", faults: graphsim.Faults{ConditionalAccess: true}},
		{name: "cloud", step: "sign_in", code: "directory_cloud", says: "another cloud", faults: graphsim.Faults{OtherCloud: true}},
		{name: "certificate", step: "sign_in", code: "directory_certificate", says: "upload its public part",
			change: func(c *graph.Config) { c.Secret, c.Certificate = "", certificate(t) }},
		{name: "no certificate", step: "sign_in", code: "directory_certificate", says: "PEM",
			change: func(c *graph.Config) { c.Secret, c.Certificate = "", "nonsense" }},
		{name: "people", step: "people", code: "directory_consent", says: "User.Read.All", faults: graphsim.Faults{NoConsent: []string{"users"}}},
		{name: "groups", step: "groups", code: "directory_consent", says: "Group.Read.All", faults: graphsim.Faults{NoConsent: []string{"groups"}}},
		{name: "nameless members", step: "members", code: "directory_names", says: "User.Read.All", faults: graphsim.Faults{NoUserRead: true}},
		{name: "network", step: "sign_in", code: "directory_network", says: "login.invalid",
			change: func(c *graph.Config) { c.Authority = "https://login.invalid" }},
		{name: "untrusted", step: "sign_in", code: "directory_network", says: "not trusted",
			change: func(c *graph.Config) { c.Transport = http.DefaultTransport.(*http.Transport).Clone() }},
	} {
		t.Run(f.name, func(t *testing.T) {
			sim := startSim(t, graphsim.Options{Org: graphsim.Example(50)})
			sim.SetFaults(f.faults)
			c := config(t, sim)
			if f.change != nil {
				f.change(&c)
			}
			found := graph.Check(t.Context(), c)
			for _, one := range found {
				if one.Step != f.step {
					continue
				}
				equal(t, []string{directory.Broken, f.code}, []string{one.Outcome, one.Code})
				if !strings.Contains(one.Text, f.says) || strings.Contains(one.Text, "\n") || strings.Contains(one.Text, c.Secret) && c.Secret != "" {
					t.Errorf("it says %q", one.Text)
				}
				return
			}
			t.Errorf("no finding about %s: %v", f.step, found)
		})
	}
}

// certificate is one that nobody knows, with its key.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Varsel"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

func TestACertificateSignsIn(t *testing.T) { // S17
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(20)})
	c := config(t, sim)
	c.Secret, c.Certificate = "", certificate(t)
	equal(t, nil, sim.AddCertificate([]byte(c.Certificate)))
	found := directory.Report(graph.Check(t.Context(), c))
	equal(t, "", found.Failed())
	p, err := open(t, c).People(t.Context(), "")
	equal(t, nil, err)
	equal(t, 20, len(p.Items))
}

// Each failure of a sync reaches the administrator in words, and leaves the
// address book as it was.
func TestAFailureLeavesTheAddressBookAsItWas(t *testing.T) { // S21
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(60), PageSize: 10})
	c, err := h.connect()
	equal(t, nil, err)
	_, err = h.Sync(t.Context(), account, c.ID)
	equal(t, nil, err)
	before, err := h.book.Contacts(t.Context(), account, 0, 1000)
	equal(t, nil, err)
	for _, f := range []struct {
		code   string
		faults graphsim.Faults
		script func()
	}{
		{code: "directory_consent", faults: graphsim.Faults{NoConsent: []string{"users"}}},
		{code: "directory_consent", faults: graphsim.Faults{NoConsent: []string{"groups"}}},
		{code: "directory_consent", faults: graphsim.Faults{NoUserRead: true}},
		{code: "directory_secret_expired", faults: graphsim.Faults{SecretExpired: true}},
		{code: "directory_app_disabled", faults: graphsim.Faults{AppDisabled: true}},
		{code: "directory_policy", faults: graphsim.Faults{ConditionalAccess: true}},
		{code: "directory_cloud", faults: graphsim.Faults{OtherCloud: true}},
		{code: "directory_answer", script: func() { h.sim.Gone(2); h.sim.ForeignNextLink(1) }},
		{code: "directory_answer", script: func() { h.sim.Fail(1, 400) }},
		{code: "directory_network", script: func() { h.sim.Gone(2); h.sim.Pass(3); h.sim.CutBody(1) }},
		{code: "directory_unavailable", script: func() { h.sim.Gone(2); h.sim.Pass(3); h.sim.Fail(1, 503) }},
	} {
		h.sim.SetFaults(f.faults)
		for _, u := range h.sim.Users()[:3] {
			h.sim.UpdateUser(u.ID, map[string]any{"displayName": "Changed by " + f.code})
		}
		if f.script != nil {
			f.script()
		}
		run, err := h.Sync(t.Context(), account, c.ID)
		if err == nil || run.Code != f.code || run.Reason == "" || strings.Contains(run.Reason, "\n") {
			t.Errorf("want %s, got %s %q, %v", f.code, run.Code, run.Reason, err)
		}
		after, err := h.book.Contacts(t.Context(), account, 0, 1000)
		equal(t, nil, err)
		equal(t, before, after)
		h.sim.ClearFaults()
	}
	for range 2 { // to the end of the round under way, and what came since
		_, err = h.Sync(t.Context(), account, c.ID)
		equal(t, nil, err)
	}
	h.inStep()
}
