package smstext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"golang.org/x/text/unicode/norm"
)

// Replacement says what of a text was written in another way, and how often.
type Replacement struct {
	From  string // a grapheme cluster
	To    string // empty: it was invisible, and left out
	Count int
}

// Transliterate writes a text in the GSM alphabet as far as a reader of it
// would: typographic quotes, dashes and spaces become plain ones, invisible
// characters go, Latin letters lose the marks that the alphabet lacks. What is
// in the alphabet stays as it is, and so does what has no sensible form there
// (other scripts, emoji). The replacements are in order of first appearance.
func Transliterate(text string) (string, []Replacement) {
	if measure(text).encoding == GSM7 {
		return text, nil
	}
	var out strings.Builder
	var all []Replacement
	seen := map[string]int{}
	for clusters := graphemes.FromString(text); clusters.Next(); {
		from := clusters.Value()
		to, sensible := plain(from)
		if !sensible || to == from {
			out.WriteString(from)
			continue
		}
		out.WriteString(to)
		i, known := seen[from]
		if !known {
			i = len(all)
			seen[from] = i
			all = append(all, Replacement{From: from, To: to})
		}
		all[i].Count++
	}
	return out.String(), all
}

// plain is a cluster in the GSM alphabet. It is written whole or not at all,
// lest a family of emoji lose the joiners that hold it together.
func plain(cluster string) (string, bool) {
	var out strings.Builder
	for _, r := range norm.NFC.String(cluster) {
		to, sensible := plainCharacter(r)
		if !sensible {
			return "", false
		}
		out.WriteString(to)
	}
	return out.String(), true
}

func plainCharacter(r rune) (string, bool) {
	if (Shift{}).holds(r) {
		return string(r), true
	}
	if to, listed := plainForms[r]; listed {
		return to, true
	}
	switch {
	case unicode.Is(unicode.Zs, r):
		return " ", true
	case unicode.Is(unicode.Mn, r):
		return "", true
	}
	return withoutMarks(r)
}

// withoutMarks is a letter with as many of its marks as the GSM alphabet
// allows: ǻ becomes å, ą becomes a.
func withoutMarks(r rune) (string, bool) {
	marked := norm.NFD.String(string(r))
	for {
		_, size := utf8.DecodeLastRuneInString(marked)
		if marked = marked[:len(marked)-size]; marked == "" {
			return "", false
		}
		if to := norm.NFC.String(marked); holdsAll(to, Shift{}.holds) {
			return to, true
		}
	}
}

// plainForms are those that taking marks off does not find.
var plainForms = forms(map[string]string{
	"'":   "‘’‚‛′‹›`´ʹʻʼʽˈ",
	`"`:   "“”„‟″«»",
	"-":   "‐‑‒–—―−⁃",
	"...": "…",
	"*":   "•‣∙●",
	".":   "·",
	"/":   "⁄∕",
	"|":   "¦",
	"~":   "∼",
	"x":   "×",
	"->":  "→",
	"<-":  "←",
	"<=":  "≤",
	">=":  "≥",
	"1/2": "½",
	"1/4": "¼",
	"3/4": "¾",
	"1":   "¹",
	"2":   "²",
	"3":   "³",
	"TM":  "™",
	"(c)": "©",
	"(R)": "®",
	"No.": "№",
	" ":   "\t",
	"\n":  "\v\u0085\u2028\u2029",
	"":    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff",

	"a": "ª", "b": "ɓƀ", "B": "ƁɃ", "C": "Ƈ", "c": "ƈ", "d": "đðɖɗ", "D": "ĐÐƉƊ", "e": "əɛǝ", "E": "ƏƐƎ",
	"f": "ƒ", "F": "Ƒ", "g": "ɠǥ", "G": "ƓǤ", "h": "ħ", "H": "Ħ", "i": "ıɨ", "I": "Ɨ", "ij": "ĳ", "IJ": "Ĳ",
	"j": "ȷɉ", "J": "Ɉ", "k": "ĸƙ", "K": "Ƙ", "l": "łŀƚ", "L": "ŁĿȽ", "n": "ŋɲƞ", "N": "ŊƝȠ", "'n": "ŉ",
	"o": "ºɔ", "O": "Ɔ", "oe": "œ", "OE": "Œ", "s": "ſ", "SS": "ẞ", "t": "ŧƭ", "T": "ŦƬ", "th": "þ", "Th": "Þ",
	"u": "ʉ", "U": "Ʉ", "v": "ʋ", "V": "Ʋ", "y": "ƴ", "Y": "Ƴ", "z": "ƶ", "Z": "Ƶ",
	"fi": "ﬁ", "fl": "ﬂ", "ff": "ﬀ", "ffi": "ﬃ", "ffl": "ﬄ",
})

func forms(listed map[string]string) map[rune]string {
	all := map[rune]string{}
	for to, characters := range listed {
		for _, r := range characters {
			if _, twice := all[r]; twice {
				panic("listed twice: " + string(r))
			}
			all[r] = to
		}
	}
	return all
}
