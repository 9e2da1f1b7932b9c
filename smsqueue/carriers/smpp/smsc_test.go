package smpp

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// log of what a carrier said about messages, by their number.
type log struct {
	mu       sync.Mutex
	states   []carriers.State
	answers  map[string][]carriers.Answer
	receipts map[string][]carriers.Receipt
}

func newLog() *log {
	return &log{answers: map[string][]carriers.Answer{}, receipts: map[string][]carriers.Receipt{}}
}

func (l *log) events() carriers.Events {
	return carriers.Events{
		State: func(s carriers.State) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.states = append(l.states, s)
		},
		Receipt: func(r carriers.Receipt, stored func(error)) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.receipts[r.Phone] = append(l.receipts[r.Phone], r)
			stored(nil)
		},
	}
}

func (l *log) submit(c carriers.Carrier, s carriers.Submission) {
	c.Submit(s, func(a carriers.Answer) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answers[s.To] = append(l.answers[s.To], a)
	})
}

// count is how many answers and receipts have come.
func (l *log) count() (answers, receipts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.answers {
		answers += len(a)
	}
	for _, r := range l.receipts {
		receipts += len(r)
	}
	return answers, receipts
}

func (l *log) untilAnswered(t testing.TB, n int) {
	t.Helper()
	carriertest.Until(t, "all are answered", func() bool { answers, _ := l.count(); return answers == n })
}

func (l *log) isBound() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.states) > 0 && l.states[len(l.states)-1].Status == carriers.Bound
}

// before is a carrier before the server, bound.
func before(t testing.TB, server *smscsim.Server, settings string) (carriers.Carrier, *log) {
	t.Helper()
	l := newLog()
	c := openCarrier(t, fmt.Sprintf(`{"addr":%q,"system_id":"acme"%s}`, server.Addr(), settings), l.events())
	t.Cleanup(func() { _ = c.Close() })
	carriertest.Until(t, "the carrier is bound", l.isBound)
	return c, l
}

func phone(n int) string { return fmt.Sprintf("+479%07d", n) }

func submission(n int) carriers.Submission {
	return carriers.Submission{From: "ACME", To: phone(n), Text: "Hello", Encoding: smstext.GSM7, Part: 1, Parts: 1}
}

func TestTextsArriveWhole(t *testing.T) {
	server := serve(t, smscsim.Options{})
	c, l := before(t, server, "")
	texts := []string{
		"Hello",
		"Blåbærsyltetøy koster 20 €",
		"[{^}]~|\\ @£$ ΔΦΓ\n\r",
		strings.Repeat("a", 152) + "[" + strings.Repeat("a", 152),
		strings.Repeat("€", 200),
		"Привет, мир",
		strings.Repeat("я", 66) + "\U0001F600" + strings.Repeat("я", 66),
		strings.Repeat("\U0001F468\u200d\U0001F469\u200d\U0001F467 ", 30),
	}
	parts := 0
	for n, text := range texts {
		m := smstext.Split(text)
		parts += len(m.Parts)
		for i, part := range m.Parts {
			l.submit(c, carriers.Submission{
				From: "ACME", To: phone(n), Text: part, Encoding: m.Encoding,
				Part: i + 1, Parts: len(m.Parts), Reference: uint16(1000 + n), Validity: time.Hour,
			})
		}
	}
	l.untilAnswered(t, parts)
	for n, text := range texts {
		got := server.Texts(strings.TrimPrefix(phone(n), "+"))
		if diff := cmp.Diff([]string{text}, got); diff != "" {
			t.Errorf("text %d:\n%s", n, diff)
		}
	}
}

// What the server took and what the carrier was told must not contradict each
// other, however often the link breaks.
func TestVerdictsAgreeWithTheServer(t *testing.T) {
	server := serve(t, smscsim.Options{Faults: smscsim.Faults{DropEvery: 97}})
	c, l := before(t, server, `,"binds":2,"window":40`)
	const all = 2000
	for n := range all {
		carriertest.Until(t, "the carrier is bound", l.isBound)
		l.submit(c, submission(n))
	}
	l.untilAnswered(t, all)
	_ = c.Close()

	taken := server.Numbers()
	verdicts := map[carriers.Kind]int{}
	for n := range all {
		answers := l.answers[phone(n)]
		if len(answers) != 1 {
			t.Fatalf("%s has %d answers", phone(n), len(answers))
		}
		var kind carriers.Kind
		if answers[0].Err != nil {
			kind = answers[0].Err.Kind
		}
		verdicts[kind]++
		switch times := taken[strings.TrimPrefix(phone(n), "+")]; {
		case kind == "" && times != 1:
			t.Errorf("%s was accepted and the server took it %d times", phone(n), times)
		case kind == carriers.Retry && times != 0:
			t.Errorf("%s was never written and the server took it %d times", phone(n), times)
		case times > 1:
			t.Errorf("the server took %s %d times", phone(n), times)
		}
	}
	if verdicts[""] == 0 || verdicts[carriers.NoAnswer] == 0 {
		t.Errorf("the links did not break as they should: %v", verdicts)
	}
	for kind := range verdicts {
		if kind != "" && kind != carriers.Retry && kind != carriers.NoAnswer {
			t.Errorf("verdicts %v", verdicts)
		}
	}
}

