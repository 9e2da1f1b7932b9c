package smsqueue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// The crash matrix: during a campaign something breaks, at a moment that
// nobody chose. VARSEL_CRASHES is how many points are tried, VARSEL_SEED
// begins at the point of that seed. A seed fixes what breaks and after how
// many messages, not how the processes are scheduled.

const (
	fewPoints     = 6
	matrixWindow  = 100
	matrixDelay   = 20 * time.Millisecond // before each answer
	matrixSlow    = 500 * time.Millisecond
	matrixTimeout = 20 * time.Second // of an answer; longer than this machine stands still
	matrixMute    = 25 * time.Second
)

// point is one round of the matrix.
type point struct {
	*house
	seed    uint64
	lane    smsqueue.Lane
	people  int
	workers []*supervised
	faults  []fault
	moments []int // how many messages the SMSC has accepted when a fault comes

	postgres *dbtest.Postgres // nil on SQLite
	redis    *redistest.Server
	client   *smsqueue.Redis

	mu sync.Mutex // guards the SMSC's faults
}

// fault is something that breaks. doubtful is how many windows of messages may
// be in doubt after it: none where nothing is lost on the way to the carrier.
type fault struct {
	name     string
	doubtful int
	postgres bool // needs PostgreSQL and Redis
	happen   func(p *point, rng *rand.Rand)
}

var matrixFaults = []fault{
	{"kill -9", 1, false, func(p *point, rng *rand.Rand) { p.anyone(rng).signal(syscall.SIGKILL) }},
	{"PostgreSQL restarted", 0, true, func(p *point, rng *rand.Rand) {
		p.postgres.Kill()
		pause(rng)
		must(p.t, p.postgres.Run())
	}},
	{"connections dropped", 1, false, func(p *point, _ *rand.Rand) { p.smsc.DropAll() }},
	{"Redis restarted", 0, true, func(p *point, rng *rand.Rand) {
		p.redis.Kill()
		pause(rng)
		p.redis.Run()
	}},
	{"SIGTERM", 0, false, func(p *point, rng *rand.Rand) { p.anyone(rng).signal(syscall.SIGTERM) }},
	// Others think it dead meanwhile, or it is too late to say that it is not.
	{"worker paused", 1, true, func(p *point, rng *rand.Rand) {
		s := p.anyone(rng)
		s.signal(syscall.SIGSTOP)
		time.Sleep(8 * time.Second)
		pause(rng)
		pause(rng)
		s.signal(syscall.SIGCONT)
	}},
	{"Redis flushed", 0, true, func(p *point, _ *rand.Rand) { p.client.Client.FlushAll(p.t.Context()) }}, // or it is away, which is more
	// Who is sent to again may find the carrier mute again.
	{"mute carrier", 1 + int(matrixMute/matrixTimeout) + 1, false, func(p *point, _ *rand.Rand) {
		p.smscIs(func(f *smscsim.Faults) { f.NeverAnswer = true })
		time.Sleep(matrixMute)
		p.smscIs(func(f *smscsim.Faults) { f.NeverAnswer = false })
	}},
	{"slow carrier", 0, false, func(p *point, rng *rand.Rand) {
		p.smscIs(func(f *smscsim.Faults) { f.AnswerDelay = matrixSlow })
		pause(rng)
		p.smscIs(func(f *smscsim.Faults) { f.AnswerDelay = matrixDelay })
	}},
}

// pause is how long something is away.
func pause(rng *rand.Rand) { time.Sleep(time.Duration(rng.Int64N(int64(3 * time.Second)))) }

func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	points, people, first := fewPoints, 1200, uint64(0)
	if text := os.Getenv("VARSEL_CRASHES"); text != "" {
		n, err := strconv.Atoi(text)
		must(t, err)
		points, people, first = n, 5000, uint64(time.Now().Unix())<<20
	}
	if text := os.Getenv("VARSEL_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		must(t, err)
		first = n
	}
	for i := range points {
		seed := first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			crash(t, seed, people)
		})
	}
}

