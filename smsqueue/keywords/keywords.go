// Package keywords tells a wish apart that people text in a word: to get no more
// messages, to get them again, or to know what this is.
package keywords

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Kind is what a text asks for.
type Kind string

const (
	None  Kind = ""
	Stop  Kind = "stop"
	Start Kind = "start"
	Help  Kind = "help"
)

// longest bounds, in words, what can be a wish; a longer text has something to say.
const longest = 12

// Classify reads a text in every language that there are words for. A text is a
// wish when it has nothing but words of one kind and, around them, words of the
// same language that are polite or say what is meant: 'please stop texting me'.
// A text that has any other word is none, and so is one with two kinds. Case,
// accents, signs, quotes and emoji make no difference. names are what the one who
// is asked is called: 'STOP ACME'.
func Classify(text string, names ...string) Kind {
	words := wordsOf(text)
	if len(words) == 0 || len(words) > longest {
		return None
	}
	known := wordsOf(strings.Join(names, " "))
	for _, l := range lexicons {
		if kind, all := l.reads(words, known, None); all && kind != None {
			return kind
		}
	}
	return None
}

// Begins says whether a text that may be a wish begins with a word of one: then it is
// worth knowing the names.
func Begins(text string) bool {
	words := wordsOf(text)
	if len(words) == 0 || len(words) > longest {
		return false
	}
	for _, l := range lexicons {
		if slices.ContainsFunc(l.phrases[words[0]], func(p phrase) bool { return p.kind != None }) {
			return true
		}
	}
	return false
}

// lexicon is the words of a language: phrases, folded, by their first word.
type lexicon struct {
	phrases map[string][]phrase
}

type phrase struct {
	words []string
	kind  Kind // None is politeness
}

// reads says whether all words are phrases of the language, of one kind at the most,
// or known otherwise.
func (l lexicon) reads(words, known []string, kind Kind) (Kind, bool) {
	if len(words) == 0 {
		return kind, true
	}
	for _, p := range l.phrases[words[0]] {
		if len(p.words) > len(words) || !slices.Equal(p.words, words[:len(p.words)]) || p.kind != None && kind != None && p.kind != kind {
			continue
		}
		next := kind
		if p.kind != None {
			next = p.kind
		}
		if found, all := l.reads(words[len(p.words):], known, next); all {
			return found, true
		}
	}
	if slices.Contains(known, words[0]) {
		return l.reads(words[1:], known, kind)
	}
	return None, false
}

// wordsOf are the words of a text as they are compared.
func wordsOf(text string) []string {
	words := strings.FieldsFunc(fold(text), func(r rune) bool { return r == ' ' })
	if len(words) > 1 && !slices.ContainsFunc(words, func(w string) bool { return len(w) > 1 }) {
		return []string{strings.Join(words, "")} // S T O P
	}
	for i, w := range words {
		words[i] = withoutRuns(w)
	}
	return words
}

// letters that Unicode does not take apart into a plain one and a mark.
var plain = strings.NewReplacer("ł", "l", "ø", "o", "æ", "ae", "ß", "ss", "đ", "d", "œ", "oe")

// fold writes a text in small plain letters and digits, everything else being a
// space. Apostrophes and what cannot be seen fall out, so that 'don’t' is one word.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("'’‘`´", r), unicode.In(r, unicode.Mn, unicode.Cf):
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return r
		}
		return ' '
	}, plain.Replace(norm.NFKD.String(strings.ToLower(text))))
}

// withoutRuns writes a letter once that stands three times or more: stoppp.
func withoutRuns(word string) string {
	runes := []rune(word)
	var out []rune
	for i := 0; i < len(runes); {
		end := i
		for end < len(runes) && runes[end] == runes[i] {
			end++
		}
		out = append(out, runes[i])
		if end-i == 2 {
			out = append(out, runes[i])
		}
		i = end
	}
	return string(out)
}
