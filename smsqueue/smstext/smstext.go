// Package smstext knows how text travels in short messages: which alphabet it
// needs, how many parts it makes, and where a part may end.
package smstext

// Encoding is the alphabet a message travels in.
type Encoding string

const (
	// GSM7 is the GSM 7 bit default alphabet with its extension table
	// (3GPP TS 23.038 6.2.1).
	GSM7 Encoding = "gsm7"
	// UCS2 is, on handsets, UTF-16 in big-endian order.
	UCS2 Encoding = "ucs2"
)

// Message is a text cut into the parts it is sent as.
type Message struct {
	Encoding Encoding
	Parts    []string // at least one; together they are the text
	Units    int      // septets or UTF-16 units in all
}

// Split cuts text into parts: one of up to 160 septets or 70 units, else as
// many as needed of up to 152 septets or 66 units, which leaves room for the
// concatenation element with the 16-bit reference. No part ends inside an
// escape pair, a surrogate pair, or a grapheme cluster that fits in a part.
// An empty text is one empty part.
func Split(text string) Message {
	return split(text, reference16)
}

func split(text string, ref reference) Message {
	m := measure(text)
	msg := Message{Encoding: m.encoding, Units: m.units}
	for part := range m.parts(text, ref) {
		msg.Parts = append(msg.Parts, part)
	}
	return msg
}

// Count is Split for those who need only the price.
func Count(text string) (Encoding, int) {
	return count(text, reference16)
}

func count(text string, ref reference) (Encoding, int) {
	m := measure(text)
	n := 0
	for range m.parts(text, ref) {
		n++
	}
	return m.encoding, n
}
