// Package carriertest is what every carrier must do, whatever it speaks: the
// queue relies on it.
package carriertest

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// Subject is a carrier with what stands at its other end, fresh for each test.
type Subject struct {
	// Open starts the carrier against a peer in good health that accepts every
	// part and sends a receipt for each.
	Open func(t *testing.T, events carriers.Events) carriers.Carrier

	// Mute keeps the peer from answering submissions, and Received is how many
	// it has got; nil when there is no peer.
	Mute     func()
	Received func() int
	// DropLinks breaks every link at once; nil when there is none to break.
	DropLinks func()
	// OpenRefused starts the carrier against a peer that refuses it, at once or
	// when it is given a message; nil when nothing can refuse it.
	OpenRefused func(t *testing.T, events carriers.Events) carriers.Carrier
	// Acknowledged is how many receipts the peer knows to be stored.
	Acknowledged func() int

	// Secret is what must never be seen; empty when the configuration has none.
	Secret string
}

// Run puts the carrier through the table. prepare makes a fresh Subject.
// Not for parallel use: it listens to the standard logger.
func Run(t *testing.T, prepare func(t *testing.T) Subject) {
	subject := prepare(t)
	tests := []struct {
		name    string
		applies bool
		run     func(*bench)
	}{
		{"every submission is answered once", true, answersOnce},
		{"closing answers what is under way", true, answersUnderClose},
		{"closing answers what the peer left open", subject.Mute != nil, answersWhatPeerLeftOpen},
		{"dropped links answer what is under way", subject.DropLinks != nil, answersUnderDroppedLinks},
		{"a closed carrier takes nothing", true, takesNothingWhenClosed},
		{"a receipt is acknowledged when it is stored", true, acknowledgesWhenStored},
		{"a receipt that is not stored comes again", true, asksForReceiptAgain},
		{"states are told at every change", true, tellsStates},
		{"a refusal is told with its reason", subject.OpenRefused != nil, tellsRefusal},
	}
	for _, tt := range tests {
		if !tt.applies {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, prepare(t))
			tt.run(b)
			b.close()
			b.check()
		})
	}
}

const crowd = 300 // parts under way in one test

func answersOnce(b *bench) {
	b.open()
	for n := range crowd {
		b.submit(part(n))
	}
	b.until("every submission is answered", func() bool { return b.answered() == crowd })
	for n, a := range b.answers() {
		if a.Err != nil || a.ID == "" {
			b.t.Errorf("submission %d: %+v; want an id", n, a)
		}
	}
	b.until("every part has its receipt", func() bool { return len(b.receipts()) == crowd })
	if diff := cmp.Diff(ids(b.answers()), receiptIDs(b.receipts())); diff != "" {
		b.t.Errorf("receipts are for other ids than the answers gave:\n%s", diff)
	}
}

func answersUnderClose(b *bench) {
	b.open()
	var submitters sync.WaitGroup
	for range 4 {
		submitters.Go(func() {
			for n := range crowd {
				b.submit(part(n))
			}
		})
	}
	b.until("some are answered", func() bool { return b.answered() > crowd })
	handedOver := b.handedOver()
	b.close()
	if open := b.unanswered(handedOver); len(open) > 0 {
		b.t.Errorf("%d submissions were not answered when Close returned", len(open))
	}
	submitters.Wait()
	b.until("every submission is answered", func() bool { return b.answered() == 4*crowd })
	b.onlyKinds("", carriers.Retry, carriers.NoAnswer)
}

func answersWhatPeerLeftOpen(b *bench) {
	b.Mute()
	b.open()
	n := min(crowd, b.carrier.Limits().Window)
	for i := range n {
		b.submit(part(i))
	}
	b.until("the peer has every part", func() bool { return b.Received() == n })
	b.close()
	if b.answered() != n {
		b.t.Errorf("%d of %d submissions were answered when Close returned", b.answered(), n)
	}
	b.onlyKinds(carriers.NoAnswer)
}

