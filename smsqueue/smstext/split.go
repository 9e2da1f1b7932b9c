package smstext

import (
	"iter"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// reference is the concatenation element that joins parts, by the octets it
// takes from each (3GPP TS 23.040 9.2.3.24.1 and 9.2.3.24.8).
type reference int

const (
	userData = 140 // octets in a short message

	// reference8 repeats after 256 messages to one number: the product always
	// uses reference16. The published segment counts assume reference8.
	reference8  reference = 6 // 05 00 03 ref total part: 153 septets or 67 units a part
	reference16 reference = 7 // 06 08 04 ref ref total part: 152 septets or 66 units a part
)

// room is how many units a part holds beside a header of so many octets.
func (e Encoding) room(header reference) int {
	free := userData - int(header)
	if e == GSM7 {
		return free * 8 / 7
	}
	return free / 2
}

// measured is what one pass over a text tells about it.
type measured struct {
	encoding Encoding
	units    int
}

func measure(text string) measured {
	septets, units := 0, 0
	gsm := true
	for _, r := range text {
		units += utf16Units(r)
		n := septetsOf(r)
		septets += n
		gsm = gsm && n > 0
	}
	if gsm {
		return measured{GSM7, septets}
	}
	return measured{UCS2, units}
}

// parts yields the parts of a measured text in order, at least one.
func (m measured) parts(text string, ref reference) iter.Seq[string] {
	return func(yield func(string) bool) {
		if m.units <= m.encoding.room(0) {
			yield(text)
			return
		}
		cut := cutGSM7
		if m.encoding == UCS2 {
			cut = cutUCS2
		}
		room := m.encoding.room(ref)
		for text != "" {
			end := cut(text, room)
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}

// cutGSM7 is the length in bytes of the longest start of text that fits.
func cutGSM7(text string, room int) int {
	for i, r := range text {
		if room -= septetsOf(r); room < 0 {
			return i
		}
	}
	return len(text)
}

// cutUCS2 is the length in bytes of the longest run of whole grapheme clusters
// that fits; a cluster larger than a part is cut between its characters.
func cutUCS2(text string, room int) int {
	end, free := 0, room
	clusters := graphemes.FromString(text)
	for clusters.Next() {
		if free -= unitsIn(clusters.Value()); free < 0 {
			break
		}
		end = clusters.End()
	}
	if end == 0 {
		return cutCharacters(text, room)
	}
	return end
}

func cutCharacters(text string, room int) int {
	for i, r := range text {
		if room -= utf16Units(r); room < 0 {
			return i
		}
	}
	return len(text)
}

func unitsIn(text string) int {
	n := 0
	for _, r := range text {
		n += utf16Units(r)
	}
	return n
}

func utf16Units(r rune) int {
	if r > 0xFFFF && r <= utf8.MaxRune {
		return 2
	}
	return 1
}
