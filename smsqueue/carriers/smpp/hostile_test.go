package smpp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
)

func TestAnswersOutOfOrderFindTheirMessages(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	r.submit(1, 2, 3)
	s := p.submits(3)
	p.send(submitSMCommand|resp, 0, s[2], "third\x00")
	p.send(submitSMCommand|resp, 0x58, s[0], "")
	p.send(submitSMCommand|resp, 0, s[1], "second") // without its NUL
	want := map[int64]string{1: "throttled0x58", 2: "second", 3: "third"}
	if diff := cmp.Diff(want, r.answered(3)); diff != "" {
		t.Error(diff)
	}
}

func TestSecondAnswerToOneSequenceIsIgnored(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	r.submit(1)
	s := p.submits(1)[0]
	p.send(submitSMCommand|resp, 0, s, "a\x00")
	p.send(submitSMCommand|resp, 0, s, "b\x00")
	p.send(submitSMCommand|resp, 0, 0, "c\x00")
	p.send(submitSMCommand|resp, 0x45, s+1000, "")
	r.submit(2)
	p.send(submitSMCommand|resp, 0, p.submits(1)[0], "d\x00")
	if diff := cmp.Diff(map[int64]string{1: "a", 2: "d"}, r.answered(2)); diff != "" {
		t.Error(diff)
	}
}

func TestGenericNackOfASubmissionIsItsVerdict(t *testing.T) {
	for status, want := range map[uint32]string{
		0x02: "rejected0x02", 0x03: "rejected0x03", 0x58: "throttled0x58", 0x08: "retry0x08", 0: "retry0x00",
	} {
		r := overTCP(t, "")
		p := r.bound()
		r.submit(1)
		p.send(genericNack, status, p.submits(1)[0], "")
		if diff := cmp.Diff(map[int64]string{1: want}, r.answered(1)); diff != "" {
			t.Errorf("status %#x:\n%s", status, diff)
		}
		r.submit(2) // the link is still there
		p.submits(1)
	}
}

func TestGenericNackOfNothingDropsTheLink(t *testing.T) {
	for _, sequence := range []uint32{0, 12345, 0xFFFFFFFF} {
		r := overTCP(t, "")
		p := r.bound()
		r.submit(1)
		p.submits(1)
		p.send(genericNack, 0x02, sequence, "")
		p.expectEnd()
		if diff := cmp.Diff(map[int64]string{1: "no_answer"}, r.answered(1)); diff != "" {
			t.Errorf("sequence %d:\n%s", sequence, diff)
		}
		r.bound() // and the carrier comes back
	}
}

func TestImpossibleLengthIsNackedAndDropsTheLink(t *testing.T) {
	for _, length := range []uint32{0, 4, 15, 64<<10 + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF} {
		r := overTCP(t, "")
		p := r.bound()
		r.submit(1)
		p.submits(1)
		p.write(binary.BigEndian.AppendUint32(nil, length))
		p.write(encodePDU(enquireLink, 0, 9, nil)[4:])
		if nack := p.expect(genericNack); nack.status != 0x02 || nack.sequence != 9 {
			t.Errorf("length %d: nack %+v", length, nack)
		}
		p.expectEnd()
		if diff := cmp.Diff(map[int64]string{1: "no_answer"}, r.answered(1)); diff != "" {
			t.Errorf("length %d:\n%s", length, diff)
		}
		r.bound()
	}
}

func TestPeerUnbindsWithAnswersOwed(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	r.submit(1, 2)
	s := p.submits(2)
	p.send(unbind, 0, 77, "")
	if answer := p.expect(unbind | resp); answer.sequence != 77 || answer.status != 0 {
		t.Errorf("unbind_resp %+v", answer)
	}
	p.send(submitSMCommand|resp, 0, s[0], "late\x00")
	if diff := cmp.Diff("late", r.answered(1)[1]); diff != "" {
		t.Error(diff)
	}
	_ = p.conn.Close()
	if diff := cmp.Diff(map[int64]string{1: "late", 2: "no_answer"}, r.answered(2)); diff != "" {
		t.Error(diff)
	}
	r.bound()
}

