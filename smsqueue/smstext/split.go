package smstext

import (
	"iter"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

const userData = 140 // octets in a short message

// room is how many units a part holds beside a header with elements of so many
// octets; a header has one octet more, its length (3GPP TS 23.040 9.2.3.24).
func (e Encoding) room(elements int) int {
	free := userData
	if elements > 0 {
		free -= 1 + elements
	}
	if e == GSM7 {
		return free * 8 / 7
	}
	return free / 2
}

// form is a way to write a text, and its length then.
type form struct {
	encoding Encoding
	shift    Shift
	units    int
}

// measure finds the form of a text that any route carries.
func measure(text string) form {
	septets, units := 0, 0
	gsm := true
	for _, r := range text {
		units += utf16Units(r)
		n := septetsOf(codeOf(r))
		septets += n
		gsm = gsm && n > 0
	}
	if gsm {
		return form{encoding: GSM7, units: septets}
	}
	return form{encoding: UCS2, units: units}
}

// measure is the form of a text with the tables of a shift, if they are enough.
func (s Shift) measure(text string) (form, bool) {
	f := form{encoding: GSM7, shift: s}
	for _, r := range text {
		n := septetsOf(s.code(r))
		if n == 0 {
			return f, false
		}
		f.units += n
	}
	return f, true
}

// parts yields the parts of a text in order, at least one.
func (f form) parts(text string, concatenation int) iter.Seq[string] {
	return func(yield func(string) bool) {
		room := f.room(concatenation)
		if room >= f.units {
			yield(text)
			return
		}
		for text != "" {
			end := f.cut(text, room)
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}

// room is how many units each part holds; concatenation is not needed by one.
func (f form) room(concatenation int) int {
	alone := f.encoding.room(f.shift.octets())
	if f.units <= alone {
		return alone
	}
	return f.encoding.room(f.shift.octets() + concatenation)
}

func (f form) count(text string, concatenation int) (n int) {
	for range f.parts(text, concatenation) {
		n++
	}
	return n
}

// cut is the length in bytes of the longest start of text that fits and ends
// after a whole grapheme cluster; a cluster larger than a part is cut between
// its characters.
func (f form) cut(text string, room int) int {
	if f.encoding == GSM7 && f.shift == (Shift{}) {
		return cutGSM7(text, room)
	}
	fits := f.cutCharacters(text, room)
	if fits == len(text) {
		return fits
	}
	// The next character tells whether a cluster ends where the part is full.
	end := 0
	clusters := graphemes.FromString(text[:min(fits+utf8.UTFMax, len(text))])
	for clusters.Next() && clusters.End() <= fits {
		end = clusters.End()
	}
	if end == 0 {
		return fits
	}
	return end
}

// cutGSM7 is cut for most texts. The one cluster that the GSM alphabet can
// write is CR LF.
func cutGSM7(text string, room int) int {
	for i, r := range text {
		if room -= septetsOf(codeOf(r)); room < 0 {
			if r == '\n' && text[i-1] == '\r' {
				i--
			}
			return i
		}
	}
	return len(text)
}

func (f form) cutCharacters(text string, room int) int {
	for i, r := range text {
		if room -= f.unitsOf(r); room < 0 {
			return i
		}
	}
	return len(text)
}

func (f form) unitsIn(text string) (n int) {
	for _, r := range text {
		n += f.unitsOf(r)
	}
	return n
}

func (f form) unitsOf(r rune) int {
	if f.encoding == UCS2 {
		return utf16Units(r)
	}
	return septetsOf(f.shift.code(r))
}

func utf16Length(text string) (units int) {
	for _, r := range text {
		units += utf16Units(r)
	}
	return units
}

func utf16Units(r rune) int {
	if r > 0xFFFF && r <= utf8.MaxRune {
		return 2
	}
	return 1
}
