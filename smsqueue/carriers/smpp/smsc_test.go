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

var texts = []string{
	"Hello",
	"Blåbærsyltetøy koster 20 €",
	"[{^}]~|\\ @£$ ΔΦΓ\n\r",
	strings.Repeat("a", 152) + "[" + strings.Repeat("a", 152),
	strings.Repeat("€", 200),
	"Привет, мир",
	strings.Repeat("я", 66) + "\U0001F600" + strings.Repeat("я", 66),
	strings.Repeat("\U0001F468\u200d\U0001F469\u200d\U0001F467 ", 30),
}

// U7
func TestTextsArriveWholeOnEveryKindOfRoute(t *testing.T) {
	for name, settings := range map[string]string{
		"16-bit reference": "",
		"8-bit reference":  `,"short_reference":true`,
		"SAR":              `,"long_messages":"sar"`,
		"payload":          `,"long_messages":"payload"`,
		"two binds":        `,"binds":2,"bind":"transmitter_receiver"`,
	} {
		t.Run(name, func(t *testing.T) { arriveWhole(t, settings) })
	}
}

func arriveWhole(t *testing.T, fields string) {
	server := serve(t, smscsim.Options{})
	c, l := before(t, server, fields)
	whole := settings(t, fields).LongMessages == payloadWhole
	submissions := 0
	for n, text := range texts {
		m := smstext.Split(text)
		parts := m.Parts
		if whole {
			parts = []string{text}
		}
		submissions += len(parts)
		for i, part := range parts {
			s := carriers.Submission{
				From: "ACME", To: phone(n), Text: part, Encoding: m.Encoding,
				Part: i + 1, Parts: len(m.Parts), Reference: uint16(1000 + n), Validity: time.Hour,
			}
			if whole {
				s.Part = carriers.Whole
			}
			l.submit(c, s)
		}
	}
	l.untilAnswered(t, submissions)
	for n, text := range texts {
		got := server.Texts(strings.TrimPrefix(phone(n), "+"))
		if diff := cmp.Diff([]string{text}, got); diff != "" {
			t.Errorf("text %d:\n%s", n, diff)
		}
	}
}

// A server that takes data_coding 3 for Latin-1 shows the text that was meant.
func TestTextsArriveOnARouteOfLatin1(t *testing.T) {
	server := serve(t, smscsim.Options{})
	c, l := before(t, server, `,"default_alphabet":"latin1","gsm7_coding":3`)
	texts := []string{"Blåbærsyltetøy [koster] 20 £", "20 €", strings.Repeat("ø", 160)}
	for n, text := range texts {
		s := submission(n)
		s.Text = text
		l.submit(c, s)
	}
	l.untilAnswered(t, len(texts))
	for n, text := range texts {
		if diff := cmp.Diff([]string{text}, server.Texts(strings.TrimPrefix(phone(n), "+"))); diff != "" {
			t.Error(diff)
		}
	}
}

// What a handset says comes in whole, in either alphabet, and is acknowledged.
func TestWhatHandsetsSayComesIn(t *testing.T) {
	server := serve(t, smscsim.Options{})
	l := newLog()
	var mu sync.Mutex
	parts := map[string]map[int]string{}
	events := l.events()
	events.Inbound = func(m carriers.Inbound, stored func(error)) {
		mu.Lock()
		defer mu.Unlock()
		if parts[m.From] == nil {
			parts[m.From] = map[int]string{}
		}
		parts[m.From][m.Part] = m.Text
		if m.To != "26112" || m.ID == "" || m.Parts > 1 && m.Reference == 0 {
			t.Errorf("%+v", m)
		}
		stored(nil)
	}
	c := openCarrier(t, fmt.Sprintf(`{"addr":%q,"system_id":"acme","binds":2}`, server.Addr()), events)
	t.Cleanup(func() { _ = c.Close() })
	carriertest.Until(t, "the carrier is bound", l.isBound)
	for n, text := range texts {
		if err := server.Say(strings.TrimPrefix(phone(n), "+"), "26112", text); err != nil {
			t.Fatal(err)
		}
	}
	carriertest.Until(t, "all is acknowledged", func() bool { got := server.Counts(); return got.Said > len(texts) && got.SaidAcks == got.Said })
	for n, text := range texts {
		var got strings.Builder
		for part := 1; part <= len(parts[phone(n)]); part++ {
			got.WriteString(parts[phone(n)][part])
		}
		if diff := cmp.Diff(text, got.String()); diff != "" {
			t.Errorf("text %d:\n%s", n, diff)
		}
	}
}

