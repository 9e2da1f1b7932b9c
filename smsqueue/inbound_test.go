package smsqueue_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// mast is a carrier of the tests' own: it takes every message, and brings what
// the test says that handsets send.
type mast struct {
	mu     sync.Mutex
	events []carriers.Events // of the links that were opened
	config []string
	taken  int
	heard  carriers.Heard
}

func (m *mast) carrier() carriers.Type {
	return carriers.Type{
		Features: func(config json.RawMessage) (carriers.Features, error) {
			if !json.Valid(config) || strings.Contains(string(config), "wrong") {
				return carriers.Features{}, errors.New("mast: configuration: pole: a number is expected")
			}
			return carriers.Features{}, nil
		},
		Open: func(_ context.Context, config json.RawMessage, s carriers.Setting) (carriers.Carrier, error) {
			m.mu.Lock()
			m.events, m.config = append(m.events, s.Events), append(m.config, string(config))
			m.mu.Unlock()
			if strings.Contains(string(config), "cannot open") {
				return nil, errors.New("the pole is broken")
			}
			s.State(carriers.State{Status: carriers.Bound})
			return m, nil
		},
		Hear: func(json.RawMessage, carriers.Callback) (carriers.Heard, error) { return m.heard, nil },
	}
}

func (m *mast) Submit(_ carriers.Submission, answered func(carriers.Answer)) {
	m.mu.Lock()
	m.taken++
	id := "mast-" + string(rune('a'+m.taken))
	m.mu.Unlock()
	answered(carriers.Answer{ID: id})
}

func (m *mast) Limits() carriers.Limits { return carriers.Limits{Window: 10} }
func (m *mast) Close() error            { return nil }

func (m *mast) links() []carriers.Events {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.events
}

// bring hands messages over, at once, and waits until each is stored.
func (m *mast) bring(h *house, all ...carriers.Inbound) {
	h.t.Helper()
	h.eventually(func() bool { return len(m.links()) > 0 })
	link, stored := m.links()[len(m.links())-1], make(chan error, len(all))
	for _, one := range all {
		go link.Inbound(one, func(err error) { stored <- err })
	}
	for range all {
		must(h.t, <-stored)
	}
}

// eachMast runs test on both databases, with a worker that has a mast named main.
func eachMast(t *testing.T, test func(t *testing.T, h *house, m *mast)) {
	t.Helper()
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h, m := mastHouse(t, url)
		h.work()
		test(t, h, m)
	})
}

func mastHouse(t *testing.T, url string) (*house, *mast) {
	t.Helper()
	h, m := newHouse(t, url, smscsim.Faults{}), &mast{}
	ring, err := secrets.FromFile(h.key)
	must(t, err)
	h.queue = smsqueue.New(smsqueue.House{DB: h.db, Ring: ring, Accounts: h.acc, Callbacks: "https://varsel.example/callbacks",
		Carriers: map[string]carriers.Type{"mast": m.carrier()}})
	t.Cleanup(h.queue.Close)
	_, err = h.queue.AddRoute(t.Context(), "main", "mast", json.RawMessage(`{}`))
	must(t, err)
	return h, m
}

func (h *house) number(account int64, number, carrier string) {
	h.t.Helper()
	_, err := h.queue.AddNumber(h.t.Context(), account, number, carrier)
	must(h.t, err)
}

func (h *house) inbox(account int64) []smsqueue.Inbound {
	h.t.Helper()
	all, err := h.queue.Inbound(h.t.Context(), account, smsqueue.InboundFilter{Limit: 100})
	must(h.t, err)
	return all
}

// texts are what the account received, the oldest first.
func (h *house) texts(account int64) (all []string) {
	h.t.Helper()
	for _, m := range h.inbox(account) {
		all = append([]string{m.Text}, all...)
	}
	return all
}

func (h *house) received(account int64, want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.texts(account)); diff != "" {
		h.t.Error(diff)
	}
}

const (
	handset = "+4741234567"
	office  = "+4759440000"
)

func said(id, text string) carriers.Inbound {
	return carriers.Inbound{ID: id, From: handset, To: office, Text: text, Part: 1, Parts: 1, At: time.Now()}
}

// cut is a text in parts of one letter, with one reference.
func cut(reference uint16, text string) (all []carriers.Inbound) {
	for i, letter := range text {
		all = append(all, carriers.Inbound{From: handset, To: office, Text: string(letter), Part: i + 1, Parts: len(text), Reference: reference, At: time.Now()})
	}
	return all
}

