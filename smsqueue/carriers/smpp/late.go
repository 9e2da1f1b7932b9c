package smpp

import (
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// late is a submission that was answered with NoAnswer because its time was over.
// The peer may answer it all the same, as long as the session lasts.
type late struct {
	message int64
	part    int
	since   time.Duration // by the session's clock
}

// lateTimes is for how many times the response timeout a late answer is waited
// for. As many windows of submissions are remembered at the most.
const lateTimes = 10

// remember keeps what an overdue submission was; it is called with carrier.mu
// held.
func (s *session) remember(sequence int32, p *packet, now time.Duration) {
	if s.overdue == nil {
		s.overdue = map[int32]late{}
	}
	s.overdue[sequence] = late{p.message, p.part, now}
}

// takeLate is called with carrier.mu held; nil when nothing is overdue under
// this number.
func (s *session) takeLate(sequence int32) *late {
	l, ok := s.overdue[sequence]
	if !ok {
		return nil
	}
	delete(s.overdue, sequence)
	return &l
}

// forgetLate is called with carrier.mu held.
func (s *session) forgetLate(now time.Duration) {
	for sequence, l := range s.overdue {
		if now-l.since > lateTimes*s.carrier.config.responseTimeout() {
			delete(s.overdue, sequence)
		}
	}
}

func (c *carrier) tellLate(l *late, a carriers.Answer) {
	if c.events.Late == nil {
		c.log.Debug("late answer", "message", l.message, "part", l.part)
		return
	}
	c.events.Late(l.message, l.part, a)
}
