package web

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
)

func newHubWithCampaign(t *testing.T) (*hub[snapshot], watchable, chan struct{}) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	check(err)
	acc, book := accounts.New(d), contacts.New(d)
	queue := smsqueue.New(smsqueue.House{DB: d, Ring: ring, Accounts: acc, Carriers: map[string]carriers.Type{"simulator": simulator.Type}})
	t.Cleanup(queue.Close)
	account, err := acc.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme", Region: "NO", Sender: "ACME"})
	check(err)
	_, err = acc.Conclude(t.Context(), account.ID, "Kari", "CEO", "kari@acme.test")
	check(err)
	_, err = queue.AddRoute(t.Context(), "main", "simulator", json.RawMessage(`{}`))
	check(err)
	group, err := book.AddGroup(t.Context(), account.ID, "Nobody", nil)
	check(err)
	c, err := queue.StartCampaign(t.Context(), account.ID, smsqueue.NewCampaign{Group: group.ID, Text: "Hello"})
	check(err)
	stop := make(chan struct{})
	return newHub(campaignEye(queue), stop), watchable{account.ID, c.ID}, stop
}

func (h *hub[S]) watched() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers)
}

func TestViewersShareOneReader(t *testing.T) {
	h, of, stop := newHubWithCampaign(t)
	defer close(stop)
	var all []*viewer[snapshot]
	for range 50 {
		v, err := h.watch(of)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if n := h.watched(); n != 1 {
		t.Fatalf("%d readers", n)
	}
	first := <-all[0].news
	for i, v := range all[1:] {
		if got := <-v.news; !got.at.Equal(first.at) {
			t.Fatalf("viewer %d is told of another reading", i+1)
		}
	}
	late, err := h.watch(of)
	if err != nil {
		t.Fatal(err)
	}
	if got := <-late.news; got.campaign.ID != of.id {
		t.Error("who comes late is told nothing")
	}
	for _, v := range append(all, late) {
		h.leave(v)
	}
	h.running.Wait()
	if n := h.watched(); n != 0 {
		t.Errorf("%d readers are left when nobody watches", n)
	}
}

func TestReadersReadTwiceASecondAtTheMost(t *testing.T) {
	reads := float64(time.Second) / float64(readEvery) * (1 + 1.0/readsOfCarrier)
	if reads > 2.0001 {
		t.Errorf("%.2f reads a second", reads)
	}
}

func TestReadersEndOnStop(t *testing.T) {
	h, of, stop := newHubWithCampaign(t)
	v, err := h.watch(of)
	if err != nil {
		t.Fatal(err)
	}
	<-v.news
	close(stop)
	if err := h.wait(); err != nil {
		t.Fatal(err)
	}
	h.leave(v)
	if n := h.watched(); n != 0 {
		t.Errorf("%d readers are left", n)
	}
}

func TestViewersAreBounded(t *testing.T) {
	h, of, stop := newHubWithCampaign(t)
	defer close(stop)
	h.viewers = mostViewers
	if _, err := h.watch(of); err != errCrowded {
		t.Errorf("%v", err)
	}
}

func inEnglish(s snapshot) telling { return telling{tongues[0].progress(s), s.at, s.over()} }

func TestStreamEndsWhenItsViewerIsGone(t *testing.T) {
	server, client := net.Pipe()
	news := make(chan snapshot, 1)
	s := &stream[snapshot]{words: inEnglish, conn: server, out: bufio.NewWriter(server), viewer: &viewer[snapshot]{news: news}}
	ended := make(chan bool)
	go func() { s.run(); close(ended) }()
	lines := bufio.NewReader(client)
	if first, err := lines.ReadString('\n'); first != "retry: 2000\n" || err != nil {
		t.Fatalf("%q %v", first, err)
	}
	client.Close()
	news <- underWay()
	<-ended
}

func TestStreamSaysNothingTwice(t *testing.T) {
	server, client := net.Pipe()
	s := &stream[snapshot]{conn: server, out: bufio.NewWriter(server)}
	go func() {
		defer server.Close()
		seen := underWay()
		for i, at := range []time.Duration{0, time.Second, 2 * time.Second, 8 * time.Second} {
			seen.at = noon.Add(at)
			if i == 2 {
				seen.campaign.Counts[smsqueue.Delivered]++
			}
			if err := s.tell(inEnglish(seen)); err != nil {
				t.Error(err)
			}
		}
	}()
	text, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "event: progress\n"); n != 3 {
		t.Errorf("%d events for four readings of which one tells nothing new", n)
	}
}
