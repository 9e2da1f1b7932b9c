package smpp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// What carriers log is read by carriertest, which listens for itself.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// Commands as SMPP 3.4 5.1.2.1 numbers them; a response has the top bit.
const (
	genericNack     = 0x80000000
	bindTransceiver = 0x09
	submitSMCommand = 0x04
	deliverSM       = 0x05
	unbind          = 0x06
	outbind         = 0x0B
	enquireLink     = 0x15
	dataSMCommand   = 0x103
	resp            = 0x80000000
)

// peer is the other end of one connection, in the hands of a test.
type peer struct {
	t    *testing.T
	conn net.Conn
}

type received struct {
	command, status, sequence uint32
	body                      []byte
}

// next is what the carrier sent next; false when it hung up.
func (p peer) next() (received, bool) {
	p.t.Helper()
	var head [16]byte
	if _, err := io.ReadFull(p.conn, head[:]); errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatal("waited in vain for what the carrier sends")
	} else if err != nil {
		return received{}, false
	}
	r := received{
		command:  binary.BigEndian.Uint32(head[4:]),
		status:   binary.BigEndian.Uint32(head[8:]),
		sequence: binary.BigEndian.Uint32(head[12:]),
		body:     make([]byte, binary.BigEndian.Uint32(head[:])-16),
	}
	if _, err := io.ReadFull(p.conn, r.body); err != nil {
		return received{}, false
	}
	return r, true
}

func (p peer) expect(command uint32) received {
	p.t.Helper()
	r, ok := p.next()
	if !ok || r.command != command {
		p.t.Fatalf("got %#x (%t), want %#x", r.command, ok, command)
	}
	return r
}

// expectEnd reads until the carrier hangs up.
func (p peer) expectEnd() {
	p.t.Helper()
	for {
		if _, ok := p.next(); !ok {
			return
		}
	}
}

func (p peer) send(command, status, sequence uint32, body string) {
	p.t.Helper()
	p.write(encodePDU(command, status, sequence, []byte(body)))
}

func (p peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatalf("the carrier has gone: %v", err)
	}
}

// bind lets the carrier in.
func (p peer) bind() peer {
	p.t.Helper()
	r := p.expect(bindTransceiver)
	p.send(bindTransceiver|resp, 0, r.sequence, "smsc\x00")
	return p
}

// submits takes n submissions and returns their sequence numbers.
func (p peer) submits(n int) []uint32 {
	p.t.Helper()
	var sequences []uint32
	for range n {
		sequences = append(sequences, p.expect(submitSMCommand).sequence)
	}
	return sequences
}

// rig is a carrier whose connections end at the test.
type rig struct {
	*carrier
	t     *testing.T
	dials chan peer

	mu       sync.Mutex
	answers  map[int64][]carriers.Answer // by message id
	states   []carriers.State
	receipts []carriers.Receipt
	onNews   func(r carriers.Receipt, stored func(error))
}

// quick is a pace for tests that do not look at it.
var quick = pace{
	connect: time.Minute, first: time.Millisecond, most: time.Millisecond, refused: time.Millisecond,
	lastAnswer: 50 * time.Millisecond, goodbye: 50 * time.Millisecond,
}

// newRig has its connections made by connect, which gives both ends.
func newRig(t *testing.T, pace pace, settings string, connect func() (carrierEnd, peerEnd net.Conn)) *rig {
	t.Helper()
	config, err := parseConfig([]byte(`{"addr":"smsc.example:2775","system_id":"acme","password":"` + secret + `"` + settings + `}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dials: make(chan peer, 100), answers: map[int64][]carriers.Answer{}}
	r.carrier = newCarrier(config, carriers.Events{State: r.state, Receipt: r.receipt})
	r.pace = pace
	r.dial = func(context.Context, string) (net.Conn, error) {
		ours, theirs := connect()
		if ours == nil {
			return nil, errors.New("nobody is there")
		}
		r.dials <- peer{t, theirs}
		return ours, nil
	}
	return r
}

// overTCP has real sockets between carrier and test.
func overTCP(t *testing.T, settings string) *rig {
	t.Helper()
	r := newTCPRig(t, settings)
	r.run()
	return r
}

func newTCPRig(t *testing.T, settings string) *rig {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, quick, settings, func() (net.Conn, net.Conn) {
		ours, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return nil, nil
		}
		theirs, err := listener.Accept()
		if err != nil {
			return nil, nil
		}
		t.Cleanup(func() { _ = theirs.Close() })
		_ = theirs.SetDeadline(time.Now().Add(2 * time.Minute)) // a test that waits in vain ends
		return ours, theirs
	})
	t.Cleanup(func() { _ = listener.Close() })
	return r
}

// overPipe is for a bubble of testing/synctest, where time is free.
func overPipe(t *testing.T, settings string) *rig {
	t.Helper()
	r := newRig(t, normalPace, settings, net.Pipe)
	r.run()
	return r
}

func (r *rig) run() {
	r.start()
	r.t.Cleanup(func() { _ = r.Close() })
}

func (r *rig) state(s carriers.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, s)
}

func (r *rig) receipt(news carriers.Receipt, stored func(error)) {
	r.mu.Lock()
	r.receipts = append(r.receipts, news)
	r.mu.Unlock()
	if r.onNews != nil {
		r.onNews(news, stored)
		return
	}
	stored(nil)
}

// accept waits for the carrier's next connection.
func (r *rig) accept() peer {
	r.t.Helper()
	select {
	case p := <-r.dials:
		return p
	case <-time.After(time.Minute):
		r.t.Fatal("the carrier did not connect")
		return peer{}
	}
}

// bound lets the carrier in and waits until it knows.
func (r *rig) bound() peer {
	r.t.Helper()
	p := r.accept().bind()
	r.untilState(carriers.Bound)
	return p
}

func (r *rig) lastState() carriers.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[len(r.states)-1]
}

func (r *rig) untilState(status carriers.Status) carriers.State {
	r.t.Helper()
	carriertest.Until(r.t, "the state is "+string(status), func() bool { return r.lastState().Status == status })
	return r.lastState()
}

// submit sends messages with these ids, each in one part.
func (r *rig) submit(ids ...int64) {
	for _, id := range ids {
		s := carriers.Submission{MessageID: id, From: "ACME", To: "+4791234567", Text: "Hi", Encoding: smstext.GSM7, Part: 1, Parts: 1}
		r.Submit(s, func(a carriers.Answer) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.answers[id] = append(r.answers[id], a)
		})
	}
}

// answered waits until n messages have an answer, and returns in short what
// each got: an id, or a kind and code.
func (r *rig) answered(n int) map[int64]string {
	r.t.Helper()
	carriertest.Until(r.t, "all are answered", func() bool { return len(r.short()) >= n })
	return r.short()
}

func (r *rig) short() map[int64]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	short := map[int64]string{}
	for id, answers := range r.answers {
		if len(answers) != 1 {
			r.t.Errorf("message %d was answered %d times", id, len(answers))
		}
		a := answers[0]
		short[id] = a.ID
		if a.Err != nil {
			short[id] = string(a.Err.Kind) + a.Err.Code
		}
	}
	return short
}

func (r *rig) news() []carriers.Receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.receipts)
}
