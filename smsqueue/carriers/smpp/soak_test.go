package smpp

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// TestSoak has carriers live with an SMSC that does everything wrong, by chance,
// and then looks whether every submission was answered once and nothing is left
// behind. VARSEL_SOAK is for how many minutes it goes on.
func TestSoak(t *testing.T) {
	long := 6 * time.Second
	if minutes := os.Getenv("VARSEL_SOAK"); minutes != "" {
		n, err := strconv.Atoi(minutes)
		if err != nil {
			t.Fatal(err)
		}
		long = time.Duration(n) * time.Minute
	}
	smsc := startNasty(t)
	round := func(n int) { soakRound(t, smsc, uint64(n)) }
	round(0) // what is made once is there now
	smsc.untilIdle(t)
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	rounds := 1
	for began := time.Now(); time.Since(began) < long; rounds++ {
		round(rounds)
	}
	smsc.untilIdle(t)
	carriertest.Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	if now := heapInUse(); now > heap+16<<20 {
		t.Errorf("the heap has grown from %d to %d octets in %d rounds", heap, now, rounds)
	}
	t.Logf("%d rounds, the SMSC did: %v", rounds, smsc.done())
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools give up what they hold at the second one
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// soakRound is the life of one carrier.
func soakRound(t *testing.T, smsc *nasty, seed uint64) {
	config, err := parseConfig(fmt.Appendf(nil, `{"addr":%q,"system_id":"acme","binds":3,"window":60,"enquire_link":"100ms","response_timeout":"200ms"}`, smsc.addr))
	if err != nil {
		t.Fatal(err)
	}
	var late, news atomic.Int64
	var bound, closing atomic.Bool
	var answered atomic.Int64
	chance := rand.New(rand.NewPCG(seed, 1))
	unlucky := chance.IntN(4) == 0
	keep := func(stored func(error)) {
		if news.Add(1); unlucky && news.Load()%3 == 0 {
			stored(io.ErrShortWrite)
			return
		}
		go stored(nil)
	}
	c := newCarrier(config, carriers.Events{
		State:   func(s carriers.State) { bound.Store(s.Status == carriers.Bound) },
		Receipt: func(_ carriers.Receipt, stored func(error)) { keep(stored) },
		Inbound: func(_ carriers.Inbound, stored func(error)) { keep(stored) },
		Late:    func(int64, int, carriers.Answer) { late.Add(1) },
	})
	c.pace = quick
	c.start()
	const submitters, each = 4, 150
	var answers [submitters * each]atomic.Int32
	var unanswered atomic.Int64
	var running sync.WaitGroup
	for lane := range submitters {
		running.Go(func() {
			for i := range each {
				n := lane*each + i
				for wait := 0; wait < 100 && !bound.Load() && !closing.Load(); wait++ {
					time.Sleep(time.Millisecond) // most of it is to be sent, and some finds no link
				}
				s := carriers.Submission{MessageID: int64(n), From: "ACME", To: phone(n), Text: "Hello", Encoding: smstext.GSM7, Part: 1, Parts: 1}
				c.Submit(s, func(a carriers.Answer) {
					answers[n].Add(1)
					answered.Add(1)
					if a.Err != nil && a.Err.Kind == carriers.NoAnswer {
						unanswered.Add(1)
					}
				})
			}
		})
	}
	some := int64(chance.IntN(submitters * each))
	carriertest.Until(t, "some are answered", func() bool { return answered.Load() >= some })
	closing.Store(true)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	running.Wait() // those that came too late were refused
	for n := range answers {
		if got := answers[n].Load(); got != 1 {
			t.Errorf("round %d: message %d was answered %d times", seed, n, got)
		}
	}
	if late.Load() > unanswered.Load() {
		t.Errorf("round %d: %d late answers to %d submissions without one", seed, late.Load(), unanswered.Load())
	}
}

// nasty is an SMSC with every fault there is.
type nasty struct {
	addr  string
	open  sync.WaitGroup
	conns atomic.Int64

	mu    sync.Mutex
	count map[string]int // of what it did
}

func startNasty(t *testing.T) *nasty {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nasty{addr: listener.Addr().String(), count: map[string]int{}}
	n.open.Go(func() {
		for seed := uint64(1); ; seed++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n.conns.Add(1)
			n.open.Go(func() {
				defer n.conns.Add(-1)
				defer conn.Close()
				(&victim{nasty: n, conn: conn, chance: rand.New(rand.NewPCG(seed, 2))}).serve()
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); n.open.Wait() })
	return n
}

func (n *nasty) untilIdle(t *testing.T) {
	carriertest.Until(t, "the SMSC has no connection", func() bool { return n.conns.Load() == 0 })
}

func (n *nasty) did(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count[what]++
}

func (n *nasty) done() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

// victim is one connection to it.
type victim struct {
	*nasty
	conn   net.Conn
	chance *rand.Rand
	held   []uint32 // submissions whose answers wait to go in the wrong order
	ids    atomic.Uint32
}

// serve goes on until the connection ends; false from a deed is the end.
func (v *victim) serve() {
	_ = v.conn.SetDeadline(time.Now().Add(30 * time.Second)) // longer than any carrier of this test lives
	for {
		command, sequence, err := v.next()
		if err != nil {
			return
		}
		goOn := true
		switch command {
		case bindTransceiver:
			goOn = v.letIn(sequence)
		case submitSMCommand:
			goOn = v.mistreat(sequence)
		case enquireLink, unbind:
			if v.chance.IntN(10) > 0 {
				goOn = v.send(command|resp, 0, sequence, "")
			}
		}
		if !goOn {
			return
		}
	}
}

func (v *victim) next() (command, sequence uint32, err error) {
	var head [16]byte
	if _, err := io.ReadFull(v.conn, head[:]); err != nil {
		return 0, 0, err
	}
	_, err = io.CopyN(io.Discard, v.conn, int64(binary.BigEndian.Uint32(head[:]))-16)
	return binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[12:]), err
}

func (v *victim) send(command, status, sequence uint32, body string) bool {
	return v.write(encodePDU(command, status, sequence, []byte(body)))
}

func (v *victim) write(octets []byte) bool {
	_, err := v.conn.Write(octets)
	return err == nil
}

func (v *victim) letIn(sequence uint32) bool {
	switch v.chance.IntN(12) {
	case 0:
		v.did("refused the bind")
		v.send(bindTransceiver|resp, 0x0D, sequence, "")
		return false
	case 1:
		v.did("never answered the bind")
		return true
	case 2:
		v.did("hung up at the bind")
		return false
	case 3:
		v.did("answered the bind with noise")
		return v.write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	case 4:
		v.did("delivered before the bind")
		v.deliver(4, "id:0 stat:DELIVRD")
	}
	return v.send(bindTransceiver|resp, 0, sequence, "nasty\x00")
}

func (v *victim) deliver(esmClass byte, text string) bool {
	return v.send(deliverSM, 0, v.ids.Add(1), string(deliver{from: "47912", ton: 1, esmClass: esmClass, text: text}.body()))
}

// deeds are what befalls a submission, beside being accepted.
var deeds = []struct {
	name string
	do   func(v *victim, sequence uint32) bool
}{
	{"throttled", func(v *victim, n uint32) bool { return v.send(submitSMCommand|resp, 0x58, n, "") }},
	{"refused", func(v *victim, n uint32) bool { return v.send(submitSMCommand|resp, 0x0B, n, "") }},
	{"said that we are not bound", func(v *victim, n uint32) bool { return v.send(submitSMCommand|resp, 0x04, n, "") }},
	{"nacked", func(v *victim, n uint32) bool { return v.send(genericNack, 0x08, n, "") }},
	{"nacked nothing", func(v *victim, _ uint32) bool { return v.send(genericNack, 0x02, 0, "") }},
	{"never answered", func(*victim, uint32) bool { return true }},
	{"answered twice", func(v *victim, n uint32) bool { _ = v.accept(n); return v.accept(n) }},
	{"answered what nobody asked", func(v *victim, n uint32) bool { return v.accept(n+100_000) && v.accept(n) }},
	{"answered late", func(v *victim, n uint32) bool {
		v.open.Go(func() { time.Sleep(300 * time.Millisecond); v.accept(n) })
		return true
	}},
	{"answered in disorder", func(v *victim, n uint32) bool {
		v.held = append(v.held, n)
		for len(v.held) > 5 {
			at := v.chance.IntN(len(v.held))
			if !v.accept(v.held[at]) {
				return false
			}
			v.held = append(v.held[:at], v.held[at+1:]...)
		}
		return true
	}},
	{"answered in single octets", func(v *victim, n uint32) bool {
		for _, b := range encodePDU(submitSMCommand|resp, 0, n, []byte("1\x00")) {
			if !v.write([]byte{b}) {
				return false
			}
		}
		return true
	}},
	{"receipted early and twice", func(v *victim, n uint32) bool {
		_ = v.deliver(4, "id:7 stat:DELIVRD")
		return v.deliver(4, "id:7 stat:DELIVRD") && v.accept(n)
	}},
	{"receipted what nobody knows", func(v *victim, n uint32) bool { return v.deliver(4, "id:nobody stat:UNDELIV") && v.accept(n) }},
	{"receipted without sense", func(v *victim, n uint32) bool { return v.deliver(4, "delivered!") && v.accept(n) }},
	{"brought a message", func(v *victim, n uint32) bool { return v.deliver(0, "yes") && v.accept(n) }},
	{"brought a broken message", func(v *victim, n uint32) bool {
		return v.deliver(0x40, "\xff\x00") && v.send(deliverSM, 0, 1, "\x00") && v.accept(n)
	}},
	{"called", func(v *victim, n uint32) bool { return v.send(outbind, 0, 1, "smsc\x00secret\x00") && v.accept(n) }},
	{"asked for what nobody knows", func(v *victim, n uint32) bool { return v.send(0x77, 0, 1, "") && v.accept(n) }},
	{"flooded", func(v *victim, n uint32) bool {
		for range 300 {
			if !v.send(enquireLink, 0, 1, "") {
				return false
			}
		}
		return v.accept(n)
	}},
	{"unbound", func(v *victim, n uint32) bool { return v.send(unbind, 0, 1, "") }},
	{"hung up", func(*victim, uint32) bool { return false }},
	{"hung up in the PDU", func(v *victim, n uint32) bool {
		v.write(encodePDU(submitSMCommand|resp, 0, n, []byte("1\x00"))[:17])
		return false
	}},
	{"sent a length that is too short", func(v *victim, _ uint32) bool {
		return v.write([]byte{0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	}},
	{"sent a length that is huge", func(v *victim, _ uint32) bool {
		return v.write([]byte{0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	}},
	{"went silent", func(v *victim, _ uint32) bool { _, _ = io.Copy(io.Discard, v.conn); return false }},
	{"stopped reading", func(v *victim, _ uint32) bool {
		v.deliver(4, "id:7 stat:DELIVRD")
		time.Sleep(500 * time.Millisecond)
		return true
	}},
}

func (v *victim) accept(sequence uint32) bool {
	return v.send(submitSMCommand|resp, 0, sequence, fmt.Sprint(v.ids.Add(1))+"\x00")
}

func (v *victim) mistreat(sequence uint32) bool {
	if v.chance.IntN(4) > 0 {
		return v.accept(sequence)
	}
	deed := deeds[v.chance.IntN(len(deeds))]
	v.did(deed.name)
	return deed.do(v, sequence)
}
