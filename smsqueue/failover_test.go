package smsqueue_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// spare configures a second SMSC as another carrier.
func (h *house) spare(window, throughput int) *smscsim.Server {
	h.t.Helper()
	smsc, err := smscsim.Start(smscsim.Options{SystemID: "varsel", Password: "secret", Unacknowledged: benchUnacknowledged})
	must(h.t, err)
	h.t.Cleanup(func() { smsc.Close() })
	config, err := json.Marshal(map[string]any{"addr": smsc.Addr(), "system_id": "varsel", "password": "secret", "window": window, "throughput": throughput})
	must(h.t, err)
	_, err = h.queue.AddRoute(h.t.Context(), "spare", "smpp", config)
	must(h.t, err)
	return smsc
}

// rule adds a rule with these carriers.
func (h *house) rule(r smsqueue.Rule, shares ...smsqueue.RuleShare) smsqueue.Rule {
	h.t.Helper()
	r.Shares = shares
	r, err := h.queue.AddRule(h.t.Context(), r)
	must(h.t, err)
	return r
}

func (h *house) health(carrier string) smsqueue.Health {
	h.t.Helper()
	r, err := h.queue.Route(h.t.Context(), carrier)
	must(h.t, err)
	return r.Health
}

func (h *house) untilHealth(carrier string, state smsqueue.HealthState) smsqueue.Health {
	h.t.Helper()
	var now smsqueue.Health
	h.eventually(func() bool { now = h.health(carrier); return now.State == state })
	return now
}

// waitingAt counts the messages that wait for a carrier and are not on their way.
func (h *house) waitingAt(carrier string) (n int) {
	h.t.Helper()
	must(h.t, h.db.QueryRowContext(h.t.Context(), `
		SELECT COUNT(*) FROM messages m JOIN ranges r ON r.id = m.range_id JOIN carriers c ON c.id = r.carrier_id
		WHERE c.name = $1 AND m.status = 'queued' AND (m.due_at > 0 OR m.id > r.claimed_id)`, carrier).Scan(&n))
	return n
}

// accepted counts what each number got at all of the SMSCs.
func accepted(all ...*smscsim.Server) map[string]int {
	sum := map[string]int{}
	for _, s := range all {
		for number, n := range s.Numbers() {
			sum[number] += n
		}
	}
	return sum
}

// eachOnce says who did not get exactly one message.
func eachOnce(t *testing.T, n int, all ...*smscsim.Server) {
	t.Helper()
	got := accepted(all...)
	for i := range n {
		to := number(i)
		if got[to] != 1 && got[to[1:]] != 1 {
			t.Errorf("%s got %d messages", to, got[to]+got[to[1:]])
		}
	}
	if len(got) != n {
		t.Errorf("%d numbers got something, want %d", len(got), n)
	}
}

// wholeRanges says which ranges do not hold exactly the messages between their ends,
// or share some with another.
func (h *house) wholeRanges() {
	h.t.Helper()
	wrong, err := db.Column[int64](h.t.Context(), h.db, `
		SELECT r.id FROM ranges r WHERE r.last_id - r.first_id + 1 <> (SELECT COUNT(*) FROM messages m WHERE m.range_id = r.id AND m.id BETWEEN r.first_id AND r.last_id)
			OR EXISTS (SELECT 1 FROM ranges o WHERE o.id <> r.id AND o.first_id <= r.last_id AND o.last_id >= r.first_id)`)
	must(h.t, err)
	if len(wrong) > 0 {
		h.t.Errorf("ranges %v do not hold what they say", wrong)
	}
}

func twoToOne() []smsqueue.RuleShare {
	return []smsqueue.RuleShare{{Carrier: "main", Weight: 1}, {Carrier: "spare"}}
}

