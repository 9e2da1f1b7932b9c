package carriertest

import (
	"bytes"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// bench drives one carrier and writes down what it does.
type bench struct {
	Subject
	t       *testing.T
	carrier carriers.Carrier
	log     *journal

	mu      sync.Mutex
	asked   []asked
	replies []carriers.Answer
	news    []carriers.Receipt
	acks    []func(error)
	told    []carriers.State
	hold    bool // receipts wait for stored
	closed  bool
}

// asked is one submission.
type asked struct {
	returned bool // from Submit
	answers  int
}

func newBench(t *testing.T, s Subject) *bench {
	t.Helper()
	return &bench{Subject: s, t: t, log: listen(t)}
}

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func listen(t *testing.T) *journal {
	j := &journal{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	return j
}

// open starts the carrier and waits until it is bound.
func (b *bench) open() {
	b.t.Helper()
	b.start(b.Open)
	b.bound()
	if limits := b.carrier.Limits(); limits.Window < 1 || limits.Throughput < 0 {
		b.t.Errorf("limits %+v let nothing through", limits)
	}
}

func (b *bench) start(open func(*testing.T, carriers.Events) carriers.Carrier) {
	b.t.Helper()
	b.carrier = open(b.t, carriers.Events{Receipt: b.receipt, Late: b.late, State: b.state})
	b.t.Cleanup(b.close) // a test that failed half-way leaves nothing behind
}

func (b *bench) bound() {
	b.t.Helper()
	b.until("the carrier is bound", b.isBound)
}

func (b *bench) close() {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return
	}
	if err := b.carrier.Close(); err != nil {
		b.t.Errorf("close: %v", err)
	}
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
}

func (b *bench) submit(s carriers.Submission) {
	b.mu.Lock()
	n := len(b.asked)
	b.asked = append(b.asked, asked{})
	b.mu.Unlock()
	b.carrier.Submit(s, func(a carriers.Answer) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.asked[n].answers++
		b.replies = append(b.replies, a)
	})
	b.mu.Lock()
	b.asked[n].returned = true
	b.mu.Unlock()
}

func (b *bench) receipt(r carriers.Receipt, stored func(error)) {
	b.mu.Lock()
	if b.closed {
		b.t.Error("a receipt came after Close")
	}
	b.news = append(b.news, r)
	b.acks = append(b.acks, stored)
	hold := b.hold
	b.mu.Unlock()
	if !hold {
		stored(nil)
	}
}

func (b *bench) late(message int64, _ int, a carriers.Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.t.Errorf("a late answer to %d came after Close: %+v", message, a)
	}
}

func (b *bench) state(s carriers.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.t.Errorf("%+v was told after Close", s)
	}
	b.told = append(b.told, s)
}

func (b *bench) holdReceipts() { b.hold = true }

// stored settles the nth receipt.
func (b *bench) stored(n int, err error) {
	b.mu.Lock()
	ack := b.acks[n]
	b.mu.Unlock()
	ack(err)
}

func (b *bench) answered() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.replies)
}

func (b *bench) answers() []carriers.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.replies)
}

func (b *bench) receipts() []carriers.Receipt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.news)
}

func (b *bench) states() []carriers.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.told)
}

// accepted is how many submissions the peer has taken.
func (b *bench) accepted() int {
	n := 0
	for _, a := range b.answers() {
		if a.Err == nil {
			n++
		}
	}
	return n
}

// handedOver are the submissions whose Submit has returned.
func (b *bench) handedOver() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []int
	for n, a := range b.asked {
		if a.returned {
			all = append(all, n)
		}
	}
	return all
}

func (b *bench) unanswered(of []int) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(of, func(n int) bool { return b.asked[n].answers > 0 })
}

func (b *bench) isBound() bool {
	states := b.states()
	return len(states) > 0 && states[len(states)-1].Status == carriers.Bound
}

// patience ends a test that waits for what does not happen.
const patience = time.Minute

func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	Until(b.t, what, is)
}

// Until waits for a condition, and ends the test when it does not come true.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	give := time.After(patience)
	for !is() {
		select {
		case <-look.C:
		case <-give:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// onlyKinds sees that answers are of these kinds; "" is an accepted part.
func (b *bench) onlyKinds(kinds ...carriers.Kind) {
	b.t.Helper()
	for _, a := range b.answers() {
		var kind carriers.Kind
		if a.Err != nil {
			kind = a.Err.Kind
		}
		if !slices.Contains(kinds, kind) {
			b.t.Errorf("answer %+v; want one of %q", a, kinds)
		}
	}
}

// check is what holds after every test, with the carrier closed.
func (b *bench) check() {
	b.t.Helper()
	b.answeredOnce()
	b.keptSecret()
	b.leftNothing()
}

func (b *bench) answeredOnce() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, a := range b.asked {
		if a.answers != 1 {
			b.t.Errorf("submission %d was answered %d times", n, a.answers)
		}
	}
}

// keptSecret sees that neither the secret nor anything of a message is told.
func (b *bench) keptSecret() {
	b.t.Helper()
	for _, kept := range []string{b.Secret, numbers, strings.TrimPrefix(numbers, "+") + "0000", latinText, unicodeText} {
		if kept == "" {
			continue
		}
		for _, a := range b.answers() {
			if a.Err != nil && strings.Contains(a.Err.Error(), kept) {
				b.t.Errorf("%q is in an answer: %v", kept, a.Err)
			}
		}
		for _, s := range b.states() {
			if strings.Contains(s.Reason, kept) {
				b.t.Errorf("%q is in a state: %q", kept, s.Reason)
			}
		}
		if strings.Contains(b.log.String(), kept) {
			b.t.Errorf("%q is in the log", kept)
		}
	}
}

// leftNothing sees that no goroutine of a carrier is left. One that has told
// its owner that it is done may still be on its way out.
func (b *bench) leftNothing() {
	b.t.Helper()
	b.until("the carrier's goroutines have ended", func() bool { return !carrierRuns() })
}

// carrierRuns looks for a goroutine inside a carrier's package that is not a
// test's own.
func carrierRuns() bool {
	stacks := make([]byte, 8<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
		if !strings.Contains(goroutine, "testing.tRunner(") && inCarrier(goroutine) {
			return true
		}
	}
	return false
}

func inCarrier(goroutine string) bool {
	for line := range strings.Lines(goroutine) {
		if strings.HasPrefix(line, family) && !strings.HasPrefix(line, family+"carriertest") {
			return true
		}
	}
	return false
}

// family is the import path all carriers live below.
var family = strings.TrimSuffix(reflect.TypeFor[bench]().PkgPath(), "carriertest")