func TestAMessageGoesToTheAccountThatHasTheNumber(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		other := h.open("other")
		h.number(h.account.ID, "+47 59 44 00 00", "")
		h.number(other.ID, "2440", "main")
		must(t, events.Subscribe(t.Context(), h.db, h.account.ID, "message.received", "test"))
		anna, err := h.book.AddContact(t.Context(), h.account.ID, "Anna Berg", handset, "NO")
		must(t, err)

		m.bring(h, said("1", "Where is the water?"))
		m.bring(h, carriers.Inbound{From: strings.TrimPrefix(handset, "+"), To: "2440", Text: "YES\x00", Parts: 1})

		want := []smsqueue.Inbound{{Account: h.account.ID, Carrier: "main", Contact: anna.ID, ContactName: "Anna Berg",
			From: handset, To: office, Text: "Where is the water?", Parts: 1}}
		if diff := cmp.Diff(want, h.inbox(h.account.ID), cmpopts.IgnoreFields(smsqueue.Inbound{}, "ID", "Received")); diff != "" {
			t.Error(diff)
		}
		want = []smsqueue.Inbound{{Account: other.ID, Carrier: "main", From: handset, To: "2440", Text: "YES", Parts: 1}}
		if diff := cmp.Diff(want, h.inbox(other.ID), cmpopts.IgnoreFields(smsqueue.Inbound{}, "ID", "Received")); diff != "" {
			t.Error(diff)
		}
		var told string
		must(t, h.db.QueryRowContext(t.Context(), `SELECT data FROM events WHERE account_id = $1 AND type = 'message.received'`, h.account.ID).Scan(&told))
		if wanted, _ := json.Marshal(map[string]int64{"inbound": h.inbox(h.account.ID)[0].ID}); told != string(wanted) {
			t.Errorf("the event says %s, not %s", told, wanted)
		}
	})
}

func TestTheCarriersIDTwiceIsOneMessageAndIdenticalTextsAreTwo(t *testing.T) { // U14, U15
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		m.bring(h, said("17", "Yes"), said("17", "Yes"))
		m.bring(h, said("17", "Yes"))
		h.received(h.account.ID, "Yes")
		m.bring(h, said("18", "Yes"))
		m.bring(h, said("", "Yes"), said("", "Yes"))
		h.received(h.account.ID, "Yes", "Yes", "Yes", "Yes")
	})
}

func TestPartsInAnyOrderAndTwiceAreOneMessage(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		parts := cut(5, "abcde")
		m.bring(h, parts[4], parts[1])
		m.bring(h, parts[1])
		m.bring(h, parts[0], parts[3])
		h.received(h.account.ID)
		m.bring(h, parts[2])
		h.received(h.account.ID, "abcde")
		if got := h.inbox(h.account.ID)[0]; got.Parts != 5 || got.Incomplete() {
			t.Errorf("%+v", got)
		}
		m.bring(h, parts[2], parts[4])
		m.bring(h, cut(5, "fghij")...) // the reference came round
		m.bring(h, cut(6, "klm")...)
		h.received(h.account.ID, "abcde", "fghij", "klm")
	})
}

func TestPartsOfManyMessagesAtOnce(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		var all []carriers.Inbound
		for i := range 20 {
			all = append(all, cut(uint16(i), strings.Repeat(string(rune('A'+i)), 3))...)
		}
		m.bring(h, all...)
		got := h.texts(h.account.ID)
		slices.Sort(got)
		for i, text := range got {
			if text != strings.Repeat(string(rune('A'+i)), 3) {
				t.Errorf("%d: %q", i, text)
			}
		}
		if len(got) != 20 {
			t.Errorf("%d messages", len(got))
		}
	})
}