// U12, U13: a carrier that begins to answer with errors is left, nobody is lost
// and in bulk nobody gets it twice; when it is well again it is used again.
func TestACarrierThatFailsIsLeftAndComesBack(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(50, 300)
		spare := h.spare(50, 250)
		h.rule(smsqueue.Rule{Country: "NO"}, twoToOne()...)
		h.work()
		const n = 4000
		g := h.group(h.account.ID, "All staff", n, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.untilAccepted(200)

		h.smsc.SetFaults(smscsim.Faults{SubmitStatus: uint32(data.ESME_RSYSERR)})
		failed := time.Now()
		ill := h.untilHealth("main", smsqueue.Unhealthy)
		if ill.Reason != smsqueue.IllErrors {
			t.Errorf("%+v", ill)
		}
		h.eventually(func() bool { return h.waitingAt("main") == 0 })
		t.Logf("left after %v", time.Since(failed))
		h.smsc.SetFaults(smscsim.Faults{})
		h.untilHealth("main", smsqueue.Healthy)
		h.wholeRanges()
		c = h.until(c, finished)
		if c.Counts[smsqueue.Delivered] != n || c.ReservedMicro != n*45000 {
			t.Errorf("%v, %d", c.Counts, c.ReservedMicro)
		}
		eachOnce(t, n, h.smsc, spare)
		h.wholeRanges()
		if spare.Counts().Accepted == 0 {
			t.Error("nothing went over the other carrier")
		}
	})
}

// U12, U13: the same of one that gives no answer any more: what is on its way stays
// with it.
func TestACarrierThatHangsIsLeft(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(20, 300)
		_, err := h.queue.MendRoute(t.Context(), "main", json.RawMessage(`{"response_timeout":"6s"}`))
		must(t, err)
		spare := h.spare(100, 0)
		h.rule(smsqueue.Rule{}, twoToOne()...)
		h.work()
		const n = 3000
		g := h.group(h.account.ID, "All staff", n, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.untilAccepted(200)

		h.smsc.SetFaults(smscsim.Faults{NeverAnswer: true})
		hung := time.Now()
		h.eventually(func() bool { return h.waitingAt("main") == 0 })
		t.Logf("left after %v", time.Since(hung))
		if ill := h.health("main"); ill.State == smsqueue.Healthy || ill.Reason != smsqueue.IllNoAnswer {
			t.Errorf("%+v", ill)
		}
		h.wholeRanges()
		h.eventually(func() bool { return h.smsc.Counts().Accepted+spare.Counts().Accepted >= n })
		h.smsc.SetFaults(smscsim.Faults{})
		h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Delivered] == n })
		eachOnce(t, n, h.smsc, spare)
		h.wholeRanges()
	})
}

// A carrier that answers late is left as one that fails is. // U13
func TestACarrierThatSlowsDownIsLeftAndComesBack(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(20, 300)
		spare := h.spare(50, 150)
		h.rule(smsqueue.Rule{}, twoToOne()...)
		h.work()
		const n = 3000
		g := h.group(h.account.ID, "All staff", n, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		h.untilAccepted(200)

		h.smsc.SetFaults(smscsim.Faults{AnswerDelay: 5 * time.Second})
		slow := time.Now()
		h.eventually(func() bool { return h.waitingAt("main") == 0 })
		t.Logf("left after %v", time.Since(slow))
		if ill := h.health("main"); ill.State == smsqueue.Healthy || ill.Reason != smsqueue.IllSlow && ill.Reason != smsqueue.IllNoAnswer {
			t.Errorf("%+v", ill)
		}
		h.wholeRanges()
		h.smsc.SetFaults(smscsim.Faults{})
		h.untilHealth("main", smsqueue.Healthy)
		c = h.until(c, finished)
		if c.Counts[smsqueue.Delivered] != n {
			t.Errorf("%v", c.Counts)
		}
		eachOnce(t, n, h.smsc, spare)
		h.wholeRanges()
	})
}

