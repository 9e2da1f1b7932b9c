package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// The installation's own app.
const (
	ownApp    = "3f1c2b7e-6a54-4c0d-9d7b-0c5c1e6a9f10"
	ownSecret = "the~installation's.own-secret"
)

// publicApp is a working installation behind a proxy that ends TLS, as the
// internet sees it, with a directory of its own.
type publicApp struct {
	*App
	t       *testing.T
	sim     *graphsim.Server
	front   *httptest.Server
	account accounts.Account
}

func newPublicApp(t *testing.T, database, redis string) *publicApp {
	t.Helper()
	p := &publicApp{t: t}
	listening := make(chan string, 1)
	behind := sync.OnceValue(func() *url.URL { return &url.URL{Scheme: "http", Host: <-listening} })
	p.front = httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind()) }})
	t.Cleanup(p.front.Close)
	var err error
	p.sim, err = graphsim.Start(graphsim.Options{Org: graphsim.Example(50), NotifyClient: p.front.Client()})
	must(t, err)
	t.Cleanup(func() { p.sim.Close() })
	must(t, p.sim.AddMultiTenantApp(ownApp, ownSecret))
	cfg := Config{EntraClientID: ownApp, EntraSecret: ownSecret, DatabaseURL: database, RedisURL: redis, Listen: "127.0.0.1:0", PublicURL: p.front.URL,
		SecretKey:      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		GraphAuthority: p.sim.URL(), GraphURL: p.sim.GraphURL(), graphCA: p.sim.CAPEM(), notifyLoopback: true}
	p.App, err = Open(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { p.Close() })
	p.account, err = p.Accounts.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO", Sender: "ACME"})
	must(t, err)
	_, err = p.Accounts.Conclude(t.Context(), p.account.ID, "Kari Nordmann", "CEO", "kari@acme.example")
	must(t, err)
	p.serve(listening)
	return p
}

func (p *publicApp) serve(listening chan<- string) {
	must(p.t, p.Work(p.t.Context(), roleAll))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- p.Serve(ctx, func(address string) error { listening <- address; return nil })
	}()
	p.t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // the proxy's
		stop()
		must(p.t, <-ended)
	})
}

func (p *publicApp) connect() directory.Connection {
	p.t.Helper()
	c, report, err := p.Directory.Connect(p.t.Context(), p.account.ID, directory.Setup{Credentials: directory.Credentials{
		Tenant: p.sim.TenantID(), Client: p.sim.ClientID(), Secret: p.sim.Secret()}})
	must(p.t, err)
	if !report.OK() {
		p.t.Fatal(report.Failed())
	}
	return c
}

// runJob does now what would be done within a minute.
func (p *publicApp) runJob(name string) {
	p.t.Helper()
	for _, job := range p.jobs(0) {
		if job.Name == name {
			must(p.t, job.Run(p.t.Context()))
			return
		}
	}
	p.t.Fatalf("there is no job %s", name)
}

// subscribed has the directory notify us; the program's own job may do so too.
func (p *publicApp) subscribed(c directory.Connection) {
	p.t.Helper()
	p.await("the directory notifies us", func() bool {
		p.runJob("keep-subscriptions")
		n, err := p.Directory.Notifications(p.t.Context(), p.account.ID, c.ID)
		must(p.t, err)
		return n.Active
	})
}

