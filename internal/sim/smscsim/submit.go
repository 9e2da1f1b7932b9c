package smscsim

import "encoding/binary"

// submit is a submit_sm as far as this server cares (SMPP 3.4 4.4.1). Its slices point into the
// read buffer.
type submit struct {
	source, destination address
	registered          byte // registered_delivery
	coding              byte // data_coding
	part                part
	text                []byte // user data without its header
}

type address struct {
	ton, npi byte
	value    []byte
}

const (
	esmHeader       = 0x40 // user data header present, SMPP 3.4 5.2.12
	maxShortMessage = 254  // SMPP 3.4 5.2.21
)

// parseSubmit returns the status of the first field that breaks its rule. ok is false when the
// body ends too early to be a submit_sm at all.
func parseSubmit(body []byte) (m submit, status uint32, ok bool) {
	f := fields{rest: body}
	f.cstring(6, statusServiceType)
	m.source = f.address(statusSource)
	m.destination = f.address(statusDestination)
	esm := f.octet()
	f.octets(2) // protocol_id, priority_flag
	f.cstring(17, statusSchedule)
	f.cstring(17, statusExpiry)
	m.registered = f.octet()
	f.octet() // replace_if_present_flag
	m.coding = f.octet()
	f.octet() // sm_default_msg_id
	length := int(f.octet())
	m.text = f.octets(length)
	if f.short {
		return submit{}, statusOK, false
	}
	if length > maxShortMessage {
		f.fault(statusMessageLength)
	}
	if !digits(m.destination.value) {
		f.fault(statusDestination)
	}
	f.submitOptions(&m)
	if esm&esmHeader != 0 {
		f.userDataHeader(&m)
	}
	return m, f.status, true
}

func (f *fields) address(status uint32) address {
	return address{ton: f.octet(), npi: f.octet(), value: f.cstring(21, status)}
}

func (f *fields) submitOptions(m *submit) {
	var sar part
	for {
		tag, value, ok := f.tlv()
		if !ok {
			break
		}
		switch tag {
		case tagMessagePayload:
			f.payload(m, value)
		case tagSarReference:
			if len(value) != 2 {
				f.fault(statusTagLength)
				continue
			}
			sar.reference = binary.BigEndian.Uint16(value)
		case tagSarTotal:
			sar.total = f.single(value)
		case tagSarSequence:
			sar.index = f.single(value)
		}
	}
	if sar.valid() {
		m.part = sar
	}
}

// payload replaces short_message; using both is forbidden (SMPP 3.4 5.3.2.32).
func (f *fields) payload(m *submit, value []byte) {
	if len(m.text) > 0 {
		f.fault(statusTagNotAllowed)
		return
	}
	m.text = value
}

func (f *fields) single(value []byte) byte {
	if len(value) != 1 {
		f.fault(statusTagLength)
		return 0
	}
	return value[0]
}

func (f *fields) userDataHeader(m *submit) {
	header, text, ok := splitHeader(m.text)
	if !ok {
		f.fault(statusEsmClass)
		return
	}
	p, ok := concatenation(header)
	if !ok {
		f.fault(statusEsmClass)
		return
	}
	m.text = text
	if p.valid() {
		m.part = p
	}
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}