func TestSubmissionToALostSessionIsRetriedAfterRebind(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	r.submit(1, 2)
	s := p.submits(2)
	p.send(submitSMCommand|resp, 0x04, s[0], "") // not bound, it says
	p.send(submitSMCommand|resp, 0, s[1], "x\x00")
	p.send(unbind|resp, 0, p.expect(unbind).sequence, "")
	p.expectEnd()
	if diff := cmp.Diff(map[int64]string{1: "retry0x04", 2: "x"}, r.answered(2)); diff != "" {
		t.Error(diff)
	}
	r.bound()
}

func TestWhatThePeerAsksIsAnswered(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	p.send(enquireLink, 0, 5, "")
	if got := p.expect(enquireLink | resp); got.sequence != 5 || got.status != 0 {
		t.Errorf("enquire_link_resp %+v", got)
	}
	p.send(0x77|resp, 0, 6, "") // a response nobody knows
	p.send(0x102, 0, 7, "")     // alert_notification has no response
	p.send(bindTransceiver|resp, 0, 1, "smsc\x00")
	p.send(deliverSM|resp, 0, 8, "\x00")
	for _, command := range []uint32{0x77, submitSMCommand, bindTransceiver} {
		p.send(command, 0, 9, "")
		if got := p.expect(genericNack); got.sequence != 9 || got.status != 0x03 {
			t.Errorf("%#x: nack %+v", command, got)
		}
	}
}

func TestBytesInAnyPortions(t *testing.T) {
	r := overTCP(t, "")
	p := r.accept()
	bind := p.expect(bindTransceiver)
	receipt := deliver{from: "47912", ton: 1, esmClass: 4, text: "id:1 stat:DELIVRD"}.body()
	// The answer to the bind and a receipt come in one segment.
	p.write(append(encodePDU(bindTransceiver|resp, 0, bind.sequence, []byte("smsc\x00")), encodePDU(deliverSM, 0, 1, receipt)...))
	p.expect(deliverSM | resp)
	// The next receipt drips.
	for _, b := range encodePDU(deliverSM, 0, 2, receipt) {
		p.write([]byte{b})
	}
	p.expect(deliverSM | resp)
	if n := len(r.news()); n != 2 {
		t.Errorf("%d receipts, want 2", n)
	}
}

func TestReceiptsAreAnsweredByWhatBecomesOfThem(t *testing.T) {
	r := newTCPRig(t, "")
	r.onNews = func(news carriers.Receipt, stored func(error)) {
		if news.ID == "unlucky" {
			stored(errors.New("no disk"))
			return
		}
		go stored(nil) // from anywhere
	}
	r.run()
	p := r.bound()
	for _, tt := range []struct {
		name   string
		pdu    deliver
		status uint32
	}{
		{"stored", deliver{from: "47912", esmClass: 4, text: "id:lucky stat:DELIVRD"}, 0},
		{"not stored", deliver{from: "47912", esmClass: 4, text: "id:unlucky stat:DELIVRD"}, 0x64},
		{"inbound message", deliver{from: "47912", text: "STOP"}, 0},
		{"not to be understood", deliver{from: "47912", esmClass: 4, text: "delivered!"}, 0x65},
	} {
		p.send(deliverSM, 0, 42, string(tt.pdu.body()))
		if got := p.expect(deliverSM | resp); got.status != tt.status || got.sequence != 42 || string(got.body) != "\x00" {
			t.Errorf("%s: %+v, want status %#x", tt.name, got, tt.status)
		}
	}
	p.send(deliverSM, 0, 43, "\x00")
	if got := p.expect(deliverSM | resp); got.status != 0x65 {
		t.Errorf("a broken deliver_sm: %+v", got)
	}
	if n := len(r.news()); n != 2 {
		t.Errorf("%d receipts were handed over, want 2", n)
	}
}

