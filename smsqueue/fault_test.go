package smsqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

func TestWhatRedisForgetsIsPutBackAndGoesOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: 10 * time.Millisecond, ReceiptDelay: 20 * time.Millisecond}, func(t *testing.T, h *house) {
		server := redistest.Start(t)
		redis, err := smsqueue.DialRedis(server.URL())
		must(t, err)
		h.route(50, 500)
		h.workOn(redis)
		const people = 3000
		g := h.group(h.account.ID, "All staff", people, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.untilAccepted(200)
		must(t, redis.Client.FlushAll(t.Context()).Err())
		h.untilAccepted(700)
		server.Kill()
		h.untilAccepted(800) // what was begun goes on without Redis
		server.Run()
		h.nobodyLost(h.until(c, finished), people)
	})
}

// A process that stopped could not store what became of a range, or one that
// lives began it in a transaction whose end it did not hear of.
func TestARangeThatNobodyWorksOnGoesAgain(t *testing.T) {
	for who, holder := range map[string]string{
		"ended":  `(SELECT id FROM incarnations WHERE ended_at <> 0)`,
		"living": `(SELECT id FROM incarnations WHERE ended_at = 0)`,
	} {
		t.Run(who, func(t *testing.T) {
			eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
				_, err := h.db.ExecContext(t.Context(), `
					INSERT INTO incarnations (id, host, pid, role, counter, started_at, ended_at) VALUES (7, 'test', 1, 'worker', 1, 0, 1)`)
				must(t, err)
				h.route(100, 800)
				h.work()
				const people = 6000
				g := h.group(h.account.ID, "All staff", people, 0)
				c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
				h.eventually(func() bool {
					done, err := h.db.ExecContext(t.Context(), `UPDATE ranges SET state = 'running', incarnation = `+holder+` WHERE state = 'waiting'`)
					must(t, err)
					n, _ := done.RowsAffected()
					return n > 0
				})
				h.nobodyLost(h.until(c, finished), people)
			})
		})
	}
}

func TestAcceptingNeverWaitsForRedis(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		server := redistest.Start(t)
		redis, err := smsqueue.DialRedis(server.URL())
		must(t, err)
		h.route(10, 0)
		h.workOn(redis)
		server.Kill()
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
		must(t, err)
		server.Run()
		h.untilMessage(m, smsqueue.Delivered)
	})
}

// U11
func TestAThrottledRouteSlowsDownAndFailsNobody(t *testing.T) {
	eachHouse(t, smscsim.Faults{Throughput: 300, ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		const people = 900
		g := h.group(h.account.ID, "All staff", people, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		h.nobodyLost(c, people)
		if h.smsc.Counts().Throttled == 0 {
			t.Error("the SMSC throttled nothing, so this test shows nothing")
		}
	})
}

func TestARefusedBindIsANamedState(t *testing.T) {
	eachHouse(t, smscsim.Faults{BindStatus: 0x0E}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello"})
		must(t, err)
		var route smsqueue.Route
		h.eventually(func() bool {
			all, err := h.queue.Routes(t.Context())
			must(t, err)
			route = all[0]
			return route.Status == "refused"
		})
		if route.Reason == "" {
			t.Error("no reason is given")
		}
		now, err := h.queue.Message(t.Context(), h.account.ID, m.ID)
		must(t, err)
		if now.Status != smsqueue.Queued {
			t.Errorf("the message is %s: it waits for the carrier", now.Status)
		}
	})
}

func TestAFewAreNotBlockedByMany(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 200)
		h.work()
		other := h.open("other")
		many := h.group(h.account.ID, "All staff", 8_000, 0)
		few := h.group(other.ID, "Board", 200, 500_000)
		first := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: many.ID, Text: "Hello"})
		h.untilAccepted(500)
		before := h.smsc.Counts().Accepted
		h.until(h.campaign(other.ID, smsqueue.NewCampaign{Group: few.ID, Text: "Hello"}), finished)
		// In turn, the many get as much as the few, and what goes by until the
		// few are expanded and their last receipts are back.
		if went := h.smsc.Counts().Accepted - before - few.Members; went > 3000 {
			t.Errorf("%d messages of the other account went before the last of the %d", went, few.Members)
		}
		now, err := h.queue.Campaign(t.Context(), first.Account, first.ID)
		must(t, err)
		if now.Expanded && now.Counts.Unsent() == 0 {
			t.Errorf("the large campaign was not under way: %v", now.Counts)
		}
	})
}

func TestAnUrgentMessageOvertakes(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 100)
		h.work()
		g := h.group(h.account.ID, "All staff", 4_000, 0)
		h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.untilAccepted(200)
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(900_000), Text: "Leave the building", Lane: smsqueue.Urgent})
		must(t, err)
		h.untilMessage(m, smsqueue.Delivered)
		if went := h.smsc.Counts().Accepted; went > 2000 {
			t.Errorf("the urgent message came when %d had gone", went)
		}
	})
}

// U5, U6
func TestReceiptsAreMatchedWhateverTheirIDLooksLike(t *testing.T) {
	long := "Zażółć gęślą jaźń: a text of two parts, because Polish letters are not all in the alphabet of GSM and so each takes more room."
	for _, form := range []string{"decimal", "hex", "hex-receipt-decimal", "decimal-receipt-hex", "uuid", "zeros", "upper-hex-receipt-lower"} {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/first=%v", form, first), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, dbtest.SQLiteURL(t), smscsim.Faults{IDForm: form, ReceiptsFirst: first, DuplicateReceipts: true, ReceiptDelay: 5 * time.Millisecond})
				h.route(20, 0)
				h.work()
				g := h.group(h.account.ID, "All staff", 100, 0)
				h.nobodyLost(h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: long}), finished), 100)
			})
		}
	}
}
