package smsqueue_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/gatewayapi"
	"github.com/varsel/varsel/smsqueue/carriers/suresms"
	"github.com/varsel/varsel/smsqueue/carriers/twilio"
)

// provided is a house whose carrier is a provider over HTTP, which posts its
// callbacks to a server that hands them to the queue.
type provided struct {
	*house
	provider *smshttpsim.Server
}

// providers are the types, each with its credentials.
var providers = map[string]struct {
	kind   string
	config map[string]any
}{
	"twilio":               {"twilio", map[string]any{"account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": "secret"}},
	"gatewayapi classic":   {"gatewayapi", map[string]any{"api": "classic", "token": "secret", "webhook_secret": "signs"}},
	"gatewayapi messaging": {"gatewayapi", map[string]any{"api": "messaging", "token": "secret", "webhook_secret": "signs"}},
	"suresms":              {"suresms", map[string]any{"login": "acme", "password": "secret"}},
}

func newProvided(t *testing.T, url, name string, faults smshttpsim.Faults) *provided {
	t.Helper()
	h := &provided{house: newHouse(t, url, smscsim.Faults{})}
	ring, err := secrets.FromFile(h.key)
	must(t, err)
	h.queue = smsqueue.New(smsqueue.House{DB: h.db, Ring: ring, Accounts: h.acc, Callbacks: h.listen(),
		Carriers: map[string]carriers.Type{"twilio": twilio.Type, "gatewayapi": gatewayapi.Type, "suresms": suresms.Type}})
	t.Cleanup(h.queue.Close)
	if faults.CallbackRetry == 0 {
		faults.CallbackRetry = smshttpsim.Duration(50 * time.Millisecond)
	}
	h.provider, err = smshttpsim.Start(smshttpsim.Options{AccountSID: "AC0123456789abcdef0123456789abcdef", AuthToken: "secret",
		Token: "secret", WebhookSecret: "signs", Login: "acme", Password: "secret", Faults: faults})
	must(t, err)
	t.Cleanup(func() { h.provider.Close() })

	p := providers[name]
	config := map[string]any{"url": h.provider.URL(), "window": 30, "timeout": "30s"}
	for field, value := range p.config {
		config[field] = value
	}
	raw, err := json.Marshal(config)
	must(t, err)
	r, err := h.queue.AddRoute(t.Context(), "main", p.kind, raw)
	must(t, err)
	h.provider.SetWebhook(r.CallbackURL)
	h.work()
	return h
}

// listen serves the callbacks and returns the address above those of the carriers.
func (h *provided) listen() string {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		heard, err := h.queue.Hear(r.Context(), path.Base(r.URL.Path), carriers.Callback{Method: r.Method, URL: server.URL + r.RequestURI, Header: r.Header, Body: body})
		switch p := problem.As(err); {
		case p != nil && p.Kind == problem.KindForbidden:
			w.WriteHeader(http.StatusForbidden)
		case err != nil:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = w.Write(heard.Reply)
		}
	}))
	h.t.Cleanup(server.Close)
	return server.URL + "/v1/callbacks"
}

// reachedOnce sees that everybody has the message, and no more than that.
func (h *provided) reachedOnce(c smsqueue.Campaign, people int) {
	h.t.Helper()
	if diff := cmp.Diff(people, c.Counts[smsqueue.Delivered]); diff != "" {
		h.t.Errorf("delivered: %s; %v", diff, c.Counts)
	}
	reached := h.provider.Numbers()
	if len(reached) != people {
		h.t.Errorf("the provider saw %d numbers", len(reached))
	}
	for number, times := range reached {
		if times != 1 {
			h.t.Errorf("%s was reached %d times", number, times)
		}
	}
}

func eachProvider(t *testing.T, faults smshttpsim.Faults, test func(t *testing.T, h *provided)) {
	t.Helper()
	t.Parallel()
	for name := range providers {
		t.Run(name, func(t *testing.T) { test(t, newProvided(t, dbtest.SQLiteURL(t), name, faults)) })
	}
}