func TestBindsThatFail(t *testing.T) {
	tests := []struct {
		name    string
		answer  func(p peer, sequence uint32)
		want    carriers.Status
		mention string
	}{
		{"refused without a body", func(p peer, n uint32) { p.send(bindTransceiver|resp, 0x0E, n, "") }, carriers.Refusing, "check password"},
		{"refused with a body", func(p peer, n uint32) { p.send(bindTransceiver|resp, 0x0F, n, "smsc\x00") }, carriers.Refusing, "check system_id"},
		{"nacked", func(p peer, n uint32) { p.send(genericNack, 0x03, n, "") }, carriers.Refusing, "check bind"},
		{"busy", func(p peer, n uint32) { p.send(bindTransceiver|resp, 0x05, n, "") }, carriers.Down, "earlier bind"},
		{"hung up", func(p peer, _ uint32) { _ = p.conn.Close() }, carriers.Down, "instead of answering"},
		{"answered in noise", func(p peer, _ uint32) { p.write([]byte(strings.Repeat("HTTP/1.1 400 ", 9))) }, carriers.Down, "no PDU has"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := overTCP(t, "")
			p := r.accept()
			tt.answer(p, p.expect(bindTransceiver).sequence)
			got := r.untilState(tt.want)
			if !strings.Contains(got.Reason, tt.mention) || strings.Contains(got.Reason, secret) {
				t.Errorf("reason %q, want a mention of %q", got.Reason, tt.mention)
			}
			r.submit(1)
			if diff := cmp.Diff(map[int64]string{1: "retry"}, r.answered(1)); diff != "" {
				t.Error(diff)
			}
			r.bound() // somebody has mended it
		})
	}
}

// Bytes a peer sends ahead of its answer to the bind are no reason to give up.
func TestPeerTalksBeforeItAnswersTheBind(t *testing.T) {
	r := overTCP(t, "")
	p := r.accept()
	bind := p.expect(bindTransceiver)
	p.send(enquireLink, 0, 1, "")
	p.send(bindTransceiver|resp, 0, bind.sequence, "smsc\x00")
	r.untilState(carriers.Bound)
}

// Nothing is acknowledged before the session stands: it comes again.
func TestDeliveriesBeforeTheBindAreNotTaken(t *testing.T) {
	r := overTCP(t, "")
	p := r.accept()
	bind := p.expect(bindTransceiver)
	p.send(deliverSM, 0, 1, string(deliver{from: "47912", esmClass: 4, text: "id:1 stat:DELIVRD"}.body()))
	p.send(outbind, 0, 2, "smsc\x00secret\x00")
	p.send(bindTransceiver|resp, 0, bind.sequence, "smsc\x00")
	r.untilState(carriers.Bound)
	p.send(enquireLink, 0, 3, "")
	if got := p.expect(enquireLink | resp); got.sequence != 3 {
		t.Errorf("answered %+v", got)
	}
	if n := len(r.news()); n != 0 {
		t.Errorf("%d receipts were taken", n)
	}
}

// An outbind is for those who wait to be called; it has no answer.
func TestOutbindIsIgnored(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	p.send(outbind, 0, 4, "smsc\x00secret\x00")
	p.send(enquireLink, 0, 5, "")
	if got := p.expect(enquireLink | resp); got.sequence != 5 {
		t.Errorf("answered %+v", got)
	}
}

func TestPeerHangsUpInThePDU(t *testing.T) {
	for name, cut := range map[string]int{"in the length": 3, "in the header": 12, "behind the header": 16, "in the body": 18} {
		t.Run(name, func(t *testing.T) {
			r := overTCP(t, "")
			p := r.bound()
			r.submit(1)
			whole := encodePDU(submitSMCommand|resp, 0, p.submits(1)[0], []byte("mine\x00"))
			p.write(whole[:cut])
			_ = p.conn.Close()
			if diff := cmp.Diff(map[int64]string{1: "no_answer"}, r.answered(1)); diff != "" {
				t.Error(diff)
			}
			r.bound()
		})
	}
}