// U11: who takes half of what is offered is well, and what waits is slowed down.
func TestThrottlingIsNoFailure(t *testing.T) {
	eachHouse(t, smscsim.Faults{Throughput: 60}, func(t *testing.T, h *house) {
		h.route(50, 200)
		spare := h.spare(50, 0)
		h.rule(smsqueue.Rule{}, twoToOne()...)
		h.work()
		const n = 500
		g := h.group(h.account.ID, "All staff", n, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		if c.Counts[smsqueue.Delivered] != n {
			t.Errorf("%v", c.Counts)
		}
		if h.smsc.Counts().Throttled == 0 {
			t.Error("it never throttled")
		}
		if got := spare.Counts().Submits; got != 0 {
			t.Errorf("%d went over the other carrier", got)
		}
		rows, err := db.Column[string](t.Context(), h.db, `SELECT state FROM route_health WHERE reason <> ''`)
		must(t, err)
		if len(rows) != 0 {
			t.Errorf("ill: %v", rows)
		}
	})
}

// A worker that stood still has no answers, and that is not the carrier's fault.
func TestAWorkerThatStandsStillDoesNotBlameItsCarrier(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: 50 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(20, 0)
		worker := h.spawn()
		const n = 1000
		g := h.group(h.account.ID, "All staff", n, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Lane: smsqueue.Normal})
		h.untilAccepted(100)
		must(t, worker.Process.Signal(syscall.SIGSTOP))
		time.Sleep(6 * time.Second)
		must(t, worker.Process.Signal(syscall.SIGCONT))
		c = h.until(c, finished)
		if c.Counts[smsqueue.Delivered] != n {
			t.Errorf("%v", c.Counts)
		}
		rows, err := db.Column[string](t.Context(), h.db, `SELECT reason FROM route_health WHERE failures > 0`)
		must(t, err)
		if len(rows) != 0 {
			t.Errorf("ill: %v", rows)
		}
	})
}

// U11: of two messages to one recipient the second comes second, also where the
// carrier takes a quarter of what it is offered.
func TestThrottlingKeepsTheOrderOfEachRecipient(t *testing.T) {
	eachHouse(t, smscsim.Faults{Throughput: 20, Window: 4, AnswerDelay: 50 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(20, 80)
		var last smsqueue.Message
		const people, texts = 40, 3
		for text := range texts {
			for i := range people {
				m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(i), Text: fmt.Sprintf("Text %d", text)})
				must(t, err)
				last = m
			}
		}
		h.work()
		h.untilAccepted(people * texts)
		h.untilMessage(last, smsqueue.Delivered)
		if h.smsc.Counts().Throttled == 0 {
			t.Error("it never throttled")
		}
		for i := range people {
			want := []string{"Text 0", "Text 1", "Text 2"}
			if diff := cmp.Diff(want, h.smsc.Texts(number(i)[1:])); diff != "" {
				t.Errorf("%s: %s", number(i), diff)
			}
		}
	})
}

// U12: the parts that carriers have of a rule's messages are kept to within a range.
func TestWeightsAreKeptToWithinARange(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(500, 0)
		spare := h.spare(500, 0)
		h.rule(smsqueue.Rule{Lane: smsqueue.Bulk}, smsqueue.RuleShare{Carrier: "main", Weight: 7}, smsqueue.RuleShare{Carrier: "spare", Weight: 3})
		h.work()
		const n = 5000
		g := h.group(h.account.ID, "All staff", n, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		if got := spare.Counts().Accepted; c.Counts[smsqueue.Delivered] != n || got < n*3/10-500 || got > n*3/10+500 {
			t.Errorf("%d of %v over the other carrier", got, c.Counts)
		}
		eachOnce(t, n, h.smsc, spare)
		h.wholeRanges()
	})
}

func TestWhatWaitsForACarrierThatIsDownSaysSo(t *testing.T) {
	eachHouse(t, smscsim.Faults{BindStatus: 0x0E}, func(t *testing.T, h *house) {
		h.route(20, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", 3, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		reasons := func() []string {
			all, err := db.Column[string](t.Context(), h.db, `SELECT reason FROM ranges`)
			must(t, err)
			return all
		}
		h.eventually(func() bool { return cmp.Equal(reasons(), []string{"route_down"}) })
		if ill := h.health("main"); ill.State != smsqueue.Unhealthy || ill.Reason != smsqueue.IllRefused {
			t.Errorf("%+v", ill)
		}
		spare := h.spare(20, 0)
		rule := h.rule(smsqueue.Rule{Prefix: "+47"}, twoToOne()...)
		sent, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(9), Text: "Hello"})
		must(t, err)
		h.untilMessage(sent, smsqueue.Delivered)
		if spare.Counts().Accepted != 1 {
			t.Errorf("%+v", spare.Counts())
		}
		must(t, h.queue.RemoveRule(t.Context(), rule.ID))
		h.smsc.SetFaults(smscsim.Faults{})
		h.until(c, finished)
		h.untilHealth("main", smsqueue.Healthy)
	})
}

