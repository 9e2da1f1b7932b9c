package smsqueue_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// Reading 4: a queued message to a removed person is skipped, uncharged.
func TestAMessageToARemovedPersonIsSkippedUncharged(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "Board", 100, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.expandOnly(c)
		last, err := db.Column[int64](t.Context(), h.db, `SELECT contact_id FROM messages ORDER BY id DESC LIMIT 1`)
		must(t, err)
		must(t, h.book.Remove(t.Context(), h.account.ID, last[0]))
		must(t, h.queue.EnableRoute(t.Context(), "main"))
		c = h.until(c, finished)
		if c.Counts[smsqueue.Skipped] != 1 || c.Counts[smsqueue.Delivered] != 99 {
			t.Errorf("%v", c.Counts)
		}
		skipped, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Campaign: c.ID, Status: smsqueue.Skipped, Limit: 10})
		must(t, err)
		if len(skipped) != 1 || skipped[0].Reason != "recipient_removed" || skipped[0].Money != smsqueue.Released {
			t.Errorf("%+v", skipped)
		}
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if diff := cmp.Diff(moneyOf{Reserved: 100 * 45000, Charged: 99 * 45000, Released: 45000}, money); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACampaignAboveItsCeilingIsHeldAndSendsNothing(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		g := h.group(h.account.ID, "Board", 10, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", CeilingMicro: 10*45000 - 1})
		c = h.until(c, func(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignHeld })
		if c.Reason != "cost_above_ceiling" || c.Counts.Total() != 0 {
			t.Errorf("%s %v", c.Reason, c.Counts)
		}
		c = h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", CeilingMicro: 10 * 45000})
		if c = h.until(c, finished); c.Counts[smsqueue.Delivered] != 10 {
			t.Errorf("%v", c.Counts)
		}
	})
}

func TestPeopleWithoutANumberAreCountedAndNeverMessaged(t *testing.T) { // S8
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		g := h.group(h.account.ID, "Board", 6, 0)
		for rule, change := range map[string]string{
			"none":   `UPDATE contacts SET phone = '', phone_rule = 'none' WHERE phone = $1`,
			"mobile": `UPDATE contacts SET phone = '', phone_rule = 'mobile' WHERE phone = $1`,
			"shared": `UPDATE contacts SET phone = '` + number(5) + `' WHERE phone = $1`,
		} {
			i := map[string]int{"none": 0, "mobile": 1, "shared": 2}[rule]
			_, err := h.db.ExecContext(t.Context(), change, number(i))
			must(t, err)
		}
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		if diff := cmp.Diff(smsqueue.LeftOut{WithoutNumber: 1, InvalidNumber: 1, SharedNumber: 1}, c.LeftOut); diff != "" {
			t.Error(diff)
		}
		if c.Counts[smsqueue.Delivered] != 3 {
			t.Errorf("%v", c.Counts)
		}
	})
}

// U18
func TestADeadlineEndsWhatIsStillPending(t *testing.T) {
	eachHouse(t, smscsim.Faults{NoReceipts: true}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		g := h.group(h.account.ID, "Board", 10, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.until(c, func(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignSent })
		_, err := h.db.ExecContext(t.Context(), `UPDATE ranges SET deadline = 1`)
		must(t, err)
		c = h.until(c, finished)
		if c.Counts[smsqueue.Expired] != 10 {
			t.Errorf("%v", c.Counts)
		}
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if money.Charged != 10*45000 || money.Open() != 0 {
			t.Errorf("what the carrier accepted is charged: %+v", money)
		}
	})
}

