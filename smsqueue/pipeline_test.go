package smsqueue_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

func TestACampaignReachesEverybodyOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: 30 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		const people = 1200
		g := h.group(h.account.ID, "Oslo, night shift", people, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Fire drill at noon."}), finished)

		if diff := cmp.Diff(people, c.Counts[smsqueue.Delivered]); diff != "" {
			t.Errorf("delivered: %s; %v", diff, c.Counts)
		}
		reached := h.smsc.Numbers()
		if len(reached) != people {
			t.Errorf("the carrier saw %d numbers", len(reached))
		}
		for number, times := range reached {
			if times != 1 {
				t.Errorf("%s was reached %d times", number, times)
			}
		}
		want := int64(people * 45000)
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if diff := cmp.Diff(moneyOf{Reserved: want, Charged: want}, money); diff != "" {
			t.Errorf("the ledger: %s", diff)
		}
		reconciled(t, h)
	})
}

func TestASingleMessageIsDelivered(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		text := "Zażółć gęślą jaźń: a text of two parts, because Polish letters are not all in the alphabet of GSM and so each takes more room."
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: "900 00 000", Text: text})
		must(t, err)
		h.untilMessage(m, smsqueue.Delivered)
		if m.Parts != 2 || m.Lane != smsqueue.Normal {
			t.Fatalf("got %+v", m)
		}
		if diff := cmp.Diff([]string{text}, h.smsc.Texts("4790000000")); diff != "" {
			t.Error(diff)
		}
		reconciled(t, h)
	})
}

// reconciled holds the messages against the ledger, and what carriers took against both.
func reconciled(t *testing.T, h *house) {
	t.Helper()
	r, found, err := billing.NewInvoices(h.db).Reconcile(t.Context(), h.queue.Traffic, time.Now())
	if err != nil || len(found) > 0 || r.Messages == 0 {
		t.Errorf("the reconciliation finds %+v in %d messages (%v)", found, r.Messages, err)
	}
	now := time.Now()
	carried, err := h.queue.Traffic(t.Context(), now.Add(-time.Hour), now.Add(time.Hour))
	if err != nil || len(carried) != 1 || carried[0].Country != "NO" || carried[0].Messages != r.Messages || carried[0].Revenue != int64(carried[0].Parts)*45000 {
		t.Errorf("carriers took %+v (%v)", carried, err)
	}
}

// What a claim took is shown as sending though its rows still say queued, and
// counts as sending.
func TestWhatIsOnItsWayIsShownAsSending(t *testing.T) {
	eachHouse(t, smscsim.Faults{NeverAnswer: true}, func(t *testing.T, h *house) {
		const window, people = 10, 30
		h.route(window, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", people, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.eventually(func() bool { return h.smsc.Counts().Accepted > 0 })
		h.eventually(func() bool {
			now, err := h.queue.Campaign(t.Context(), c.Account, c.ID)
			must(t, err)
			for _, status := range []smsqueue.Status{smsqueue.Queued, smsqueue.Sending} {
				page, err := h.queue.Messages(t.Context(), c.Account, smsqueue.MessageFilter{Campaign: c.ID, Status: status, Limit: people})
				must(t, err)
				for _, m := range page {
					if m.Status != status {
						t.Fatalf("a message that is %s is listed as %s", m.Status, status)
					}
				}
				if len(page) != now.Counts[status] {
					return false // claimed between the two readings
				}
			}
			return now.Counts.Total() == people && now.Counts[smsqueue.Sending] == h.smsc.Counts().Accepted
		})
		h.smsc.DropAll() // nobody waits for the answers any more
	})
}