// await waits for what the product does by itself.
func (p *publicApp) await(what string, done func() bool) {
	p.t.Helper()
	for ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute); ; {
		if done() {
			cancel()
			return
		}
		select {
		case <-ctx.Done():
			cancel()
			p.t.Fatalf("%s: not in five minutes", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *publicApp) contact(id string) (contacts.Contact, bool) {
	p.t.Helper()
	all, err := p.Book.Contacts(p.t.Context(), p.account.ID, 0, 1000)
	must(p.t, err)
	for _, c := range all {
		if c.DirectoryID == id {
			return c, true
		}
	}
	return contacts.Contact{}, false
}

func (p *publicApp) settled(c directory.Connection) bool {
	p.t.Helper()
	now, err := p.Directory.Connection(p.t.Context(), p.account.ID, c.ID)
	must(p.t, err)
	due, err := p.Directory.Due(p.t.Context(), time.Now().Add(time.Minute))
	must(p.t, err)
	return !now.SucceededAt.IsZero() && len(due) == 0
}

func eachPublicApp(t *testing.T, test func(p *publicApp)) {
	t.Run("embedded", func(t *testing.T) { test(newPublicApp(t, dbtest.SQLiteURL(t), "")) })
	t.Run("production", func(t *testing.T) {
		i := newInstallation(t, dbtest.PostgresURL(t))
		i.do("", "migrate")
		test(newPublicApp(t, i.env[1], redistest.Start(t).URL()))
	})
}

// Q63, S13. The schedule, a quarter of an hour away, has no part in it.
func TestAChangeInTheDirectoryReachesTheAddressBookByItself(t *testing.T) {
	eachPublicApp(t, func(p *publicApp) {
		t := p.t
		c := p.connect()
		p.subscribed(c)
		p.await("the first sync ends", func() bool { return p.settled(c) })

		const id = "00000000-1111-2222-3333-444444444444"
		p.sim.AddUser(graphsim.User{ID: id, Properties: map[string]any{"displayName": "New", "mobilePhone": "900 00 001", "usageLocation": "NO"}})
		p.await("somebody new is there", func() bool { _, there := p.contact(id); return there })
		p.sim.UpdateUser(id, map[string]any{"mobilePhone": "900 00 002"})
		p.await("the number is the new one", func() bool { one, _ := p.contact(id); return one.Phone.E164 == "+4790000002" })
		p.sim.SoftDelete(id)
		p.await("who has left is not", func() bool { _, there := p.contact(id); return !there })

		for _, n := range p.sim.Notifications() {
			if n.Status != http.StatusAccepted || !strings.HasPrefix(n.URL, p.front.URL) {
				t.Errorf("%s: %d", n.URL, n.Status)
			}
		}
		if writes := p.sim.GraphWrites(); len(writes) > 0 {
			t.Errorf("written to the directory: %v", writes)
		}
	})
}

// Q63
func TestAThousandChangesAreAFewSyncs(t *testing.T) {
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	c := p.connect()
	p.subscribed(c)
	p.await("the first sync ends", func() bool { return p.settled(c) })
	before, err := p.Directory.Runs(t.Context(), p.account.ID, c.ID, 0, 100)
	must(t, err)

	p.sim.DuplicateNotifications(true)
	p.sim.WrongClientState(10)
	users := p.sim.Users()
	for i := range 1000 {
		p.sim.UpdateUser(users[i%len(users)].ID, map[string]any{"jobTitle": fmt.Sprintf("Adviser %d", i)})
	}
	last := users[999%len(users)].ID
	p.await("the last change is there", func() bool { one, there := p.contact(last); return !there || one.JobTitle == "Adviser 999" })
	p.await("nothing more is to be read", func() bool { return p.settled(c) })
	after, err := p.Directory.Runs(t.Context(), p.account.ID, c.ID, 0, 100)
	must(t, err)
	// Each run reads for as long as it likes; what is told meanwhile is the next one's.
	if n := len(after) - len(before); n < 1 || n > 20 {
		t.Errorf("%d runs", n)
	}
	n, err := p.Directory.Notifications(t.Context(), p.account.ID, c.ID)
	must(t, err)
	if n.Refused < 10 {
		t.Errorf("%d notifications were refused", n.Refused)
	}
}

func TestDisconnectingEndsTheSubscriptions(t *testing.T) {
	p := newPublicApp(t, dbtest.SQLiteURL(t), "")
	c := p.connect()
	p.subscribed(c)
	must(t, p.Directory.Disconnect(t.Context(), p.account.ID, c.ID))
	p.await("both subscriptions end", func() bool {
		p.runJob("keep-subscriptions")
		methods := map[string]int{}
		for _, call := range p.sim.SubscriptionCalls() {
			methods[call.Method]++
		}
		if methods["POST"] > 2 || methods["DELETE"] > 2 {
			t.Fatalf("%v", methods)
		}
		return methods["DELETE"] == 2
	})
	told := len(p.sim.Notifications())
	p.sim.SoftDelete(p.sim.Users()[0].ID)
	if n := len(p.sim.Notifications()); n != told {
		t.Errorf("%d notifications came after it", n-told)
	}
}

func TestWhereADirectoryCanNotifyUs(t *testing.T) {
	for address, want := range map[string]bool{
		"https://varsel.example": true, "https://varsel.example:8443/": true, "https://192.0.2.7": true,
		"": false, "http://varsel.example": false, "https://localhost": false, "https://varsel": false, "https://127.0.0.1": false,
		"https://10.0.0.1:8443": false, "https://[::1]": false, "https://[fd00::1]": false, "https://app.localhost": false,
	} {
		got := Config{Listen: "127.0.0.1:8080", PublicURL: address}.notifyURL()
		if (got != "") != want || want && !strings.HasSuffix(got, "/v1/directory/notifications") {
			t.Errorf("%q: %q", address, got)
		}
	}
}
