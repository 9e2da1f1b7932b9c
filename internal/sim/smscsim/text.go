package smscsim

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

// decodeText shows user data as a phone would, by data_coding (SMPP 3.4 5.2.19; 0x10-0x1F and
// 0xF0-0xFF are the message class groups of 3GPP TS 23.038 4). Binary data shows as hex.
func decodeText(coding byte, octets []byte) string {
	switch {
	case coding == 0, coding == 0x10, coding&0xF4 == 0xF0:
		return decodeGSM7(octets)
	case coding == 1:
		return decodeASCII(octets)
	case coding == 3:
		return decodeLatin1(octets)
	case coding == 8, coding == 0x18:
		return decodeUTF16(octets)
	}
	return hex.EncodeToString(octets)
}

func decodeASCII(octets []byte) string {
	var text strings.Builder
	for _, c := range octets {
		if c > 0x7F {
			text.WriteRune(replacement)
			continue
		}
		text.WriteByte(c)
	}
	return text.String()
}

func decodeLatin1(octets []byte) string {
	var text strings.Builder
	for _, c := range octets {
		text.WriteRune(rune(c))
	}
	return text.String()
}

// decodeUTF16 shows half a surrogate pair, or half a code unit, as U+FFFD.
func decodeUTF16(octets []byte) string {
	units := make([]uint16, 0, len(octets)/2)
	for ; len(octets) >= 2; octets = octets[2:] {
		units = append(units, binary.BigEndian.Uint16(octets))
	}
	text := string(utf16.Decode(units))
	if len(octets) == 1 {
		text += string(replacement)
	}
	return text
}

// part says which piece of a concatenated message a submit is; the zero value is a whole message.
type part struct {
	reference    uint16
	total, index byte
}

// valid is false for elements that a receiver has to ignore (3GPP TS 23.040 9.2.3.24.1).
func (p part) valid() bool {
	return p.total > 0 && p.index > 0 && p.index <= p.total
}

// splitHeader takes the user data header off; false when its lengths do not add up
// (3GPP TS 23.040 9.2.3.24).
func splitHeader(octets []byte) (header, text []byte, ok bool) {
	if len(octets) == 0 || int(octets[0]) >= len(octets) {
		return nil, nil, false
	}
	end := 1 + int(octets[0])
	return octets[1:end], octets[end:], true
}

// concatenation finds element 0x00 (8-bit reference) or 0x08 (16-bit reference) in a header;
// other elements are passed over. False when an element runs over the header's end.
func concatenation(header []byte) (part, bool) {
	var found part
	for len(header) > 0 {
		if len(header) < 2 || 2+int(header[1]) > len(header) {
			return part{}, false
		}
		id, data := header[0], header[2:2+int(header[1])]
		header = header[2+len(data):]
		var p part
		switch {
		case id == 0x00 && len(data) == 3:
			p = part{uint16(data[0]), data[1], data[2]}
		case id == 0x08 && len(data) == 4:
			p = part{binary.BigEndian.Uint16(data), data[2], data[3]}
		}
		if p.valid() {
			found = p
		}
	}
	return found, true
}
