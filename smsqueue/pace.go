package smsqueue

import "time"

// pace is how many parts a second a carrier gets: what is configured, or less
// once it has throttled us. It then goes on at the rate that was accepted and
// grows from there until the carrier objects again.
type pace struct {
	configured float64 // 0 is no limit
	learned    float64 // 0 until the carrier throttles
	second     int64   // the one that is being counted
	accepted   [2]int  // parts accepted in the second before and in this one
	throttled  time.Time
}

const (
	// growth is how much one accepted part adds to the learned rate: at any
	// rate, 30 % a second.
	growth = 0.3
	// unlearnAfter is how long a carrier must not have throttled for the
	// learned rate to be forgotten.
	unlearnAfter = time.Minute
)

// rate is parts a second; 0 is no limit.
func (p *pace) rate() float64 {
	if p.learned > 0 && (p.configured == 0 || p.learned < p.configured) {
		return p.learned
	}
	return p.configured
}

func (p *pace) accept(now time.Time) {
	p.turnTo(now)
	p.accepted[1]++
	if p.learned > 0 {
		p.learned += growth
		if now.Sub(p.throttled) > unlearnAfter {
			p.learned = 0
		}
	}
}

// throttle learns from what the carrier accepted of late.
func (p *pace) throttle(now time.Time) {
	p.turnTo(now)
	p.learned = max(1, float64(max(p.accepted[0], p.accepted[1])))
	p.throttled = now
}

func (p *pace) turnTo(now time.Time) {
	switch s := now.Unix(); s {
	case p.second:
	case p.second + 1:
		p.second, p.accepted = s, [2]int{p.accepted[1], 0}
	default:
		p.second, p.accepted = s, [2]int{}
	}
}
