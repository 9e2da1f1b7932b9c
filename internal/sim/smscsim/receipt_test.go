package smscsim_test

import (
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

func asking(to string) sm { return sm{from: "Varsel", to: to, registered: 1, text: "Hi"} }

func TestReceiptIsSentWhenAskedFor(t *testing.T) {
	for _, c := range []struct {
		registered byte
		failing    bool
		wants      bool
	}{
		{0, false, false}, {0, true, false},
		{1, false, true}, {1, true, true},
		{2, false, false}, {2, true, true},
		{0x10, false, false}, {0x11, false, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			f := smscsim.Faults{}
			if c.failing {
				f.Fail = map[string]string{somebody: "UNDELIV"}
			}
			client := bound(t, startWith(t, f), 9)
			client.write(sm{to: somebody, registered: c.registered}.pdu(2), pdu(0x15, 0, 3, ""))
			client.accepted(2)
			if c.wants {
				client.receipt()
			}
			client.want(frame{0x80000015, 0, 3, ""})
		})
	}
}

func TestNoReceipts(t *testing.T) {
	c := bound(t, startWith(t, smscsim.Faults{NoReceipts: true}), 9)
	c.write(asking(somebody).pdu(2), pdu(0x15, 0, 3, ""))
	c.accepted(2)
	c.want(frame{0x80000015, 0, 3, ""})
}

func TestFailedReceiptsSayHow(t *testing.T) {
	states := map[string]byte{
		"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6,
		"UNKNOWN": 7, "REJECTD": 8, "ODDITY": 7,
	}
	fail, to := map[string]string{}, map[string]string{}
	for stat, state := range states {
		to[stat] = fmt.Sprintf("479900%d%d", state, len(fail))
		fail[to[stat]] = stat
	}
	s := startWith(t, smscsim.Faults{Fail: fail})
	c := bound(t, s, 9)
	for stat, state := range states {
		c.write(asking(to[stat]).pdu(2))
		id := c.accepted(2)
		got := c.receipt()
		c.acknowledge(got)
		want := receipt{got.sequence, to[stat], "Varsel", id, stat, id, state}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", stat, got, want)
		}
	}
	eventually(t, "all but ENROUTE are counted", func() bool {
		n := s.Counts()
		return n.Receipts == len(states)-1 && n.ReceiptAcks == len(states)-1
	})
}

func TestIDForms(t *testing.T) {
	decimal := func(n uint64) string { return fmt.Sprint(n) }
	hex := func(n uint64) string { return fmt.Sprintf("%x", n) }
	for form, c := range map[string]struct {
		base    int // of the answer
		answer  func(uint64) string
		receipt func(uint64) string
	}{
		"":                        {10, decimal, decimal},
		"decimal":                 {10, decimal, decimal},
		"hex":                     {16, hex, hex},
		"hex-receipt-decimal":     {16, hex, decimal},
		"decimal-receipt-hex":     {10, decimal, hex},
		"zeros":                   {10, decimal, func(n uint64) string { return fmt.Sprintf("%010d", n) }},
		"upper-hex-receipt-lower": {16, func(n uint64) string { return fmt.Sprintf("%X", n) }, hex},
	} {
		t.Run(form, func(t *testing.T) {
			client := bound(t, startWith(t, smscsim.Faults{IDForm: form}), 9)
			client.write(asking(somebody).pdu(2))
			id := client.accepted(2)
			r := client.receipt()
			n, err := strconv.ParseUint(id, c.base, 64)
			if err != nil {
				t.Fatal(err)
			}
			if id != c.answer(n) || r.id != c.receipt(n) || r.tlvID != c.receipt(n) {
				t.Errorf("answer %s, receipt %s, parameter %s", id, r.id, r.tlvID)
			}
		})
	}
}

// Answer and receipt are computed apart; nothing is parsed to compare them.
func TestUUIDIsTheSameInAnswerAndReceipt(t *testing.T) {
	c := bound(t, startWith(t, smscsim.Faults{IDForm: "uuid"}), 9)
	c.write(asking(somebody).pdu(2))
	id := c.accepted(2)
	if r := c.receipt(); len(id) != 36 || r.id != id || r.tlvID != id {
		t.Errorf("answer %s, receipt %s, parameter %s", id, r.id, r.tlvID)
	}
}

func TestReceiptsFirst(t *testing.T) {
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		f := smscsim.Faults{ReceiptsFirst: true, ReceiptDelay: time.Hour, AnswerDelay: delay}
		c := bound(t, startWith(t, f), 9)
		c.write(asking(somebody).pdu(2))
		r := c.receipt()
		if id := c.accepted(2); id != r.id {
			t.Errorf("receipt %s, then answer %s", r.id, id)
		}
	}
}

func TestReceiptFollowsADelayedAnswer(t *testing.T) {
	c := bound(t, startWith(t, smscsim.Faults{AnswerDelay: 20 * time.Millisecond}), 9)
	for n := range uint32(20) {
		c.write(asking(somebody).pdu(n))
		id := c.accepted(n)
		if r := c.receipt(); r.id != id {
			t.Fatalf("answer %s, receipt %s", id, r.id)
		}
	}
}

