package web

import "time"

// pace is how fast a campaign goes, seen over the last few seconds.
type pace struct {
	seen []milestone
}

type milestone struct {
	at   time.Time
	done int
}

const (
	// paceSpan is long enough to even out batches, short enough to show a stall.
	paceSpan = 10 * time.Second
	// paceStart is the shortest time that says anything.
	paceStart = time.Second
)

func (p *pace) add(at time.Time, done int) {
	p.seen = append(p.seen, milestone{at, done})
	for len(p.seen) > 2 && at.Sub(p.seen[0].at) > paceSpan {
		p.seen = p.seen[1:]
	}
}

// rate is in messages a second; it is unknown at first.
func (p *pace) rate() (perSecond float64, known bool) {
	if len(p.seen) < 2 {
		return 0, false
	}
	first, last := p.seen[0], p.seen[len(p.seen)-1]
	span := last.at.Sub(first.at)
	if span < paceStart {
		return 0, false
	}
	return max(0, float64(last.done-first.done)/span.Seconds()), true
}
