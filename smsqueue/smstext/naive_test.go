package smstext

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/google/go-cmp/cmp"
)

// What follows says once more, slowly and in other words, what Split does: a
// header is written out and its bits are counted, a character is looked for in
// each row of a table, a part is the longest beginning that will do, and every
// form of a text is tried.

func naiveHeader(o Options, s Shift, joined bool) (header []byte) {
	switch {
	case joined && o.ShortReference:
		header = append(header, 0x00, 0x03, 0xAB, 2, 1)
	case joined:
		header = append(header, 0x08, 0x04, 0xAB, 0xCD, 2, 1)
	}
	if header = append(header, s.Header()...); len(header) > 0 {
		header = append([]byte{byte(len(header))}, header...)
	}
	return header
}

func naiveRoom(o Options, e Encoding, s Shift, joined bool) (units int) {
	size := 16
	if e == GSM7 {
		size = 7
	}
	bit := 8 * len(naiveHeader(o, s, joined))
	for bit%size != 0 && e == GSM7 {
		bit++ // fill bits: septets begin on a septet boundary (3GPP TS 23.040 9.2.3.24)
	}
	for ; bit+size <= 8*140; bit += size {
		units++
	}
	return units
}

// naiveUnits is how long a text is, or -1 when it cannot be written so.
func naiveUnits(e Encoding, s Shift, text string) (units int) {
	for _, r := range text {
		switch {
		case e == UCS2:
			units += utf16.RuneLen(r)
		case naiveHolds(lockingTables[s.Locking], basic, r):
			units++
		case naiveHolds(singleTables[s.Single], extension, r):
			units += 2
		default:
			return -1
		}
	}
	return units
}

func naiveHolds(t, usual *table, r rune) bool {
	if t == nil {
		t = usual
	}
	return r != 0 && slices.Contains(t.characters[:], r)
}

func naiveParts(o Options, e Encoding, s Shift, text string) (parts []string) {
	if naiveUnits(e, s, text) <= naiveRoom(o, e, s, false) {
		return []string{text}
	}
	room := naiveRoom(o, e, s, true)
	for text != "" {
		part := naiveLongest(naiveEnds(text, graphemes.FromString(text)), text, e, s, room)
		if part == "" {
			part = naiveLongest(naiveCharacters(text), text, e, s, room)
		}
		parts = append(parts, part)
		text = text[len(part):]
	}
	return parts
}

func naiveEnds(text string, clusters *graphemes.Iterator[string]) (ends []int) {
	for clusters.Next() {
		ends = append(ends, clusters.End())
	}
	return ends
}

func naiveCharacters(text string) (ends []int) {
	for i := range text {
		if i > 0 {
			ends = append(ends, i)
		}
	}
	return append(ends, len(text))
}

func naiveLongest(ends []int, text string, e Encoding, s Shift, room int) string {
	last := 0
	for _, end := range ends {
		if room -= naiveUnits(e, s, text[last:end]); room < 0 {
			break
		}
		last = end
	}
	return text[:last]
}

func naiveSplit(o Options, text string) Message {
	forms := []Message{{Encoding: GSM7}, {Encoding: UCS2}}
	for _, single := range o.Languages {
		forms = append(forms, Message{Encoding: GSM7, Shift: Shift{Single: single}})
	}
	for _, locking := range o.Languages {
		forms = append(forms, Message{Encoding: GSM7, Shift: Shift{Locking: locking}})
	}
	for _, single := range o.Languages {
		for _, locking := range o.Languages {
			forms = append(forms, Message{Encoding: GSM7, Shift: Shift{locking, single}})
		}
	}
	var best Message
	for _, f := range forms {
		if f.Units = naiveUnits(f.Encoding, f.Shift, text); f.Units < 0 || f.Shift.Locking == Spanish {
			continue
		}
		if f.Encoding == GSM7 && o.Highest > 0 && slices.Max(append([]rune(text), 0)) > o.Highest {
			continue
		}
		f.Parts = naiveParts(o, f.Encoding, f.Shift, text)
		if best.Parts == nil || len(f.Parts) < len(best.Parts) {
			best = f
		}
	}
	return best
}

