package smsqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

func held(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignHeld }

// A campaign that is held at its ceiling says what it costs now, and goes on when
// somebody lets it cost that; what it had made waits for that, and goes out once.
func TestACampaignHeldAtItsCeilingGoesOnUpToAnother(t *testing.T) {
	for name, text := range map[string]string{"the same to all": "Hello", "to each their own": "Hello {{first_name}}"} {
		t.Run(name, func(t *testing.T) {
			eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
				const people, price = 700, 700 * toNorway // a lot of 500, and the rest
				h.route(500, 0)
				g := h.group(h.account.ID, "All staff", people, 0)
				h.work()
				c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: text, CeilingMicro: price - 1}), held)
				if !c.AtCeiling() || !c.MayResume() || c.Counts.Total() != 500 {
					t.Fatalf("it is %s for %s with %d messages", c.State, c.Reason, c.Counts.Total())
				}
				cost, err := h.queue.CostNow(t.Context(), h.account.ID, c.ID)
				must(t, err)
				same(t, "cost now", cost, int64(price))
				_, err = h.queue.Resume(t.Context(), h.account.ID, c.ID)
				if !problem.Has(err, "cost_above_ceiling") {
					t.Errorf("it is resumed as it was: %v", err)
				}
				if _, err := h.queue.ResumeUpTo(t.Context(), h.account.ID, c.ID, price-1); !problem.Has(err, "cost_above_ceiling") {
					t.Errorf("it is resumed for less: %v", err)
				}
				if _, err := h.queue.ResumeUpTo(t.Context(), h.open("other").ID, c.ID, price); !problem.Has(err, "campaign_not_found") {
					t.Errorf("another account resumes it: %v", err)
				}

				// What it has made does not grow old meanwhile, as what waits for its hours does.
				hour := (time.Now().UTC().Hour() + 6) % 24
				closed, err := window.Parse(fmt.Sprintf("Mon-Sun %02d:00-%02d:01", hour, hour))
				must(t, err)
				one := h.group(h.account.ID, "One", 1, people)
				waits := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: one.ID, Text: "Hello", Windows: closed}),
					func(c smsqueue.Campaign) bool { return c.Expanded })
				_, err = h.db.ExecContext(t.Context(), `UPDATE ranges SET deadline = $1`, time.Now().Add(-time.Hour).UnixMilli())
				must(t, err)
				h.until(waits, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Expired] == 1 })

				c, err = h.queue.ResumeUpTo(t.Context(), h.account.ID, c.ID, price)
				must(t, err)
				same(t, "its ceiling", c.CeilingMicro, int64(price))
				c = h.until(c, finished)
				same(t, "delivered", c.Counts[smsqueue.Delivered], people)
				for number, times := range h.smsc.Numbers() {
					if times != 1 {
						t.Errorf("%s was reached %d times", number, times)
					}
				}
			})
		})
	}
}

// Nothing is made, and no money set aside, for an account that may not send: its
// campaign is held until somebody resumes it. // S6
func TestACampaignOfAnAccountThatMayNotSendIsHeld(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		const people = 3
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", people, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.agreements("terminated")
		h.work()
		c = h.until(c, held)
		same(t, "why, and how many messages", fmt.Sprint(c.Reason, " ", c.Counts.Total()), "no_agreement 0")
		same(t, "reserved", h.booked().Reserved, 0)
		h.agreements("concluded")
		_, err := h.queue.Resume(t.Context(), h.account.ID, c.ID)
		must(t, err)
		c = h.until(c, finished)
		same(t, "delivered", c.Counts[smsqueue.Delivered], people)
	})
}
