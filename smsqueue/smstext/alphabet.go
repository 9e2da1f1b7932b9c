package smstext

// escape announces a character of the extension table.
const escape = 0x1B

// basic is the GSM 7 bit default alphabet in the order of its codes
// (3GPP TS 23.038 6.2.1); the place of the escape holds a space, which is what
// a handset shows for an escape that introduces nothing.
var basic = [128]rune([]rune("" +
	"@£$¥èéùìòÇ\nØø\rÅå" +
	"Δ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ" +
	" !\"#¤%&'()*+,-./" +
	"0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNO" +
	"PQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmno" +
	"pqrstuvwxyzäöñüà"))

// extension holds the characters sent as a pair of escape and code
// (3GPP TS 23.038 6.2.1.1).
var extension = map[byte]rune{
	0x0A: '\f',
	0x14: '^',
	0x28: '{',
	0x29: '}',
	0x2F: '\\',
	0x3C: '[',
	0x3D: '~',
	0x3E: ']',
	0x40: '|',
	0x65: euro,
}

const (
	euro = '€'

	// Everything in both tables but the euro sign stands below this.
	tableEnd = 'Ω' + 1

	absent   = 0xFF
	extended = 0x80 // set on codes of the extension table
)

// codes is the way back: the code of a character.
var codes = invert()

func invert() (codes [tableEnd]byte) {
	for i := range codes {
		codes[i] = absent
	}
	for code, r := range basic {
		if code != escape {
			codes[r] = byte(code)
		}
	}
	for code, r := range extension {
		if r != euro {
			codes[r] = code | extended
		}
	}
	return codes
}

func codeOf(r rune) byte {
	switch {
	case r >= 0 && r < tableEnd:
		return codes[r]
	case r == euro:
		return 0x65 | extended
	}
	return absent
}

// septetsOf is 1, or 2 for an escape pair, or 0 for a character that is in
// neither table.
func septetsOf(r rune) int {
	switch c := codeOf(r); {
	case c == absent:
		return 0
	case c&extended != 0:
		return 2
	}
	return 1
}