// U3, U15
func TestOneKeyIsOneMessageAndNoKeyIsTwo(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		send := func(key string) int64 {
			m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello", Key: key, RequestHash: "h"})
			must(t, err)
			return m.ID
		}
		var all sync.WaitGroup
		ids := make(chan int64, 30)
		for range cap(ids) {
			all.Go(func() { ids <- send("same") })
		}
		all.Wait()
		first := <-ids
		for range cap(ids) - 1 {
			if id := <-ids; id != first {
				t.Errorf("one key made %d and %d", first, id)
			}
		}
		if once, again := send(""), send(""); once == again {
			t.Error("two equal messages without a key are one")
		}
		var n int
		must(t, h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM messages`).Scan(&n))
		if n != 3 {
			t.Errorf("%d messages", n)
		}
		_, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello", Key: "same", RequestHash: "other"})
		if !problem.Has(err, "idempotency_key_reused") {
			t.Errorf("%v", err)
		}
	})
}

func TestTheEndOfACampaignIsAnEventWhenItIsWanted(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		must(t, events.Subscribe(t.Context(), h.db, h.account.ID, "campaign.finished", "test"))
		g := h.group(h.account.ID, "Board", 10, 0)
		h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		var n int
		must(t, h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM events WHERE type = 'campaign.finished'`).Scan(&n))
		if n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestAProcessThatDoesNotShowThatItLivesIsTakenOverAndStops(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		redis := smsqueue.EmbeddedRedis()
		w, err := smsqueue.StartWorker(t.Context(), h.queue, redis.Client, "all", noJobs)
		must(t, err)
		_, err = h.db.ExecContext(t.Context(), `UPDATE incarnations SET ended_at = 1`)
		must(t, err)
		select {
		case <-w.Lost():
		case <-time.After(5 * time.Minute):
			t.Error("it goes on")
		}
		must(t, w.Stop(t.Context()))
		redis.Close()
	})
}

func TestBadInputIsRefusedAndKeepsNothing(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		_, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
		if !problem.Has(err, "no_carrier") {
			t.Errorf("without a carrier: %v", err)
		}
		h.route(10, 0)
		long := make([]byte, 2000)
		for i := range long {
			long[i] = 'a'
		}
		for code, s := range map[string]smsqueue.Single{
			"invalid_text":   {To: number(1), Text: " \n"},
			"invalid_to":     {To: "12", Text: "Hello"},
			"invalid_sender": {To: number(1), Text: "Hello", Sender: "!"},
			"invalid_lane":   {To: number(1), Text: "Hello", Lane: "fast"},
		} {
			if _, err := h.queue.Send(t.Context(), h.account.ID, s); !problem.Has(err, code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		for _, text := range []string{string(long), "a\x00b", "a\xffb"} {
			if _, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: text}); !problem.Has(err, "invalid_text") {
				t.Errorf("%.10q: %v", text, err)
			}
		}
		if _, err := h.queue.StartCampaign(t.Context(), h.account.ID, smsqueue.NewCampaign{Group: 7, Text: "Hello"}); !problem.Has(err, "group_not_found") {
			t.Errorf("an unknown group: %v", err)
		}
		var n int
		must(t, h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM messages`).Scan(&n))
		if n != 0 {
			t.Errorf("%d messages were kept", n)
		}
	})
}

func TestMessagesArePagedNewestFirstEachOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", 1203, 0)
		other := h.open("other")
		theirs := h.group(other.ID, "Board", 7, 500_000)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.until(h.campaign(other.ID, smsqueue.NewCampaign{Group: theirs.ID, Text: "Hello"}), finished)
		h.until(c, finished)
		for i := range 5 {
			m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(700_000 + i), Text: "Hello"})
			must(t, err)
			h.untilMessage(m, smsqueue.Delivered)
		}
		walk := func(account int64, f smsqueue.MessageFilter) (n int) {
			for f.Limit = 100; ; {
				page, err := h.queue.Messages(t.Context(), account, f)
				must(t, err)
				for _, m := range page {
					if f.Before != 0 && m.ID >= f.Before || m.Account != account {
						t.Fatalf("message %d of account %d after %d", m.ID, m.Account, f.Before)
					}
					f.Before = m.ID
					n++
				}
				if len(page) < f.Limit {
					return n
				}
			}
		}
		for name, got := range map[string][2]int{
			"account":    {walk(h.account.ID, smsqueue.MessageFilter{}), 1208},
			"campaign":   {walk(h.account.ID, smsqueue.MessageFilter{Campaign: c.ID}), 1203},
			"delivered":  {walk(h.account.ID, smsqueue.MessageFilter{Status: smsqueue.Delivered}), 1208},
			"failed":     {walk(h.account.ID, smsqueue.MessageFilter{Status: smsqueue.Failed}), 0},
			"other":      {walk(other.ID, smsqueue.MessageFilter{}), 7},
			"not theirs": {walk(other.ID, smsqueue.MessageFilter{Campaign: c.ID}), 0},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %d messages, want %d", name, got[0], got[1])
			}
		}
	})
}
