package smstext

import (
	"strings"
	"testing"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	emoji  = "\U0001F600"                                                 // two UTF-16 units
	family = "\U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466" // eleven, one cluster
	norway = "\U0001F1F3\U0001F1F4"                                       // four, one cluster
)

func times(s string, n int) string { return strings.Repeat(s, n) }

// Published counts assume the 8-bit reference; the last column is what the
// product sends with the 16-bit one.
var vectors = []struct {
	name     string
	text     string
	encoding Encoding
	with8    int
	with16   int
}{
	{"one full part", times("a", 160), GSM7, 1, 1},
	{"one septet too many", times("a", 161), GSM7, 2, 2},
	{"two full parts of 152", times("a", 304), GSM7, 2, 2},
	{"one more than two parts of 152", times("a", 305), GSM7, 2, 3},
	{"two full parts of 153", times("a", 306), GSM7, 2, 3},
	{"one more than two parts of 153", times("a", 307), GSM7, 3, 3},
	{"euro takes two septets", times("a", 158) + "€", GSM7, 1, 1},
	{"euro is the 161st septet", times("a", 159) + "€", GSM7, 2, 2},
	{"80 euro", times("€", 80), GSM7, 1, 1},
	{"81 euro", times("€", 81), GSM7, 2, 2},
	{"escape pair across a boundary", times("a", 152) + "[" + times("a", 152), GSM7, 3, 3},
	{"153 euro are 306 septets and need a third", times("€", 153), GSM7, 3, 3},
	{"152 euro fill two parts", times("€", 152), GSM7, 2, 2},
	{"the pair moves on and still fits", times("a", 152) + "[" + times("a", 151), GSM7, 2, 3},
	{"the pair is the 306th septet", times("a", 305) + "€", GSM7, 3, 3},
	{"form feed", "\f" + times("a", 158), GSM7, 1, 1},
	{"small c cedilla", "ç", UCS2, 1, 1},
	{"capital C cedilla", "Ç", GSM7, 1, 1},
	{"backtick", times("`", 160), UCS2, 3, 3},
	{"70 Cyrillic", times("я", 70), UCS2, 1, 1},
	{"71 Cyrillic", times("я", 71), UCS2, 2, 2},
	{"132 Cyrillic", times("я", 132), UCS2, 2, 2},
	{"133 Cyrillic", times("я", 133), UCS2, 2, 3},
	{"134 Cyrillic", times("я", 134), UCS2, 2, 3},
	{"135 Cyrillic", times("я", 135), UCS2, 3, 3},
	{"emoji across a boundary of 67", times("я", 66) + emoji + times("я", 66), UCS2, 3, 3},
	{"emoji moves on and still fits", times("я", 66) + emoji + times("я", 65), UCS2, 2, 3},
	{"emoji across a boundary of 66", times("я", 65) + emoji + times("я", 64), UCS2, 2, 2},
	{"emoji across a boundary of 66, full", times("я", 65) + emoji + times("я", 65), UCS2, 2, 3},
	{"35 emoji", times(emoji, 35), UCS2, 1, 1},
	{"36 emoji", times(emoji, 36), UCS2, 2, 2},
	{"66 emoji", times(emoji, 66), UCS2, 2, 2},
	{"67 emoji", times(emoji, 67), UCS2, 3, 3},
	{"6 families", times(family, 6), UCS2, 1, 1},
	{"7 families", times(family, 7), UCS2, 2, 2},
	{"Turkish", times("ş", 160), UCS2, 3, 3},
	{"Spanish accents", times("á", 160), UCS2, 3, 3},
	{"Norwegian letters", times("æøåÆØÅ", 26) + "abcd", GSM7, 1, 1},
	{"empty", "", GSM7, 1, 1},
}

type counted struct {
	Encoding Encoding
	Parts    int
}

func countWith(o Options, text string) counted {
	encoding, parts := o.Count(text)
	return counted{encoding, parts}
}

