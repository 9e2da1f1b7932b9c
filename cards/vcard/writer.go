package vcard

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldAt is in octets without the line's end (RFC 2426 2.6, RFC 6350 3.2).
const foldAt = 75

// writer writes the lines of one card and keeps the first error.
type writer struct {
	version Version
	out     strings.Builder
	err     error
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// text writes a property whose value is one text.
func (w *writer) text(property, value string) {
	if value = escape(value); value != "" {
		w.line(property, value)
	}
}

// list writes a property whose value is texts between semicolons. 3.0 requires N
// even where all of its parts are empty (RFC 2426 3.1.2).
func (w *writer) list(property string, values ...string) {
	empty := true
	for i, v := range values {
		values[i] = escape(v)
		empty = empty && values[i] == ""
	}
	if !empty || property == "N" {
		w.line(property, strings.Join(values, ";"))
	}
}

// line writes one line, folded so that no character is cut.
func (w *writer) line(property, value string) {
	rest := property + ":" + value
	for room := foldAt; len(rest) > room; room = foldAt - 1 { // the space of a fold is an octet
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		w.out.WriteString(rest[:cut] + "\r\n ")
		rest = rest[cut:]
	}
	w.out.WriteString(rest + "\r\n")
}

var (
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n")
	special  = strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\n", `\n`)
)

// escape is the form of a text in a value (RFC 6350 3.4). Control characters have no
// place in one, and bytes that are no UTF-8 become U+FFFD.
func escape(text string) string {
	text = strings.TrimSpace(lineEnds.Replace(strings.ToValidUTF8(text, "\ufffd")))
	return special.Replace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text))
}
