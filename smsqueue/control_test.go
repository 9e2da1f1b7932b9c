package smsqueue_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// turned is a campaign after a turn that may have come too late.
func (h *house) turned(c smsqueue.Campaign, err error) smsqueue.Campaign {
	h.t.Helper()
	if p := problem.As(err); err != nil && (p == nil || p.Kind != problem.KindConflict) {
		h.t.Fatal(err)
	}
	return c
}

// remaining is everybody whom the campaign was not sent to, page by page.
func (h *house) remaining(c smsqueue.Campaign) (phones []string) {
	h.t.Helper()
	for before := int64(0); ; {
		page, err := h.queue.Messages(h.t.Context(), c.Account, smsqueue.MessageFilter{Campaign: c.ID, Unsent: true, Before: before, Limit: 100})
		must(h.t, err)
		for _, m := range page {
			phones, before = append(phones, strings.TrimPrefix(m.Phone, "+")), m.ID
		}
		if len(page) < 100 {
			slices.Sort(phones)
			return phones
		}
	}
}

// A thousand random turns of several campaigns send nothing twice and lose nobody,
// and who is left of a cancelled one is known exactly. // U1, U2
func TestAThousandTurnsSendNothingTwiceAndLoseNobody(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: 5 * time.Millisecond, ReceiptDelay: 5 * time.Millisecond}, func(t *testing.T, h *house) {
		const people, turns = 1300, 1000
		h.route(8, 150)
		h.work()
		var all []smsqueue.Campaign
		for i, text := range []string{"one", "two", "three", "ended"} {
			g := h.group(h.account.ID, text, people, 10_000*i)
			all = append(all, h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: text}))
		}
		seed := time.Now().UnixNano()
		t.Log("seed", seed)
		random := rand.New(rand.NewPCG(uint64(seed), 0))
		last := func() (out int) {
			for number := range h.smsc.Numbers() {
				if number >= on(30_000) {
					out++
				}
			}
			return out
		}
		for range turns {
			c := all[random.IntN(len(all))]
			// The last has to have somebody left when it is cancelled.
			if random.IntN(2) == 0 || c.ID == all[3].ID && last() > people/2 {
				h.turned(h.queue.Pause(t.Context(), c.Account, c.ID))
			} else {
				h.turned(h.queue.Resume(t.Context(), c.Account, c.ID))
			}
		}
		ended := h.turned(h.queue.Cancel(t.Context(), all[3].Account, all[3].ID))
		if ended.State != smsqueue.CampaignCancel {
			t.Fatalf("it was over before it was cancelled: %s %v", ended.State, ended.Counts)
		}
		for _, c := range all[:3] {
			h.turned(h.queue.Resume(t.Context(), c.Account, c.ID))
			c = h.until(c, finished)
			if c.Counts[smsqueue.Delivered] != people || len(h.remaining(c)) != 0 {
				t.Errorf("%s: %v", c.Name, c.Counts)
			}
		}
		ended = h.until(ended, func(c smsqueue.Campaign) bool { return !c.Finished.IsZero() && c.Counts[smsqueue.Sent] == 0 })
		reached := h.smsc.Numbers()
		for number, times := range reached {
			if times != 1 {
				t.Errorf("%s was reached %d times", number, times)
			}
		}
		var left []string
		for i := range people {
			if number := on(30_000 + i); reached[number] == 0 {
				left = append(left, number)
			}
		}
		slices.Sort(left)
		if diff := cmp.Diff(left, h.remaining(ended)); diff != "" || !ended.Expanded {
			t.Errorf("who is left: %s", diff)
		}
		if want := 3*people + ended.Counts[smsqueue.Delivered]; len(reached) != want {
			t.Errorf("%d were reached, not %d", len(reached), want)
		}
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, ended.ID)
		must(t, err)
		price := int64(45000)
		want := moneyOf{Reserved: price * int64(ended.Counts.Total()), Charged: price * int64(ended.Counts[smsqueue.Delivered]),
			Released: price * int64(ended.Counts[smsqueue.Cancelled])}
		if diff := cmp.Diff(want, money); diff != "" {
			t.Errorf("the ledger: %s", diff)
		}
	})
}

