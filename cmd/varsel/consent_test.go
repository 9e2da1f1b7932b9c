package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// browser is of a user who has signed in to the console.
type browser struct {
	*http.Client
	t    *testing.T
	home string
	seen []*url.URL // where it was sent on to
}

func (p *publicApp) browser(account int64, email, role string) *browser {
	p.t.Helper()
	_, err := p.Accounts.CreateUser(p.t.Context(), account, email, role, "a long password")
	must(p.t, err)
	jar, err := cookiejar.New(nil)
	must(p.t, err)
	roots := x509.NewCertPool()
	roots.AddCert(p.front.Certificate())
	roots.AppendCertsFromPEM(p.sim.CAPEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	p.t.Cleanup(transport.CloseIdleConnections)
	b := &browser{t: p.t, home: p.front.URL, Client: &http.Client{Jar: jar, Transport: transport}}
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		b.seen = append(b.seen, r.URL)
		return nil
	}
	form := url.Values{"email": {email}, "password": {"a long password"}, "next": {"/directory"}}
	if status, page := b.open(http.MethodPost, "/sign-in", strings.NewReader(form.Encode())); status != http.StatusOK {
		p.t.Fatalf("sign in: %d %s", status, page)
	}
	b.seen = nil
	return b
}

// open opens a page, and follows wherever it leads.
func (b *browser) open(method, path string, body io.Reader, headers ...string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.home+path, body)
	must(b.t, err)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.Do(req)
	must(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.t, err)
	return res.StatusCode, string(text)
}

func (b *browser) get(path string, headers ...string) (int, string) {
	b.t.Helper()
	return b.open(http.MethodGet, path, nil, headers...)
}

// stops makes the browser stay where a page of Varsel's leads to Microsoft, and
// answers that address.
func (b *browser) stops(path string) *url.URL {
	b.t.Helper()
	follow := b.CheckRedirect
	defer func() { b.CheckRedirect = follow }()
	var to *url.URL
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		to = r.URL
		return http.ErrUseLastResponse
	}
	status, page := b.get(path)
	if status != http.StatusSeeOther || to == nil {
		b.t.Fatalf("%s: %d %s", path, status, page)
	}
	return to
}

// refused checks that a page says why the directory is not connected.
func (b *browser) refused(why string, status int, page string) {
	b.t.Helper()
	if status < 400 || !strings.Contains(page, "<h1>Not connected</h1>") || !strings.Contains(page, why) {
		b.t.Errorf("%d, want %q: %s", status, why, page)
	}
}

func (p *publicApp) unconnected(account int64) {
	p.t.Helper()
	all, err := p.Directory.Connections(p.t.Context(), account)
	must(p.t, err)
	if len(all) > 0 || p.sim.GraphMethods()["GET"] > 0 {
		p.t.Errorf("%d connections, and the directory was asked %v", len(all), p.sim.GraphMethods())
	}
}

// Q1, Q6, Q7, S13
func TestAnAdministratorSignsInAndConsents(t *testing.T) {
	eachPublicApp(t, func(p *publicApp) {
		t := p.t
		b := p.browser(p.account.ID, "kari@acme.example", "owner")
		p.sim.SignInAs(graphsim.SignIn{Admin: true})
		if status, page := b.get("/directory/consent"); status != http.StatusOK {
			t.Fatalf("%d %s", status, page)
		}
		var way []string
		for _, u := range b.seen {
			way = append(way, u.Path)
		}
		tenant := p.sim.TenantID()
		want := []string{"/organizations/oauth2/v2.0/authorize", "/directory/consent/callback", "/" + tenant + "/v2.0/adminconsent", "/directory/consent/callback", "/directory"}
		if strings.Join(way, " ") != strings.Join(want, " ") {
			t.Errorf("it went by %v", way)
		}
		all, err := p.Directory.Connections(t.Context(), p.account.ID)
		must(t, err)
		if len(all) != 1 || all[0].State != directory.Connected || all[0].Tenant != tenant || all[0].Credential != directory.ByInstallation || all[0].Client != ownApp {
			t.Fatalf("%+v", all)
		}
		p.await("the first sync ends", func() bool { return p.settled(all[0]) })
		p.subscribed(all[0])
		people, err := p.Book.Contacts(t.Context(), p.account.ID, 0, 1000)
		must(t, err)
		if len(people) == 0 || len(p.sim.GraphWrites()) > 0 {
			t.Errorf("%d people, writes %v", len(people), p.sim.GraphWrites())
		}
	})
}

