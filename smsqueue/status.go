package smsqueue

import "slices"

// Status is where a message is. Each has one meaning:
type Status string

const (
	Queued      Status = "queued"      // accepted, not yet claimed for a carrier
	Sending     Status = "sending"     // claimed; it may be on its way to the carrier
	Sent        Status = "sent"        // the carrier has accepted every part
	Unconfirmed Status = "unconfirmed" // written to the carrier, and no answer came
	Delivered   Status = "delivered"   // the handset has it, the receipt says
	Undelivered Status = "undelivered" // the carrier gave up, the receipt says
	Expired     Status = "expired"     // its deadline passed before anything final was known
	Rejected    Status = "rejected"    // the carrier refused it
	Failed      Status = "failed"      // not sent, or not all of its parts, after all tries
	Cancelled   Status = "cancelled"   // stopped by a user before it was sent
	Skipped     Status = "skipped"     // never sent, for the reason given
)

// Statuses lists all of them in the order of a message's life.
var Statuses = []Status{Queued, Sending, Sent, Unconfirmed, Delivered, Undelivered, Expired, Rejected, Failed, Cancelled, Skipped}

// transitions says where a message may go from where it is. Delivered beats
// all, and nothing leaves it. A receipt that comes before the answer moves a
// message that is still sending, and the answer then changes nothing.
var transitions = map[Status][]Status{
	Queued:      {Sending, Expired, Failed, Cancelled, Skipped},
	Sending:     {Queued, Sent, Unconfirmed, Delivered, Undelivered, Expired, Rejected, Failed},
	Sent:        {Delivered, Undelivered, Expired},
	Unconfirmed: {Queued, Sent, Delivered, Undelivered, Expired, Rejected},
	Undelivered: {Delivered},
	Expired:     {Delivered, Undelivered},
}

// May says whether a message may go from one status to the other.
func (s Status) May(to Status) bool { return slices.Contains(transitions[s], to) }

// Open says that something is still to come.
func (s Status) Open() bool {
	return s == Queued || s == Sending || s == Sent || s == Unconfirmed
}

// Money says what became of the amount reserved for a message. It is settled once.
type Money string

const (
	Reserved Money = "reserved"
	Charged  Money = "charged"
	Released Money = "released"
)

// settle is what a move does to a reservation: charged when the carrier is
// known to have accepted the message, released when it ends without that.
func settle(from, to Status) Money {
	switch to {
	case Sent, Delivered, Undelivered:
		return Charged
	case Rejected, Failed, Cancelled, Skipped:
		return Released
	case Expired:
		if from == Sent {
			return Charged
		}
		return Released
	}
	return Reserved
}

// Lane is how a message travels: its place in the queue, and what happens when
// nobody knows whether the carrier took it.
type Lane string

const (
	Urgent Lane = "urgent" // overtakes the others; at least once
	Normal Lane = "normal" // at least once: sent again, marked possible_duplicate
	Bulk   Lane = "bulk"   // at most once: left unconfirmed
)

// Lanes lists them, the most urgent first.
var Lanes = []Lane{Urgent, Normal, Bulk}

// unanswered is where the lane's policy puts a message that may or may not
// have been taken.
func (l Lane) unanswered() Status {
	if l == Bulk {
		return Unconfirmed
	}
	return Queued
}
