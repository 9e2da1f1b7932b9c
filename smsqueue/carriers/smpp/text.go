package smpp

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
)

const userData = 140 // octets in a short message, packed

// encode writes a text with the data_coding that tells how. The octets go as
// they are: one septet of GSM-7 to an octet, unpacked.
func (c *config) encode(s carriers.Submission, how joining) (text []byte, coding byte, err error) {
	room := userData - how.taken
	switch s.Encoding {
	case smstext.UCS2:
		text, coding = smstext.EncodeUCS2(s.Text), byte(c.UCS2Coding)
	case smstext.GSM7:
		if c.DefaultAlphabet != gsm7Alphabet {
			return c.encodeOctets(s, how)
		}
		if text, err = s.Shift.Encode(s.Text); err != nil {
			return nil, 0, err
		}
		coding, room = byte(c.GSM7Coding), room*8/7
	default:
		return nil, 0, fmt.Errorf("encoding %q is not known", s.Encoding)
	}
	if len(text) > room && !how.payload {
		return nil, 0, fmt.Errorf("a text of %d octets is more than the %d of one part", len(text), room)
	}
	return text, coding, nil
}

// encodeOctets writes a text for a carrier whose default alphabet has one octet
// for each character. Texts with others (in Latin-1 the euro and the Greek
// capitals, in ASCII also the letters with marks) are cut as UCS-2; one that was cut
// before the carrier's alphabet was changed goes in UCS-2 if it is short enough.
func (c *config) encodeOctets(s carriers.Submission, how joining) (text []byte, coding byte, err error) {
	room := userData - how.taken
	text, missing := octetsUpTo(highest[c.DefaultAlphabet], s.Text)
	if missing == 0 {
		if len(text) > room*8/7 && !how.payload {
			return nil, 0, fmt.Errorf("a text of %d octets is more than the %d of one part", len(text), room*8/7)
		}
		return text, byte(c.GSM7Coding), nil
	}
	if text = smstext.EncodeUCS2(s.Text); len(text) > room && !how.payload {
		return nil, 0, fmt.Errorf("%U is not in the carrier's alphabet (%s), and in UCS-2 the text is too long for one part", missing, c.DefaultAlphabet)
	}
	return text, byte(c.UCS2Coding), nil
}

// octetsUpTo writes each character as the octet of its number. missing is the
// first one with a number above last, or 0.
func octetsUpTo(last rune, text string) (octets []byte, missing rune) {
	octets = make([]byte, 0, len(text))
	for _, r := range text {
		if r > last {
			return nil, r
		}
		octets = append(octets, byte(r))
	}
	return octets, 0
}

// decode reads what a handset wrote, by data_coding (SMPP 3.4 5.2.19 and, for
// those with a message class, 3GPP TS 23.038 4). What is no text, or in an
// alphabet that is not known here, is shown in hex: nothing is lost.
func (c *config) decode(coding byte, shift smstext.Shift, octets []byte) string {
	switch {
	case int(coding) == c.UCS2Coding, coding == 8, coding&0xFC == 0x18:
		return decodeUTF16(octets)
	case int(coding) == c.GSM7Coding, coding == 0:
		return c.decodeDefault(shift, octets)
	case coding&0xFC == 0x10, coding&0xF4 == 0xF0: // with a message class
		return decodeSeptets(shift, octets)
	case coding == 1, coding == 3:
		return decodeLatin1(octets) // ASCII is its first half
	}
	return hex.EncodeToString(octets)
}

func (c *config) decodeDefault(shift smstext.Shift, octets []byte) string {
	if c.DefaultAlphabet == gsm7Alphabet {
		return decodeSeptets(shift, octets)
	}
	return decodeLatin1(octets)
}

// decodeSeptets takes octets that no septet has for Latin-1: such a carrier's
// default alphabet is not what it says.
func decodeSeptets(shift smstext.Shift, octets []byte) string {
	text, err := shift.Decode(octets)
	if err != nil {
		return decodeLatin1(octets)
	}
	return text
}

func decodeLatin1(octets []byte) string {
	var text strings.Builder
	text.Grow(len(octets))
	for _, c := range octets {
		text.WriteRune(rune(c))
	}
	return text.String()
}

// decodeUTF16 shows half a unit at the end as U+FFFD.
func decodeUTF16(octets []byte) string {
	units := make([]uint16, 0, len(octets)/2+1)
	for ; len(octets) >= 2; octets = octets[2:] {
		units = append(units, binary.BigEndian.Uint16(octets))
	}
	if len(octets) > 0 {
		units = append(units, utf8.RuneError)
	}
	return string(utf16.Decode(units))
}
