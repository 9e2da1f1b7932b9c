// Package carriers is the contract between the queue and what carries a
// message out of the house: an SMSC over SMPP, a provider over HTTP, or a
// simulator. Each carrier is one folder below this one.
package carriers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/varsel/varsel/smsqueue/smstext"
)

// Carrier takes submissions and answers each of them once. It neither retries
// nor stores: both are the queue's.
type Carrier interface {
	// Submit hands over one part. It returns as soon as the part is accepted
	// for writing and may block while the carrier's own buffer is full;
	// answered is called exactly once, from any goroutine, and must not block.
	Submit(s Submission, answered func(Answer))

	// Limits are those of the share that the carrier was opened with.
	Limits() Limits

	// Close ends the session in order. When it returns, every submission has
	// been answered and no event is sent any more.
	Close() error
}

// Opener starts a carrier from its configuration. It returns an error only for
// a configuration that can never work; a peer that is away or refuses is a
// State, and the carrier goes on trying.
type Opener func(ctx context.Context, config json.RawMessage, setting Setting) (Carrier, error)

// Limits bound what may be under way at once.
type Limits struct {
	Window     int // parts submitted and not answered
	Throughput int // parts a second; 0 is no limit
}

// Submission is one part of a message, as it goes to the carrier, or a whole
// message for a carrier whose Features say so.
type Submission struct {
	MessageID int64
	From      string // alphanumeric, short code, or digits with a leading +
	To        string // E.164, with the leading +
	Text      string // this part's text
	Encoding  smstext.Encoding
	Shift     smstext.Shift // the national tables that Text is written with
	Part      int           // 1 to Parts, or Whole
	Parts     int           // 1 for a message that fits; of a whole one, how many it will make
	Reference uint16        // the same for all parts of one message
	Validity  time.Duration
}

// Whole is the part number of a message that the carrier cuts by itself.
const Whole = 0

// Answer is the carrier's verdict on one submission.
type Answer struct {
	ID  string // the carrier's id of the part, raw; empty unless Err is nil
	Err *Error // nil: the carrier has accepted the part
}

// Kind is what an error means for the message: a closed vocabulary.
type Kind string

const (
	// Throttled: the route is too fast; the same part may go later. Not a failure.
	Throttled Kind = "throttled"
	// Retry: a passing fault and the carrier has not taken the part, or its
	// bytes were never written.
	Retry Kind = "retry"
	// Rejected: this message will never be taken.
	Rejected Kind = "rejected"
	// Misconfigured: nothing will be taken on this route until somebody mends it.
	Misconfigured Kind = "misconfigured"
	// NoAnswer: the bytes were written and no answer came: it may have been taken.
	NoAnswer Kind = "no_answer"
)

// Error is a verdict other than accepted.
type Error struct {
	Kind Kind
	Code string // as the carrier gave it: "0x58", "21610"; empty for a fault of the connection
	Text string // a sentence for people, without secrets and without the message's text
}

func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s: %s", e.Kind, e.Text)
	}
	return fmt.Sprintf("%s: %s (%s)", e.Kind, e.Text, e.Code)
}

// ReceiptState is what a delivery receipt says of a part.
type ReceiptState string

const (
	Enroute     ReceiptState = "enroute" // also scheduled, accepted: not final
	Delivered   ReceiptState = "delivered"
	Undelivered ReceiptState = "undelivered" // also deleted, unknown, skipped
	Expired     ReceiptState = "expired"
	Refused     ReceiptState = "rejected"
)

// Receipt is a delivery receipt as the carrier sent it.
type Receipt struct {
	ID    string // the carrier's id, raw
	Phone string // the handset, digits with a leading +; empty when the carrier does not say
	State ReceiptState
	Code  string    // the carrier's or network's error code, raw; "" or "000" for none
	At    time.Time // done date, else the time of arrival
}

// Status is the state of the link to a carrier.
type Status string

const (
	Connecting Status = "connecting" // also for as long as the peer has asked us to wait, which is no failure
	Bound      Status = "bound"      // at least one bind, or a provider that answers
	Refusing   Status = "refused"    // the peer refuses us: somebody must mend the configuration
	Down       Status = "down"       // not reached; tried again by itself
	Closed     Status = "closed"
)

// State is a Status and, unless Bound, the reason in words.
type State struct {
	Status Status
	Reason string
}

// Events is where a carrier reports what it was not asked for.
type Events struct {
	// Receipt hands over a delivery receipt. The carrier acknowledges it to
	// its peer only when stored is called with nil; with an error it asks the
	// peer to send it again. It may block, which slows the peer down.
	Receipt func(r Receipt, stored func(error))
	// Inbound hands over a message from a handset, or a part of one, in the
	// same way.
	Inbound func(m Inbound, stored func(error))
	// Late tells the answer to a submission, by its MessageID and Part, that had
	// been answered with NoAnswer because it took too long. It comes once, from
	// any goroutine, and must not block; where it is nil such answers are dropped.
	Late func(message int64, part int, a Answer)
	// State is told at every change.
	State func(State)
}
