package smpp

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// inbound reads a delivery as a message from a handset, or a part of one.
func (d *delivery) inbound(c *config, arrived time.Time) carriers.Inbound {
	m := carriers.Inbound{
		From:  d.source.number(),
		To:    d.dest.number(),
		Text:  c.decode(d.coding, d.udh.shift, d.text),
		Part:  1,
		Parts: 1,
		At:    arrived,
	}
	if d.udh.valid() && d.udh.total > 1 {
		m.Part, m.Parts, m.Reference = int(d.udh.part), int(d.udh.total), d.udh.reference
	}
	return m
}

// number is an address in E.164 where the carrier says that it is international,
// by its type or by its prefix; else it is as the carrier wrote it.
func (a address) number() string {
	if number := phoneOf(a.text); number != "" && (a.ton == tonInternational || number[1:] != a.text) {
		return number
	}
	return a.text
}

// SMPP gives a message from a handset no id, so the carrier makes one up when the
// message comes, and gives the same to what can only be the same message again.
// An SMSC delivers again what it believes not to be acknowledged: on another
// session, when the link broke before the acknowledgement was through, or, on the
// same one, after waiting in vain for it. Two equal messages in all other cases
// are two: a person may well answer "yes" twice. When in doubt a message is shown
// twice and never lost; this is so after a crash, too, which forgets what is here.
type arrivals struct {
	mu   sync.Mutex
	open map[content]*arrival
}

// content is what two deliveries of one message have in common: sequence numbers
// begin anew with each session.
type content struct {
	from, to, text string
	udh            udh
}

// arrival is a message whose acknowledgement may not have reached the peer.
type arrival struct {
	id       string
	session  *session // nil when it has ended
	sequence int32
	came     time.Time
	settled  time.Time // when it was acknowledged
	refused  bool      // it could not be stored, and was asked for again
}

const (
	// redeliveryWait is how long an SMSC waits for an acknowledgement at the
	// least before it delivers again on the same session.
	redeliveryWait = 5 * time.Second
	// inFlight is how long an acknowledgement may be on its way: of one that was
	// given so shortly before the link broke nobody knows whether it arrived.
	inFlight = 5 * time.Second
	// arrivalLife is how long carriers keep what was not acknowledged.
	arrivalLife = 48 * time.Hour
)

// take is the arrival that a delivery is, a known one or a new one.
func (a *arrivals) take(what content, s *session, sequence int32, now time.Time) *arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.open[what]
	if known == nil || !known.again(s, sequence, now) {
		known = &arrival{id: rand.Text()}
		a.open[what] = known
	}
	known.session, known.sequence, known.came = s, sequence, now
	known.settled, known.refused = time.Time{}, false
	return known
}

// again says whether a delivery with the same content is this one once more.
func (a *arrival) again(s *session, sequence int32, now time.Time) bool {
	switch {
	case a.session == nil, a.refused:
		return true
	case !a.settled.IsZero():
		return false
	case a.session == s && a.sequence == sequence:
		return true
	}
	return now.Sub(a.came) >= redeliveryWait
}

func (a *arrivals) settle(known *arrival, err error, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known.settled, known.refused = now, err != nil
}

// left keeps what a session leaves in doubt at its end.
func (a *arrivals) left(s *session, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.open, func(_ content, one *arrival) bool {
		if one.session != s {
			return false
		}
		one.session = nil
		return !one.refused && !one.settled.IsZero() && now.Sub(one.settled) > inFlight
	})
}

// forget drops what is certain by now, and what comes no more.
func (a *arrivals) forget(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.open, func(_ content, one *arrival) bool {
		certain := one.session != nil && !one.refused && !one.settled.IsZero() && now.Sub(one.settled) > inFlight
		return certain || now.Sub(one.came) > arrivalLife
	})
}
