package smstext

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// EncodeGSM7 writes text in the GSM alphabet, one septet to an octet, as SMPP
// carries it. The error names the first character that is not in the alphabet
// by its code point, never the text.
func EncodeGSM7(text string) ([]byte, error) { return Shift{}.Encode(text) }

// DecodeGSM7 reads what EncodeGSM7 writes. As a handset does, it shows a code
// missing from the extension table as that of the basic table, and an escape
// that introduces nothing, or another escape, as a space
// (3GPP TS 23.038 6.2.1.1). Only an octet above 0x7F is an error.
func DecodeGSM7(septets []byte) (string, error) { return Shift{}.Decode(septets) }

// Encode is EncodeGSM7 with the tables of the shift.
func (s Shift) Encode(text string) ([]byte, error) {
	out := make([]byte, 0, len(text))
	for i, r := range text {
		switch c := s.code(r); {
		case c == absent:
			return nil, fmt.Errorf("character %U at byte %d is not in the GSM alphabet", r, i)
		case c&extended != 0:
			out = append(out, escape, c&^extended)
		default:
			out = append(out, c)
		}
	}
	return out, nil
}

// Decode is DecodeGSM7 with the tables of the shift. A code that a locking
// table leaves open is shown as a space.
func (s Shift) Decode(septets []byte) (string, error) {
	locking, single := s.locking(), s.single()
	out := make([]byte, 0, len(septets))
	for i := 0; i < len(septets); i++ {
		c := septets[i]
		if c > 0x7F {
			return "", fmt.Errorf("octet %#x at %d is not a septet", c, i)
		}
		r := locking.characters[c]
		if c == escape && i+1 < len(septets) && septets[i+1] <= 0x7F {
			i++
			r = cmp.Or(single.characters[septets[i]], locking.characters[septets[i]])
		}
		out = utf8.AppendRune(out, cmp.Or(r, ' '))
	}
	return string(out), nil
}

// EncodeUCS2 writes text as UTF-16 in big-endian order. What is not valid
// UTF-8 becomes U+FFFD.
func EncodeUCS2(text string) []byte {
	out := make([]byte, 0, 2*len(text))
	for _, r := range text {
		if utf16Units(r) == 2 {
			high, low := utf16.EncodeRune(r)
			out = binary.BigEndian.AppendUint16(out, uint16(high))
			r = low
		}
		out = binary.BigEndian.AppendUint16(out, uint16(r))
	}
	return out
}

// DecodeUCS2 reads UTF-16 in big-endian order; half a surrogate pair becomes
// U+FFFD. An odd number of octets is an error.
func DecodeUCS2(octets []byte) (string, error) {
	if len(octets)%2 != 0 {
		return "", fmt.Errorf("%d octets are not a whole number of UTF-16 units", len(octets))
	}
	out := make([]byte, 0, len(octets))
	for len(octets) > 0 {
		r := rune(binary.BigEndian.Uint16(octets))
		octets = octets[2:]
		if utf16.IsSurrogate(r) {
			r, octets = joinPair(r, octets)
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), nil
}

// joinPair completes a surrogate pair, or leaves the octets as they are.
func joinPair(high rune, octets []byte) (rune, []byte) {
	if len(octets) == 0 {
		return utf8.RuneError, octets
	}
	r := utf16.DecodeRune(high, rune(binary.BigEndian.Uint16(octets)))
	if r == utf8.RuneError {
		return r, octets
	}
	return r, octets[2:]
}
