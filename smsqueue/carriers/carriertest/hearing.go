package carriertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// Hearing opens a carrier whose provider posts callbacks, and stands in for the
// endpoint: what its Type hears there is handed over as events, and the provider
// is answered when it is stored. listening, if not nil, is told the address.
func Hearing(t testing.TB, kind carriers.Type, config json.RawMessage, events carriers.Events, listening func(url string)) carriers.Carrier {
	t.Helper()
	e := &ear{hear: kind.Hear, config: config, events: events, deaf: make(chan struct{})}
	e.server = httptest.NewServer(e)
	if listening != nil {
		listening(e.server.URL + "/callback")
	}
	c, err := kind.Open(t.Context(), config, carriers.Setting{Events: events, CallbackURL: e.server.URL + "/callback"})
	if err != nil {
		e.server.Close()
		t.Fatal(err)
	}
	return &hearing{Carrier: c, ear: e}
}

// hearing is deaf after its carrier is closed.
type hearing struct {
	carriers.Carrier
	ear   *ear
	close sync.Once
}

func (h *hearing) Close() error {
	err := h.Carrier.Close()
	h.close.Do(func() {
		close(h.ear.deaf)
		h.ear.server.Close()
	})
	return err
}

type ear struct {
	hear   func(json.RawMessage, carriers.Callback) (carriers.Heard, error)
	config json.RawMessage
	events carriers.Events
	server *httptest.Server
	deaf   chan struct{}
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	heard, err := e.hear(e.config, carriers.Callback{Method: r.Method, URL: e.server.URL + r.RequestURI, Header: r.Header, Body: body})
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if !e.stored(heard.Receipts) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", heard.ContentType)
	_, _ = w.Write(heard.Reply) // the provider left: it comes again
}

// stored hands the receipts over and says whether all of them were kept.
func (e *ear) stored(receipts []carriers.Receipt) bool {
	for _, r := range receipts {
		kept := make(chan error, 16) // told more than once, only the first counts
		select {
		case <-e.deaf:
			return false
		default:
		}
		e.events.Receipt(r, func(err error) {
			select {
			case kept <- err:
			default:
			}
		})
		select {
		case err := <-kept:
			if err != nil {
				return false
			}
		case <-e.deaf:
			return false
		}
	}
	return true
}
