package smscsim

import "strings"

// gsmBasic is the default alphabet in code order (3GPP TS 23.038 6.2.1). Code 0x1B leads into
// the extension table and is never shown itself.
var gsmBasic = []rune("@£$¥èéùìòÇ\nØø\rÅå" +
	"Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" +
	" !\"#¤%&'()*+,-./" +
	"0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNO" +
	"PQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmno" +
	"pqrstuvwxyzäöñüà")

// gsmExtension is the default extension table (3GPP TS 23.038 6.2.1.1). An escape after an
// escape shows as a space there.
var gsmExtension = map[byte]rune{
	0x0A: '\f', 0x14: '^', 0x1B: ' ', 0x28: '{', 0x29: '}', 0x2F: '\\',
	0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€',
}

const (
	gsmEscape   = 0x1B
	replacement = '\uFFFD'
)

// decodeGSM7 reads one septet per octet. An octet above 0x7F and an escape with nothing after it
// are mistakes of the sender, and show as U+FFFD so that a test sees them.
func decodeGSM7(octets []byte) string {
	var text strings.Builder
	text.Grow(len(octets))
	for i := 0; i < len(octets); i++ {
		c := octets[i]
		if c == gsmEscape && i+1 < len(octets) {
			i++
			text.WriteRune(gsmExtended(octets[i]))
			continue
		}
		text.WriteRune(gsmPlain(c))
	}
	return text.String()
}

func gsmPlain(c byte) rune {
	if c > 0x7F || c == gsmEscape {
		return replacement
	}
	return gsmBasic[c]
}

// gsmExtended shows an unknown code as its basic character, as a phone does.
func gsmExtended(c byte) rune {
	if r, ok := gsmExtension[c]; ok {
		return r
	}
	return gsmPlain(c)
}
