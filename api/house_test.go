package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/trail"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
	"github.com/varsel/varsel/smsqueue/carriers/smpp"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

// house is the API of an installation, listening, with an account that may send.
// No worker runs: what is accepted stays queued.
type house struct {
	Services
	url     string
	db      *db.DB
	account accounts.Account
	key     string
	found   []directory.Finding // what a check finds
	source  directory.Source
}

func openHouse(t *testing.T) *house { t.Helper(); return openOn(t, dbtest.SQLiteURL(t)) }

func openOn(t *testing.T, url string) *house {
	t.Helper()
	d := dbtest.Open(t, url)
	ring, err := secrets.FromFile(filepath.Join(t.TempDir(), "varsel.key"))
	must(t, err)
	names, err := secrets.OpenNames(t.Context(), d, ring)
	must(t, err)
	acc := accounts.New(d)
	marks := contacts.MarksOf(names)
	book := contacts.New(d).Marking(marks)
	queue := smsqueue.New(smsqueue.House{DB: d, Ring: ring, Accounts: acc, Marks: marks, Callbacks: "https://varsel.example/callbacks", PublicURL: "https://varsel.example", Carriers: map[string]carriers.Type{"simulator": simulator.Type, "smpp": smpp.Type}})
	t.Cleanup(queue.Close)
	_, err = queue.AddRoute(t.Context(), "main", "simulator", json.RawMessage(`{}`))
	must(t, err)

	steps := trail.New(d, names)
	t.Cleanup(steps.Close)
	h := &house{}
	clouds := directory.Clouds{directory.GlobalCloud: {
		Open:  func(directory.Access) (directory.Source, error) { return h.source, nil },
		Check: func(context.Context, directory.Access) []directory.Finding { return h.found },
	}}
	plan := func(ctx context.Context, account int64) error {
		return h.Plans.Can(ctx, d, account, billing.Directory)
	}
	*h = house{db: d, Services: Services{Ready: d.Ping, Accounts: acc, Book: book, Queue: queue, Names: names, Invoices: billing.NewInvoices(d), Cards: cards.New(d),
		Ledger: billing.NewLedger(d), Budgets: billing.NewBudgets(d), Teams: billing.NewTeams(d),
		Plans: billing.NewPlans(d), PriceLists: billing.NewPriceLists(d), Subscriptions: billing.NewSubscriptions(d, names), Trail: steps,
		Directory: directory.New(directory.House{DB: d, Ring: ring, Book: book, Gate: acc.Gate, Plan: plan, Clouds: clouds, Marks: marks}, 1)}}
	h.Privacy = privacy.New(privacy.Parts{DB: d, Names: names, Keyring: ring, Accounts: acc, Book: book, Directory: h.Directory, Queue: queue,
		Erasures: filepath.Join(t.TempDir(), "erasures.jsonl"), Exports: t.TempDir()})
	h.account = h.newAccount(t, "acme")
	_, err = acc.Conclude(t.Context(), h.account.ID, "Kari Nordmann", "CEO", "kari@acme.example")
	must(t, err)
	h.key = h.newKey(t, h.account, "*")
	for _, table := range []string{"audit_entries", "audit_heads"} { // tests begin with an empty trail
		_, err = d.ExecContext(t.Context(), `DELETE FROM `+table)
		must(t, err)
	}
	h.url = listen(t, h.Services)
	return h
}

func (h *house) newAccount(t *testing.T, handle string) accounts.Account {
	t.Helper()
	acc, err := h.Accounts.Create(t.Context(), accounts.Account{Handle: handle, Name: handle + " AS", Region: "NO", Sender: "ACME"})
	must(t, err)
	return acc
}

func (h *house) newKey(t *testing.T, acc accounts.Account, scopes ...string) string {
	t.Helper()
	_, secret, err := h.Accounts.CreateKey(t.Context(), acc.ID, scopes, "")
	must(t, err)
	return secret
}

// other is a second account, with a key of its own.
func (h *house) other(t *testing.T) (accounts.Account, string) {
	t.Helper()
	acc := h.newAccount(t, "other")
	return acc, h.newKey(t, acc, "*")
}

// group keeps contacts by hand, one for each number, in a group.
func (h *house) group(t *testing.T, name string, phones ...string) contacts.Group {
	t.Helper()
	var ids []int64
	for _, phone := range phones {
		c, err := h.Book.AddContact(t.Context(), h.account.ID, "Somebody", phone, "NO")
		must(t, err)
		ids = append(ids, c.ID)
	}
	g, err := h.Book.AddGroup(t.Context(), h.account.ID, name, ids)
	must(t, err)
	return g
}

// listen serves s on a port of its own until the test ends.
func listen(t *testing.T, s Services) (url string) {
	t.Helper()
	app := fiber.New(fiber.Config{Immutable: true, ErrorHandler: ErrorHandler, DisableStartupMessage: true, BodyLimit: 2 * bodyLimit})
	Mount(app, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(l) }()
	t.Cleanup(func() {
		// A connection that was dialled and not used would be waited for.
		http.DefaultClient.CloseIdleConnections()
		must(t, app.Shutdown())
		l.Close() // Shutdown has not, if it came before Listener
		must(t, <-ended)
	})
	return "http://" + l.Addr().String()
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request with the house's key. Headers are name and value in turn;
// an empty Authorization sends none.
func (h *house) ask(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	r, err := h.exchange(t.Context(), method, path, body, headers...)
	must(t, err)
	return r
}

func (h *house) exchange(ctx context.Context, method, path, body string, headers ...string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+h.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if req.Header.Get("Authorization") == "" {
		req.Header.Del("Authorization")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, got}, err
}

func bearer(key string) []string { return []string{"Authorization", "Bearer " + key} }

// read decodes an answer with the expected status.
func read[T any](t *testing.T, r reply, status int) (v T) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	must(t, dec.Decode(&v))
	return v
}

// refused checks that the answer is a problem document with that status and
// code, and answers it.
func refused(t *testing.T, r reply, status int, code string) Problem {
	t.Helper()
	p := read[Problem](t, r, status)
	if got := r.header.Get("Content-Type"); got != problemType {
		t.Errorf("Content-Type %q, want %q", got, problemType)
	}
	if p.Status != status || p.Code != code || p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Fatalf("problem %+v, want status %d and code %q", p, status, code)
	}
	return p
}

// refusedAt checks also that it is about one field of the body.
func refusedAt(t *testing.T, r reply, code, pointer string) Problem {
	t.Helper()
	p := refused(t, r, http.StatusUnprocessableEntity, code)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer || p.Errors[0].Detail == "" {
		t.Fatalf("faults %+v, want one at %q", p.Errors, pointer)
	}
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want(-) got(+):\n%s", diff)
	}
}

// pages walks a list to its end and answers all items, page by page.
func pages[T any](t *testing.T, h *house, path string, limit string) (all [][]T) {
	t.Helper()
	cursor := ""
	for {
		p := read[list[T]](t, h.ask(t, "GET", path+"limit="+limit+cursor, ""), 200)
		all = append(all, p.Items)
		if p.NextCursor == "" || len(all) > 100 {
			return all
		}
		cursor = "&cursor=" + p.NextCursor
	}
}
