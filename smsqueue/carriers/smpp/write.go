package smpp

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// packet is a PDU to be written. A submission gets its sequence number then, and
// stays until its answer is known.
type packet struct {
	bytes    []byte
	answered func(carriers.Answer) // nil when the PDU is no submission
	message  int64
	part     int
	written  time.Duration // by the session's clock
}

// packets are used again: a busy link needs tens of thousands a second.
var packets = sync.Pool{New: func() any { return &packet{bytes: make([]byte, 0, 256)} }}

func newPacket() *packet { return packets.Get().(*packet) }

func (p *packet) recycle() {
	*p = packet{bytes: p.bytes[:0]}
	packets.Put(p)
}

// answer passes the verdict on, and is the end of the packet.
func (p *packet) answer(a carriers.Answer) {
	answered := p.answered
	p.recycle()
	answered(a)
}

// header is a PDU that has no body.
func header(command data.CommandIDType, s status, sequence int32) *packet {
	p := newPacket()
	p.bytes = sealPDU(beginPDU(p.bytes, command, s, sequence))
	return p
}

// writeMost is how many octets are given to the socket at once. A link that
// breaks costs the certainty of all that was given.
const writeMost = 64 << 10

// write puts on the wire what is in outbox, all that waits in one go.
func (s *session) write() {
	defer close(s.writeDone)
	var bytes []byte
	for {
		bytes = s.takeOut(bytes[:0])
		if len(bytes) == 0 {
			return
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.carrier.config.responseTimeout()))
		if _, err := s.conn.Write(bytes); err != nil {
			s.end(ending{why: fmt.Errorf("the connection broke: %w", plain(err)), grace: s.carrier.pace.goodbye})
			return
		}
	}
}

// takeOut waits for packets and appends them to bytes; none mean the end. From
// here on their submissions count as sent.
func (s *session) takeOut(bytes []byte) []byte {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	for len(s.outbox) == 0 && !s.closed {
		s.changed.Wait()
	}
	now := s.listening.now()
	taken := 0
	for _, p := range s.outbox {
		if len(bytes) > 0 && len(bytes)+len(p.bytes) > writeMost {
			break
		}
		if p.answered != nil {
			s.expect(p, now)
		}
		bytes = append(bytes, p.bytes...)
		if p.answered == nil {
			p.recycle()
		}
		taken++
	}
	if len(s.outbox) > backlogMost {
		s.changed.Broadcast() // the reader may be waiting
	}
	s.outbox = slices.Delete(s.outbox, 0, taken)
	return bytes
}

// expect remembers a submission by a sequence number of its own.
func (s *session) expect(p *packet, now time.Duration) {
	sequence := s.nextSequence()
	number(p.bytes, sequence)
	p.written = now
	s.pending[sequence] = p
}
