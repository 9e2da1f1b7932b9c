package smpp

import (
	"fmt"
	"slices"
	"time"
)

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
// here on their requests count as sent.
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
		if p.request != nil {
			s.expect(p, now)
		}
		bytes = append(bytes, p.bytes...)
		taken++
	}
	s.outbox = slices.Delete(s.outbox, 0, taken)
	s.changed.Broadcast()
	return bytes
}

// expect remembers a request by a sequence number of its own.
func (s *session) expect(p packet, now time.Duration) {
	sequence := s.nextSequence()
	number(p.bytes, sequence)
	p.request.written = now
	s.pending[sequence] = p.request
}
