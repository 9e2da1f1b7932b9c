package smshttpsim

import (
	"errors"
	"maps"
	"sync"
	"time"
)

// Faults are the ways in which this server misbehaves. The zero value is a
// provider in good health that reports each step of a message at once.
type Faults struct {
	// Throughput is how many submissions per second are accepted; those above are
	// answered 429. 0: no limit.
	Throughput int `json:"throughput,omitempty"`
	// RetryAfter goes with every 429 and 503, as it is.
	RetryAfter string `json:"retry_after,omitempty"`
	// AnswerDelay passes between accepting and answering.
	AnswerDelay Duration `json:"answer_delay,omitempty"`
	// NeverAnswer accepts and leaves the connection open without an answer.
	NeverAnswer bool `json:"never_answer,omitempty"`
	// DropBefore and DropAfter reset the connection of every nth submission
	// before, or after, it is accepted. 0: never.
	DropBefore int `json:"drop_before,omitempty"`
	DropAfter  int `json:"drop_after,omitempty"`
	// FailAfter accepts and answers with this status instead, say 500.
	FailAfter int `json:"fail_after,omitempty"`
	// Refuse is the answer to every submission, RefuseTo to those for a number.
	Refuse   *Refusal           `json:"refuse,omitempty"`
	RefuseTo map[string]Refusal `json:"refuse_to,omitempty"`

	// CallbackDelay passes before each callback.
	CallbackDelay Duration `json:"callback_delay,omitempty"`
	// CallbackRetry passes before a callback comes again that was not answered
	// with 2xx; a minute when 0.
	CallbackRetry Duration `json:"callback_retry,omitempty"`
	NoCallbacks   bool     `json:"no_callbacks,omitempty"`
	// CallbacksFirst posts every callback before the submission is answered.
	CallbacksFirst     bool `json:"callbacks_first,omitempty"`
	DuplicateCallbacks bool `json:"duplicate_callbacks,omitempty"`
	// FinalOnly leaves out the steps before the outcome.
	FinalOnly bool `json:"final_only,omitempty"`
	// Backwards reports the outcome first and the steps before it after that.
	Backwards       bool `json:"backwards,omitempty"`
	WrongSignatures bool `json:"wrong_signatures,omitempty"`
	// Outcome is what becomes of messages to a number, in the provider's words.
	Outcome map[string]Outcome `json:"outcome,omitempty"`
}

// Refusal is an answer other than accepted. SureSMS answers 200 with its Code as
// the text.
type Refusal struct {
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"`
}

// Outcome is a final status and its error code.
type Outcome struct {
	Status string `json:"status"`
	Code   string `json:"code,omitempty"`
}

func (f Faults) check() error {
	if f.Throughput < 0 || f.AnswerDelay < 0 || f.CallbackDelay < 0 || f.CallbackRetry < 0 || f.DropBefore < 0 || f.DropAfter < 0 {
		return errors.New("limits and delays cannot be negative")
	}
	return nil
}

func (f Faults) clone() Faults {
	f.RefuseTo, f.Outcome = maps.Clone(f.RefuseTo), maps.Clone(f.Outcome)
	return f
}

// refusal is the answer that the faults give to a message, if any.
func (f Faults) refusal(m Message) *Refusal {
	if r, ok := f.RefuseTo[m.To]; ok {
		return &r
	}
	return f.Refuse
}

// Duration is written in JSON as Go writes it: "250ms".
type Duration time.Duration

// MarshalText is time.Duration's String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText is time.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// throttle lets so many pass a second, with a burst of a tenth of that.
type throttle struct {
	mu     sync.Mutex
	tokens float64
	filled time.Time
}

func (t *throttle) allows(perSecond int, now time.Time) bool {
	if perSecond == 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	rate := float64(perSecond)
	t.tokens = min(max(1, rate/10), t.tokens+now.Sub(t.filled).Seconds()*rate)
	t.filled = now
	if t.tokens < 1 {
		return false
	}
	t.tokens--
	return true
}
