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

// reading is what the reader has gathered from the octets at hand. Answers go
// before deliveries: a receipt is cheaper to store when its part is known.
type reading struct {
	answers    []answer
	deliveries []handedOver
}

// answer is a submit_sm_resp or a generic_nack.
type answer struct {
	sequence int32
	status   status
	id       string
	packet   *packet
	late     *late
}

// handedOver is a delivery as the queue gets it.
type handedOver struct {
	receipt carriers.Receipt
	inbound carriers.Inbound
	arrival *arrival // of inbound; nil for a receipt
	stored  func(error)
}

// read takes in what the peer sends until the connection ends.
func (s *session) read() {
	defer close(s.readDone)
	for {
		if !s.in.more() {
			s.conclude()
			s.awaitBacklog()
		}
		f, err := s.in.next()
		if err == nil {
			s.said.Store(true)
			err = s.take(f)
		}
		if errors.Is(err, errLength) {
			s.send(header(data.GENERIC_NACK, data.ESME_RINVCMDLEN, f.sequence))
		}
		if err != nil {
			s.conclude() // what was said before counts
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
	switch f.command {
	case data.SUBMIT_SM_RESP:
		a := answer{sequence: f.sequence, status: f.status}
		if f.status == data.ESME_ROK {
			a.id = f.cString()
		}
		s.gathered.answers = append(s.gathered.answers, a)
		return nil
	case data.DELIVER_SM, dataSM:
		s.deliver(f)
		return nil
	}
	s.conclude()
	switch f.command {
	case data.GENERIC_NACK:
		return s.nacked(f)
	case data.ENQUIRE_LINK:
		s.send(header(data.ENQUIRE_LINK_RESP, data.ESME_ROK, f.sequence))
	case data.UNBIND:
		s.send(header(data.UNBIND_RESP, data.ESME_ROK, f.sequence))
		s.end(ending{why: errors.New("the peer ended the session"), grace: s.carrier.pace.lastAnswer})
	case data.UNBIND_RESP:
		s.tellUnbound()
	case data.ENQUIRE_LINK_RESP:
		s.prove()
	case data.ALERT_NOTIFICATION, data.OUTBIND: // we are bound, and neither has an answer
	default:
		s.refuseCommand(f)
	}
	return nil
}

// prove notes that the session is of use.
func (s *session) prove() {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.useful = true
}

func (s *session) send(p *packet) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.post(p)
}

func (s *session) tellUnbound() {
	select {
	case s.unbound <- struct{}{}:
	default:
	}
}

// refuseCommand leaves an unknown response alone: only requests are answered.
func (s *session) refuseCommand(f frame) {
	if f.command >= 0 {
		s.send(header(data.GENERIC_NACK, data.ESME_RINVCMDID, f.sequence))
	}
}

// conclude passes on what was gathered.
func (s *session) conclude() {
	if len(s.gathered.answers) > 0 {
		s.find(s.gathered.answers)
		for _, a := range s.gathered.answers {
			s.pass(a)
		}
		clear(s.gathered.answers)
		s.gathered.answers = s.gathered.answers[:0]
	}
	if len(s.gathered.deliveries) > 0 {
		s.stopClock()
		for _, d := range s.gathered.deliveries {
			s.handOver(d)
		}
		s.goOn()
		clear(s.gathered.deliveries)
		s.gathered.deliveries = s.gathered.deliveries[:0]
	}
}

// find looks up what was asked.
func (s *session) find(answers []answer) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	s.useful = true
	places := 0
	for i := range answers {
		a := &answers[i]
		if a.packet = s.settle(a.sequence); a.packet != nil {
			places++
		} else {
			a.late = s.takeLate(a.sequence)
		}
	}
	s.wakeSubmitters(places)
}

// pass hands a verdict on. An answer that comes twice is for a submission that
// has been answered already.
func (s *session) pass(a answer) {
	verdict := carriers.Answer{ID: a.id}
	if a.status != data.ESME_ROK {
		verdict = carriers.Answer{Err: s.carrier.verdictOf(a.status)}
	}
	switch {
	case a.packet != nil:
		a.packet.answer(verdict)
	case a.late != nil:
		s.carrier.tellLate(a.late, verdict)
	default:
		s.carrier.log.Debug("answer to no request", "status", code(a.status))
		return
	}
	if needsRebind(a.status) {
		s.end(ending{
			why:    down("%s wants a new bind (%s)", s.addr, code(a.status)),
			grace:  s.carrier.pace.lastAnswer,
			unbind: true,
		})
	}
}

// nacked is the refusal of a request by its header. One that belongs to none
// of ours means that the two sides do not understand each other any more.
func (s *session) nacked(f frame) error {
	one := []answer{{sequence: f.sequence, status: f.status}}
	s.find(one)
	refusal := carriers.Answer{Err: s.carrier.verdictOf(f.status)}
	switch {
	case one[0].packet != nil:
		one[0].packet.answer(refusal)
	case one[0].late != nil:
		s.carrier.tellLate(one[0].late, refusal)
	case s.asked(f.sequence): // a peer without enquire_link lives, too
	default:
		return down("%s sent a generic_nack (%s) for nothing we sent", s.addr, code(f.status))
	}
	return nil
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

// deliver reads what the carrier brings. It is acknowledged once it is stored.
func (s *session) deliver(f frame) {
	now := time.Now()
	d, err := parseDelivery(f)
	h := handedOver{stored: s.acknowledging(f)}
	switch {
	case err == nil && d.isReceipt():
		h.receipt, err = d.receipt(now)
	case err == nil && s.carrier.events.Inbound == nil:
		s.carrier.log.Info("inbound message dropped")
		s.respond(f.command, data.ESME_ROK, f.sequence)
		return
	case err == nil:
		h.inbound = d.inbound(&s.carrier.config, now)
		what := content{h.inbound.From, h.inbound.To, h.inbound.Text, d.udh}
		h.arrival = s.carrier.arrivals.take(what, s, f.sequence, now)
		h.inbound.ID = h.arrival.id
	}
	if err != nil {
		s.carrier.log.Warn("delivery not understood", "error", err)
		s.respond(f.command, data.ESME_RX_P_APPN, f.sequence)
		return
	}
	s.gathered.deliveries = append(s.gathered.deliveries, h)
}

// handOver gives a delivery to the queue.
func (s *session) handOver(d handedOver) {
	if d.arrival == nil {
		s.carrier.events.Receipt(d.receipt, d.stored)
		return
	}
	s.carrier.events.Inbound(d.inbound, func(err error) {
		s.carrier.arrivals.settle(d.arrival, err, time.Now())
		d.stored(err)
	})
}

// acknowledging is what answers a delivery, once, when it is stored or is not.
func (s *session) acknowledging(f frame) func(error) {
	command, sequence := f.command, f.sequence
	var once sync.Once
	return func(err error) {
		once.Do(func() {
			if err != nil {
				s.respond(command, data.ESME_RX_T_APPN, sequence)
				return
			}
			s.respond(command, data.ESME_ROK, sequence)
		})
	}
}

func (s *session) respond(command data.CommandIDType, st status, sequence int32) {
	p := newPacket()
	p.bytes = deliveryResponse(p.bytes, command, st, sequence)
	s.send(p)
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
