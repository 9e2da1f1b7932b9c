package smsqueue_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// shareOfSMPP is the configuration of a carrier that processes share.
type shareOfSMPP struct {
	Addr       string `json:"addr"`
	SystemID   string `json:"system_id"`
	Password   string `json:"password"`
	Binds      int    `json:"binds"`
	Window     int    `json:"window"`
	Throughput int    `json:"throughput"`
	// Of an answer, as Go writes durations; empty for the usual.
	ResponseTimeout string `json:"response_timeout,omitempty"`
}

const (
	sharedBinds  = 4
	sharedWindow = 40
)

// strict is an SMSC that refuses a bind too many, and throttles what is above
// the window of one.
func strict(f smscsim.Faults) smscsim.Faults {
	f.Binds, f.Window = sharedBinds, sharedWindow/sharedBinds
	return f
}

// shared is a house on PostgreSQL whose carrier can be shared by processes,
// with a Redis for them.
func shared(t *testing.T, throughput int, f smscsim.Faults) (h *house, redis string, r smsqueue.Route) {
	t.Helper()
	t.Parallel()
	h = newHouse(t, dbtest.PostgresURL(t), strict(f))
	config, err := json.Marshal(shareOfSMPP{Addr: h.smsc.Addr(), SystemID: "varsel", Password: "secret",
		Binds: sharedBinds, Window: sharedWindow, Throughput: throughput})
	must(t, err)
	r, err = h.queue.AddRoute(t.Context(), "main", "smpp", config)
	must(t, err)
	return h, redistest.Start(t).URL(), r
}

// shares are how many slots each living process holds, the most first.
func (h *house) shares() []int {
	h.t.Helper()
	all, err := db.Column[int](h.t.Context(), h.db, `
		SELECT COUNT(*) FROM carrier_slots s JOIN incarnations i ON i.id = s.holder
		WHERE i.ended_at = 0 AND s.status = 'bound' GROUP BY holder ORDER BY COUNT(*) DESC`)
	must(h.t, err)
	return all
}

func (h *house) untilShares(want ...int) {
	h.t.Helper()
	h.eventually(func() bool { return slices.Equal(h.shares(), want) })
}

// neverTooMuch asks the SMSC whether the limits of the installation were kept.
func (h *house) neverTooMuch() {
	h.t.Helper()
	if c := h.smsc.Counts(); c.RefusedBinds > 0 || c.Throttled > 0 {
		h.t.Errorf("more than %d binds or a window of %d: %+v", sharedBinds, sharedWindow, c)
	}
}

func (h *house) untilBothWork() {
	h.t.Helper()
	h.eventually(func() bool {
		var n int
		must(h.t, h.db.QueryRowContext(h.t.Context(), `SELECT COUNT(DISTINCT incarnation) FROM ranges WHERE state = 'running'`).Scan(&n))
		return n == 2
	})
}

func (h *house) limits() {
	h.t.Helper()
	var campaign int
	must(h.t, h.db.QueryRowContext(h.t.Context(), `
		SELECT COUNT(*) FROM ranges WHERE state IN ('dispatched', 'running') AND claimed_id < last_id`).Scan(&campaign))
	if campaign > 8 {
		h.t.Errorf("%d ranges of one campaign are in Redis", campaign)
	}
}

func end(t *testing.T, cmd *exec.Cmd, s syscall.Signal) {
	t.Helper()
	must(t, cmd.Process.Signal(s))
	if err := cmd.Wait(); err != nil && s != syscall.SIGKILL {
		t.Errorf("the worker process: %v", err)
	}
}

func sentAll(c smsqueue.Campaign) bool {
	return settled(c) && c.Counts.Unsent() == 0 && c.Counts[smsqueue.Sent] == 0
}

func TestWhoIsLeftHasAllSlotsAndNobodyIsLost(t *testing.T) {
	h, redis, _ := shared(t, 0, smscsim.Faults{AnswerDelay: 20 * time.Millisecond, ReceiptDelay: 50 * time.Millisecond})
	first := h.spawnOn(redis)
	h.untilShares(4)
	h.spawnOn(redis)
	h.untilShares(2, 2)
	const people = 6000
	g := h.group(h.account.ID, "All staff", people, 0)
	c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
	h.untilBothWork()
	h.limits()
	h.untilAccepted(500)
	end(t, first, syscall.SIGKILL)
	h.untilShares(4)
	h.nobodyLost(h.until(c, sentAll), people)
	h.neverTooMuch()
}

func TestWhoJoinsGetsASharePeacefully(t *testing.T) {
	h, redis, _ := shared(t, 200, smscsim.Faults{AnswerDelay: 20 * time.Millisecond, ReceiptDelay: 50 * time.Millisecond})
	first := h.spawnOn(redis)
	const people = 6000
	g := h.group(h.account.ID, "All staff", people, 0)
	c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
	h.untilAccepted(500)
	h.spawnOn(redis)
	h.untilShares(2, 2)
	h.untilBothWork()
	h.limits()
	h.spawnOn(redis)
	h.untilShares(2, 1, 1)
	end(t, first, syscall.SIGTERM)
	h.untilShares(2, 2)
	c = h.until(c, finished)
	h.nobodyLost(c, people)
	if c.Counts[smsqueue.Delivered] != people {
		t.Errorf("nothing broke, and yet %v", c.Counts)
	}
	h.neverTooMuch()
}

