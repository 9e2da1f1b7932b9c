package smsqueue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/smpp"
)

// house is what the tests of the pipeline stand on: a database, an account
// with its agreement, and a real SMSC on a socket.
type house struct {
	t   testing.TB
	url string
	key string // file of the secret key
	// redisURL is of the Redis that a process of its own works on; empty for one inside it.
	redisURL string
	db       *db.DB
	acc      *accounts.Accounts
	book     *contacts.Book
	queue    *smsqueue.Queue
	account  accounts.Account
	smsc     *smscsim.Server
}

// carrierTypes are the carriers of the tests, here and in worker processes.
var carrierTypes = map[string]carriers.Type{"smpp": smpp.Type}

// eachHouse runs test on both databases, beside others: most of it is waiting.
func eachHouse(t *testing.T, faults smscsim.Faults, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) { test(t, newHouse(t, url, faults)) })
}

func newHouse(t testing.TB, url string, faults smscsim.Faults) *house {
	t.Helper()
	d := dbtest.Open(t, url)
	h := &house{t: t, url: url, key: t.TempDir() + "/varsel.key", db: d, acc: accounts.New(d), book: contacts.New(d)}
	ring, err := secrets.FromFile(h.key)
	must(t, err)
	acc := h.acc
	h.queue = smsqueue.New(smsqueue.House{DB: d, Ring: ring, Accounts: acc, Carriers: carrierTypes, PublicURL: "https://varsel.example"})
	t.Cleanup(h.queue.Close)
	h.smsc, err = smscsim.Start(smscsim.Options{SystemID: "varsel", Password: "secret", Unacknowledged: benchUnacknowledged, Faults: faults})
	must(t, err)
	t.Cleanup(func() { h.smsc.Close() })
	h.account = h.open("acme")
	return h
}

// open makes an account whose agreement is concluded.
func (h *house) open(handle string) accounts.Account {
	h.t.Helper()
	a, err := h.acc.Create(h.t.Context(), accounts.Account{Handle: handle, Name: "Acme AS", Region: "NO", Sender: "ACME"})
	must(h.t, err)
	_, err = h.acc.Conclude(h.t.Context(), a.ID, "Kari Nordmann", "CEO", "kari@acme.example")
	must(h.t, err)
	return a
}

// route configures the SMSC as the carrier.
func (h *house) route(window, throughput int) smsqueue.Route {
	h.t.Helper()
	config, err := json.Marshal(map[string]any{"addr": h.smsc.Addr(), "system_id": "varsel", "password": "secret",
		"bind": "transceiver", "binds": 1, "window": window, "throughput": throughput})
	must(h.t, err)
	r, err := h.queue.AddRoute(h.t.Context(), "main", "smpp", config)
	must(h.t, err)
	return r
}

// work starts a worker with the queue inside the process.
func (h *house) work() { h.t.Helper(); h.workOn(smsqueue.EmbeddedRedis()) }

func (h *house) workOn(redis *smsqueue.Redis) {
	h.t.Helper()
	w, err := smsqueue.StartWorker(h.t.Context(), h.queue, redis.Client, "all", noJobs)
	must(h.t, err)
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			h.t.Error(err)
		}
		redis.Close()
	})
}

// group makes a group of n contacts with numbers of their own.
func (h *house) group(account int64, name string, n, firstNumber int) contacts.Group {
	h.t.Helper()
	var list []contacts.NewContact
	for i := range n {
		list = append(list, contacts.NewContact{Name: fmt.Sprintf("Person %d", i), Phone: number(firstNumber + i), Region: "NO"})
	}
	ids, err := h.book.AddContacts(h.t.Context(), account, list)
	must(h.t, err)
	g, err := h.book.AddGroup(h.t.Context(), account, name, ids)
	must(h.t, err)
	return g
}

// number is a Norwegian mobile number.
func number(i int) string { return fmt.Sprintf("+474%07d", 1000000+i) }

func (h *house) campaign(account int64, n smsqueue.NewCampaign) smsqueue.Campaign {
	h.t.Helper()
	c, err := h.queue.StartCampaign(h.t.Context(), account, n)
	must(h.t, err)
	return c
}

// until waits for a campaign.
func (h *house) until(c smsqueue.Campaign, reached func(smsqueue.Campaign) bool) smsqueue.Campaign {
	h.t.Helper()
	deadline := time.Now().Add(15 * time.Minute)
	for {
		now, err := h.queue.Campaign(h.t.Context(), c.Account, c.ID)
		must(h.t, err)
		if reached(now) {
			return now
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("campaign stands at %s %s %v; smsc %+v", now.State, now.Reason, now.Counts, h.smsc.Counts())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// untilMessage waits until a single message has a status.
func (h *house) untilMessage(m smsqueue.Message, status smsqueue.Status) {
	h.t.Helper()
	h.eventually(func() bool {
		now, err := h.queue.Message(h.t.Context(), m.Account, m.ID)
		must(h.t, err)
		return now.Status == status
	})
}

func (h *house) eventually(reached func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !reached(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("it does not come; the SMSC stands at %+v", h.smsc.Counts())
		}
	}
}

// untilAccepted waits until the SMSC has accepted n parts.
func (h *house) untilAccepted(n int) {
	h.t.Helper()
	h.eventually(func() bool { return h.smsc.Counts().Accepted >= n })
}

func finished(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignFinished }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func noJobs(int64) []smsqueue.Job { return nil }
