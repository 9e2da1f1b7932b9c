// Package smstext knows how text travels in short messages: which alphabet it
// needs, how many parts it makes, and where a part may end.
package smstext

import "strings"

// Encoding is the alphabet a message travels in.
type Encoding string

const (
	// GSM7 is the GSM 7 bit default alphabet with its extension table
	// (3GPP TS 23.038 6.2.1), or national language tables in their place.
	GSM7 Encoding = "gsm7"
	// UCS2 is, on handsets, UTF-16 in big-endian order.
	UCS2 Encoding = "ucs2"
)

// Options are what a route can carry. The zero value is what every route can.
type Options struct {
	// Languages are those whose shift tables the handsets behind the route
	// know; of two that do equally well, the earlier is taken.
	Languages []Language
	// ShortReference joins parts by an 8-bit number, which leaves a little more
	// room but repeats after 256 messages to one handset.
	ShortReference bool
	// Highest is the last character that the route's own alphabet has where it is
	// a part of Unicode's beginning: 0xFF for Latin-1, 0x7F for ASCII. 0: the route
	// takes the whole GSM alphabet.
	Highest rune
}

// Lesser are the options of routes that can do less than o and nothing else, those
// that can most of it first.
func (o Options) Lesser() (all []Options) {
	most := 1 << len(o.Languages)
	for without := range most {
		part := Options{Highest: o.Highest}
		for i, l := range o.Languages {
			if without&(1<<i) == 0 {
				part.Languages = append(part.Languages, l)
			}
		}
		if o.ShortReference {
			short := part
			short.ShortReference = true
			all = append(all, short)
		}
		all = append(all, part)
	}
	for _, highest := range []rune{0xFF, 0x7F} {
		if o.Highest == 0 || highest < o.Highest {
			all = append(all, Options{ShortReference: o.ShortReference, Highest: highest}, Options{Highest: highest})
		}
	}
	return all
}

// Message is a text cut into the parts it is sent as.
type Message struct {
	Encoding Encoding
	Shift    Shift    // the tables that GSM7 is written with
	Parts    []string // at least one; together they are the text
	Units    int      // septets or UTF-16 units in all
}

// Split is Options.Split for any route.
func Split(text string) Message { return Options{}.Split(text) }

// Count is Options.Count for any route.
func Count(text string) (Encoding, int) { return Options{}.Count(text) }

// Split cuts text into parts: one of up to 160 septets or 70 units, else as
// many as needed of up to 152 septets or 66 units, which leaves room for the
// concatenation element with the 16-bit reference; 153 and 67 with the short
// one. Shift tables take 3 octets each from every part. No part ends inside an
// escape pair, a surrogate pair, or a grapheme cluster that fits in a part.
// An empty text is one empty part.
func (o Options) Split(text string) Message {
	f := o.cheapest(text)
	msg := Message{Encoding: f.encoding, Shift: f.shift, Units: f.units}
	for part := range f.parts(text, o.concatenation()) {
		msg.Parts = append(msg.Parts, part)
	}
	return msg
}

// Count is Split for those who need only the price.
func (o Options) Count(text string) (Encoding, int) {
	f := o.cheapest(text)
	return f.encoding, f.count(text, o.concatenation())
}

// exceeds says that the route's alphabet ends before a character.
func (o Options) exceeds(r rune) bool { return o.Highest > 0 && r > o.Highest }

// concatenation is the octets of the element that joins parts
// (3GPP TS 23.040 9.2.3.24.1 and 9.2.3.24.8).
func (o Options) concatenation() int {
	if o.ShortReference {
		return 5 // 00 03 ref total part
	}
	return 6 // 08 04 ref ref total part
}

// cheapest is the form of a text that makes the fewest parts. Of those that
// make as many, the GSM alphabet comes first and UCS-2 second, for every
// handset shows them right. One that does not know a single shift table shows
// the letter without its mark; without a locking table it shows another letter.
func (o Options) cheapest(text string) form {
	best := measure(text)
	if o.Highest > 0 && strings.ContainsFunc(text, o.exceeds) {
		return form{encoding: UCS2, units: utf16Length(text)}
	}
	if len(o.Languages) == 0 {
		return best
	}
	fewest := best.count(text, o.concatenation())
	for shift := range o.shifts {
		if fewest == 1 {
			break
		}
		f, whole := shift.measure(text)
		if !whole {
			continue
		}
		if n := f.count(text, o.concatenation()); n < fewest {
			best, fewest = f, n
		}
	}
	return best
}

// shifts yields the tables to try, those that lose the least first.
func (o Options) shifts(yield func(Shift) bool) {
	for _, single := range o.Languages {
		if !yield(Shift{Single: single}) {
			return
		}
	}
	for _, single := range append([]Language{0}, o.Languages...) {
		for _, locking := range o.Languages {
			if lockingTables[locking] != nil && !yield(Shift{Locking: locking, Single: single}) {
				return
			}
		}
	}
}