// While it is paused, what is on its way is answered and counted, the rest is known
// name by name, and nobody else gets anything. // U2
func TestAPausedCampaignStandsStill(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: 20 * time.Millisecond, ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		const people = 300
		h.route(5, 30) // slow enough to be under way when it is paused
		h.work()
		g := h.group(h.account.ID, "All staff", people, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.untilAccepted(20)
		h.turned(h.queue.Pause(t.Context(), c.Account, c.ID))
		c = h.until(c, func(c smsqueue.Campaign) bool {
			return c.Expanded && c.Counts[smsqueue.Sending]+c.Counts[smsqueue.Sent] == 0
		})
		reached := h.smsc.Numbers()
		if c.State != smsqueue.CampaignPaused || c.Counts[smsqueue.Delivered] != len(reached) || c.Counts[smsqueue.Queued] != people-len(reached) {
			t.Fatalf("%s, %v; the SMSC saw %d", c.State, c.Counts, len(reached))
		}
		left := h.remaining(c)
		if len(left) != people-len(reached) || slices.ContainsFunc(left, func(number string) bool { return reached[number] > 0 }) {
			t.Fatalf("%d are left of %d", len(left), people)
		}
		// A message of another campaign passes all that the paused one would send.
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(9000), Text: "Hello", Lane: smsqueue.Bulk})
		must(t, err)
		h.untilMessage(m, smsqueue.Delivered)
		if n := len(h.smsc.Numbers()); n != len(reached)+1 {
			t.Errorf("the SMSC saw %d numbers while it was paused, and %d before", n-1, len(reached))
		}
		for _, again := range []func() (smsqueue.Campaign, error){
			func() (smsqueue.Campaign, error) { return h.queue.Pause(t.Context(), c.Account, c.ID) },
			func() (smsqueue.Campaign, error) { return h.queue.Pause(t.Context(), h.open("other").ID, c.ID) },
		} {
			if _, err := again(); problem.As(err) == nil {
				t.Errorf("it can be paused again, or by others: %v", err)
			}
		}
		h.turned(h.queue.Resume(t.Context(), c.Account, c.ID))
		c = h.until(c, finished)
		if c.Counts[smsqueue.Delivered] != people {
			t.Errorf("%v", c.Counts)
		}
		if _, err := h.queue.Cancel(t.Context(), c.Account, c.ID); !problem.Has(err, "campaign_finished") {
			t.Errorf("what is over is cancelled: %v", err)
		}
	})
}

// U20
func TestAScheduledCampaignIsChangedPausedCancelledAndFires(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", 3, 0)
		later := time.Now().Add(time.Hour)
		plan := smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Start: later, Zone: "Europe/Oslo"}
		changed, paused, cancelled := h.campaign(h.account.ID, plan), h.campaign(h.account.ID, plan), h.campaign(h.account.ID, plan)
		if !changed.Scheduled() || changed.Zone != "Europe/Oslo" || changed.Start.UnixMilli() != later.UnixMilli() {
			t.Fatalf("%+v", changed)
		}
		soon, name := later.Add(-time.Minute), "Sooner"
		changed, err := h.queue.ChangeCampaign(t.Context(), h.account.ID, changed.ID, smsqueue.CampaignChange{Start: &soon, Name: &name})
		must(t, err)
		h.turned(h.queue.Pause(t.Context(), h.account.ID, paused.ID))
		h.turned(h.queue.Cancel(t.Context(), h.account.ID, cancelled.ID))
		_, err = h.queue.ChangeCampaign(t.Context(), h.account.ID, paused.ID, smsqueue.CampaignChange{Start: &soon})
		must(t, err)

		h.work()
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(100), Text: "Hello", Lane: smsqueue.Bulk})
		must(t, err)
		h.untilMessage(m, smsqueue.Delivered) // who works has been there
		changed, err = h.queue.Campaign(t.Context(), changed.Account, changed.ID)
		must(t, err)
		if changed.Name != "Sooner" || changed.Start.UnixMilli() != soon.UnixMilli() || changed.Expanded || !changed.Started.IsZero() {
			t.Errorf("before its time: %+v", changed)
		}
		for _, c := range []smsqueue.Campaign{changed, paused, cancelled} {
			h.comes(c)
		}
		changed = h.until(changed, finished)
		if changed.Counts[smsqueue.Delivered] != 3 {
			t.Errorf("%+v", changed)
		}
		for _, c := range []smsqueue.Campaign{paused, cancelled} {
			c, err := h.queue.Campaign(t.Context(), c.Account, c.ID)
			must(t, err)
			if c.Counts.Total() != 0 || !c.Started.IsZero() {
				t.Errorf("it began: %s %v", c.State, c.Counts)
			}
		}
		h.turned(h.queue.Resume(t.Context(), h.account.ID, paused.ID))
		h.until(paused, finished)

		_, err = h.queue.ChangeCampaign(t.Context(), h.account.ID, changed.ID, smsqueue.CampaignChange{Name: &name})
		if !problem.Has(err, "campaign_finished") {
			t.Errorf("what has begun is changed: %v", err)
		}
	})
}

