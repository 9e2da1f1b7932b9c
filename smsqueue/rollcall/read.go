package rollcall

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Read finds the choice that a text makes, or "" when it makes none, or more than
// one. The key counts at the beginning of the text: further on, a digit may be a
// time or a floor. A word counts anywhere, unless the text asks or negates.
func (q Question) Read(text string) string {
	said := tokens(text)
	said = said[leadIn(said):]
	keyed, rest := q.keys(said)
	if len(keyed) == 0 && len(said) == 1 {
		keyed.add(q.numbered(said[0]))
	}
	meant, negated := q.words(rest)
	switch {
	case negated && keyed.shares(meant): // '1, not safe'
		return ""
	case negated, strings.ContainsAny(text, "?？"):
		return keyed.only()
	}
	for key := range meant {
		keyed.add(key)
	}
	return keyed.only()
}

// choices are the keys of those that a text names.
type choices map[string]bool

func (c choices) add(key string) {
	if key != "" {
		c[key] = true
	}
}

func (c choices) shares(other choices) bool {
	for key := range c {
		if other[key] {
			return true
		}
	}
	return false
}

func (c choices) only() string {
	if len(c) == 1 {
		for key := range c {
			return key
		}
	}
	return ""
}

// leadIn is how many words come before the answer proper: 'my answer is'.
func leadIn(said []string) (n int) {
	for n < len(said)-1 && leads[said[n]] {
		n++
	}
	return n
}

// keys reads the run of keys that a text begins with, '1' or '1 and 2', and
// answers what comes after.
func (q Question) keys(said []string) (found choices, rest []string) {
	found = choices{}
	for i, word := range said {
		key := q.keyed(word)
		if key == "" && !(joins[word] && i+1 < len(said) && q.keyed(said[i+1]) != "" && len(found) > 0) {
			return found, said[i:]
		}
		found.add(key)
	}
	return found, nil
}

func (q Question) keyed(word string) string {
	for _, c := range q.Choices {
		if tokens(c.Key)[0] == word {
			return c.Key
		}
	}
	return ""
}

// numbered is the choice whose key is the number that a word names.
func (q Question) numbered(word string) string {
	return q.keyed(numbers[word])
}

// words finds what a text says in words, the longest phrase at each place.
func (q Question) words(said []string) (found choices, negated bool) {
	found = choices{}
	for i := 0; i < len(said); {
		key, n := q.phraseAt(said[i:])
		if n == 0 {
			negated = negated || negations[said[i]]
			i++
			continue
		}
		found.add(key)
		i += n
	}
	return found, negated
}

func (q Question) phraseAt(said []string) (key string, n int) {
	for _, c := range q.Choices {
		for _, phrase := range c.Words {
			words := tokens(phrase)
			if len(words) > n && begins(said, words) {
				key, n = c.Key, len(words)
			}
		}
	}
	return key, n
}

func begins(said, words []string) bool {
	if len(said) < len(words) {
		return false
	}
	for i, w := range words {
		if said[i] != w {
			return false
		}
	}
	return true
}

// tokens are the words and numbers of a text: in small letters, without marks,
// since many write without them, and without apostrophes. '1safe' is two.
func tokens(text string) (all []string) {
	var word strings.Builder
	digits := false
	end := func() {
		if word.Len() > 0 {
			all = append(all, word.String())
			word.Reset()
		}
	}
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsDigit(r) != digits:
			end()
			digits = unicode.IsDigit(r)
		}
		if plain, is := unmarked[r]; is {
			word.WriteString(plain)
		} else {
			word.WriteRune(r)
		}
	}
	end()
	return all
}

// unmarked are letters that Unicode does not take apart.
var unmarked = map[rune]string{'ø': "o", 'ł': "l", 'æ': "ae", 'đ': "d", 'ß': "ss"}

// What people write around an answer, in the languages of the console.
var (
	leads     = set("my the answer reply choice option number nr no is mitt svar svaret er alternativ valg tall odpowiedz moja to jest numer opcja wybieram")
	joins     = set("and or og eller i lub oraz albo")
	negations = set("not no never nobody none dont doesnt isnt arent cant cannot wont didnt wasnt havent hasnt without " +
		"ikke ikkje nei aldri ingen uten nie nigdy nikt bez")
	numbers = map[string]string{
		"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
		"en": "1", "ett": "1", "ein": "1", "to": "2", "tre": "3", "fire": "4", "fem": "5", "seks": "6", "sju": "7", "syv": "7", "atte": "8", "ni": "9",
		"jeden": "1", "jedna": "1", "jedno": "1", "dwa": "2", "dwie": "2", "trzy": "3", "cztery": "4", "piec": "5", "szesc": "6", "siedem": "7", "osiem": "8", "dziewiec": "9",
	}
)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(words) {
		all[w] = true
	}
	return all
}