func TestWindowIsKept(t *testing.T) {
	server := serve(t, smscsim.Options{Faults: smscsim.Faults{Window: 5, AnswerDelay: 2 * time.Millisecond}})
	c, l := before(t, server, `,"binds":2,"window":10`)
	var submitters sync.WaitGroup
	for lane := range 4 {
		submitters.Go(func() {
			for n := range 100 {
				l.submit(c, submission(lane*100+n))
			}
		})
	}
	submitters.Wait()
	l.untilAnswered(t, 400)
	if got := server.Counts(); got.Accepted != 400 || got.Throttled != 0 {
		t.Errorf("the server saw %+v", got)
	}
}

func TestReceiptsOfEveryIDForm(t *testing.T) {
	for _, form := range []string{"decimal", "hex", "hex-receipt-decimal", "decimal-receipt-hex", "uuid", "zeros", "upper-hex-receipt-lower"} {
		for name, faults := range map[string]smscsim.Faults{
			"after the answer":  {IDForm: form},
			"before the answer": {IDForm: form, ReceiptsFirst: true},
		} {
			t.Run(form+" "+name, func(t *testing.T) {
				faults.Fail = map[string]string{"4790000001": "UNDELIV", "4790000002": "EXPIRED", "4790000003": "REJECTD", "4790000004": "ENROUTE"}
				server := serve(t, smscsim.Options{Faults: faults})
				c, l := before(t, server, "")
				for n := range 5 {
					l.submit(c, submission(n))
				}
				carriertest.Until(t, "all receipts are here", func() bool { _, receipts := l.count(); return receipts == 5 })
				l.untilAnswered(t, 5)
				_ = c.Close()
				var states []carriers.ReceiptState
				for n := range 5 {
					r := l.receipts[phone(n)][0]
					if r.ID == "" || r.At.IsZero() {
						t.Errorf("receipt %+v", r)
					}
					states = append(states, r.State)
				}
				want := []carriers.ReceiptState{carriers.Delivered, carriers.Undelivered, carriers.Expired, carriers.Refused, carriers.Enroute}
				if diff := cmp.Diff(want, states); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestStatusesBecomeVerdicts(t *testing.T) {
	server := serve(t, smscsim.Options{Faults: smscsim.Faults{SubmitStatusFor: map[string]uint32{
		"4790000001": 0x58, "4790000002": 0x0B, "4790000003": 0x59, "4790000004": 0x08, "4790000005": 0x45F,
	}}})
	c, l := before(t, server, "")
	for n := range 6 {
		l.submit(c, submission(n))
	}
	l.untilAnswered(t, 6)
	_ = c.Close()
	want := []string{"", "throttled0x58", "rejected0x0B", "misconfigured0x59", "retry0x08", "rejected0x45F"}
	var got []string
	for n := range 6 {
		short := ""
		if err := l.answers[phone(n)][0].Err; err != nil {
			short = string(err.Kind) + err.Code
		}
		got = append(got, short)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLimitsAreTheInstallations(t *testing.T) {
	server := serve(t, smscsim.Options{})
	c, _ := before(t, server, `,"binds":3,"window":70,"throughput":50`)
	if diff := cmp.Diff(carriers.Limits{Window: 70, Throughput: 50}, c.Limits()); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkSubmit is parts through the carrier before a server in the same
// process, so half of the work is the server's.
func BenchmarkSubmit(b *testing.B) {
	for _, settings := range []string{
		`,"window":100`,
		`,"window":1000`,
		`,"binds":4,"window":400`,
		`,"binds":4,"window":4000`,
	} {
		b.Run(strings.NewReplacer(`"`, "", ",", " ").Replace(settings[1:]), func(b *testing.B) {
			pour(b, settings, smscsim.Faults{NoReceipts: true})
		})
	}
}

// BenchmarkReceipts has each part receipted, too.
func BenchmarkReceipts(b *testing.B) {
	pour(b, `,"binds":2,"window":1000`, smscsim.Faults{})
}

func pour(b *testing.B, settings string, faults smscsim.Faults) {
	server := serve(b, smscsim.Options{Faults: faults})
	var waiting sync.WaitGroup
	var up atomic.Bool
	c := openCarrier(b, fmt.Sprintf(`{"addr":%q,"system_id":"acme"%s}`, server.Addr(), settings), carriers.Events{
		State:   func(s carriers.State) { up.Store(s.Status == carriers.Bound) },
		Receipt: func(_ carriers.Receipt, stored func(error)) { stored(nil); waiting.Done() },
	})
	b.Cleanup(func() { _ = c.Close() })
	carriertest.Until(b, "the carrier is bound", up.Load)
	answered := func(a carriers.Answer) {
		if a.Err != nil {
			b.Error(a.Err)
		}
		waiting.Done()
	}
	crowd := make([]carriers.Submission, 10_000)
	for n := range crowd {
		crowd[n] = submission(n)
	}
	each := 2
	if faults.NoReceipts {
		each = 1
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		waiting.Add(each)
		c.Submit(crowd[n%len(crowd)], answered)
	}
	waiting.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
}
