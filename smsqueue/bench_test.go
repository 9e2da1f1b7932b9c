package smsqueue_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

const benchPeople = 100_000

// benchUnacknowledged is how many receipts the SMSC may have under way: a carrier
// that waits for each few is the limit, and not what is measured.
const benchUnacknowledged = 5000

var benchFaults = smscsim.Faults{ReceiptDelay: 50 * time.Millisecond}

// BenchmarkCampaign sends a campaign end to end, from accepting it to its last
// receipt, with the worker in a process of its own, and holds it against the
// bare path of the same work on PostgreSQL in the same run.
func BenchmarkCampaign(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				limit := bareTimes(b, benchPeople)
				p := sendMany(b, url(b), benchPeople)
				b.ReportMetric(benchPeople/limit.submitted.Seconds(), "bare_sent/s")
				b.ReportMetric(benchPeople/limit.receipted.Seconds(), "bare_receipts/s")
				b.ReportMetric(benchPeople/p.submitted.Seconds(), "sent/s")
				b.ReportMetric(benchPeople/p.receipted.Seconds(), "receipts/s")
				b.ReportMetric(limit.submitted.Seconds()/p.submitted.Seconds(), "of_bare_sent")
				b.ReportMetric(limit.receipted.Seconds()/p.receipted.Seconds(), "of_bare")
				b.ReportMetric(p.first.Seconds(), "first_s")
				b.ReportMetric(p.submitted.Seconds(), "sent_s")
				b.ReportMetric(p.receipted.Seconds(), "receipts_s")
				b.ReportMetric(p.peakMB, "MB")
			}
		})
	}
}

// BenchmarkMillion says whether time and memory stay in proportion.
func BenchmarkMillion(b *testing.B) {
	const people = 1_000_000
	for range b.N {
		p := sendMany(b, dbtest.PostgresURL(b), people)
		b.ReportMetric(people/p.submitted.Seconds(), "sent/s")
		b.ReportMetric(people/p.receipted.Seconds(), "receipts/s")
		b.ReportMetric(p.first.Seconds(), "first_s")
		b.ReportMetric(p.peakMB, "MB")
		b.ReportMetric(p.redisMB, "redis_MB")
	}
}

func bareTimes(b *testing.B, people int) times {
	b.Helper()
	redis, err := smsqueue.DialRedis(redistest.Start(b).URL())
	must(b, err)
	defer redis.Close()
	return runBare(b, dbtest.Open(b, dbtest.PostgresURL(b)), redis, people)
}

// passed is what one campaign took, from when it was accepted.
type passed struct {
	first, submitted, receipted time.Duration
	peakMB                      float64 // of the worker's process, resident
	redisMB                     float64 // what Redis grew by at most
}

func sendMany(b *testing.B, url string, people int) (p passed) {
	b.Helper()
	h := newHouse(b, url, benchFaults)
	h.route(5000, 0)
	g := h.crowd("All staff", people)
	var redis *smsqueue.Redis
	if h.db.Dialect() == db.Postgres {
		server := redistest.Start(b)
		h.redisURL = server.URL()
		var err error
		redis, err = smsqueue.DialRedis(h.redisURL)
		must(b, err)
		defer redis.Close()
	}
	worker := h.spawnOn(h.redisURL)
	h.eventually(func() bool { return h.smsc.Counts().Binds > 0 })
	empty := redisMB(b, redis)

	began := time.Now()
	c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g, Text: "Hello"})
	h.untilAccepted(1)
	p.first = time.Since(began)
	for h.smsc.Counts().Accepted < people {
		p.redisMB = max(p.redisMB, redisMB(b, redis)-empty)
		time.Sleep(10 * time.Millisecond)
	}
	p.submitted = time.Since(began)
	for c.Counts[smsqueue.Delivered] < people {
		time.Sleep(10 * time.Millisecond)
		var err error
		c, err = h.queue.Campaign(b.Context(), c.Account, c.ID)
		must(b, err)
	}
	p.receipted = time.Since(began)
	if c.Counts[smsqueue.Delivered] != people || h.smsc.Counts().Accepted != people {
		b.Fatalf("%v, smsc %+v", c.Counts, h.smsc.Counts())
	}
	p.peakMB = peakMB(b, worker)
	must(b, worker.Process.Kill())
	worker.Wait()
	return p
}

