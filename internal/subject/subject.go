// Package subject is somebody who uses a right over their data, and the words in
// which the rooms tell what they hold about them.
package subject

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Person is somebody about whom an account holds something.
type Person struct {
	Account  int64
	Contacts []int64  // those that were removed too
	Objects  []Object // what they are in directories
	Numbers  []string // E.164; theirs alone
	Names    []string
	Emails   []string
}

// Object is somebody in a directory.
type Object struct{ Tenant, ID string }

// Section is what a room holds about a person. Each tells one record after the
// other and stops at the first error of tell.
type Section struct {
	Name string // small letters and underscores
	Each func(ctx context.Context, tell func(Record) error) error
}

// Record is one thing that is held, its fields in the order in which they are read.
type Record []Field

// Field is one fact of it. A value is a string, a number, a bool, a time or JSON; an
// empty one is left out.
type Field struct {
	Name  string
	Value any
}

// MarshalJSON writes an object with the fields in their order.
func (r Record) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for _, f := range r {
		if f.Value == "" || f.Value == nil {
			continue
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		name, _ := json.Marshal(f.Name)
		text = append(append(append(text, name...), ':'), value...)
	}
	return append(text, '}'), nil
}

// looksDialled is as long as a number that people write, with what they put between
// the digits.
var looksDialled = regexp.MustCompile(`[+0-9][0-9 ().\-/]{4,30}[0-9]`)

// shortestTail is how many digits of a number, from its end, are the same with and
// without a country code, and are enough to know it.
const shortestTail = 7

// In says whether a text names the person: by name, by e-mail address, or by a number
// as E.164, as it is dialled in its country, or as people type it.
func (p Person) In(text string) bool {
	small := strings.ToLower(text)
	for _, word := range append(append([]string{}, p.Names...), p.Emails...) {
		if hasWord(small, strings.ToLower(strings.TrimSpace(word))) {
			return true
		}
	}
	for _, written := range looksDialled.FindAllString(text, -1) {
		for _, n := range p.Numbers {
			if sameNumber(digits(written), digits(n)) {
				return true
			}
		}
	}
	return false
}

// hasWord finds a word, or several, that do not stand within another: who is called Bo
// is not named by "about".
func hasWord(text, word string) bool {
	for from := 0; word != ""; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		at += from
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(word):])
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
		from = at + len(word)
	}
	return false
}

// sameNumber says whether one ends in the other without its country code, of at most
// three digits (ITU-T E.164, 6.1).
func sameNumber(written, e164 string) bool {
	for code := 0; code <= 3; code++ {
		if tail := e164[min(code, len(e164)):]; len(tail) >= shortestTail && strings.HasSuffix(written, tail) {
			return true
		}
	}
	return false
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
