package smsqueue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// explains waits until what waits explains itself so, without times.
func (h *house) explains(campaign int64, want ...smsqueue.Wait) {
	h.t.Helper()
	var diff string
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		got, err := h.queue.Why(h.t.Context(), h.account.ID, campaign)
		must(h.t, err)
		if diff = cmp.Diff(want, got, cmpopts.IgnoreFields(smsqueue.Wait{}, "Until"), cmpopts.EquateEmpty()); diff == "" {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatal(diff)
		}
	}
}

// A campaign, and single messages, say why they wait, whatever it is. // U10
func TestWhatWaitsSaysWhy(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		const people = 3
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", people, 0)
		later := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "later", Start: time.Now().Add(time.Hour)})
		h.explains(later.ID, smsqueue.Wait{Code: smsqueue.WaitScheduled})
		why, err := h.queue.Why(t.Context(), h.account.ID, later.ID)
		must(t, err)
		if !why[0].Until.Equal(later.Start) {
			t.Errorf("until %s, not %s", why[0].Until, later.Start)
		}
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "now"})
		h.explains(c.ID, smsqueue.Wait{Code: smsqueue.WaitStarting})
		_, err = h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(100), Text: "single"})
		must(t, err)
		must(t, h.queue.DisableRoute(t.Context(), "main"))
		h.explains(0, smsqueue.Wait{Code: smsqueue.WhyNoWorker, Messages: 1}, smsqueue.Wait{Code: smsqueue.WhyDisabled, Detail: "main", Messages: 1})

		must(t, h.queue.EnableRoute(t.Context(), "main"))
		h.expandOnly(c)
		off := smsqueue.Wait{Code: smsqueue.WhyDisabled, Detail: "main", Messages: people}
		h.explains(c.ID, off)
		h.turned(h.queue.Pause(t.Context(), c.Account, c.ID))
		h.explains(c.ID, smsqueue.Wait{Code: smsqueue.WhyPaused, Messages: people}, off)
		h.turned(h.queue.Resume(t.Context(), c.Account, c.ID))

		h.agreements("terminated")
		h.explains(c.ID, smsqueue.Wait{Code: smsqueue.WhyAccount, Detail: "no_agreement", Messages: people}, off)
		h.agreements("concluded")
		_, err = h.db.ExecContext(t.Context(), `UPDATE agreements SET closes_at = 1`) // a newer version's grace is over
		must(t, err)
		h.explains(c.ID, smsqueue.Wait{Code: smsqueue.WhyAccount, Detail: "agreement_outdated", Messages: people}, off)
		_, err = h.db.ExecContext(t.Context(), `UPDATE agreements SET closes_at = 0`)
		must(t, err)

		zone, err := window.Zone("Europe/Oslo")
		must(t, err)
		h6 := (time.Now().In(zone).Hour() + 6) % 24
		closed, err := window.Parse(fmt.Sprintf("Mon-Sun %02d:00-%02d:01", h6, h6))
		must(t, err)
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Windows: closed, Normal: true, Zone: "Europe/Oslo"}))
		must(t, h.queue.EnableRoute(t.Context(), "main"))
		h.explains(c.ID, smsqueue.Wait{Code: smsqueue.WaitQuietHours, Messages: people})
		h.explains(0, smsqueue.Wait{Code: smsqueue.WaitQuietHours, Messages: 1})
		h.eventually(func() bool { // the claim's word comes first, and the time when the handler ends
			why, err := h.queue.Why(t.Context(), h.account.ID, c.ID)
			must(t, err)
			return why[0].Code == smsqueue.WaitQuietHours && why[0].Until.After(time.Now())
		})
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Zone: "Europe/Oslo", PerMonth: 1}))
		h.eventually(func() bool { return h.smsc.Counts().Accepted == 1 })
		h.eventually(func() bool {
			why, err := h.queue.Why(t.Context(), h.account.ID, c.ID)
			must(t, err)
			return len(why) == 1 && why[0].Code == smsqueue.WaitCap
		})
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Zone: "Europe/Oslo"}))
		h.until(c, finished)
		h.explains(c.ID)
		h.eventually(func() bool {
			why, err := h.queue.Why(t.Context(), h.account.ID, 0)
			must(t, err)
			return len(why) == 0
		})
	})
}

// U23
func TestOnlyWhatDidNotArriveIsSentAgain(t *testing.T) {
	faults := smscsim.Faults{ReceiptDelay: time.Millisecond, Fail: map[string]string{on(1): "UNDELIV"}, SubmitStatusFor: map[string]uint32{on(2): 0x0B}}
	eachHouse(t, faults, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", 4, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Name: "Greeting"}), finished)
		all, err := h.queue.Outcomes(t.Context(), c.Account, c)
		must(t, err)
		if diff := cmp.Diff([]smsqueue.Outcome{{smsqueue.Undelivered, "undelivered", 1}, {smsqueue.Rejected, "rejected", 1}}, all, cmpopts.IgnoreFields(smsqueue.Outcome{}, "Reason")); diff != "" {
			t.Error(diff)
		}
		filter := smsqueue.AudienceFilter{Statuses: []smsqueue.Status{smsqueue.Undelivered}, Reasons: []string{all[0].Reason}}
		again, err := h.queue.Resend(t.Context(), c.Account, c.ID, filter, "key", "hash")
		must(t, err)
		twice, err := h.queue.Resend(t.Context(), c.Account, c.ID, filter, "key", "hash")
		must(t, err)
		if twice.ID != again.ID || again.Source != c.ID || again.Name != "Greeting" {
			t.Errorf("%+v", again)
		}
		h.until(again, finished)
		if got := h.smsc.Numbers(); got[on(1)] != 2 || got[on(0)] != 1 || got[on(3)] != 1 {
			t.Errorf("%v", got)
		}
		for _, s := range smsqueue.Statuses {
			if slices.Contains(smsqueue.Resendable, s) {
				continue
			}
			if _, err := h.queue.Resend(t.Context(), c.Account, c.ID, smsqueue.AudienceFilter{Statuses: []smsqueue.Status{s}}, "", ""); !problem.Has(err, "invalid_statuses") {
				t.Errorf("%s is sent again: %v", s, err)
			}
		}
	})
}

// While every carrier is switched off nobody can say over which a campaign goes: it
// begins when one is there. // U10
func TestACampaignThatNoCarrierCanTakeSaysSo(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "Board", 3, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		must(t, h.queue.DisableRoute(t.Context(), "main"))
		h.work()
		h.eventually(func() bool {
			all, err := h.queue.Why(t.Context(), h.account.ID, c.ID)
			must(t, err)
			return len(all) == 1 && all[0].Code == smsqueue.WhyDisabled
		})
		must(t, h.queue.EnableRoute(t.Context(), "main"))
		if c = h.until(c, finished); c.Counts[smsqueue.Delivered] != 3 {
			t.Errorf("%v", c.Counts)
		}
	})
}
