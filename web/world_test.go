package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/api"
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
	"github.com/varsel/varsel/web"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

var update = flag.Bool("update", false, "write the golden files")

const (
	email    = "kari@acme.test"
	password = "correct horse battery"
)

// world is an installation with one account, its console on a loopback port,
// and a visitor.
type world struct {
	*testing.T
	db        *db.DB
	accounts  *accounts.Accounts
	account   accounts.Account
	book      *contacts.Book
	directory *directory.Directory
	entra     *office
	findings  []directory.Finding // what a check finds
	queue     *smsqueue.Queue
	privacy   *privacy.Desk
	names     *secrets.Names
	trail     *trail.Trail
	invoices  *billing.Invoices
	budgets   *billing.Budgets
	teams     *billing.Teams
	plans     *billing.Plans
	lists     *billing.PriceLists
	ledger    *billing.Ledger
	cards     *cards.Cards
	stop      chan struct{}
	home      string // the console's address
	public    string // what people are told of it; may be empty
	client    *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldAt(t, "")
}

func newWorldAt(t *testing.T, public string) *world {
	t.Helper()
	w := &world{T: t, public: public, db: dbtest.Open(t, dbtest.SQLiteURL(t)), stop: make(chan struct{}), entra: &office{}}
	ring := must(secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="))
	w.names = must(secrets.OpenNames(t.Context(), w.db, ring))
	w.trail = trail.New(w.db, w.names)
	t.Cleanup(w.trail.Close)
	marks := contacts.MarksOf(w.names)
	w.accounts, w.book, w.invoices = accounts.New(w.db), contacts.New(w.db).Marking(marks), billing.NewInvoices(w.db)
	w.budgets, w.teams = billing.NewBudgets(w.db), billing.NewTeams(w.db)
	w.plans, w.lists = billing.NewPlans(w.db), billing.NewPriceLists(w.db)
	w.ledger = billing.NewLedger(w.db)
	w.cards = cards.New(w.db).Marking(w.names)
	w.queue = smsqueue.New(smsqueue.House{DB: w.db, Ring: ring, Accounts: w.accounts, Marks: marks, Callbacks: "https://varsel.example/callbacks", PublicURL: "https://varsel.example", Carriers: map[string]carriers.Type{"simulator": simulator.Type, "smpp": smpp.Type}})
	t.Cleanup(w.queue.Close)
	w.account = must(w.accounts.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO", Sender: "ACME"}))
	must(w.accounts.Conclude(t.Context(), w.account.ID, "Kari Nordmann", "CEO", email))
	for _, table := range []string{"audit_entries", "audit_heads"} { // tests begin with an empty trail
		must(w.db.ExecContext(t.Context(), `DELETE FROM `+table))
	}
	must(w.accounts.CreateUser(t.Context(), w.account.ID, email, "owner", password))
	cloud := directory.Cloud{
		Open:  func(directory.Access) (directory.Source, error) { return w.entra, nil },
		Check: func(context.Context, directory.Access) []directory.Finding { return w.findings },
	}
	w.directory = directory.New(directory.House{DB: w.db, Ring: ring, Book: w.book, Gate: w.accounts.Gate,
		Plan: func(ctx context.Context, account int64) error {
			return w.plans.Can(ctx, w.db, account, billing.Directory)
		},
		Clouds: directory.Clouds{directory.GlobalCloud: cloud}, Marks: marks}, w.incarnation())
	w.privacy = privacy.New(privacy.Parts{DB: w.db, Names: w.names, Keyring: ring, Accounts: w.accounts, Book: w.book, Directory: w.directory, Queue: w.queue,
		Erasures: t.TempDir() + "/erasures.jsonl", Exports: t.TempDir()})
	w.listen()
	w.client = newClient()
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// incarnation is a row that says that this process works.
func (w *world) incarnation() int64 {
	must(w.db.ExecContext(w.Context(), `INSERT INTO incarnations (id, host, pid, role, counter, started_at) VALUES (7, 'test', 1, 'all', 0, 0)`))
	return 7
}

func (w *world) listen() {
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true, ErrorHandler: web.ErrorPage})
	app.Get("/broken", func(c *fiber.Ctx) error { return fmt.Errorf("the disk is full") })
	api.Mount(app, api.Services{Accounts: w.accounts, Book: w.book, Directory: w.directory, Queue: w.queue, Privacy: w.privacy, Names: w.names, Trail: w.trail})
	web.Mount(app, web.Services{Accounts: w.accounts, Cards: w.cards, PublicURL: w.public, Invoices: w.invoices, Ledger: w.ledger, Budgets: w.budgets, Teams: w.teams, Plans: w.plans, PriceLists: w.lists, Subscriptions: billing.NewSubscriptions(w.db, w.names), Book: w.book, Directory: w.directory, Queue: w.queue, Privacy: w.privacy, Names: w.names, Trail: w.trail, Stop: w.stop})
	port := must(net.Listen("tcp", "127.0.0.1:0"))
	w.home = "http://" + port.Addr().String()
	served := make(chan error, 1)
	go func() { served <- app.Listener(port) }()
	w.Cleanup(func() {
		close(w.stop)
		// A connection that was dialled and not used would be waited for.
		http.DefaultClient.CloseIdleConnections()
		if err := app.ShutdownWithTimeout(5 * time.Minute); err != nil {
			w.Errorf("shut down: %v", err)
		}
		<-served
	})
}

func newClient() *http.Client {
	jar := must(cookiejar.New(nil))
	return &http.Client{Jar: jar, Timeout: 2 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(method, path string, form url.Values, headers ...string) answer {
	w.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req := must(http.NewRequestWithContext(w.Context(), method, w.home+path, body))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) answer {
	w.Helper()
	res, err := w.client.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (w *world) get(path string, headers ...string) answer {
	w.Helper()
	return w.do(http.MethodGet, path, nil, headers...)
}

func (w *world) post(path string, form url.Values, headers ...string) answer {
	w.Helper()
	return w.do(http.MethodPost, path, form, headers...)
}

func (w *world) signIn() {
	w.Helper()
	got := w.post("/sign-in", url.Values{"email": {email}, "password": {password}, "next": {"/"}})
	if got.status != http.StatusSeeOther {
		w.Fatalf("sign in: %d %s", got.status, got.body)
	}
}

// as signs another user in.
func (w *world) as(role string) {
	w.Helper()
	must(w.accounts.CreateUser(w.Context(), w.account.ID, role+"@acme.test", role, password))
	w.client = newClient()
	got := w.post("/sign-in", url.Values{"email": {role + "@acme.test"}, "password": {password}})
	if got.status != http.StatusSeeOther {
		w.Fatalf("sign in: %d", got.status)
	}
}

// group makes a group of n people with numbers of their own.
func (w *world) group(name string, n int) contacts.Group {
	w.Helper()
	people := make([]contacts.NewContact, n)
	for i := range people {
		people[i] = contacts.NewContact{Name: fmt.Sprintf("Person %d", i+1), Phone: fmt.Sprintf("+47400%05d", i), Region: "NO"}
	}
	ids := must(w.book.AddContacts(w.Context(), w.account.ID, people))
	return must(w.book.AddGroup(w.Context(), w.account.ID, name, ids))
}

func (w *world) carrier(name, config string) smsqueue.Route {
	w.Helper()
	return must(w.queue.AddRoute(w.Context(), name, "simulator", json.RawMessage(config)))
}

// texted lets a handset text a number of the account's at that carrier.
func (w *world) texted(r smsqueue.Route, from, to, text string) {
	w.Helper()
	body := must(json.Marshal(map[string]string{"from": from, "to": to, "text": text}))
	must(w.queue.Hear(w.Context(), r.CallbackURL[strings.LastIndex(r.CallbackURL, "/")+1:], carriers.Callback{Body: body}))
}

// work sends what was accepted, until the test ends.
func (w *world) work() {
	w.Helper()
	redis := smsqueue.EmbeddedRedis()
	worker := must(smsqueue.StartWorker(w.Context(), w.queue, redis.Client, "all", noJobs))
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if err := worker.Stop(ctx); err != nil {
			w.Errorf("stop the worker: %v", err)
		}
		redis.Close()
	})
}

func (w *world) start(n smsqueue.NewCampaign) (smsqueue.Campaign, string) {
	w.Helper()
	c := must(w.queue.StartCampaign(w.Context(), w.account.ID, n))
	return c, w.names.Of(secrets.Campaign, c.ID)
}

func (w *world) until(what string, done func() bool) {
	w.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	w.Fatalf("it never came to be that %s", what)
}

func (w *world) finished(c smsqueue.Campaign) {
	w.Helper()
	w.until("the campaign is finished", func() bool {
		return must(w.queue.Campaign(w.Context(), w.account.ID, c.ID)).State == smsqueue.CampaignFinished
	})
}

// connect connects the directory and reads it once.
func (w *world) connect() directory.Connection {
	w.Helper()
	c, _, err := w.directory.Connect(w.Context(), w.account.ID, directory.Setup{Credentials: directory.Credentials{
		Tenant: "acme.onmicrosoft.com", Client: "6f1d2c7e-0000-4000-8000-000000000001", Secret: "a-secret~value.1234"}})
	must(c, err)
	must(w.directory.Sync(w.Context(), w.account.ID, c.ID))
	return c
}

// office is a directory of five people in one page, for the pages to show.
type office struct {
	refuses error
	more    int       // people without numbers, besides the five
	left    []string  // object ids of people who are gone
	pages   chan bool // when not nil, each page of people waits for one
}

func (*office) Group(context.Context, string) (directory.Item, []directory.Item, error) {
	return directory.Item{}, nil, errors.ErrUnsupported
}

func (o *office) People(context.Context, string) (directory.Page, error) {
	people := []string{
		`{"displayName":"Anna Berg","jobTitle":"Nurse","department":"Ward 3","mobilePhone":"+47 401 00 001"}`,
		`{"displayName":"Bjørn Dahl","mobilePhone":"401 00 002"}`,
		`{"displayName":"Cecilie Eng","businessPhones":["+47 401 00 003"]}`,
		`{"displayName":"David Foss"}`,
		`{"displayName":"Eva Gran","mobilePhone":"+47 12"}`,
	}
	page := directory.Page{Items: items("person", people), Delta: "people"}
	page.Items = append(page.Items, items("more", slices.Repeat([]string{`{"displayName":"One of many"}`}, o.more))...)
	for _, id := range o.left {
		page.Items = append(page.Items, directory.Item{ID: id, Removed: true})
	}
	if o.pages != nil {
		<-o.pages
	}
	return page, o.refuses
}

func (o *office) Groups(context.Context, string) (directory.Page, error) {
	page := directory.Page{Items: items("group", []string{`{"displayName":"Ward 3 & <friends>"}`}), Delta: "groups"}
	for i := range 5 {
		page.Items[0].Members = append(page.Items[0].Members, directory.Member{ID: fmt.Sprintf("person-%d", i)})
	}
	return page, o.refuses
}

func (o *office) Person(context.Context, string) (directory.Item, error) {
	return directory.Item{Removed: true}, nil
}

func items(kind string, texts []string) (all []directory.Item) {
	for i, text := range texts {
		it := directory.Item{ID: fmt.Sprintf("%s-%d", kind, i)}
		if err := json.Unmarshal([]byte(text), &it.Fields); err != nil {
			panic(err)
		}
		all = append(all, it)
	}
	return all
}

// nextPage is where a list goes on, or "".
func nextPage(page string) string {
	link := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(page)
	if link == nil {
		return ""
	}
	return html.UnescapeString(link[1])
}

// changing are the parts of a page that differ from run to run.
var changing = []struct {
	part *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(cmp|grp|con|msg|inb|sup|dir|run|upl|tok|tpl|rul|agr|inv|bud|tem|usr|key)_[0-9a-hjkmnp-tv-z]{26}`), "${1}_id"},
	{regexp.MustCompile(`/static/[0-9a-f]{16}/`), "/static/build/"},
	{regexp.MustCompile(`<time datetime="[^"]*" data-exact="(\w+)">[^<]*</time>`), `<time data-exact="$1">then</time>`},
	{regexp.MustCompile(`(nå|now|teraz) \d{1,2}\.? \pL+\.? \d{4},? \D{0,4}\d\d[.:]\d\d`), "$1 then"},
	{regexp.MustCompile(`name="once" value="[^"]*"`), `name="once" value="once"`},
	{regexp.MustCompile(`/callbacks/[A-Z2-7]+`), "/callbacks/token"},
	{regexp.MustCompile(`vscim_[A-Za-z0-9_-]{43}`), "vscim_secret"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "http://console"},
	{regexp.MustCompile(`<code>[0-9a-f]{16}</code>`), `<code>request</code>`},
}

func (w *world) golden(name, page string) {
	w.Helper()
	for _, c := range changing {
		page = c.part.ReplaceAllString(page, c.by)
	}
	file := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			w.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page); diff != "" {
		w.Errorf("%s has changed (-want +got); run with -update when that is right:\n%s", file, diff)
	}
}

func noJobs(int64) []smsqueue.Job { return nil }