func TestACampaignReachesEverybodyOnceOverEachProvider(t *testing.T) {
	eachProvider(t, smshttpsim.Faults{CallbackDelay: smshttpsim.Duration(2 * time.Millisecond)}, func(t *testing.T, h *provided) {
		const people = 300
		g := h.group(h.account.ID, "All staff", people, 0)
		h.reachedOnce(h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Fire drill at noon."}), finished), people)
	})
}

func TestACampaignOverAProviderOnPostgreSQL(t *testing.T) {
	t.Parallel()
	h := newProvided(t, dbtest.PostgresURL(t), "twilio", smshttpsim.Faults{})
	const people = 300
	g := h.group(h.account.ID, "All staff", people, 0)
	h.reachedOnce(h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Fire drill at noon."}), finished), people)
}

// Callbacks come early, twice and with the steps after the outcome.
func TestDisorderlyCallbacksChangeNothing(t *testing.T) {
	eachProvider(t, smshttpsim.Faults{CallbacksFirst: true, DuplicateCallbacks: true, Backwards: true}, func(t *testing.T, h *provided) {
		const people = 40
		g := h.group(h.account.ID, "Board", people, 0)
		h.reachedOnce(h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Fire drill at noon."}), finished), people)
	})
}

// A provider cuts long texts itself: it gets the text as it is, once.
func TestALongTextGoesInOnePiece(t *testing.T) { // U7
	eachProvider(t, smshttpsim.Faults{}, func(t *testing.T, h *provided) {
		text := strings.Repeat("Zażółć gęślą jaźń. ", 12)
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: text})
		must(t, err)
		h.untilMessage(m, smsqueue.Delivered)
		got := h.provider.Messages(number(1))
		if m.Parts < 2 || len(got) != 1 || got[0].Text != text {
			t.Errorf("%d parts, the provider got %+v", m.Parts, got)
		}
	})
}

func TestAForgedCallbackMovesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"twilio", "gatewayapi classic", "gatewayapi messaging"} {
		t.Run(name, func(t *testing.T) {
			h := newProvided(t, dbtest.SQLiteURL(t), name, smshttpsim.Faults{WrongSignatures: true, FinalOnly: true})
			m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
			must(t, err)
			h.eventually(func() bool { return h.provider.Counts().Refusals > 0 })
			h.untilMessage(m, smsqueue.Sent)
			if n := h.provider.Counts().Acks; n != 0 {
				t.Errorf("%d forged callbacks were taken", n)
			}
		})
	}
}

// U4
func TestWhatAProviderTookWithoutAnAnswerIsNeverSentTwiceInBulk(t *testing.T) {
	for length, text := range map[string]string{"short": "Fire drill at noon.", "long": strings.Repeat("Fire drill at noon. ", 20)} {
		t.Run(length, func(t *testing.T) {
			eachProvider(t, smshttpsim.Faults{DropAfter: 7, FinalOnly: true, CallbackDelay: smshttpsim.Duration(time.Second)}, func(t *testing.T, h *provided) {
				const people = 60
				g := h.group(h.account.ID, "All staff", people, 0)
				c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: text})
				unconfirmed := false
				c = h.until(c, func(c smsqueue.Campaign) bool {
					unconfirmed = unconfirmed || c.Counts[smsqueue.Unconfirmed] > 0
					return c.Counts[smsqueue.Delivered] == people
				})
				h.reachedOnce(c, people)
				if !unconfirmed || h.provider.Counts().Drops == 0 {
					t.Errorf("nothing was in doubt (%+v), so this test shows nothing", h.provider.Counts())
				}
			})
		})
	}
}

func TestWhatAProviderTookWithoutAnAnswerGoesAgainMarkedInTheNormalLane(t *testing.T) {
	eachProvider(t, smshttpsim.Faults{DropAfter: 1, NoCallbacks: true}, func(t *testing.T, h *provided) {
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
		must(t, err)
		h.eventually(func() bool { return h.provider.Counts().Drops > 0 })
		h.provider.SetFaults(smshttpsim.Faults{})
		h.untilMessage(m, smsqueue.Delivered)
		now, err := h.queue.Message(t.Context(), h.account.ID, m.ID)
		must(t, err)
		if !now.PossibleDuplicate || h.provider.Numbers()[number(1)] < 2 {
			t.Errorf("marked %v, reached %d times", now.PossibleDuplicate, h.provider.Numbers()[number(1)])
		}
	})
}

func TestARefusalOfAProviderIsToldWithItsCode(t *testing.T) { // U25
	t.Parallel()
	h := newProvided(t, dbtest.SQLiteURL(t), "twilio", smshttpsim.Faults{RefuseTo: map[string]smshttpsim.Refusal{number(1): {Status: 400, Code: "21610"}}})
	m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
	must(t, err)
	h.untilMessage(m, smsqueue.Rejected)
	now, err := h.queue.Message(t.Context(), h.account.ID, m.ID)
	must(t, err)
	if diff := cmp.Diff("21610", now.Code); diff != "" {
		t.Error(diff)
	}
}

// A provider that refuses us holds the messages back, and they go when it is mended.
func TestWrongCredentialsHoldMessagesBack(t *testing.T) {
	t.Parallel()
	h := newProvided(t, dbtest.SQLiteURL(t), "gatewayapi classic", smshttpsim.Faults{Refuse: &smshttpsim.Refusal{Status: 401}})
	m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
	must(t, err)
	h.eventually(func() bool {
		all, err := h.queue.Routes(t.Context())
		must(t, err)
		return all[0].Status == carriers.Refusing && all[0].Reason == "GatewayAPI does not accept the credentials"
	})
	h.untilMessage(m, smsqueue.Queued)
	h.provider.SetFaults(smshttpsim.Faults{})
	h.untilMessage(m, smsqueue.Delivered)
}