func TestWhatStaysIncompleteIsShownAfterADay(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		parts := cut(5, "abc")
		m.bring(h, parts[2], parts[0])
		must(t, smsqueue.CompleteInbound(h.queue, t.Context(), time.Now().Add(23*time.Hour)))
		h.received(h.account.ID)
		for range 2 {
			must(t, smsqueue.CompleteInbound(h.queue, t.Context(), time.Now().Add(25*time.Hour)))
		}
		h.received(h.account.ID, "a[…]c")
		if got := h.inbox(h.account.ID)[0]; got.Parts != 3 || got.Missing != 1 || !got.Incomplete() {
			t.Errorf("%+v", got)
		}
		must(t, smsqueue.CompleteInbound(h.queue, t.Context(), time.Now().Add(50*time.Hour)))
		var left int
		must(t, h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM inbound_parts`).Scan(&left))
		if left != 0 {
			t.Errorf("%d parts are kept", left)
		}
	})
}

// What a crash leaves between the commit of the last part and the message.
func TestTheSweepPutsTogetherWhatACrashKeptApart(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		m.bring(h, cut(5, "abc")...)
		for _, undo := range []string{`UPDATE inbound_parts SET inbound_id = 0`, `DELETE FROM inbound`} {
			_, err := h.db.ExecContext(t.Context(), undo)
			must(t, err)
		}
		must(t, smsqueue.CompleteInbound(h.queue, t.Context(), time.Now()))
		h.received(h.account.ID, "abc")
	})
}

func TestWithoutAnOwnerWhoTextedThePersonGetsTheAnswer(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		sent := func(account int64, sender string) {
			one, err := h.queue.Send(t.Context(), account, smsqueue.Single{To: handset, Text: "Hello", Sender: sender})
			must(t, err)
			h.untilMessage(one, smsqueue.Sent)
		}
		sent(h.account.ID, "ACME")
		m.bring(h, said("1", "one"))
		h.received(smsqueue.Nobody, "one")

		sent(h.account.ID, strings.TrimPrefix(office, "+"))
		m.bring(h, said("2", "two"))
		h.received(h.account.ID, "two")

		other := h.open("other")
		sent(other.ID, office) // now two fit
		m.bring(h, said("3", "three"))
		h.received(smsqueue.Nobody, "one", "three")

		_, err := h.db.ExecContext(t.Context(), `UPDATE messages SET queued_at = queued_at - 2678400000 WHERE account_id = $1`, h.account.ID)
		must(t, err)
		m.bring(h, said("4", "four"))
		h.received(other.ID, "four")

		// A third one does in a campaign, and only it has texted the neighbour.
		third := h.open("third")
		g := h.group(third.ID, "All staff", 600, 0)
		ids, err := h.book.AddContacts(t.Context(), third.ID, []contacts.NewContact{{Name: "Kari", Phone: handset}})
		must(t, err)
		_, err = h.book.AddMembers(t.Context(), third.ID, g.ID, ids)
		must(t, err)
		c := h.campaign(third.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Sender: office})
		h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Sent] == 601 })
		m.bring(h, said("5", "five"))
		h.received(smsqueue.Nobody, "one", "three", "five")
		neighbour := said("6", "six")
		neighbour.From = number(555)
		m.bring(h, neighbour)
		h.received(third.ID, "six")
		stranger := said("7", "seven")
		stranger.From = number(600)
		m.bring(h, stranger)
		h.received(smsqueue.Nobody, "one", "three", "five", "seven")
		h.received(h.account.ID, "two")
	})
}

func TestWhatAProviderPostsIsStoredBeforeItIsAnswered(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		r, err := h.queue.Route(t.Context(), "main")
		must(t, err)
		m.heard = carriers.Heard{Inbound: append(cut(9, "xy"), said("", "Hello"))}
		_, err = h.queue.Hear(t.Context(), r.CallbackURL[strings.LastIndex(r.CallbackURL, "/")+1:], carriers.Callback{Method: http.MethodPost})
		must(t, err)
		h.received(h.account.ID, "Hello", "xy")
	})
}

func TestNumbersAreAnAccountsUntilTheyAreRemoved(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		other := h.open("other")
		h.number(h.account.ID, "2440", "")
		h.number(other.ID, "2440", "main") // one carrier's goes before any's
		m.bring(h, carriers.Inbound{From: handset, To: "2440", Text: "one", Parts: 1})
		h.received(other.ID, "one")
		for _, wrong := range []string{"", "ACME", "40 00 00 001", "+0123456789", "12"} {
			if _, err := h.queue.AddNumber(t.Context(), other.ID, wrong, ""); !problem.Has(err, "invalid_number") {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		if _, err := h.queue.AddNumber(t.Context(), other.ID, "24 40", ""); !problem.Has(err, "number_taken") {
			t.Error(err)
		}
		if _, err := h.queue.AddNumber(t.Context(), other.ID, "2441", "nowhere"); !problem.Has(err, "carrier_not_found") {
			t.Error(err)
		}
		must(t, h.queue.RemoveNumber(t.Context(), "2440", "main"))
		if err := h.queue.RemoveNumber(t.Context(), "2440", "main"); !problem.Has(err, "number_not_found") {
			t.Error(err)
		}
		all, err := h.queue.Numbers(t.Context())
		must(t, err)
		want := []smsqueue.Number{{Number: "2440", Account: h.account.ID, Handle: "acme"}}
		if diff := cmp.Diff(want, all, cmpopts.IgnoreFields(smsqueue.Number{}, "ID", "Created")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnotherAccountsMessageIsNotThere(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		m.bring(h, said("", "Hello"))
		id := h.inbox(h.account.ID)[0].ID
		_, err := h.queue.InboundMessage(t.Context(), h.account.ID, id)
		must(t, err)
		if _, err := h.queue.InboundMessage(t.Context(), h.open("other").ID, id); !problem.Has(err, "inbound_not_found") {
			t.Error(err)
		}
	})
}
