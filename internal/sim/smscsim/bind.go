package smscsim

// bindRequest is the part of a bind PDU that decides (SMPP 3.4 4.1.1, 4.1.3, 4.1.5).
type bindRequest struct {
	systemID, password string
}

// ourSystemID is what the server calls itself in a bind response.
const ourSystemID = "smscsim"

func parseBind(body []byte) (r bindRequest, status uint32, ok bool) {
	f := fields{rest: body}
	r.systemID = string(f.cstring(16, statusSystemID))
	r.password = string(f.cstring(9, statusPassword))
	f.cstring(13, statusSystemType)
	f.octets(3) // interface_version, addr_ton, addr_npi
	f.cstring(41, statusBindFailed)
	return r, f.status, !f.short
}

func (s *session) bind(p pdu) bool {
	request, status, ok := parseBind(p.body)
	if !ok {
		return s.nackLength(p.sequence)
	}
	if status == statusOK {
		status = s.admission(request)
	}
	if status != statusOK {
		s.server.counts.refusedBinds.Add(1)
		s.reply(p, status, refusedBindBody(p.command))
		return true
	}
	s.welcome(p, request.systemID)
	return true
}

func (s *session) admission(r bindRequest) uint32 {
	switch f := s.server.faults.Load(); {
	case f.BindStatus != statusOK:
		return f.BindStatus
	case s.mode != 0:
		return statusAlreadyBound
	case s.server.systemID != "" && r.systemID != s.server.systemID:
		return statusSystemID
	case s.server.password != "" && r.password != s.server.password:
		return statusPassword
	case !s.server.seat(f.Binds):
		return statusBindFailed
	}
	return statusOK
}

// seat counts a connection that is to be bound, unless most are already; 0 is no limit.
func (s *Server) seat(most int) bool {
	if n := s.bound.Add(1); most > 0 && n > int64(most) {
		s.bound.Add(-1)
		return false
	}
	return true
}

func (s *session) welcome(p pdu, systemID string) {
	s.server.counts.binds.Add(1)
	s.mode, s.seated = p.command, true
	s.box = s.server.mailbox(systemID)
	s.reply(p, statusOK, appendTLV(appendCString(nil, ourSystemID), tagInterfaceVersion, []byte{0x34}))
	if s.mode != bindTransmitter {
		s.box.join(s)
	}
	if every := s.server.enquireEvery; every > 0 {
		s.server.clock.after(every, func() { s.enquire(every) })
	}
}

// refusedBindBody: 4.1.2 and 4.1.4 leave the body out of a refusal, 4.1.6 has no such exception.
func refusedBindBody(command uint32) []byte {
	if command == bindTransceiver {
		return appendCString(nil, ourSystemID)
	}
	return nil
}