func TestSegmentVectors(t *testing.T) { // U7
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			if diff := cmp.Diff(counted{v.encoding, v.with8}, countWith(Options{ShortReference: true}, v.text)); diff != "" {
				t.Errorf("8-bit reference:\n%s", diff)
			}
			if diff := cmp.Diff(counted{v.encoding, v.with16}, countWith(Options{}, v.text)); diff != "" {
				t.Errorf("16-bit reference:\n%s", diff)
			}
		})
	}
}

// What the same texts cost on a route with the shift tables, by 8-bit references.
func TestSegmentVectorsWithShiftTables(t *testing.T) { // U7
	for _, v := range []struct {
		name      string
		text      string
		languages []Language
		shift     Shift
		want      counted
	}{
		{"Turkish", times("ş", 160), []Language{Turkish}, Shift{Locking: Turkish}, counted{GSM7, 2}},
		{"Turkish that the single shift carries", times("a", 140) + times("ş", 7), []Language{Turkish}, Shift{Single: Turkish}, counted{GSM7, 1}},
		{"Turkish that the single shift does not carry", times("a", 140) + times("ş", 8), []Language{Turkish}, Shift{Locking: Turkish}, counted{GSM7, 1}},
		{"Turkish that fits in one part as it is", times("ş", 70), []Language{Turkish}, Shift{}, counted{UCS2, 1}},
		// Spanish letters are escape pairs, 74 in a part of 149 septets: no fewer parts than UCS-2.
		{"Spanish accents", times("á", 160), []Language{Spanish}, Shift{}, counted{UCS2, 3}},
		{"Spanish accents in the Portuguese table", times("á", 160), []Language{Spanish, Portuguese}, Shift{Locking: Portuguese}, counted{GSM7, 2}},
		{"Spanish as it is written", times("Mañana será el último día. ", 5), []Language{Spanish}, Shift{Single: Spanish}, counted{GSM7, 1}},
		{"backtick", times("`", 160), []Language{Portuguese}, Shift{Locking: Portuguese}, counted{GSM7, 2}},
		{"both tables", times("\u0915", 100) + times("\u0966", 20), []Language{Hindi}, Shift{Locking: Hindi, Single: Hindi}, counted{GSM7, 1}},
		{"tables of two languages", times("ş", 100) + times("Ú", 20), []Language{Turkish, Spanish}, Shift{Locking: Turkish, Single: Spanish}, counted{GSM7, 1}},
		{"what no table has", times("ş", 160) + "я", []Language{Turkish}, Shift{}, counted{UCS2, 3}},
		{"nothing to gain", times("a", 160), []Language{Turkish, Portuguese}, Shift{}, counted{GSM7, 1}},
		{"one element leaves 155", times("ş", 155), []Language{Turkish}, Shift{Locking: Turkish}, counted{GSM7, 1}},
		{"one element leaves no 156", times("ş", 156), []Language{Turkish}, Shift{Locking: Turkish}, counted{GSM7, 2}},
		{"two parts of 149", times("ş", 298), []Language{Turkish}, Shift{Locking: Turkish}, counted{GSM7, 2}},
		{"one more than two parts of 149", times("ş", 299), []Language{Turkish}, Shift{Locking: Turkish}, counted{GSM7, 3}},
		{"both elements leave 152", times("\u0915", 132) + times("\u0966", 10), []Language{Hindi}, Shift{Locking: Hindi, Single: Hindi}, counted{GSM7, 1}},
		{"both elements leave no 153", times("\u0915", 133) + times("\u0966", 10), []Language{Hindi}, Shift{Locking: Hindi, Single: Hindi}, counted{GSM7, 2}},
		{"two parts of 146", times("\u0966", 5) + times("\u0915", 282), []Language{Hindi}, Shift{Locking: Hindi, Single: Hindi}, counted{GSM7, 2}},
		{"one more than two parts of 146", times("\u0966", 5) + times("\u0915", 283), []Language{Hindi}, Shift{Locking: Hindi, Single: Hindi}, counted{GSM7, 3}},
	} {
		t.Run(v.name, func(t *testing.T) {
			o := Options{Languages: v.languages, ShortReference: true}
			if diff := cmp.Diff(v.want, countWith(o, v.text)); diff != "" {
				t.Error(diff)
			}
			if got := o.Split(v.text).Shift; got != v.shift {
				t.Errorf("written with %v, not %v", got, v.shift)
			}
		})
	}
}

