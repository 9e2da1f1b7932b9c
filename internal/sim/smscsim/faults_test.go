package smscsim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

// burst writes n submits at once, with sequence numbers from 1.
func (c *client) burst(n int, m sm) {
	c.t.Helper()
	var all []byte
	for i := range n {
		all = append(all, m.pdu(uint32(i+1))...)
	}
	c.write(all)
}

func TestThroughputIsATokenBucketOverAllBinds(t *testing.T) {
	const rate, n = 200, 60
	s := startWith(t, smscsim.Faults{Throughput: rate})
	began := time.Now()
	one, two := bound(t, s, 9), bound(t, s, 2)
	one.burst(n/2, sm{to: somebody})
	two.burst(n/2, sm{to: somebody})
	for range n / 2 {
		one.read()
		two.read()
	}
	passed := time.Since(began)
	got := s.Counts()
	if most := rate/10 + 1 + int(passed.Seconds()*rate); got.Accepted < rate/10 || got.Accepted > most {
		t.Errorf("%d accepted in %s", got.Accepted, passed)
	}
	if got.Accepted+got.Throttled != n || s.Numbers()[somebody] != got.Accepted {
		t.Errorf("counts %+v, numbers %v", got, s.Numbers())
	}
	sequence := uint32(100)
	eventually(t, "there is room again", func() bool {
		sequence++
		one.write(sm{to: somebody}.pdu(sequence))
		return one.read().status == 0
	})
}

func TestThrottledSubmitIsAnswered0x58(t *testing.T) {
	c := bound(t, startWith(t, smscsim.Faults{Throughput: 1}), 9)
	c.burst(2, sm{to: somebody})
	c.accepted(1)
	c.refused(2, 0x58)
}

func TestWindowIsPerBind(t *testing.T) {
	s := startWith(t, smscsim.Faults{Window: 10, AnswerDelay: 2 * time.Second})
	for _, c := range []*client{bound(t, s, 9), bound(t, s, 9)} {
		c.burst(12, sm{to: somebody})
		for n := range uint32(10) {
			c.accepted(n + 1)
		}
		c.refused(11, 0x58)
		c.refused(12, 0x58)
		c.write(sm{to: somebody}.pdu(13))
		c.accepted(13)
	}
	if got := s.Counts(); got.Accepted != 22 || got.Throttled != 4 {
		t.Errorf("counts %+v", got)
	}
}

// A client that keeps to the window is never told that it did not.
func TestWindowKeptIsNeverThrottled(t *testing.T) {
	s := startWith(t, smscsim.Faults{Window: 3})
	c := bound(t, s, 9)
	c.burst(3, sm{to: somebody})
	for n := range uint32(3000) {
		c.accepted(n + 1)
		c.write(sm{to: somebody}.pdu(n + 4))
	}
	if got := s.Counts().Throttled; got != 0 {
		t.Errorf("%d throttled", got)
	}
}

func TestDelayedAnswersWaitSideBySide(t *testing.T) {
	const delay = 2 * time.Second
	c := bound(t, startWith(t, smscsim.Faults{AnswerDelay: delay}), 9)
	began := time.Now()
	c.burst(50, sm{to: somebody})
	c.write(pdu(0x15, 0, 99, ""))
	c.want(frame{0x80000015, 0, 99, ""})
	for n := range uint32(50) {
		c.accepted(n + 1)
		if n == 0 && time.Since(began) < delay {
			t.Errorf("first answer after %s", time.Since(began))
		}
	}
	if passed := time.Since(began); passed > 49*delay {
		t.Errorf("all answers took %s", passed)
	}
}

func TestNeverAnswer(t *testing.T) {
	s := startWith(t, smscsim.Faults{NeverAnswer: true})
	c := bound(t, s, 9)
	c.write(asking(somebody).pdu(2), pdu(0x15, 0, 3, ""))
	c.receipt()
	c.want(frame{0x80000015, 0, 3, ""})
	if s.Counts().Accepted != 1 || s.Numbers()[somebody] != 1 {
		t.Errorf("counts %+v, numbers %v", s.Counts(), s.Numbers())
	}
}

