package smstext

import (
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Analysis is a message with what its sender wants to know of it.
type Analysis struct {
	Message
	Left    int         // units for which the last part has room
	Forcing []Character // why it is UCS-2, in order of first appearance; none for GSM-7
}

// Character is what a reader takes for one: a grapheme cluster.
type Character struct {
	Text      string
	Positions []int // how many code points stand before it, each time
}

// Analyse is Options.Analyse for any route.
func Analyse(text string) Analysis { return Options{}.Analyse(text) }

// Analyse is Split, with the room that is left and the characters that forced
// UCS-2: those that no table of the route holds, or where it holds them all in
// one table or another, those outside the GSM alphabet.
func (o Options) Analyse(text string) Analysis {
	a := Analysis{Message: o.Split(text)}
	f := form{a.Encoding, a.Shift, a.Units}
	a.Left = f.room(o.concatenation()) - f.unitsIn(a.Parts[len(a.Parts)-1])
	if a.Encoding == GSM7 {
		return a
	}
	a.Forcing = missing(text, o.holds)
	if a.Forcing == nil {
		a.Forcing = missing(text, Shift{}.holds)
	}
	return a
}

func (s Shift) holds(r rune) bool { return s.code(r) != absent }

// holds says whether any table of the route has a character.
func (o Options) holds(r rune) bool {
	if o.exceeds(r) {
		return false
	}
	if (Shift{}).holds(r) {
		return true
	}
	for _, l := range o.Languages {
		if (Shift{l, l}).holds(r) {
			return true
		}
	}
	return false
}

func missing(text string, holds func(rune) bool) (all []Character) {
	seen := map[string]int{}
	at := 0
	for clusters := graphemes.FromString(text); clusters.Next(); {
		cluster := clusters.Value()
		if !holdsAll(cluster, holds) {
			i, known := seen[cluster]
			if !known {
				i = len(all)
				seen[cluster] = i
				all = append(all, Character{Text: cluster})
			}
			all[i].Positions = append(all[i].Positions, at)
		}
		at += utf8.RuneCountInString(cluster)
	}
	return all
}

func holdsAll(cluster string, holds func(rune) bool) bool {
	for _, r := range cluster {
		if !holds(r) {
			return false
		}
	}
	return true
}