func TestReceiptDelayIsSpread(t *testing.T) {
	const mean = 100 * time.Millisecond
	c := bound(t, startWith(t, smscsim.Faults{ReceiptDelay: mean}), 9)
	sent := time.Now()
	for n := range uint32(40) {
		c.write(asking(somebody).pdu(n))
		c.accepted(n)
	}
	answered := time.Now()
	var first, last time.Time
	for range 40 {
		c.receipt()
		last = time.Now()
		if first.IsZero() {
			first = last
		}
	}
	if first.Sub(sent) < mean/2 {
		t.Errorf("first receipt after %s", first.Sub(sent))
	}
	// Of 40 delays one is in the longest third but for one run in ten million.
	if last.Sub(sent) < mean*7/6 || last.Sub(answered) > mean*3/2+time.Minute {
		t.Errorf("last receipt after %s", last.Sub(sent))
	}
}

func TestDuplicateReceipts(t *testing.T) {
	s := startWith(t, smscsim.Faults{DuplicateReceipts: true})
	c := bound(t, s, 9)
	c.write(asking(somebody).pdu(2))
	c.accepted(2)
	first, second := c.receipt(), c.receipt()
	c.acknowledge(first)
	c.acknowledge(second)
	first.sequence = second.sequence
	if first != second {
		t.Errorf("%+v and %+v", first, second)
	}
	c.write(pdu(0x15, 0, 3, ""))
	c.want(frame{0x80000015, 0, 3, ""})
	if got := s.Counts(); got.Receipts != 1 || got.ReceiptAcks != 1 {
		t.Errorf("counts %+v", got)
	}
}

func TestReceiptsWaitForAReceiver(t *testing.T) {
	s := start(t, smscsim.Options{})
	tx := bound(t, s, 2)
	var want []string
	for n := range uint32(3) {
		tx.write(asking(somebody).pdu(n))
		want = append(want, tx.accepted(n))
	}
	stranger := dial(t, s)
	stranger.write(bindPDU(9, "stranger", ""), pdu(0x15, 0, 2, ""))
	stranger.read()
	stranger.want(frame{0x80000015, 0, 2, ""})

	rx := bound(t, s, 1)
	var got []string
	for range want {
		got = append(got, rx.receipt().id)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("receipts %v, want %v", got, want)
	}
}

func TestUnacknowledgedReceiptsComeAgain(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 9)
	var ids []string
	for n := range uint32(3) {
		c.write(asking(somebody).pdu(n))
		ids = append(ids, c.accepted(n))
		if r := c.receipt(); n == 1 {
			c.acknowledge(r)
		}
	}
	eventually(t, "one is acknowledged", func() bool { return s.Counts().ReceiptAcks == 1 })
	c.conn.Close()

	again := bound(t, s, 9)
	for _, want := range []string{ids[0], ids[2]} {
		r := again.receipt()
		again.acknowledge(r)
		if r.id != want {
			t.Errorf("receipt %s, want %s", r.id, want)
		}
	}
	eventually(t, "all are acknowledged", func() bool { return s.Counts().ReceiptAcks == 3 })
	if got := s.Counts().Receipts; got != 3 {
		t.Errorf("%d receipts, want 3: sending again is not a new receipt", got)
	}
}

func TestRefusedReceipts(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 9)
	c.write(asking("4799000002").pdu(2))
	c.accepted(2)
	c.write(pdu(0x80000005, 0x65, c.receipt().sequence, "")) // ESME_RX_P_APPN: for good
	c.write(asking(somebody).pdu(3))
	id := c.accepted(3)
	c.write(pdu(0x80000005, 0x64, c.receipt().sequence, "")) // ESME_RX_T_APPN: for now
	r := c.receipt()
	c.acknowledge(r)
	if r.id != id || r.from != somebody {
		t.Errorf("came again: %+v, want %s", r, id)
	}
	eventually(t, "it is acknowledged once", func() bool { return s.Counts().ReceiptAcks == 1 })
}

func TestNoMoreThan200ReceiptsAreUnacknowledged(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 9)
	var waiting []receipt
	for n := range uint32(250) {
		c.write(asking(somebody).pdu(n))
		c.accepted(n)
		if n < 200 {
			waiting = append(waiting, c.receipt())
		}
	}
	c.write(pdu(0x15, 0, 999, ""))
	c.want(frame{0x80000015, 0, 999, ""})
	for _, r := range waiting[:50] {
		c.acknowledge(r)
		c.receipt()
	}
	if got := s.Counts().Receipts; got != 250 {
		t.Errorf("%d receipts sent", got)
	}
}

func TestReceiptsAreSpreadOverBinds(t *testing.T) {
	s := start(t, smscsim.Options{})
	tx, one, two := bound(t, s, 2), bound(t, s, 1), bound(t, s, 9)
	for n := range uint32(4) {
		tx.write(asking(somebody).pdu(n))
		tx.accepted(n)
	}
	for _, c := range []*client{one, two, one, two} {
		c.receipt()
	}
}