// crowd makes a group of people with numbers of their own, past the rules that
// reading numbers from people costs.
func (h *house) crowd(name string, people int) int64 {
	h.t.Helper()
	g, err := h.book.AddGroup(h.t.Context(), h.account.ID, name, nil)
	must(h.t, err)
	first, err := h.db.NewIDs(h.t.Context(), people)
	must(h.t, err)
	for at := 0; at < people; at += 50_000 {
		var contacts, members [][]any
		for i := at; i < min(at+50_000, people); i++ {
			id := first + int64(i)
			contacts = append(contacts, []any{id, h.account.ID, "manual", "", "", fmt.Sprintf("Person %d", i), number(i), "mobile", number(i), "NO", "active", int64(1), int64(1)})
			members = append(members, []any{g.ID, id})
		}
		must(h.t, h.db.InTx(h.t.Context(), func(tx *db.Tx) error {
			if err := tx.Bulk(h.t.Context(), "contacts", []string{"id", "account_id", "source", "tenant_id", "directory_id", "name", "phone_raw", "phone_rule",
				"phone", "phone_country", "state", "created_at", "updated_at"}, contacts); err != nil {
				return err
			}
			return tx.Bulk(h.t.Context(), "group_members", []string{"group_id", "contact_id"}, members)
		}))
	}
	return g.ID
}

func redisMB(t testing.TB, redis *smsqueue.Redis) float64 {
	if redis == nil {
		return 0
	}
	info, err := redis.Client.Info(t.Context(), "memory").Result()
	must(t, err)
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, "used_memory:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			must(t, err)
			return n / (1 << 20)
		}
	}
	t.Fatal("Redis does not say what it uses")
	return 0
}

// peakMB is the most that a process had resident, as Linux counts it; 0 elsewhere.
func peakMB(t testing.TB, cmd *exec.Cmd) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			must(t, err)
			return n / (1 << 10)
		}
	}
	return 0
}

// BenchmarkUrgent is how long an urgent message takes from when it is accepted
// to the carrier while a campaign runs: when the carrier is the limit, and when
// this machine is.
func BenchmarkUrgent(b *testing.B) {
	for name, limit := range map[string]struct {
		people, window int
		faults         smscsim.Faults
	}{
		"carrier": {benchPeople, 100, smscsim.Faults{AnswerDelay: 50 * time.Millisecond, ReceiptDelay: 50 * time.Millisecond}},
		"machine": {5 * benchPeople, 5000, benchFaults},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				h := newHouse(b, dbtest.PostgresURL(b), limit.faults)
				h.route(limit.window, 0)
				redis, err := smsqueue.DialRedis(redistest.Start(b).URL())
				must(b, err)
				h.workOn(redis)
				h.campaign(h.account.ID, smsqueue.NewCampaign{Group: h.crowd("All staff", limit.people), Text: "Hello"})
				h.untilAccepted(1000)
				all := h.urgentOnes(200)
				b.ReportMetric(all[len(all)/2], "p50_ms")
				b.ReportMetric(all[(len(all)*99+99)/100-1], "p99_ms")
				if n := h.smsc.Counts().Accepted; n >= limit.people {
					b.Fatal("the campaign ended before the last of them")
				}
			}
		})
	}
}

// urgentOnes sends messages in turn and answers how many milliseconds each took,
// in order of length.
func (h *house) urgentOnes(n int) (took []float64) {
	h.t.Helper()
	for i := range n {
		to := fmt.Sprintf("+479%07d", i)
		_, err := h.queue.Send(h.t.Context(), h.account.ID, smsqueue.Single{To: to, Text: "Fire in hall 2", Lane: smsqueue.Urgent})
		must(h.t, err)
		accepted := time.Now()
		var reached time.Time
		h.eventually(func() bool { reached, _ = h.smsc.Times(to[1:]); return !reached.IsZero() })
		took = append(took, max(0, reached.Sub(accepted).Seconds()*1000))
	}
	slices.Sort(took)
	return took
}

// BenchmarkFewBehindMany is how long a campaign to 200 takes that is started
// behind another account's 100,000, on a carrier of 100 messages a second.
func BenchmarkFewBehindMany(b *testing.B) {
	for range b.N {
		h := newHouse(b, dbtest.SQLiteURL(b), smscsim.Faults{})
		h.route(100, 100)
		h.work()
		other := h.open("other")
		few := h.group(other.ID, "Board", 200, 500_000)
		h.campaign(h.account.ID, smsqueue.NewCampaign{Group: h.crowd("All staff", benchPeople), Text: "Hello"})
		h.untilAccepted(100)
		c := h.until(h.campaign(other.ID, smsqueue.NewCampaign{Group: few.ID, Text: "Hello"}), finished)
		b.ReportMetric(c.Finished.Sub(c.Created).Seconds(), "s")
	}
}
