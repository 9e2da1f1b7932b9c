package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// ear is where the simulated directory posts to, over TLS.
type ear struct {
	*httptest.Server
	mu    sync.Mutex
	deaf  bool
	heard []string // the secrets
}

func newEar(t *testing.T) *ear {
	t.Helper()
	e := &ear{}
	e.Server = httptest.NewTLSServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if token := r.URL.Query().Get("validationToken"); token != "" {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, token)
		return
	}
	var delivery struct {
		Value []struct{ ClientState string }
	}
	json.NewDecoder(r.Body).Decode(&delivery)
	for _, v := range delivery.Value {
		e.heard = append(e.heard, v.ClientState)
	}
	w.WriteHeader(http.StatusAccepted)
}

func subscribe(t *testing.T, c graph.Config) directory.Subscriber {
	t.Helper()
	s, err := graph.Subscribe(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wish(e *ear, resource string) directory.Subscription {
	return directory.Subscription{Resource: resource, Address: e.URL + "/changes", Lifecycle: e.URL + "/lifecycle", Secret: "s3cret",
		Until: time.Now().Add(41_700 * time.Minute).Truncate(time.Second)}
}

func TestASubscriptionIsMadeRenewedAndEnded(t *testing.T) { // S13
	e := newEar(t)
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(5), NotifyClient: e.Client()})
	s := subscribe(t, config(t, sim))
	w := wish(e, "users")
	id, until, err := s.Subscribe(t.Context(), w)
	equal(t, nil, err)
	equal(t, true, until.Equal(w.Until))
	_, _, err = s.Subscribe(t.Context(), wish(e, "groups"))
	equal(t, nil, err)

	later := w.Until.Add(30 * time.Minute)
	until, err = s.Renew(t.Context(), id, later)
	equal(t, nil, err)
	equal(t, true, until.Equal(later))
	equal(t, nil, s.Unsubscribe(t.Context(), id))
	equal(t, nil, s.Unsubscribe(t.Context(), id))
	if _, err := s.Renew(t.Context(), id, later); !errors.Is(err, directory.ErrNoSubscription) {
		t.Errorf("got %v", err)
	}
	equal(t, 0, len(sim.GraphWrites()))
	equal(t, 6, len(sim.SubscriptionCalls()))
}

func TestTheFaultsOfSubscribingAreExplained(t *testing.T) {
	e := newEar(t)
	sim := startSim(t, graphsim.Options{NotifyClient: e.Client()})
	c := config(t, sim)
	s := subscribe(t, c)
	refused := func(code, says string) {
		t.Helper()
		_, _, err := s.Subscribe(t.Context(), wish(e, "users"))
		explained(t, c, code, says, err)
	}
	sim.SetFaults(graphsim.Faults{SubscriptionQuota: true})
	refused("directory_quota", "schedule")
	sim.SetFaults(graphsim.Faults{NoConsent: []string{"users"}})
	refused("directory_consent", "User.Read.All")
	sim.ClearFaults()
	e.deaf = true
	refused("directory_callback", "Subscription validation request failed")
	sim.Throttle(1, 9)
	refused("directory_busy", "9s")
}

func TestTheTransportLetsSubscriptionsAndNothingElseBeWritten(t *testing.T) { // S12, S13
	var asked []string
	c, _ := impostor(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id": "one", "expirationDateTime": "2030-01-01T00:00:00Z"}`)
	})
	s := subscribe(t, c)
	for _, id := range []string{"one", "../users/a", "a/b", "", ".."} {
		s.Renew(t.Context(), id, time.Now())
		s.Unsubscribe(t.Context(), id)
	}
	_, _, err := s.Subscribe(t.Context(), directory.Subscription{})
	equal(t, nil, err)
	equal(t, []string{"PATCH /v1.0/subscriptions/one", "DELETE /v1.0/subscriptions/one", "POST /v1.0/subscriptions"}, asked)
}

func TestAnAnswerThatIsNoSubscription(t *testing.T) {
	for _, body := range []string{"", "{}", "[]", `{"id": "a"}`, `{"expirationDateTime": "2030-01-01T00:00:00Z"}`} {
		c, _ := impostor(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		})
		if _, _, err := subscribe(t, c).Subscribe(t.Context(), directory.Subscription{}); !problem.Has(err, "directory_answer") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestWithoutAnAgreementNothingIsSubscribedTo(t *testing.T) { // S6
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(5)})
	_, err := h.connect()
	equal(t, nil, err)
	h.agreed = false
	before := len(h.sim.Requests())
	equal(t, nil, h.KeepSubscriptions(t.Context()))
	equal(t, before, len(h.sim.Requests()))
	for _, r := range h.sim.Requests() {
		if strings.Contains(r.Path, "subscriptions") {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}
