package smscsim

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
)

// said is a message from a handset, or a part of one, on its way to a client.
type said struct {
	from, to string
	esm      byte
	coding   byte
	octets   []byte // user data, header included
}

var errNobody = errors.New("no client has bound as a receiver or transceiver yet")

// Say sends a text from a handset to every system_id that has bound, or is bound,
// in deliver_sm: in the GSM alphabet if it can be, else in UTF-16, and with a user
// data header of the 8-bit reference, as phones write it, when it takes several.
// from is digits, an international number; to is one too, or a short code.
func (s *Server) Say(from, to, text string) error {
	boxes := s.boxes()
	if len(boxes) == 0 {
		return errNobody
	}
	parts := s.parts(from, to, text)
	for _, box := range boxes {
		for _, part := range parts {
			box.post(part)
		}
	}
	return nil
}

func (s *Server) boxes() []*mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*mailbox
	for _, m := range s.mailboxes {
		all = append(all, m)
	}
	return all
}

func (s *Server) parts(from, to, text string) []*said {
	coding, single, several := byte(0), 160, 153
	units, ok := gsmUnits(text)
	if !ok {
		coding, single, several, units = 8, 140, 134, utf16Units(text)
	}
	whole := joined(units)
	if len(whole) <= single {
		return []*said{{from: from, to: to, coding: coding, octets: whole}}
	}
	pieces := fill(units, several)
	reference := byte(s.references.Add(1))
	var parts []*said
	for i, piece := range pieces {
		header := []byte{5, 0, 3, reference, byte(len(pieces)), byte(i + 1)}
		parts = append(parts, &said{from: from, to: to, esm: esmHeader, coding: coding, octets: append(header, piece...)})
	}
	return parts
}

// gsmUnits are the characters' septets, one to an octet; false when one has none.
func gsmUnits(text string) (units [][]byte, ok bool) {
	for _, r := range text {
		code := gsmCode(r)
		if code == nil {
			return nil, false
		}
		units = append(units, code)
	}
	return units, true
}

func gsmCode(r rune) []byte {
	for c, known := range gsmBasic {
		if r == known && c != gsmEscape {
			return []byte{byte(c)}
		}
	}
	for c, known := range gsmExtension {
		if r == known && c != gsmEscape {
			return []byte{gsmEscape, c}
		}
	}
	return nil
}

func utf16Units(text string) (units [][]byte) {
	for _, r := range text {
		var unit []byte
		for _, u := range utf16.AppendRune(nil, r) {
			unit = binary.BigEndian.AppendUint16(unit, u)
		}
		units = append(units, unit)
	}
	return units
}

func joined(units [][]byte) (octets []byte) {
	for _, u := range units {
		octets = append(octets, u...)
	}
	return octets
}

// fill cuts between characters.
func fill(units [][]byte, most int) (pieces [][]byte) {
	var piece []byte
	for _, u := range units {
		if len(piece)+len(u) > most {
			pieces, piece = append(pieces, piece), nil
		}
		piece = append(piece, u...)
	}
	return append(pieces, piece)
}

// body is the deliver_sm (SMPP 3.4 4.6.1).
func (m *said) body(b []byte) []byte {
	b = append(b, 0) // service_type
	b = appendCString(append(b, 1, 1), m.from)
	b = appendCString(append(b, tonOf(m.to), 1), m.to)
	b = append(b, m.esm, 0, 0)         // protocol_id, priority_flag
	b = append(b, 0, 0)                // schedule_delivery_time, validity_period
	b = append(b, 0, 0, m.coding, 0)   // registered_delivery, replace, sm_default_msg_id
	b = append(b, byte(len(m.octets))) // sm_length
	return append(b, m.octets...)
}

// tonOf takes up to eight digits for a short code: network specific (SMPP 3.4 5.2.5).
func tonOf(number string) byte {
	if len(number) <= 8 {
		return 3
	}
	return 1
}

func (m *said) leaves(c *counters) { c.said.Add(1) }

func (m *said) arrives(c *counters) { c.saidAcks.Add(1) }