func TestThroughputIsOneTotalForAllProcesses(t *testing.T) {
	const rate, people = 200, 1600
	h, redis, _ := shared(t, rate, smscsim.Faults{})
	for range sharedBinds {
		d, err := smsqueue.DialRedis(redis)
		must(t, err)
		h.workOn(d)
	}
	h.untilShares(1, 1, 1, 1)
	g := h.group(h.account.ID, "All staff", people, 0)
	c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
	h.untilAccepted(rate)
	began, before := time.Now(), h.smsc.Counts().Accepted
	h.eventually(func() bool {
		h.limits()
		return h.smsc.Counts().Accepted >= people-rate
	})
	took, went := time.Since(began), h.smsc.Counts().Accepted-before
	if most := int(2 * rate * (took.Seconds() + 1)); went > most {
		t.Errorf("%d went in %v at %d a second", went, took, rate)
	}
	h.until(c, finished)
	h.neverTooMuch()
}

// A process that ended without giving its slot back, whatever the reason, does
// not keep it.
func TestASlotOfAnEndedProcessIsFree(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url, smscsim.Faults{})
		r := h.route(10, 0)
		_, err := h.db.ExecContext(t.Context(), `
			INSERT INTO incarnations (id, host, pid, role, counter, started_at, ended_at) VALUES (7, 'test', 1, 'worker', 1, 0, 1)`)
		must(t, err)
		_, err = h.db.ExecContext(t.Context(), `UPDATE carrier_slots SET holder = 7, status = 'bound' WHERE carrier_id = $1`, r.ID)
		must(t, err)
		all, err := h.queue.Routes(t.Context())
		must(t, err)
		if all[0].Status != "idle" {
			t.Errorf("a carrier that nobody has is %s", all[0].Status)
		}
		h.work()
		h.untilShares(1)
	})
}

func TestACarrierIsBoundWhenAnySessionIs(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url, smscsim.Faults{})
		r, err := h.queue.AddRoute(t.Context(), "main", "smpp", json.RawMessage(`{"addr":"127.0.0.1:1","system_id":"x","binds":2,"window":2}`))
		must(t, err)
		for i := range 2 {
			_, err := h.db.ExecContext(t.Context(), `
				INSERT INTO incarnations (id, host, pid, role, counter, started_at) VALUES ($1, 'test', 1, 'worker', 1, 0)`, 7+i)
			must(t, err)
		}
		for want, states := range map[carriers.State][2][2]string{
			{Status: "idle"}:                                    {{"0", "idle"}, {"0", "idle"}},
			{Status: carriers.Connecting}:                       {{"7", "connecting"}, {"0", "idle"}},
			{Status: carriers.Bound}:                            {{"7", "refused"}, {"8", "bound"}},
			{Status: carriers.Down, Reason: "down of 7"}:        {{"7", "down"}, {"8", "connecting"}},
			{Status: carriers.Refusing, Reason: "refused of 8"}: {{"7", "down"}, {"8", "refused"}},
		} {
			for slot, s := range states {
				reason := ""
				if s[1] == "down" || s[1] == "refused" {
					reason = s[1] + " of " + s[0]
				}
				_, err := h.db.ExecContext(t.Context(), `
					UPDATE carrier_slots SET holder = CAST($1 AS BIGINT), status = $2, reason = $3 WHERE carrier_id = $4 AND slot = $5`,
					s[0], s[1], reason, r.ID, slot)
				must(t, err)
			}
			all, err := h.queue.Routes(t.Context())
			must(t, err)
			if diff := cmp.Diff(want, carriers.State{Status: all[0].Status, Reason: all[0].Reason}); diff != "" {
				t.Errorf("%v: %s", states, diff)
			}
		}
	})
}

// A program that makes more, or fewer, slots of a configuration than the one
// before brings the rows in step when it starts to work.
func TestSlotsFollowWhatTheConfigurationMeans(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url, smscsim.Faults{})
		config := fmt.Sprintf(`{"addr":%q,"system_id":"varsel","password":"secret","binds":3,"window":30}`, h.smsc.Addr())
		r, err := h.queue.AddRoute(t.Context(), "main", "smpp", json.RawMessage(config))
		must(t, err)
		for _, had := range []map[int]bool{{0: true}, {0: true, 1: true, 2: true, 3: true, 4: true}} {
			_, err = h.db.ExecContext(t.Context(), `UPDATE carriers SET features = '{}' WHERE id = $1`, r.ID)
			must(t, err)
			_, err = h.db.ExecContext(t.Context(), `DELETE FROM carrier_slots`)
			must(t, err)
			for slot := range maps.Keys(had) {
				_, err = h.db.ExecContext(t.Context(), `INSERT INTO carrier_slots (carrier_id, slot, status_at) VALUES ($1, $2, 0)`, r.ID, slot)
				must(t, err)
			}
			redis := smsqueue.EmbeddedRedis()
			w, err := smsqueue.StartWorker(t.Context(), h.queue, redis.Client, "all", noJobs)
			must(t, err)
			h.untilShares(3)
			must(t, w.Stop(t.Context()))
			redis.Close()
			slots, err := db.Column[int](t.Context(), h.db, `SELECT slot FROM carrier_slots ORDER BY slot`)
			must(t, err)
			if diff := cmp.Diff([]int{0, 1, 2}, slots); diff != "" {
				t.Error(diff)
			}
		}
	})
}
