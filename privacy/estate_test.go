package privacy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
)

// estate is an account with everything that can be kept for a time: people, a
// campaign to them and its receipts, a roll call that was answered, single messages
// and received ones.
type estate struct {
	*testing.T
	db       *db.DB
	acc      *accounts.Accounts
	book     *contacts.Book
	queue    *smsqueue.Queue
	desk     *privacy.Desk
	exports  string // the directory of exports
	account  accounts.Account
	campaign smsqueue.Campaign
	roll     smsqueue.Campaign
	single   smsqueue.Message
}

const people = 12

func eachEstate(t *testing.T, test func(t *testing.T, e *estate)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { test(t, newEstate(t, url)) })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got is a value without its error, which would be a fault of the test.
func got[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: want(-) got(+):\n%s", what, diff)
	}
}

func numberOf(i int) string { return fmt.Sprintf("+47400%05d", 12300+i) }

func nameOf(i int) string { return fmt.Sprintf("Ragnhild Solbakken %d", i) }

func newEstate(t *testing.T, url string) *estate {
	t.Helper()
	e := bareEstate(t, url)
	e.furnish()
	return e
}

// bareEstate has the account alone.
func bareEstate(t *testing.T, url string) *estate {
	t.Helper()
	e := &estate{T: t, db: dbtest.Open(t, url)}
	e.stand(t)
	return e
}

// stand opens the rooms on the database, and the account.
func (e *estate) stand(t testing.TB) {
	t.Helper()
	ring := got(secrets.FromFile(t.TempDir() + "/varsel.key"))
	e.exports = t.TempDir()
	e.acc, e.book = accounts.New(e.db), contacts.New(e.db)
	names := got(secrets.OpenNames(t.Context(), e.db, ring))
	e.queue = smsqueue.New(smsqueue.House{DB: e.db, Ring: ring, Accounts: e.acc, PublicURL: "https://varsel.example",
		Carriers: map[string]carriers.Type{"simulator": simulator.Type}})
	t.Cleanup(e.queue.Close)
	dir := directory.New(directory.House{DB: e.db, Ring: ring, Book: e.book, Gate: e.acc.Gate, Leave: e.acc.EndAccess}, 0)
	e.desk = privacy.New(privacy.Parts{DB: e.db, Names: names, Keyring: ring, Accounts: e.acc, Book: e.book, Directory: dir, Queue: e.queue,
		Exports: e.exports})
	e.account = e.open(t, "acme")
}

func (e *estate) open(t testing.TB, handle string) accounts.Account {
	t.Helper()
	a := got(e.acc.Create(t.Context(), accounts.Account{Handle: handle, Name: "Acme AS", Region: "NO", Sender: "ACME"}))
	e.conclude(a.ID)
	return a
}

func (e *estate) conclude(account int64) {
	got(e.acc.Conclude(context.Background(), account, "Kari Nordmann", "CEO", "kari@acme.example"))
}

func (e *estate) furnish() {
	e.Helper()
	ctx := e.Context()
	_, err := e.queue.AddRoute(ctx, "main", "simulator", json.RawMessage(`{}`))
	check(e.T, err)
	var list []contacts.NewContact
	for i := range people {
		list = append(list, contacts.NewContact{Name: nameOf(i), Phone: numberOf(i), Region: "NO"})
	}
	ids := got(e.book.AddContacts(ctx, e.account.ID, list))
	group := got(e.book.AddGroup(ctx, e.account.ID, "Everybody", ids))
	stop := e.work()
	e.campaign = got(e.queue.StartCampaign(ctx, e.account.ID, smsqueue.NewCampaign{Group: group.ID, Text: "The water is shut off, {{first_name}}"}))
	e.roll = got(e.queue.StartCampaign(ctx, e.account.ID, smsqueue.NewCampaign{Group: group.ID, Text: "Are you safe?"}))
	e.single = got(e.queue.Send(ctx, e.account.ID, smsqueue.Single{To: numberOf(1), Text: "Bring the blue folder"}))
	for _, c := range []*smsqueue.Campaign{&e.campaign, &e.roll} {
		e.until(func() bool {
			*c = got(e.queue.Campaign(ctx, e.account.ID, c.ID))
			return c.Counts[smsqueue.Delivered] == people
		})
	}
	e.until(func() bool {
		e.single = got(e.queue.Message(ctx, e.account.ID, e.single.ID))
		return e.single.Status == smsqueue.Delivered
	})
	stop()
	e.answerRollCall(ids)
	e.exec(`UPDATE ranges SET closed = TRUE, state = 'done'`)
	_, _, err = e.queue.Suppress(ctx, e.account.ID, smsqueue.NewSuppression{Phone: numberOf(11), Note: "asked for it"})
	check(e.T, err)
}

// answerRollCall makes a campaign the roll call that it was not, since there is no
// number to ask from, with what three people texted.
func (e *estate) answerRollCall(ids []int64) {
	e.Helper()
	e.exec(`UPDATE campaigns SET asks = '[{"Key":"1","Label":"Safe"},{"Key":"2","Label":"Help","Alarm":true}]',
		asks_ms = 1000, asks_closed_at = started_at + 1 WHERE id = $1`, e.roll.ID)
	for i, choice := range []string{"1", "2", ""} {
		id := got(e.db.NewIDs(e.Context(), 1))
		e.exec(`INSERT INTO inbound (id, account_id, carrier_id, phone, number, contact_id, body, parts, received_at, campaign_id)
			VALUES ($1, $2, 1, $3, '+4759440000', $4, 'we are in the basement', 1, $5, $6)`, id, e.account.ID, numberOf(i), ids[i], time.Now().UnixMilli(), e.roll.ID)
		e.exec(`INSERT INTO roll_answers (campaign_id, phone, contact_id, choice, inbound_id, answered_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			e.roll.ID, numberOf(i), ids[i], choice, id, time.Now().UnixMilli())
	}
	e.roll = got(e.queue.Campaign(e.Context(), e.account.ID, e.roll.ID))
}

func (e *estate) exec(query string, args ...any) {
	e.Helper()
	_, err := e.db.ExecContext(e.Context(), query, args...)
	check(e.T, err)
}

func (e *estate) count(query string, args ...any) (n int) {
	e.Helper()
	check(e.T, e.db.QueryRowContext(e.Context(), query, args...).Scan(&n))
	return n
}

// work runs a worker until stop.
func (e *estate) work() (stop func()) {
	e.Helper()
	redis := smsqueue.EmbeddedRedis()
	w, err := smsqueue.StartWorker(e.Context(), e.queue, redis.Client, "all", func(int64) []smsqueue.Job { return nil })
	check(e.T, err)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		check(e.T, w.Stop(ctx))
		redis.Close()
	}
}

func (e *estate) until(reached func() bool) {
	e.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !reached(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatal("it never came")
		}
	}
}

// chain verifies an account's audit chain and returns what was done, in its order.
func (e *estate) chain(account int64) (actions []string) {
	e.Helper()
	_, err := audit.Verify(e.Context(), e.db, account)
	check(e.T, err)
	entries := got(audit.List(e.Context(), e.db, account, 0, 1000))
	for i := len(entries) - 1; i >= 0; i-- {
		actions = append(actions, entries[i].Action)
	}
	return actions
}

func isToken(phone string) bool { return strings.HasPrefix(phone, privacy.TokenMark) }
