package smsqueue_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// standing is how the only carrier stands.
func (h *house) standing() smsqueue.Standing {
	h.t.Helper()
	working, err := h.queue.Working(h.t.Context())
	must(h.t, err)
	all, err := h.queue.Standings(h.t.Context(), working)
	must(h.t, err)
	if len(all) != 1 {
		h.t.Fatalf("%d carriers", len(all))
	}
	return all[0]
}

// why waits until the carrier gives these reasons.
func (h *house) why(want ...smsqueue.Reason) {
	h.t.Helper()
	var got []smsqueue.Reason
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = h.standing().Why; slices.Equal(got, want) {
			return
		}
	}
	h.t.Fatalf("why: %s", cmp.Diff(want, got))
}

func TestAQueueThatStandsStillSaysWhy(t *testing.T) { // U10
	eachHouse(t, smscsim.Faults{BindStatus: 0x0E}, func(t *testing.T, h *house) {
		h.route(20, 200)
		g := h.group(h.account.ID, "All staff", 3, 0)
		h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		_, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
		must(t, err)
		h.why(smsqueue.Reason{Code: smsqueue.WhyNoWorker})

		h.work()
		h.why(smsqueue.Reason{Code: smsqueue.WhyRefused})
		h.eventually(func() bool { s := h.standing(); return s.AtOnce == 20 && s.Throughput == 200 && s.Waiting == 4 })
		if s := h.standing(); s.Reason == "" || time.Since(s.Since) > time.Hour {
			t.Errorf("refused since %v because of %q", s.Since, s.Reason)
		}
		_, err = h.db.ExecContext(t.Context(), `UPDATE campaigns SET state = 'paused'`)
		must(t, err)
		_, err = h.db.ExecContext(t.Context(), `UPDATE agreements SET state = 'terminated'`)
		must(t, err)
		h.why(smsqueue.Reason{Code: smsqueue.WhyRefused}, smsqueue.Reason{Code: smsqueue.WhyPaused, Messages: 3},
			smsqueue.Reason{Code: smsqueue.WhyAccount, Messages: 4})

		must(t, h.queue.DisableRoute(t.Context(), "main"))
		h.why(smsqueue.Reason{Code: smsqueue.WhyDisabled}, smsqueue.Reason{Code: smsqueue.WhyPaused, Messages: 3},
			smsqueue.Reason{Code: smsqueue.WhyAccount, Messages: 4})
		h.eventually(func() bool { return h.standing().Pace == smsqueue.Pace{} })

		h.smsc.SetFaults(smscsim.Faults{})
		must(t, h.queue.EnableRoute(t.Context(), "main"))
		_, err = h.db.ExecContext(t.Context(), `UPDATE campaigns SET state = 'running'`)
		must(t, err)
		_, err = h.db.ExecContext(t.Context(), `UPDATE agreements SET state = 'concluded'`)
		must(t, err)
		h.why()
		h.eventually(func() bool { return h.standing().Waiting == 0 })
	})
}

func TestACarrierThatThrottlesIsSaidTo(t *testing.T) {
	eachHouse(t, smscsim.Faults{Throughput: 30}, func(t *testing.T, h *house) {
		h.route(50, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", 400, 0)
		h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.why(smsqueue.Reason{Code: smsqueue.WhyThrottled})
	})
}

func TestAnotherConfigurationIsTakenUpByTheLink(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		opened := func(n int) { h.t.Helper(); h.eventually(func() bool { return len(m.links()) == n }) }
		opened(1)
		if _, err := h.queue.SetRoute(t.Context(), "main", json.RawMessage(`{"pole":"wrong"}`)); !problem.Has(err, "invalid_config") {
			t.Error(err)
		}
		r, err := h.queue.SetRoute(t.Context(), "main", json.RawMessage(`{"pole":"cannot open"}`))
		must(t, err)
		if r.Version != 2 {
			t.Errorf("version %d", r.Version)
		}
		opened(2)
		h.why(smsqueue.Reason{Code: smsqueue.WhyRefused})
		if s := h.standing(); s.Reason != "the pole is broken" {
			t.Errorf("%+v", s)
		}
		_, err = h.queue.MendRoute(t.Context(), "main", json.RawMessage(`{"pole":"steel","height":7}`))
		must(t, err)
		opened(3)
		h.why()
		_, err = h.queue.MendRoute(t.Context(), "main", json.RawMessage(`{"height":null,"tls":true}`))
		must(t, err)
		opened(4)
		if last := m.config[3]; last != `{"pole":"steel","tls":true}` {
			t.Errorf("it was opened with %s", last)
		}
		sent, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: handset, Text: "Hello"})
		must(t, err)
		h.untilMessage(sent, smsqueue.Sent)
	})
}

func TestACarrierIsRemovedWhenNothingHangsOnIt(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		sent, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: handset, Text: "Hello"})
		must(t, err)
		h.untilMessage(sent, smsqueue.Sent)
		h.number(h.account.ID, office, "main")
		m.bring(h, said("", "Hello"))
		r, err := h.queue.Route(t.Context(), "main")
		must(t, err)

		h.removal("carrier_enabled")
		must(t, h.queue.DisableRoute(t.Context(), "main"))
		h.removal("carrier_open")
		_, err = h.db.ExecContext(t.Context(), `UPDATE ranges SET closed = TRUE`)
		must(t, err)
		h.removal("carrier_numbers")
		must(t, h.queue.RemoveNumber(t.Context(), office, "main"))
		must(t, h.queue.RemoveRoute(t.Context(), "main"))
		h.removal("carrier_not_found")

		h.received(h.account.ID, "Hello")
		if _, err := h.queue.Hear(t.Context(), r.CallbackURL[len("https://varsel.example/callbacks/"):], carriers.Callback{}); !problem.Has(err, "callback_not_found") {
			t.Error(err)
		}
		_, err = h.queue.AddRoute(t.Context(), "main", "mast", json.RawMessage(`{}`))
		must(t, err)
		h.why()
	})
}

func (h *house) removal(code string) {
	h.t.Helper()
	if err := h.queue.RemoveRoute(h.t.Context(), "main"); !problem.Has(err, code) {
		h.t.Errorf("%v, want %s", err, code)
	}
}

func TestACampaignKeepsItsCarrier(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h, _ := mastHouse(t, url)
		g := h.group(h.account.ID, "All staff", 1, 0)
		h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		must(t, h.queue.DisableRoute(t.Context(), "main"))
		h.removal("carrier_campaigns")
	})
}

func TestWhatMayBeSeenOfAConfiguration(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h, _ := mastHouse(t, url)
		_, err := h.queue.SetRoute(t.Context(), "main", json.RawMessage(
			`{"addr":"smsc.example:2775","password":"s3cr3t","pass":"s3cr3t","list":["s3cr3t"],"object":{"x":"s3cr3t"},"window":7,"tls":true,"enquire_link":"30s","none":null}`))
		must(t, err)
		shown, err := h.queue.ShownConfig(t.Context(), "main")
		must(t, err)
		want := "{\n  \"addr\": \"smsc.example:2775\",\n  \"enquire_link\": \"30s\",\n  \"tls\": true,\n  \"window\": 7\n}"
		if diff := cmp.Diff(want, string(shown)); diff != "" {
			t.Error(diff)
		}
	})
}