func TestForcedStatuses(t *testing.T) {
	s := startWith(t, smscsim.Faults{SubmitStatusFor: map[string]uint32{"4799000002": 0x0B, "4799000003": 0x58}})
	c := bound(t, s, 9)
	c.write(sm{to: somebody}.pdu(2), sm{to: "4799000002"}.pdu(3), sm{to: "4799000003"}.pdu(4))
	c.accepted(2)
	c.refused(3, 0x0B)
	c.refused(4, 0x58)
	s.SetFaults(smscsim.Faults{SubmitStatus: 0x08})
	c.write(sm{to: somebody}.pdu(5))
	c.refused(5, 0x08)
	want := smscsim.Counts{Binds: 1, Submits: 4, Accepted: 1, Throttled: 1, Refused: 2}
	if got := s.Counts(); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestDropTakesWhatIsInFlightAndAnswersNoneOfIt(t *testing.T) {
	s := startWith(t, smscsim.Faults{DropEvery: 5})
	c := bound(t, s, 9)
	c.write(asking("4799000001").pdu(1))
	id := c.accepted(1)
	if got := c.receipt().id; got != id {
		t.Errorf("receipt %s, want %s", got, id)
	}
	s.SetFaults(smscsim.Faults{DropEvery: 5, AnswerDelay: time.Hour})
	var flight []byte
	for n := uint32(2); n <= 8; n++ {
		flight = append(flight, asking(fmt.Sprint("479900000", n)).pdu(n)...)
	}
	c.write(flight)
	c.wantClosed()
	eventually(t, "the drop is counted", func() bool { return s.Counts().Drops == 1 })
	if got := s.Counts(); got.Accepted != 8 || len(s.Numbers()) != 8 {
		t.Errorf("counts %+v, numbers %v", got, s.Numbers())
	}
	s.SetFaults(smscsim.Faults{})
	again := bound(t, s, 9)
	if got := again.receipt().id; got != id {
		t.Errorf("receipt %s, want the unacknowledged %s", got, id)
	}
	again.burst(10, sm{to: somebody})
	for n := range uint32(10) {
		again.accepted(n + 1)
	}
}

func TestReceiptsOfDroppedSubmitsComeAtTheNextBind(t *testing.T) {
	s := startWith(t, smscsim.Faults{DropEvery: 4})
	c := bound(t, s, 9)
	c.burst(4, asking(somebody))
	for {
		if _, err := c.next(); err != nil {
			break
		}
	}
	eventually(t, "the drop is counted", func() bool { return s.Counts().Drops == 1 })
	again := bound(t, s, 9)
	ids := map[string]bool{}
	for range 4 {
		r := again.receipt()
		again.acknowledge(r)
		ids[r.id] = true
	}
	eventually(t, "four acknowledged", func() bool { return s.Counts().ReceiptAcks == 4 })
	if len(ids) != 4 || s.Counts().Receipts != 4 {
		t.Errorf("ids %v, counts %+v", ids, s.Counts())
	}
}

func TestDropAll(t *testing.T) {
	s := start(t, smscsim.Options{})
	clients := []*client{bound(t, s, 1), bound(t, s, 2), bound(t, s, 9)}
	s.DropAll()
	for _, c := range clients {
		c.wantClosed()
	}
	if got := s.Counts().Drops; got != 3 {
		t.Errorf("%d drops", got)
	}
	bound(t, s, 9)
}

func TestFaultsAreCopied(t *testing.T) {
	f := smscsim.Faults{Fail: map[string]string{somebody: "EXPIRED"}}
	s := startWith(t, f)
	f.Fail[somebody] = "UNDELIV"
	s.Faults().Fail[somebody] = "REJECTD"
	if got := s.Faults().Fail[somebody]; got != "EXPIRED" {
		t.Errorf("fail %s", got)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	const clients, each = 6, 300
	s := startWith(t, smscsim.Faults{AnswerDelay: time.Millisecond, ReceiptDelay: 5 * time.Millisecond})
	var all sync.WaitGroup
	var answers atomic.Int64
	for i := range clients {
		c := bound(t, s, 9)
		all.Go(func() { c.converse(each, asking(fmt.Sprint("479900000", i)), &answers) })
	}
	eventually(t, "every receipt is acknowledged", func() bool { return s.Counts().ReceiptAcks == clients*each })
	eventually(t, "every submit is answered", func() bool { return answers.Load() == clients*each })
	s.Close()
	all.Wait()
	want := smscsim.Counts{Binds: clients, Submits: clients * each, Accepted: clients * each,
		Receipts: clients * each, ReceiptAcks: clients * each}
	if got := s.Counts(); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	for i := range clients {
		if got := s.Numbers()[fmt.Sprint("479900000", i)]; got != each {
			t.Errorf("client %d: %d messages", i, got)
		}
	}
}

// converse sends n submits, counts answers and acknowledges receipts until the server closes.
func (c *client) converse(n int, m sm, answers *atomic.Int64) {
	c.burst(n, m)
	for {
		f, err := c.next()
		if err != nil {
			return
		}
		if f.command == 5 {
			_, _ = c.conn.Write(pdu(0x80000005, 0, f.sequence, "\x00"))
			continue
		}
		answers.Add(1)
	}
}

func TestControl(t *testing.T) {
	s := start(t, smscsim.Options{})
	web := httptest.NewServer(s.Control())
	defer web.Close()
	c := bound(t, s, 9)
	c.write(sm{to: somebody, text: "Hi"}.pdu(2))
	c.accepted(2)
	for _, step := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/counts", "", 200, `{"binds":1,"refused_binds":0,"submits":1,"accepted":1,"throttled":0,"refused":0,"receipts":0,"receipt_acks":0,"said":0,"said_acks":0,"drops":0}`},
		{"GET", "/numbers", "", 200, `{"4799000001":1}`},
		{"GET", "/texts?number=4799000001", "", 200, `["Hi"]`},
		{"GET", "/texts?number=1", "", 200, `[]`},
		{"GET", "/faults", "", 200, `{}`},
		{"PUT", "/faults", `{"answer_delay":"1.5s","receipt_delay":2000000,"throughput":7,"fail":{"1":"EXPIRED"}}`, 200,
			`{"throughput":7,"fail":{"1":"EXPIRED"},"answer_delay":"1.5s","receipt_delay":"2ms"}`},
		{"PUT", "/faults", `{"trougput":7}`, 400, `json: unknown field "trougput"`},
		{"PUT", "/faults", `{"id_form":"roman"}`, 400, `id form "roman" is not known`},
		{"PUT", "/faults", `{"answer_delay":"soon"}`, 400, `time: invalid duration "soon"`},
		{"GET", "/faults", "", 200, `{"throughput":7,"fail":{"1":"EXPIRED"},"answer_delay":"1.5s","receipt_delay":"2ms"}`},
		{"POST", "/drop", "", 204, ``},
		{"POST", "/reset", "", 204, ``},
		{"GET", "/numbers", "", 200, `{}`},
		{"GET", "/drop", "", 405, `Method Not Allowed`},
	} {
		status, answer := call(t, step.method, web.URL+step.path, step.body)
		if status != step.status || answer != step.answer {
			t.Errorf("%s %s: %d %s\nwant %d %s", step.method, step.path, status, answer, step.status, step.answer)
		}
	}
	c.wantClosed()
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(bytes.TrimSpace(b))
}

func TestFaultsSurviveJSON(t *testing.T) {
	want := smscsim.Faults{
		Throughput: 1, Window: 2, AnswerDelay: time.Second, NeverAnswer: true,
		ReceiptDelay: time.Minute, NoReceipts: true, ReceiptsFirst: true, DuplicateReceipts: true,
		IDForm: "uuid", DropEvery: 3, BindStatus: 4, SubmitStatus: 5,
		SubmitStatusFor: map[string]uint32{"1": 6}, Fail: map[string]string{"2": "DELETED"},
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got smscsim.Faults
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v from %s", got, b)
	}
}