func TestRoomInAPart(t *testing.T) { // facts of 3GPP TS 23.040 9.2.3.24
	one, both := Shift{Single: Turkish}, Shift{Locking: Turkish, Single: Turkish}
	got := map[string][3]int{}
	for name, f := range map[string]form{
		"gsm7": {encoding: GSM7}, "one table": {encoding: GSM7, shift: one}, "both tables": {encoding: GSM7, shift: both}, "ucs2": {encoding: UCS2},
	} {
		alone := f.room(0)
		f.units = alone + 1
		got[name] = [3]int{alone, f.room(Options{ShortReference: true}.concatenation()), f.room(Options{}.concatenation())}
	}
	want := map[string][3]int{"gsm7": {160, 153, 152}, "one table": {155, 149, 148}, "both tables": {152, 146, 145}, "ucs2": {70, 67, 66}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPartsEndWhereReadersExpect(t *testing.T) {
	tests := []struct {
		name string
		text string
		want Message
	}{
		{
			name: "an escape pair goes to the next part whole",
			text: times("a", 151) + "€" + times("b", 10),
			want: Message{Encoding: GSM7, Parts: []string{times("a", 151), "€" + times("b", 10)}, Units: 163},
		},
		{
			name: "a line end of two characters goes to the next part whole",
			text: times("a", 151) + "\r\n" + times("b", 10),
			want: Message{Encoding: GSM7, Parts: []string{times("a", 151), "\r\n" + times("b", 10)}, Units: 163},
		},
		{
			name: "a surrogate pair goes to the next part whole",
			text: times("я", 65) + emoji + times("я", 10),
			want: Message{Encoding: UCS2, Parts: []string{times("я", 65), emoji + times("я", 10)}, Units: 77},
		},
		{
			name: "a family stays together",
			text: times("я", 60) + family + "!",
			want: Message{Encoding: UCS2, Parts: []string{times("я", 60), family + "!"}, Units: 72},
		},
		{
			name: "a combining mark stays with its letter",
			text: times("я", 65) + "е\u0308" + times("я", 4),
			want: Message{Encoding: UCS2, Parts: []string{times("я", 65), "е\u0308" + times("я", 4)}, Units: 71},
		},
		{
			name: "a flag is not cut into letters",
			text: times("я", 64) + norway + times("я", 4),
			want: Message{Encoding: UCS2, Parts: []string{times("я", 64), norway + times("я", 4)}, Units: 72},
		},
		{
			name: "a cluster larger than a part is cut between characters",
			text: "я" + times("\u0301", 70),
			want: Message{Encoding: UCS2, Parts: []string{"я" + times("\u0301", 65), times("\u0301", 5)}, Units: 71},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Split(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// mixed draws the texts that hurt: long runs near the boundaries, escapes,
// pairs, clusters and what is no text at all.
var mixed = rapid.Custom(func(t *rapid.T) string {
	piece := rapid.SampledFrom([]string{
		"a", "€", "[", "\r\n", "ø", "я", "e\u0301", emoji, family, norway,
		"\u2764\ufe0f", "\u0301", "\u1112\u1161\u11ab", "\u0915\u094d\u0937\u093f", "\xff", "\xe2\x82", "\ufffd",
		times("a", 75), times("a", 151), times("я", 32), times("я", 65), times("\u0301", 70),
	})
	if rapid.Bool().Draw(t, "gsm only") {
		piece = rapid.SampledFrom([]string{"a", "€", "[", "ø", "\r\n", times("a", 75), times("a", 151)})
	}
	return strings.Join(rapid.SliceOfN(piece, 0, 40).Draw(t, "pieces"), "")
})

func TestSplitLosesNothingAndEveryPartFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkSplit(t, mixed.Draw(t, "text"))
	})
}

func FuzzSplit(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.text)
	}
	f.Add("\xff\xf0\x9f\x98" + times("я", 70))
	f.Fuzz(func(t *testing.T, text string) {
		checkSplit(t, text)
		checkCodecs(t, text)
	})
}

type failer interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// routes are those that a text is tried on.
var routes = []Options{
	{},
	{ShortReference: true},
	{Languages: []Language{Turkish, Portuguese}},
	{Languages: Languages(), ShortReference: true},
}

func checkSplit(t failer, text string) {
	t.Helper()
	for _, o := range routes {
		checkRoute(t, o, text)
	}
}

func checkRoute(t failer, o Options, text string) {
	t.Helper()
	msg := o.Split(text)
	if strings.Join(msg.Parts, "") != text {
		t.Fatalf("parts of %q joined are not the text: %q", text, msg.Parts)
	}
	if encoding, parts := o.Count(text); encoding != msg.Encoding || parts != len(msg.Parts) {
		t.Errorf("count says %s, %d; split says %s, %d", encoding, parts, msg.Encoding, len(msg.Parts))
	}
	checkParts(t, o, msg)
}

func checkParts(t failer, o Options, msg Message) {
	t.Helper()
	units, room := 0, naiveRoom(o, msg.Encoding, msg.Shift, len(msg.Parts) > 1)
	for i, part := range msg.Parts {
		n := length(t, msg, part)
		units += n
		if n > room {
			t.Errorf("part %d holds %d of at most %d", i+1, n, room)
		}
		if part == "" && len(msg.Parts) > 1 {
			t.Errorf("part %d is empty", i+1)
		}
		if i > 0 {
			checkBoundary(t, msg, i, room)
		}
	}
	if units != msg.Units {
		t.Errorf("parts hold %d units, the message %d", units, msg.Units)
	}
}

// length is what a part takes of its room, measured on its encoded form.
func length(t failer, msg Message, part string) int {
	t.Helper()
	if msg.Encoding == UCS2 {
		return len(EncodeUCS2(part)) / 2
	}
	septets, err := msg.Shift.Encode(part)
	if err != nil {
		t.Fatalf("a GSM 7 part cannot be encoded: %v", err)
	}
	again, err := msg.Shift.Decode(septets)
	if err != nil || again != part {
		t.Errorf("%q with %v became %q, %v", part, msg.Shift, again, err)
	}
	return len(septets)
}

// checkBoundary sees that the cluster around the end of part i, if it is cut,
// would not have fitted in any part, and that the cut was needed at all.
func checkBoundary(t failer, msg Message, i, room int) {
	t.Helper()
	before := msg.Parts[i-1]
	next := clusterAt(strings.Join(msg.Parts[i-1:], ""), len(before))
	if cut := len(before) - next.start; cut > 0 && length(t, msg, next.text) <= room {
		t.Errorf("cluster %q was cut after %d bytes", next.text, cut)
	}
	if next.start == len(before) && length(t, msg, before)+length(t, msg, next.text) <= room {
		t.Errorf("part %d had room for %q", i, next.text)
	}
}

type cluster struct {
	text  string
	start int
}

// clusterAt is the cluster that holds the byte at.
func clusterAt(text string, at int) cluster {
	all := graphemes.FromString(text)
	for all.Next() {
		if all.End() > at {
			break
		}
	}
	return cluster{all.Value(), all.Start()}
}

func BenchmarkSplit(b *testing.B) {
	for _, c := range []struct {
		name, text string
		options    Options
	}{
		{"gsm7", times("The meeting has moved to room 12. ", 12), Options{}},
		{"ucs2", times("Собрание в 12 часов. ", 12), Options{}},
		{"turkish", times("Toplantı saat 12'de başlıyor. ", 12), Options{Languages: []Language{Turkish}}},
		{"every language", times("Toplantı saat 12'de başlıyor. ", 12), Options{Languages: Languages()}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.options.Split(c.text)
			}
		})
	}
}