// author writes texts that are hard to cut: in the letters of few alphabets, of
// a length that is about a number of whole parts.
type author struct{ *rand.Rand }

func (a author) pick(from []string) string { return from[a.IntN(len(from))] }

var awkward = []string{"\r\n", "\r", "e\u0301", emoji, family, norway, "\u2764\ufe0f", "\u0301", "\u1112\u1161\u11ab",
	"\u0915\u094d\u0937\u093f", "\xff", "\xe2\x82", "\u200d", "\u00a0", "ż", "я", "`", times("\u0301", 80), times("\u094d", 150)}

// alphabet is what the texts of one kind are made of; 0 is the GSM alphabet,
// the last is none's.
func alphabet(kind int) (pieces []string) {
	tables := []*table{basic, extension}
	switch {
	case kind > int(Urdu)+1:
		return append(strings.Split("абвгдежзийклмнопрстуфхцчшщъыьэюяąćęłńóśźżĄĆĘŁŃÓŚŹŻ", ""), awkward...)
	case kind > int(Urdu):
		return awkward
	case kind > 0:
		tables = []*table{Shift{Locking: Language(kind)}.locking(), Shift{Single: Language(kind)}.single()}
	}
	for _, t := range tables {
		for _, r := range t.characters {
			if r != 0 {
				pieces = append(pieces, string(r))
			}
		}
	}
	return pieces
}

var alphabets = func() (all [][]string) {
	for kind := range int(Urdu) + 3 {
		all = append(all, alphabet(kind))
	}
	return all
}()

var lengths = []int{1, 30, 66, 70, 75, 132, 145, 152, 155, 160, 290, 296, 304, 310}

func (a author) text(kind int) string {
	n := lengths[a.IntN(len(lengths))] + a.IntN(7) - 3
	usual, rare := alphabets[kind], alphabets[a.IntN(len(alphabets))]
	if a.IntN(2) == 0 {
		usual = usual[:min(len(usual), 80)] // none of the single shift table
	}
	one, oddity := a.pick(usual), a.IntN(60)
	var text strings.Builder
	for written := 0; written < n; {
		piece := one
		switch roll := a.IntN(60); {
		case roll < oddity/20:
			piece = a.pick(rare)
		case roll < 40:
			piece = a.pick(usual)
		}
		text.WriteString(piece)
		written += utf8.RuneCountInString(piece)
	}
	return text.String()
}

func (a author) route(kind int) Options {
	o := Options{ShortReference: a.IntN(2) == 0}
	if a.IntN(8) == 0 {
		o.Highest = []rune{0x7F, 0xFF}[a.IntN(2)]
		return o
	}
	if a.IntN(4) > 0 {
		o.Languages = append(o.Languages, Language(1+a.IntN(int(Urdu))))
	}
	if kind > 0 && kind <= int(Urdu) && a.IntN(4) > 0 && !slices.Contains(o.Languages, Language(kind)) {
		o.Languages = append(o.Languages, Language(kind))
	}
	return o
}

// TestSplitAgreesWithItsDefinition tries 20,000 texts, or as many as
// VARSEL_STRINGS says.
func TestSplitAgreesWithItsDefinition(t *testing.T) { // U7
	texts := 20_000
	if more := os.Getenv("VARSEL_STRINGS"); more != "" {
		var err error
		if texts, err = strconv.Atoi(more); err != nil {
			t.Fatal(err)
		}
	}
	const shares = 4
	for share := range shares {
		t.Run(fmt.Sprint(share), func(t *testing.T) {
			t.Parallel()
			a := author{rand.New(rand.NewPCG(23038, uint64(share)))}
			for range texts / shares {
				kind := a.IntN(len(alphabets))
				text, o := a.text(kind), a.route(kind)
				if diff := cmp.Diff(naiveSplit(o, text), o.Split(text)); diff != "" {
					t.Fatalf("%q on %+v:\n%s", text, o, diff)
				}
				checkRoute(t, o, text)
				checkAnalysis(t, o, text)
			}
		})
	}
}