func crash(t *testing.T, seed uint64, people int) {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := newPoint(t, seed, people, rng)
	g := p.group(p.account.ID, "All staff", people, 0)
	c := p.campaign(p.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Water is shut off at two.", Lane: p.lane})
	p.breakThings(rng)
	c = p.untilQuiet(c)
	p.judge(c)
	if t.Failed() {
		t.Logf("%s; %v, smsc %+v", p, c.Counts, p.smsc.Counts())
	}
}

func newPoint(t *testing.T, seed uint64, people int, rng *rand.Rand) *point {
	lanes := []smsqueue.Lane{smsqueue.Bulk, smsqueue.Bulk, smsqueue.Normal, smsqueue.Normal, smsqueue.Urgent}
	p := &point{seed: seed, people: people, lane: lanes[rng.IntN(len(lanes))]}
	onPostgres, workers := p.choose(rng), 1
	if onPostgres {
		workers += rng.IntN(2)
	}
	url, redis := dbtest.SQLiteURL(t), ""
	if onPostgres {
		p.postgres, p.redis = dbtest.StartPostgres(t), redistest.Start(t)
		url, redis = p.postgres.URL(), p.redis.URL()
		var err error
		p.client, err = smsqueue.DialRedis(redis)
		must(t, err)
		t.Cleanup(func() { p.client.Close() })
	}
	p.house = newHouse(t, url, smscsim.Faults{AnswerDelay: matrixDelay, ReceiptDelay: 3 * matrixDelay})
	config, err := json.Marshal(shareOfSMPP{Addr: p.smsc.Addr(), SystemID: "varsel", Password: "secret",
		Binds: 2, Window: matrixWindow, ResponseTimeout: matrixTimeout.String()})
	must(t, err)
	_, err = p.queue.AddRoute(t.Context(), "main", "smpp", config)
	must(t, err)
	t.Log(p)
	for range workers {
		p.workers = append(p.workers, p.supervise(redis))
	}
	return p
}

// choose takes one fault, each in its turn, and now and then another at the
// same moment. It says whether that is on PostgreSQL and Redis.
func (p *point) choose(rng *rand.Rand) (onPostgres bool) {
	first, at := matrixFaults[p.seed%uint64(len(matrixFaults))], rng.IntN(p.people*9/10)
	onPostgres = first.postgres || rng.IntN(2) == 0
	p.faults, p.moments = []fault{first}, []int{at}
	if second := matrixFaults[rng.IntN(len(matrixFaults))]; rng.IntN(4) == 0 && second.name != first.name && (onPostgres || !second.postgres) {
		p.faults, p.moments = append(p.faults, second), append(p.moments, at)
	}
	return onPostgres
}

func (p *point) String() string {
	var names []string
	for i, f := range p.faults {
		names = append(names, fmt.Sprintf("%s after %d", f.name, p.moments[i]))
	}
	dialect := db.SQLite
	if p.postgres != nil {
		dialect = db.Postgres
	}
	return fmt.Sprintf("VARSEL_SEED=%d: %s on %s, %d people, %s", p.seed, p.lane, dialect, p.people, strings.Join(names, " and "))
}

func (p *point) anyone(rng *rand.Rand) *supervised { return p.workers[rng.IntN(len(p.workers))] }

// smscIs changes one of the SMSC's faults.
func (p *point) smscIs(change func(*smscsim.Faults)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.smsc.Faults()
	change(&f)
	p.smsc.SetFaults(f)
}

func (p *point) breakThings(rng *rand.Rand) {
	var all sync.WaitGroup
	for i, f := range p.faults {
		own := rand.New(rand.NewPCG(rng.Uint64(), 0))
		p.untilAccepted(p.moments[i])
		if p.redis != nil && i == 0 {
			p.nothingPersonalInRedis()
		}
		all.Go(func() { f.happen(p, own) })
	}
	all.Wait()
}

// untilQuiet waits until all has come to an end that can: nothing is left to
// send, now or again, and everybody the SMSC accepted a message for is known to have it.
func (p *point) untilQuiet(c smsqueue.Campaign) smsqueue.Campaign {
	p.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for {
		counts, settled := p.smsc.Counts(), p.reachedAndUnconfirmed() == 0
		now, err := p.queue.Campaign(p.t.Context(), c.Account, c.ID) // after the rows: what is settled stays so
		if err == nil && overWith(now) && settled && counts.Accepted == counts.ReceiptAcks && p.smsc.Counts() == counts {
			return now
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: it stands at %s %s %v, %v; %d are reached and unconfirmed; smsc %+v",
				p, now.State, now.Reason, now.Counts, err, p.reachedAndUnconfirmed(), p.smsc.Counts())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *point) reachedAndUnconfirmed() (n int) {
	phones, err := db.Column[string](p.t.Context(), p.db, `SELECT phone FROM messages WHERE status = 'unconfirmed'`)
	must(p.t, err)
	reached := p.smsc.Numbers()
	for _, phone := range phones {
		if reached[strings.TrimPrefix(phone, "+")] > 0 {
			n++
		}
	}
	return n
}

// judge holds the rows against what the SMSC has counted.
func (p *point) judge(c smsqueue.Campaign) {
	p.t.Helper()
	p.nobodyLost(c, p.people)
	p.fewInDoubt(c)
	p.rowsAgree(c)
	p.moneyAgrees(c)
	if p.redis != nil {
		p.nothingPersonalInRedis()
	}
}

// fewInDoubt bounds what a fault may do to messages: a window of them for each
// time that answers can be in doubt. In the bulk lane they stay unconfirmed and
// nobody is reached again, in the others they are repeated.
func (p *point) fewInDoubt(c smsqueue.Campaign) {
	p.t.Helper()
	again, most := 0, 0
	for _, times := range p.smsc.Numbers() {
		again += times - 1
	}
	for _, f := range p.faults {
		most += f.doubtful * matrixWindow
	}
	unconfirmed := c.Counts[smsqueue.Unconfirmed]
	if p.lane == smsqueue.Bulk && again > 0 || p.lane != smsqueue.Bulk && unconfirmed > 0 || again+unconfirmed > most {
		p.t.Errorf("%d messages were repeated and %d are unconfirmed, where %d may be in doubt", again, unconfirmed, most)
	}
}

func (p *point) rowsAgree(c smsqueue.Campaign) {
	p.t.Helper()
	counts := smsqueue.Counts{}
	for _, s := range smsqueue.Statuses {
		var n int
		must(p.t, p.db.QueryRowContext(p.t.Context(), `SELECT COUNT(*) FROM messages WHERE campaign_id = $1 AND status = $2`, c.ID, string(s)).Scan(&n))
		counts[s] = n
	}
	if diff := cmp.Diff(counts, c.Counts); diff != "" {
		p.t.Errorf("the campaign's counters are not the sums of its rows: %s", diff)
	}
	for what, query := range map[string]string{
		"ranges are not done":                     `SELECT COUNT(*) FROM ranges WHERE state <> 'done'`,
		"messages are unconfirmed but not listed": `SELECT COUNT(*) FROM messages WHERE status = 'unconfirmed' AND id NOT IN (SELECT message_id FROM unconfirmed)`,
		"messages are listed but not unconfirmed": `SELECT COUNT(*) FROM unconfirmed WHERE message_id NOT IN (SELECT id FROM messages WHERE status = 'unconfirmed')`,
		"unconfirmed messages have no reason":     `SELECT COUNT(*) FROM messages WHERE status = 'unconfirmed' AND reason = ''`,
	} {
		// A range is ended a moment after its last message.
		p.eventuallyZero(what, query)
	}
}

func (p *point) eventuallyZero(what, query string) {
	p.t.Helper()
	var n int
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		must(p.t, p.db.QueryRowContext(p.t.Context(), query).Scan(&n))
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			p.t.Errorf("%d %s", n, what)
			return
		}
	}
}