func TestBindsAreSpreadOverTheHostsAndMoveOn(t *testing.T) {
	one, two := serve(t, smscsim.Options{}), serve(t, smscsim.Options{})
	l := newLog()
	c := openCarrier(t, fmt.Sprintf(`{"addr":"%s, %s","system_id":"acme","binds":4,"window":40}`, one.Addr(), two.Addr()), l.events())
	t.Cleanup(func() { _ = c.Close() })
	carriertest.Until(t, "each host has two binds", func() bool { return one.Counts().Binds == 2 && two.Counts().Binds == 2 })
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	carriertest.Until(t, "the other host has all", func() bool { return two.Counts().Binds == 4 })
	for n := range 100 {
		l.submit(c, submission(n))
	}
	l.untilAnswered(t, 100)
	if got := two.Counts().Accepted; got != 100 {
		t.Errorf("the host that is left took %d", got)
	}
}

func TestAShareOpensItsBinds(t *testing.T) {
	server := serve(t, smscsim.Options{})
	raw := fmt.Sprintf(`{"addr":%q,"system_id":"acme","binds":4,"window":400,"throughput":100}`, server.Addr())
	for n, want := range map[int]carriers.Limits{1: {Window: 100, Throughput: 25}, 3: {Window: 300, Throughput: 75}, 0: {Window: 400, Throughput: 100}} {
		server.Reset()
		c, err := Open(t.Context(), []byte(raw), carriers.Setting{Events: newLog().events(), Share: n})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Limits()); diff != "" {
			t.Error(diff)
		}
		binds := want.Window / 100
		carriertest.Until(t, "the binds are up", func() bool { return server.Counts().Binds == binds })
		_ = c.Close()
		if got := server.Counts().Binds; got != binds {
			t.Errorf("%d binds for a share of %d", got, n)
		}
	}
}

func TestBindsOfOneDirection(t *testing.T) {
	server := serve(t, smscsim.Options{})
	_, heard := before(t, server, `,"bind":"receiver","address_range":"^47"`)
	sender, l := before(t, server, `,"bind":"transmitter"`)
	l.submit(sender, submission(1))
	l.untilAnswered(t, 1)
	carriertest.Until(t, "the receiver has the receipt", func() bool { _, receipts := heard.count(); return receipts == 1 })
	if _, receipts := l.count(); receipts != 0 {
		t.Error("the transmitter has a receipt")
	}
}

func TestAReceiverTakesNoSubmission(t *testing.T) {
	server := serve(t, smscsim.Options{})
	c, l := before(t, server, `,"bind":"receiver"`)
	l.submit(c, submission(1))
	l.untilAnswered(t, 1)
	if err := l.answers[phone(1)][0].Err; err == nil || err.Kind != carriers.Misconfigured {
		t.Errorf("got %v", err)
	}
}

// An answer after the response timeout is told as what it is.
func TestLateAnswersAreTold(t *testing.T) {
	server := serve(t, smscsim.Options{Faults: smscsim.Faults{
		AnswerDelay: 300 * time.Millisecond, NoReceipts: true, SubmitStatusFor: map[string]uint32{"4790000001": 0x0B}}})
	l := newLog()
	var mu sync.Mutex
	late := map[int64]carriers.Answer{}
	events := l.events()
	events.Late = func(message int64, part int, a carriers.Answer) {
		mu.Lock()
		defer mu.Unlock()
		if _, again := late[message]; again || part != 1 {
			t.Errorf("message %d, part %d: %+v", message, part, a)
		}
		late[message] = a
	}
	c := openCarrier(t, fmt.Sprintf(`{"addr":%q,"system_id":"acme","response_timeout":"50ms"}`, server.Addr()), events)
	t.Cleanup(func() { _ = c.Close() })
	carriertest.Until(t, "the carrier is bound", l.isBound)
	for n := range 10 {
		s := submission(n)
		s.MessageID = int64(n)
		l.submit(c, s)
	}
	l.untilAnswered(t, 10)
	carriertest.Until(t, "all late answers are told", func() bool { mu.Lock(); defer mu.Unlock(); return len(late) == 10 })
	for n := range 10 {
		if err := l.answers[phone(n)][0].Err; err == nil || err.Kind != carriers.NoAnswer {
			t.Errorf("message %d: %v", n, err)
		}
		if a := late[int64(n)]; n == 1 && (a.Err == nil || a.Err.Code != "0x0B") || n != 1 && (a.Err != nil || a.ID == "") {
			t.Errorf("message %d came late with %+v", n, a)
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