func answersUnderDroppedLinks(b *bench) {
	b.open()
	var enough atomic.Bool
	defer enough.Store(true)
	var submitters sync.WaitGroup
	for range 4 {
		submitters.Go(func() {
			for n := 0; !enough.Load(); n++ {
				b.submit(part(n))
				for !b.isBound() && !enough.Load() {
					runtime.Gosched()
				}
			}
		})
	}
	for range 3 {
		before := b.accepted()
		b.until("some more are accepted", func() bool { return b.accepted() > before+crowd })
		b.DropLinks()
	}
	enough.Store(true)
	submitters.Wait()
	b.until("every submission is answered", func() bool { return len(b.unanswered(b.handedOver())) == 0 })
	b.onlyKinds("", carriers.Retry, carriers.NoAnswer)
}

func takesNothingWhenClosed(b *bench) {
	b.open()
	b.close()
	b.submit(part(0))
	b.until("it is answered", func() bool { return b.answered() == 1 })
	b.onlyKinds(carriers.Retry)
	if err := b.carrier.Close(); err != nil {
		b.t.Errorf("closing again: %v", err)
	}
}

func acknowledgesWhenStored(b *bench) {
	b.holdReceipts()
	b.open()
	b.submit(part(0))
	b.submit(part(1))
	b.until("both receipts are here", func() bool { return len(b.receipts()) == 2 })
	b.stored(1, nil)
	b.until("the stored one is acknowledged", func() bool { return b.Acknowledged() > 0 })
	if n := b.Acknowledged(); n != 1 {
		b.t.Errorf("%d receipts are acknowledged, one is stored", n)
	}
	b.stored(1, nil) // once more changes nothing
	b.stored(0, nil)
	b.until("the other is acknowledged, too", func() bool { return b.Acknowledged() == 2 })
}

func asksForReceiptAgain(b *bench) {
	b.holdReceipts()
	b.open()
	b.submit(part(0))
	b.until("the receipt is here", func() bool { return len(b.receipts()) == 1 })
	b.stored(0, errors.New("the database is away"))
	b.until("it comes again", func() bool { return len(b.receipts()) == 2 })
	if n := b.Acknowledged(); n != 0 {
		b.t.Errorf("%d receipts are acknowledged, none is stored", n)
	}
	if all := b.receipts(); all[0].ID != all[1].ID {
		b.t.Errorf("%s came instead of %s", all[1].ID, all[0].ID)
	}
	b.stored(1, nil)
	b.until("it is acknowledged", func() bool { return b.Acknowledged() == 1 })
}

func tellsStates(b *bench) {
	b.open()
	b.close()
	states := b.states()
	if last := states[len(states)-1].Status; last != carriers.Closed {
		b.t.Errorf("the last state is %s", last)
	}
	for i, s := range states {
		if i > 0 && s == states[i-1] {
			b.t.Errorf("%+v was told twice", s)
		}
		if s.Status != carriers.Bound && s.Reason == "" {
			b.t.Errorf("%s has no reason", s.Status)
		}
	}
}

func tellsRefusal(b *bench) {
	b.start(b.OpenRefused)
	b.submit(part(0))
	b.until("the refusal is told", func() bool {
		return slices.ContainsFunc(b.states(), func(s carriers.State) bool { return s.Status == carriers.Refusing })
	})
	b.submit(part(1))
	b.until("both submissions are answered", func() bool { return b.answered() == 2 })
	b.onlyKinds(carriers.Retry, carriers.Misconfigured)
}

// What must not be seen of a message.
const (
	numbers     = "+479"
	latinText   = "Hello [you]"
	unicodeText = "Привет"
)

// part is one of a crowd: to its own number, some of them in several parts.
func part(n int) carriers.Submission {
	s := carriers.Submission{
		MessageID: int64(n) + 1,
		From:      "ACME",
		To:        fmt.Sprintf(numbers+"%07d", n),
		Text:      latinText,
		Encoding:  smstext.GSM7,
		Part:      1,
		Parts:     1,
	}
	if n%3 == 1 {
		s.Text, s.Encoding = unicodeText, smstext.UCS2
	}
	if n%3 == 2 {
		s.Parts, s.Reference = 2, uint16(n)
	}
	return s
}

func ids(answers []carriers.Answer) []string {
	var ids []string
	for _, a := range answers {
		ids = append(ids, a.ID)
	}
	slices.Sort(ids)
	return ids
}

func receiptIDs(receipts []carriers.Receipt) []string {
	var ids []string
	for _, r := range receipts {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}