// moneyAgrees compares the ledger with the rows, which are its sub-ledger.
func (p *point) moneyAgrees(c smsqueue.Campaign) {
	p.t.Helper()
	var rows moneyOf
	var open int64
	must(p.t, p.db.QueryRowContext(p.t.Context(), `
		SELECT CAST(COALESCE(SUM(price_micro), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE money WHEN 'charged' THEN price_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE money WHEN 'released' THEN price_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE money WHEN 'reserved' THEN price_micro END), 0) AS BIGINT)
		FROM messages WHERE campaign_id = $1`, c.ID).Scan(&rows.Reserved, &rows.Charged, &rows.Released, &open))
	ledger, err := campaignMoney(p.t.Context(), p.db, c.Account, c.ID)
	must(p.t, err)
	if diff := cmp.Diff(rows, ledger); diff != "" {
		p.t.Errorf("the ledger is not the sum of the messages: %s", diff)
	}
	if ledger.Open() != open {
		p.t.Errorf("%d are open in the ledger, %d in the messages", ledger.Open(), open)
	}
	if _, found, err := billing.NewInvoices(p.db).Reconcile(p.t.Context(), p.queue.Traffic, time.Now()); err != nil || len(found) > 0 {
		p.t.Errorf("the reconciliation finds %+v (%v)", found, err)
	}
}

// nothingPersonalInRedis reads all that is there.
func (p *point) nothingPersonalInRedis() {
	p.t.Helper()
	ctx, client := p.t.Context(), p.client.Client
	keys, err := client.Keys(ctx, "*").Result()
	must(p.t, err)
	for _, key := range keys {
		var value any
		switch kind := client.Type(ctx, key).Val(); kind {
		case "string":
			value = client.Get(ctx, key).Val()
		case "hash":
			value = client.HGetAll(ctx, key).Val()
		case "list":
			value = client.LRange(ctx, key, 0, -1).Val()
		case "set":
			value = client.SMembers(ctx, key).Val()
		case "zset":
			value = client.ZRange(ctx, key, 0, -1).Val()
		case "none": // gone meanwhile
		default:
			p.t.Errorf("%s is a %s, which nobody reads here", key, kind)
		}
		text := fmt.Sprint(key, value)
		if personal.MatchString(text) {
			p.t.Errorf("in Redis is %.300s", text)
		}
	}
}

// personal is a number of the campaign, which is no part of a longer one as ids
// are, or what is said, by whom, and of whom.
var personal = regexp.MustCompile(`(^|\D)474\d{7}(\D|$)|Water|ACME|Person`)

// supervised is a worker process that is started again whenever it ends.
type supervised struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

func (p *point) supervise(redis string) *supervised {
	s := &supervised{done: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	up := make(chan struct{}, 1)
	go func() {
		defer close(s.done)
		for ctx.Err() == nil {
			cmd, err := p.startProcess(redis)
			if err != nil { // the database is away, say
				time.Sleep(200 * time.Millisecond)
				continue
			}
			s.mu.Lock()
			s.cmd = cmd
			s.mu.Unlock()
			select {
			case up <- struct{}{}:
			default:
			}
			cmd.Wait()
		}
	}()
	p.t.Cleanup(func() {
		stop()
		for {
			s.signal(syscall.SIGKILL)
			select {
			case <-s.done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	<-up
	return s
}

func (s *supervised) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd.Process.Signal(sig) // it may have ended, which is as good
}