func TestARuleIsChecked(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(20, 0)
		h.spare(20, 0)
		main, half := smsqueue.RuleShare{Carrier: "main", Weight: 1}, smsqueue.RuleShare{Carrier: "spare"}
		kept := h.rule(smsqueue.Rule{Account: "acme", Country: "no", Prefix: "+47 22", Lane: smsqueue.Urgent, Sender: "ACME"}, main, half)
		for i, c := range []struct {
			rule smsqueue.Rule
			code string
		}{
			{kept, "rule_exists"},
			{smsqueue.Rule{Shares: nil}, "invalid_carriers"},
			{smsqueue.Rule{Shares: []smsqueue.RuleShare{half}}, "invalid_carriers"},
			{smsqueue.Rule{Shares: []smsqueue.RuleShare{main, main}}, "invalid_carriers"},
			{smsqueue.Rule{Shares: []smsqueue.RuleShare{{Carrier: "main", Weight: 101}}}, "invalid_carriers"},
			{smsqueue.Rule{Shares: []smsqueue.RuleShare{{Carrier: "none", Weight: 1}}}, "carrier_not_found"},
			{smsqueue.Rule{Country: "XX", Shares: twoToOne()}, "invalid_country"},
			{smsqueue.Rule{Prefix: "47", Shares: twoToOne()}, "invalid_prefix"},
			{smsqueue.Rule{Lane: "fast", Shares: twoToOne()}, "invalid_lane"},
			{smsqueue.Rule{Sender: "x", Shares: twoToOne()}, "invalid_sender"},
			{smsqueue.Rule{Account: "nobody", Shares: twoToOne()}, "account_not_found"},
		} {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				if _, err := h.queue.AddRule(t.Context(), c.rule); !problem.Has(err, c.code) {
					t.Errorf("%v, want %s", err, c.code)
				}
			})
		}
		all, err := h.queue.RouteRules(t.Context())
		must(t, err)
		kept.Created = kept.Created.UTC().Truncate(time.Millisecond)
		if len(all) != 1 || !all[0].Created.Equal(kept.Created) {
			t.Fatalf("%+v", all)
		}
		all[0].Created = kept.Created
		if diff := cmp.Diff([]smsqueue.Rule{kept}, all); diff != "" || kept.Country != "NO" || kept.Prefix != "+4722" {
			t.Error(diff)
		}
		must(t, h.queue.DisableRoute(t.Context(), "main"))
		if err := h.queue.RemoveRoute(t.Context(), "main"); !problem.Has(err, "carrier_rules") {
			t.Error(err)
		}
		must(t, h.queue.RemoveRule(t.Context(), kept.ID))
		if err := h.queue.RemoveRule(t.Context(), kept.ID); !problem.Has(err, "rule_not_found") {
			t.Error(err)
		}
		must(t, h.queue.RemoveRoute(t.Context(), "main"))
	})
}

// What a message costs holds for whichever carrier sends it.
func TestATextIsCutAsAnyCarrierOfItsRuleCan(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(20, 0)
		_, err := h.queue.MendRoute(t.Context(), "main", json.RawMessage(`{"languages":["tr"]}`))
		must(t, err)
		spare := h.spare(20, 0)
		h.work()
		turkish := strings.Repeat("ş", 160)
		parts := func(to string) int {
			sent, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: to, Text: turkish})
			must(t, err)
			h.untilMessage(sent, smsqueue.Delivered)
			return sent.Parts
		}
		if n := parts(number(1)); n != 2 {
			t.Errorf("%d parts with the Turkish tables", n)
		}
		h.rule(smsqueue.Rule{Country: "NO"}, smsqueue.RuleShare{Carrier: "main", Weight: 1}, smsqueue.RuleShare{Carrier: "spare", Weight: 1})
		h.smsc.Reset()
		for i := range 4 {
			if n := parts(number(10 + i)); n != 3 {
				t.Errorf("%d parts over either carrier", n)
			}
		}
		if main, other := h.smsc.Counts().Accepted, spare.Counts().Accepted; main != 6 || other != 6 {
			t.Errorf("%d and %d parts were sent", main, other)
		}
		options, err := h.queue.TextOptions(t.Context())
		must(t, err)
		if len(options.Languages) != 0 {
			t.Errorf("%v", options)
		}
	})
}
