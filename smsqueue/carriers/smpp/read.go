package smpp

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// backlogMost is how many packets may wait to be written before reading stops:
// a peer that asks and does not read the answers must not fill the memory.
const backlogMost = 10_000

// read takes in what the peer sends until the connection ends.
func (s *session) read() {
	defer close(s.readDone)
	for {
		s.awaitBacklog()
		f, err := s.in.next()
		if err == nil {
			err = s.take(f)
		}
		if errors.Is(err, errLength) {
			s.send(header(data.GENERIC_NACK, data.ESME_RINVCMDLEN, f.SequenceNumber))
		}
		if err != nil {
			s.end(ending{why: broken(err)})
			return
		}
	}
}

func broken(err error) error {
	var told downError
	switch {
	case errors.As(err, &told), errors.Is(err, errLength):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the peer closed the connection")
	}
	return fmt.Errorf("the connection broke: %w", plain(err))
}

func (s *session) awaitBacklog() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	for len(s.outbox) > backlogMost && !s.closed {
		s.changed.Wait()
	}
}

// take deals with one PDU; an error is the end of the session.
func (s *session) take(f frame) error {
	s.hear()
	switch f.CommandID {
	case data.SUBMIT_SM_RESP:
		s.answer(f)
	case data.DELIVER_SM:
		s.deliver(f)
	case data.GENERIC_NACK:
		return s.nacked(f)
	case data.ENQUIRE_LINK:
		s.send(header(data.ENQUIRE_LINK_RESP, data.ESME_ROK, f.SequenceNumber))
	case data.UNBIND:
		s.send(header(data.UNBIND_RESP, data.ESME_ROK, f.SequenceNumber))
		s.end(ending{why: errors.New("the peer ended the session"), grace: s.carrier.pace.lastAnswer})
	case data.UNBIND_RESP:
		s.tellUnbound()
	case data.ENQUIRE_LINK_RESP:
		s.prove()
	case data.ALERT_NOTIFICATION, data.OUTBIND:
	default:
		s.refuseCommand(f)
	}
	return nil
}

// hear notes a sign of life.
func (s *session) hear() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.heard = s.listening.now()
}

// prove notes that the session is of use.
func (s *session) prove() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.useful = true
}

func (s *session) send(bytes []byte) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.post(packet{bytes: bytes})
}

func (s *session) tellUnbound() {
	select {
	case s.unbound <- struct{}{}:
	default:
	}
}

// refuseCommand leaves an unknown response alone: only requests are answered.
func (s *session) refuseCommand(f frame) {
	if f.CommandID >= 0 {
		s.send(header(data.GENERIC_NACK, data.ESME_RINVCMDID, f.SequenceNumber))
	}
}

// answer passes a verdict on. An answer that comes late or twice is for a
// request that has been answered already.
func (s *session) answer(f frame) {
	r := s.requestOf(f)
	if r == nil {
		s.carrier.log.Debug("answer to no request", "status", code(f.CommandStatus))
		return
	}
	if f.CommandStatus == data.ESME_ROK {
		r.answered(carriers.Answer{ID: f.cString()})
		return
	}
	r.answered(carriers.Answer{Err: verdictOf(f.CommandStatus)})
	if needsRebind(f.CommandStatus) {
		s.end(ending{
			why:    down("%s wants a new bind (%s)", s.carrier.config.Addr, code(f.CommandStatus)),
			grace:  s.carrier.pace.lastAnswer,
			unbind: true,
		})
	}
}

func (s *session) requestOf(f frame) *request {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.useful = true
	return s.settle(f.SequenceNumber)
}

// nacked is the refusal of a request by its header. One that belongs to none
// of ours means that the two sides do not understand each other any more.
func (s *session) nacked(f frame) error {
	if r := s.requestOf(f); r != nil {
		r.answered(carriers.Answer{Err: verdictOf(f.CommandStatus)})
		return nil
	}
	if s.asked(f.SequenceNumber) { // a peer without enquire_link lives, too
		return nil
	}
	return down("%s sent a generic_nack (%s) for nothing we sent", s.carrier.config.Addr, code(f.CommandStatus))
}

// asked tells whether a sequence number is that of our enquire_link or unbind.
func (s *session) asked(sequence int32) bool {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	if sequence == s.unbind {
		s.tellUnbound()
	}
	return sequence != 0 && (sequence == s.enquiry || sequence == s.unbind)
}

// deliver hands a receipt over and acknowledges it once it is stored. What
// phones send is not taken yet: it is acknowledged and dropped.
func (s *session) deliver(f frame) {
	r, err := receiptIn(f.bytes, time.Now())
	switch {
	case err == nil:
		s.handOver(r, f.SequenceNumber)
	case errors.Is(err, errNoReceipt):
		s.carrier.log.Info("inbound message dropped")
		s.send(deliverResponse(data.ESME_ROK, f.SequenceNumber))
	default:
		s.carrier.log.Warn("receipt not understood", "error", err)
		s.send(deliverResponse(data.ESME_RX_P_APPN, f.SequenceNumber))
	}
}

func (s *session) handOver(r carriers.Receipt, sequence int32) {
	s.stopClock()
	defer s.goOn()
	var once sync.Once
	s.carrier.events.Receipt(r, func(err error) {
		once.Do(func() { s.acknowledge(sequence, err) })
	})
}

func (s *session) acknowledge(sequence int32, err error) {
	status := data.ESME_ROK
	if err != nil {
		status = data.ESME_RX_T_APPN
	}
	s.send(deliverResponse(status, sequence))
}

func (s *session) stopClock() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.useful = true
	s.listening.pause()
}

func (s *session) goOn() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.listening.resume()
}
