package smscsim

import "time"

func (s *session) submit(p pdu) bool {
	s.server.counts.submits.Add(1)
	now := time.Now()
	f := s.server.faults.Load()
	m, status, ok := parseSubmit(p.body)
	if !ok {
		s.server.counts.refused.Add(1)
		return s.nackLength(p.sequence)
	}
	if status = s.verdict(f, m, status, now); status != statusOK {
		s.server.counts.refuse(status)
		s.answer(f, p.sequence, status, nil)
		return true
	}
	s.accept(f, m, p.sequence, now)
	return true
}

// verdict is the status of a submit; parsed is what its fields alone say.
func (s *session) verdict(f *Faults, m submit, parsed uint32, now time.Time) uint32 {
	switch {
	case s.mode != bindTransmitter && s.mode != bindTransceiver:
		return statusBindState
	case parsed != statusOK:
		return parsed
	case f.SubmitStatus != statusOK:
		return f.SubmitStatus
	case f.SubmitStatusFor[string(m.destination.value)] != statusOK:
		return f.SubmitStatusFor[string(m.destination.value)]
	case f.Window > 0 && s.out.owed() >= f.Window:
		return statusThrottled
	case !s.server.throttle.take(f.Throughput, now):
		return statusThrottled
	}
	return statusOK
}

// accept records first and answers after, so that whoever holds the answer finds the record.
func (s *session) accept(f *Faults, m submit, sequence uint32, now time.Time) {
	form, n := formOf(f.IDForm), s.server.ids.Add(1)
	text := s.decoded.read(m.coding, m.text)
	source, destination := string(m.source.value), string(m.destination.value)
	s.server.record.add(source, destination, text, m.part, now)
	s.out.owe()
	accepted := s.server.counts.accepted.Add(1)
	if f.DropEvery > 0 && accepted%int64(f.DropEvery) == 0 {
		s.drop()
	}
	r := receiptFor(f, m, destination)
	if r != nil {
		r.to, r.id, r.text, r.submitted = source, form.receipt(n), excerpt(text), now
	}
	s.settle(f, sequence, form.answer(n), r)
}

// settle sends answer and receipt, either of which there may not be, in the order asked for.
func (s *session) settle(f *Faults, sequence uint32, id string, r *receipt) {
	if f.ReceiptsFirst {
		s.notify(f, r, 0)
	}
	if !f.NeverAnswer {
		s.answer(f, sequence, statusOK, appendCString(nil, id))
	}
	if !f.ReceiptsFirst {
		s.notify(f, r, f.AnswerDelay+spread(f.ReceiptDelay))
	}
}

// answer sends a submit_sm_resp; a refusal has no body (SMPP 3.4 4.4.2).
func (s *session) answer(f *Faults, sequence, status uint32, body []byte) {
	settles := status == statusOK
	if f.AnswerDelay <= 0 {
		s.out.queue(submitSM|responseBit, status, sequence, body, settles)
		return
	}
	s.server.clock.after(f.AnswerDelay, func() {
		s.out.queue(submitSM|responseBit, status, sequence, body, settles)
		s.out.flush()
	})
}

// notify posts a receipt, twice when asked to, after delay.
func (s *session) notify(f *Faults, r *receipt, delay time.Duration) {
	if r == nil {
		return
	}
	box, twice := s.box, f.DuplicateReceipts
	post := func() {
		r.done = time.Now()
		if twice {
			box.post(r, r.duplicate())
			return
		}
		box.post(r)
	}
	if delay <= 0 {
		post()
		return
	}
	s.server.clock.after(delay, post)
}