// comes lets the time come at which a campaign is to start.
func (h *house) comes(c smsqueue.Campaign) {
	h.t.Helper()
	_, err := h.db.ExecContext(h.t.Context(), `UPDATE campaigns SET start_at = $1 WHERE id = $2`, time.Now().UnixMilli(), c.ID)
	must(h.t, err)
}

// U20
func TestAScheduleThatCannotBeIsRefused(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", 1, 0)
		for field, n := range map[string]smsqueue.NewCampaign{
			"start_at": {Start: time.Now().Add(-time.Minute), Zone: "Europe/Oslo"},
			"zone":     {Start: time.Now().Add(time.Hour), Zone: "Oslo"},
			"validity": {Validity: time.Second},
		} {
			n.Group, n.Text = g.ID, "Hello"
			_, err := h.queue.StartCampaign(t.Context(), h.account.ID, n)
			var p *problem.Problem
			if !errors.As(err, &p) || p.Field != field {
				t.Errorf("%s: %v", field, err)
			}
			if field == "start_at" && !strings.Contains(err.Error(), "now in Europe/Oslo") {
				t.Errorf("it does not say what time it is: %v", err)
			}
		}
	})
}

// What nobody can send before the time that was said is not sent after it. // U18
func TestACampaignIsNotSentAfterItsValidity(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", 2, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Lunch is served", Validity: time.Hour})
		_, err := h.db.ExecContext(t.Context(), `UPDATE campaigns SET start_at = $1 WHERE id = $2`, time.Now().Add(-2*time.Hour).UnixMilli(), c.ID)
		must(t, err)
		h.work()
		c = h.until(c, finished)
		if c.Counts[smsqueue.Expired] != 2 || len(h.smsc.Numbers()) != 0 {
			t.Errorf("%v", c.Counts)
		}
	})
}

// expandOnly has a campaign's recipients found, while its carrier is there and nothing
// may be sent at this hour, and then switches the carrier off.
func (h *house) expandOnly(c smsqueue.Campaign) {
	h.t.Helper()
	hour := (time.Now().UTC().Hour() + 6) % 24
	closed, err := window.Parse(fmt.Sprintf("Mon-Sun %02d:00-%02d:01", hour, hour))
	must(h.t, err)
	must(h.t, h.queue.SetRules(h.t.Context(), h.account.ID, smsqueue.Rules{Windows: closed, Normal: true, Zone: "UTC"}))
	h.work()
	h.until(c, func(c smsqueue.Campaign) bool { return c.Expanded })
	must(h.t, h.queue.DisableRoute(h.t.Context(), "main"))
	h.eventually(func() bool { // no worker has a link any more
		routes, err := h.queue.Routes(h.t.Context())
		must(h.t, err)
		return routes[0].Status == "idle"
	})
	must(h.t, h.queue.SetRules(h.t.Context(), h.account.ID, smsqueue.Rules{Zone: "UTC"}))
}

func (h *house) agreements(state string) {
	h.t.Helper()
	_, err := h.db.ExecContext(h.t.Context(), `UPDATE agreements SET state = $1`, state)
	must(h.t, err)
}

// The usual time that a message has does not run while somebody has paused it. // U2
func TestAPausedCampaignDoesNotGrowOld(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", 3, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(100), Text: "Hello"})
		must(t, err)
		h.expandOnly(c)
		h.turned(h.queue.Pause(t.Context(), c.Account, c.ID))
		_, err = h.db.ExecContext(t.Context(), `UPDATE ranges SET deadline = $1`, time.Now().Add(-time.Hour).UnixMilli())
		must(t, err)
		// The job that ends what is overdue has been there: a single message is as old.
		h.untilMessage(m, smsqueue.Expired)
		must(t, h.queue.EnableRoute(t.Context(), "main"))
		h.turned(h.queue.Resume(t.Context(), c.Account, c.ID))
		if c = h.until(c, finished); c.Counts[smsqueue.Delivered] != 3 {
			t.Errorf("%v", c.Counts)
		}
	})
}
