package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

// doorbell is a directory that subscriptions are made at, in memory.
type doorbell map[string]directory.Subscription // by resource

func (b doorbell) Subscribe(_ context.Context, s directory.Subscription) (string, time.Time, error) {
	b[s.Resource] = s
	return s.Resource, s.Until, nil
}

func (b doorbell) Renew(_ context.Context, _ string, until time.Time) (time.Time, error) {
	return until, nil
}

func (b doorbell) Unsubscribe(context.Context, string) error { return nil }

// subscribed is a house with a connection that is notified of changes.
func subscribed(t *testing.T) (*house, doorbell, directory.Connection) {
	t.Helper()
	h, b := openHouse(t), doorbell{}
	ring, err := secrets.FromFile(filepath.Join(t.TempDir(), "varsel.key"))
	must(t, err)
	clouds := directory.Clouds{directory.GlobalCloud: {
		Check:     func(context.Context, directory.Access) []directory.Finding { return nil },
		Subscribe: func(directory.Access) (directory.Subscriber, error) { return b, nil },
	}}
	h.Directory = directory.New(directory.House{DB: h.db, Ring: ring, Book: h.Book, Gate: h.Accounts.Gate, Clouds: clouds, Notify: NotificationsPath}, 1)
	h.url = listen(t, h.Services)
	c := h.connect(t)
	must(t, h.Directory.KeepSubscriptions(t.Context()))
	return h, b, c
}

// deliver posts notifications as a directory does: without a key.
func (h *house) deliver(t *testing.T, path, body string) reply {
	t.Helper()
	return h.ask(t, "POST", path, body, "Authorization", "")
}

func (h *house) state(t *testing.T, c directory.Connection) directory.Notifications {
	t.Helper()
	n, err := h.Directory.Notifications(t.Context(), h.account.ID, c.ID)
	must(t, err)
	return n
}

func TestANotificationIsAcceptedAndHeard(t *testing.T) { // Q63
	h, b, c := subscribed(t)
	s := b["groups"]
	same(t, h.deliver(t, s.Address, fmt.Sprintf(`{"value":[{"clientState":%q,"changeType":"updated","resource":"Groups/x","unknown":{}}]}`, s.Secret)).status, 202)
	if h.state(t, c).Last.IsZero() {
		t.Error("it was not heard")
	}
}

func TestForgedNotificationsAreAcceptedAndNotHeard(t *testing.T) {
	h, b, c := subscribed(t)
	s := b["users"]
	for _, body := range []string{`{"value":[{"clientState":"x"},{"clientState":null}]}`, `{"value":[{}]}`, `{"value":[]}`, `{}`} {
		same(t, h.deliver(t, s.Address, body).status, 202)
	}
	same(t, h.deliver(t, NotificationsPath+"/unknown", fmt.Sprintf(`{"value":[{"clientState":%q}]}`, s.Secret)).status, 202)
	n := h.state(t, c)
	same(t, n.Refused, 3)
	same(t, n.Last.IsZero(), true)
}

func TestALifecycleNotificationIsNoChange(t *testing.T) {
	h, b, c := subscribed(t)
	s := b["users"]
	same(t, h.deliver(t, s.Lifecycle, fmt.Sprintf(`{"value":[{"clientState":%q,"lifecycleEvent":"reauthorizationRequired"}]}`, s.Secret)).status, 202)
	n := h.state(t, c)
	same(t, []any{n.Last.IsZero(), n.Refused}, []any{true, 0})
}

func TestTheDirectoryFindsOutThatWeAreHere(t *testing.T) {
	h, b, _ := subscribed(t)
	const token = "Validation: Testing reachability + 100% <script>alert(1)</script> æ"
	for _, path := range []string{b["users"].Address, b["users"].Lifecycle} {
		got := h.deliver(t, path+"?validationToken="+url.QueryEscape(token), "")
		same(t, []any{got.status, string(got.body), got.header.Get("Content-Type"), got.header.Get("X-Content-Type-Options"), got.header.Get("Content-Security-Policy")},
			[]any{200, token, "text/plain; charset=utf-8", "nosniff", "default-src 'none'"})
	}
	refused(t, h.deliver(t, NotificationsPath+"/unknown?validationToken=x", ""), 404, "subscription_not_found")
}

func TestWhatIsNoDelivery(t *testing.T) {
	h, b, _ := subscribed(t)
	address := b["users"].Address
	for _, body := range []string{"", "x", "[]", `{"value":{}}`, `{"value":[1]}`} {
		refused(t, h.deliver(t, address, body), 400, "invalid_json")
	}
	refused(t, h.deliver(t, address, `{"value":"`+strings.Repeat("x", bodyLimit)+`"}`), 413, "body_too_large")
	// A small body that unpacks to a large one stays small.
	refused(t, h.ask(t, "POST", address, "\x1f\x8b", "Authorization", "", "Content-Encoding", "gzip"), 400, "invalid_json")
	refused(t, h.ask(t, "GET", address, ""), http.StatusMethodNotAllowed, "method_not_allowed")
}

func TestADatabaseThatIsAwayIsNotAnAcceptance(t *testing.T) {
	h, b, _ := subscribed(t)
	s := b["users"]
	must(t, h.db.Close())
	got := h.deliver(t, s.Address, fmt.Sprintf(`{"value":[{"clientState":%q}]}`, s.Secret))
	if got.status < 500 {
		t.Errorf("status %d: the directory would not send it again", got.status)
	}
}
