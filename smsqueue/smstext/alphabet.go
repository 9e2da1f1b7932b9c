package smstext

// escape announces a character of the single shift table.
const escape = 0x1B

// table is what 128 codes stand for.
type table struct {
	characters [128]rune // 0 where there is none
	codes      map[rune]byte
}

// none stands in the rows of a table for a code without a character. No table
// has it as a character.
const none = '·'

// newTable reads eight rows of sixteen characters. A character that stands in
// two places is sent with its lower code.
func newTable(rows string) *table {
	t := &table{codes: map[rune]byte{}}
	code := byte(0)
	for _, r := range rows {
		if r != none {
			t.characters[code] = r
			if _, twice := t.codes[r]; !twice {
				t.codes[r] = code
			}
		}
		code++
	}
	return t
}

// basic is the GSM 7 bit default alphabet (3GPP TS 23.038 6.2.1).
var basic = newTable("" +
	"@£$¥èéùìòÇ\nØø\rÅå" +
	"Δ_ΦΓΛΩΠΨΣΘΞ·ÆæßÉ" +
	" !\"#¤%&'()*+,-./" +
	"0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNO" +
	"PQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmno" +
	"pqrstuvwxyzäöñüà")

// extension holds the characters sent as a pair of escape and code
// (3GPP TS 23.038 6.2.1.1).
var extension = newTable("" +
	"··········\f·····" +
	"····^···········" +
	"········{}·····\\" +
	"············[~]·" +
	"|···············" +
	"················" +
	"·····€··········" +
	"················")

const (
	euro = '€'

	// Everything in both tables but the euro sign stands below this.
	tableEnd = 'Ω' + 1

	absent   = escape // no character has it as its code
	extended = 0x80   // set on codes of the single shift table
)

// codes is the way back without the cost of a map, for nearly every text has
// no other tables: the code of a character.
var codes = invert()

func invert() (codes [tableEnd]byte) {
	for i := range codes {
		codes[i] = absent
	}
	for r, code := range basic.codes {
		codes[r] = code
	}
	for r, code := range extension.codes {
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
func septetsOf(code byte) int {
	switch {
	case code == absent:
		return 0
	case code&extended != 0:
		return 2
	}
	return 1
}
