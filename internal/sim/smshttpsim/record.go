package smshttpsim

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Message is a submission as it was read.
type Message struct {
	ID          string `json:"id"`
	From        string `json:"from"`
	To          string `json:"to"` // with a plus
	Text        string `json:"text"`
	Encoding    string `json:"encoding,omitempty"`
	Reference   string `json:"reference,omitempty"` // the sender's own
	Validity    string `json:"validity,omitempty"`  // as the provider writes it
	CallbackURL string `json:"callback_url,omitempty"`
}

// record is what was accepted, by destination.
type record struct {
	mu       sync.Mutex
	accepted map[string][]Message
}

func newRecord() *record { return &record{accepted: map[string][]Message{}} }

func (r *record) add(m Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted[m.To] = append(r.accepted[m.To], m)
}

func (r *record) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.accepted)
}

func (r *record) numbers() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]int{}
	for number, messages := range r.accepted {
		all[number] = len(messages)
	}
	return all
}

func (r *record) messages(number string) []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accepted[number])
}

// Counts is what happened since the start or the last Reset.
type Counts struct {
	Requests  int `json:"requests"` // for sending: accepted, refused and dropped
	Accepted  int `json:"accepted"`
	Refused   int `json:"refused"` // also throttled
	Drops     int `json:"drops"`
	Callbacks int `json:"callbacks"` // posted, each time
	Acks      int `json:"acks"`      // callbacks answered with 2xx
	Refusals  int `json:"refusals"`  // callbacks answered otherwise, or not at all
}

// counters are the same numbers while they change.
type counters struct {
	requests, accepted, refused, drops, callbacks, acks, refusals atomic.Int64
}

func (c *counters) read() Counts {
	return Counts{
		Requests: int(c.requests.Load()), Accepted: int(c.accepted.Load()), Refused: int(c.refused.Load()), Drops: int(c.drops.Load()),
		Callbacks: int(c.callbacks.Load()), Acks: int(c.acks.Load()), Refusals: int(c.refusals.Load()),
	}
}

func (c *counters) reset() {
	for _, n := range []*atomic.Int64{&c.requests, &c.accepted, &c.refused, &c.drops, &c.callbacks, &c.acks, &c.refusals} {
		n.Store(0)
	}
}