func TestWhoIsNoAdministratorIsTold(t *testing.T) { // Q1
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	b := p.browser(p.account.ID, "kari@acme.example", "admin")
	p.sim.SignInAs(graphsim.SignIn{})
	status, page := b.get("/directory/consent")
	b.refused("Only a Global Administrator", status, page)
	if len(b.seen) != 2 || p.sim.Consented(ownApp) {
		t.Errorf("it went by %v", b.seen)
	}
	p.unconnected(p.account.ID)
}

func TestDecliningLeavesTheDirectoryNotConnected(t *testing.T) { // Q6
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	b := p.browser(p.account.ID, "kari@acme.example", "owner")
	p.sim.SignInAs(graphsim.SignIn{Admin: true, Deny: true})
	status, page := b.get("/directory/consent")
	b.refused("was declined at Microsoft", status, page)

	// Also who signs in and only then declines.
	p.sim.SignInAs(graphsim.SignIn{Admin: true})
	consent := b.stops(p.back(b, b.stops("/directory/consent")))
	p.sim.SignInAs(graphsim.SignIn{Admin: true, Deny: true})
	status, page = b.get(p.back(b, consent))
	b.refused("was declined at Microsoft", status, page)
	p.unconnected(p.account.ID)
}

// back opens a page of Microsoft's and answers the path to which it sends back.
func (p *publicApp) back(b *browser, page *url.URL) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, page.String(), nil)
	must(p.t, err)
	res, err := b.Transport.RoundTrip(req)
	must(p.t, err)
	defer res.Body.Close()
	to, err := res.Location()
	must(p.t, err)
	return to.RequestURI()
}

// S6
func TestNobodyIsSentToMicrosoftBeforeTheAgreement(t *testing.T) {
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	p.sim.SignInAs(graphsim.SignIn{Admin: true})
	bare, err := p.Accounts.Create(t.Context(), accounts.Account{Handle: "bare", Name: "Bare AS", Region: "NO"})
	must(t, err)
	b := p.browser(bare.ID, "ola@bare.example", "owner")
	status, page := b.get("/directory/consent")
	if status != http.StatusForbidden || len(b.seen) > 0 || len(p.sim.Requests()) > 0 {
		t.Errorf("%d, by %v: %s", status, b.seen, page)
	}
}