// What was answered before the connection broke is answered.
func TestLastWordsCount(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	r.submit(1, 2)
	s := p.submits(2)
	receipt := deliver{from: "47912", esmClass: 4, text: "id:1 stat:DELIVRD"}.body()
	p.write(append(encodePDU(submitSMCommand|resp, 0, s[0], []byte("mine\x00")), encodePDU(deliverSM, 0, 1, receipt)...))
	_ = p.conn.Close()
	if diff := cmp.Diff(map[int64]string{1: "mine", 2: "no_answer"}, r.answered(2)); diff != "" {
		t.Error(diff)
	}
	carriertest.Until(t, "the receipt is here", func() bool { return len(r.news()) == 1 })
}

func TestAnswersBeforeAnImpossibleLengthCount(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	r.submit(1)
	good := encodePDU(submitSMCommand|resp, 0, p.submits(1)[0], []byte("mine\x00"))
	p.write(append(good, make([]byte, 16)...))
	p.expectEnd()
	if diff := cmp.Diff(map[int64]string{1: "mine"}, r.answered(1)); diff != "" {
		t.Error(diff)
	}
}

// Which message a receipt is for is not the carrier's to judge.
func TestEveryReceiptIsHandedOver(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	for n, id := range []string{"unknown", "twice", "twice"} {
		p.send(deliverSM, 0, uint32(n), string(deliver{from: "47912", esmClass: 4, text: "id:" + id + " stat:DELIVRD"}.body()))
		if got := p.expect(deliverSM | resp); got.sequence != uint32(n) || got.status != 0 {
			t.Errorf("%+v", got)
		}
	}
	if n := len(r.news()); n != 3 {
		t.Errorf("%d receipts, want 3", n)
	}
}

// A verdict comes before the receipt that came behind it in the same segment.
func TestAnswersGoBeforeReceipts(t *testing.T) {
	r := newTCPRig(t, "")
	var before int
	r.onNews = func(_ carriers.Receipt, stored func(error)) { before = len(r.short()); stored(nil) }
	r.run()
	p := r.bound()
	r.submit(1)
	receipt := encodePDU(deliverSM, 0, 1, deliver{from: "47912", esmClass: 4, text: "id:1 stat:DELIVRD"}.body())
	p.write(append(receipt, encodePDU(submitSMCommand|resp, 0, p.submits(1)[0], []byte("1\x00"))...))
	p.expect(deliverSM | resp)
	if before != 1 {
		t.Errorf("%d messages were answered before the receipt was handed over", before)
	}
}

// A peer that reads nothing fills its socket; the link is given up, and nobody
// waits for ever.
func TestPeerThatNeverReads(t *testing.T) {
	r := newTCPRig(t, `,"window":40000,"response_timeout":"300ms"`)
	dial := r.dial
	r.dial = func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		return conn, conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	r.run()
	p := r.accept()
	if err := p.conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	p.bind()
	r.untilState(carriers.Bound)
	const all = 40_000 // some 2 MB
	ids := make([]int64, all)
	for n := range ids {
		ids[n] = int64(n)
	}
	r.submit(ids...)
	carriertest.Until(t, "all are answered", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.answers) == all })
	kinds := map[string]int{}
	for _, kind := range r.short() {
		kinds[kind]++
	}
	if kinds["no_answer"] == 0 || kinds["no_answer"]+kinds["retry"] != all {
		t.Errorf("answers %v", kinds)
	}
	r.untilState(carriers.Down)
	r.bound()
}

// A flood of enquiries is answered, each of them.
func TestFloodOfEnquiriesIsAnswered(t *testing.T) {
	r := overTCP(t, "")
	p := r.bound()
	const all = 30_000
	go func() {
		flood := encodePDU(enquireLink, 0, 7, nil)
		for range all {
			if _, err := p.conn.Write(flood); err != nil {
				return // the test sees that answers are missing
			}
		}
	}()
	for range all {
		if got := p.expect(enquireLink | resp); got.sequence != 7 {
			t.Fatalf("answered %+v", got)
		}
	}
}