// An employee who is no administrator, of a tenant where the app was let in for
// another account, writes the consent's answer into the address bar.
func TestAnEmployeeCannotForgeTheConsent(t *testing.T) { // Q1, Q7
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	p.sim.SignInAs(graphsim.SignIn{Admin: true})
	kari := p.browser(p.account.ID, "kari@acme.example", "owner")
	if status, page := kari.get("/directory/consent"); status != http.StatusOK {
		t.Fatalf("%d %s", status, page)
	}
	other, err := p.Accounts.Create(t.Context(), accounts.Account{Handle: "other", Name: "Other AS", Region: "NO"})
	must(t, err)
	_, err = p.Accounts.Conclude(t.Context(), other.ID, "Ola", "CEO", "ola@other.example")
	must(t, err)
	ola := p.browser(other.ID, "ola@other.example", "owner")
	p.sim.SignInAs(graphsim.SignIn{UserID: p.sim.Users()[3].ID})
	forged := func(state string) string {
		return "/directory/consent/callback?" + url.Values{"admin_consent": {"True"}, "tenant": {p.sim.TenantID()}, "state": {state}}.Encode()
	}
	signIn := ola.stops("/directory/consent")
	for _, state := range []string{signIn.Query().Get("state"), "", "x"} {
		status, page := ola.get(forged(state))
		if status < 400 {
			t.Errorf("state %q: %d %s", state, status, page)
		}
	}
	status, page := ola.get(p.back(ola, ola.stops("/directory/consent")))
	ola.refused("Only a Global Administrator", status, page)

	// An administrator elsewhere consents for a tenant that is not theirs.
	const elsewhere = "0d9f3e57-0000-4000-8000-000000000002"
	_, err = p.sim.AddTenant(graphsim.TenantOptions{TenantID: elsewhere})
	must(t, err)
	p.sim.SignInAs(graphsim.SignIn{Tenant: elsewhere, Admin: true})
	consent := ola.stops(p.back(ola, ola.stops("/directory/consent")))
	status, page = ola.get(forged(consent.Query().Get("state")))
	ola.refused("another organisation", status, page)
	all, err := p.Directory.Connections(t.Context(), other.ID)
	must(t, err)
	if len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

func TestTheWayBackIsForOneSessionAndOnce(t *testing.T) { // Q7
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	p.sim.SignInAs(graphsim.SignIn{Admin: true})
	kari := p.browser(p.account.ID, "kari@acme.example", "owner")
	ola := p.browser(p.account.ID, "ola@acme.example", "admin")
	signedIn := p.back(kari, kari.stops("/directory/consent"))
	status, page := ola.get(signedIn)
	ola.refused("begun by somebody else", status, page)
	consented := p.back(kari, kari.stops(signedIn))
	status, page = kari.get(signedIn)
	kari.refused("used already", status, page)
	status, page = ola.get(consented)
	ola.refused("begun by somebody else", status, page)
	if status, page := kari.get(consented); status != http.StatusOK {
		t.Errorf("%d %s", status, page)
	}
	status, page = kari.get(consented)
	kari.refused("used already", status, page)
}

func TestNothingOfTheAddressIsShown(t *testing.T) {
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	b := p.browser(p.account.ID, "kari@acme.example", "owner")
	const script = "<script>alert(1)</script>"
	for _, q := range []url.Values{
		{"error": {script}, "error_description": {script}, "state": {script}},
		{"error": {script}, "error_description": {script}, "state": {b.stops("/directory/consent").Query().Get("state")}},
		{"code": {script}, "state": {b.stops("/directory/consent").Query().Get("state")}},
	} {
		status, page := b.get("/directory/consent/callback?" + q.Encode())
		if status < 400 || strings.Contains(page, script) {
			t.Errorf("%d %s", status, page)
		}
	}
}

func TestWhoMayBeginAConsent(t *testing.T) {
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	owner := p.browser(p.account.ID, "kari@acme.example", "owner")
	for _, site := range []string{"cross-site", "same-site"} {
		if status, page := owner.get("/directory/consent", "Sec-Fetch-Site", site); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", site, status, page)
		}
	}
	for _, role := range []string{"sender", "viewer"} {
		b := p.browser(p.account.ID, role+"@acme.example", role)
		for _, path := range []string{"/directory/consent", "/directory/consent/callback?state=x"} {
			if status, page := b.get(path); status != http.StatusForbidden {
				t.Errorf("%s, %s: %d %s", role, path, status, page)
			}
		}
	}
	if n := len(p.sim.Requests()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

func TestTheInstallationsAppIsCheckedWithTheOtherSettings(t *testing.T) {
	pem := filepath.Join(t.TempDir(), "entra.pem")
	must(t, os.WriteFile(pem, []byte("no certificate"), 0o600))
	valid := Config{DatabaseURL: defaultDatabase, Listen: "127.0.0.1:8080", PublicURL: "https://varsel.example", EntraClientID: ownApp, EntraSecret: ownSecret}
	must(t, valid.Validate())
	for name, change := range map[string]func(c *Config){
		"no client":          func(c *Config) { c.EntraClientID = "" },
		"no proof":           func(c *Config) { c.EntraSecret = "" },
		"both":               func(c *Config) { c.EntraCertificate = pem },
		"no certificate":     func(c *Config) { c.EntraSecret, c.EntraCertificate = "", pem },
		"no file":            func(c *Config) { c.EntraSecret, c.EntraCertificate = "", pem+"x" },
		"the secret's id":    func(c *Config) { c.EntraSecret = ownApp },
		"not reached safely": func(c *Config) { c.PublicURL = "http://varsel.example" },
	} {
		c := valid
		change(&c)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), "VARSEL_") || strings.Contains(err.Error(), ownSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
