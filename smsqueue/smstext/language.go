package smstext

import (
	"fmt"
	"slices"
	"strings"
)

// Language is a national language identifier (3GPP TS 23.038 6.2.1.2.4). Zero
// is none.
type Language byte

const (
	Turkish Language = 1 + iota
	Spanish
	Portuguese
	Bengali
	Gujarati
	Hindi
	Kannada
	Malayalam
	Oriya
	Punjabi
	Tamil
	Telugu
	Urdu
)

var languageNames = [...]string{"", "Turkish", "Spanish", "Portuguese", "Bengali", "Gujarati", "Hindi", "Kannada",
	"Malayalam", "Oriya", "Punjabi", "Tamil", "Telugu", "Urdu"}

var languageCodes = [...]string{"", "tr", "es", "pt", "bn", "gu", "hi", "kn", "ml", "or", "pa", "ta", "te", "ur"}

// Languages are all that have tables.
func Languages() (all []Language) {
	for l := Turkish; l <= Urdu; l++ {
		all = append(all, l)
	}
	return all
}

// ParseLanguage finds a language by its BCP 47 code, in any case.
func ParseLanguage(code string) (Language, error) {
	i := slices.Index(languageCodes[1:], strings.ToLower(code))
	if i < 0 {
		return 0, fmt.Errorf("no shift tables for the language %q: they are %s", code, strings.Join(languageCodes[1:], ", "))
	}
	return Language(i + 1), nil
}

// Code is the language's BCP 47 code; empty for none and for a number that is
// no language's.
func (l Language) Code() string { return l.in(languageCodes[:]) }

// String is the language's name in English.
func (l Language) String() string { return l.in(languageNames[:]) }

func (l Language) in(words []string) string {
	if int(l) >= len(words) {
		return ""
	}
	return words[l]
}

// MarshalText writes the code.
func (l Language) MarshalText() ([]byte, error) { return []byte(l.Code()), nil }

// UnmarshalText reads what ParseLanguage reads.
func (l *Language) UnmarshalText(code []byte) (err error) {
	*l, err = ParseLanguage(string(code))
	return err
}

// Shift names the national language tables that a message is written with. The
// zero value is the GSM alphabet and its extension table. A language without
// the table asked for (Spanish has no locking one), or a number that is no
// language's, means the table of the GSM alphabet: a handset ignores an element
// that it does not know (3GPP TS 23.038 6.2.1.2.4).
type Shift struct {
	Locking Language // its table takes the place of the GSM alphabet
	Single  Language // its table takes the place of the extension table
}

// The elements of a user data header that name the tables, of three octets
// each (3GPP TS 23.040 9.2.3.24.15 and 9.2.3.24.16).
const (
	singleElement  = 0x24
	lockingElement = 0x25
	elementOctets  = 3
)

// Header is the information elements that tell a handset of the tables,
// without the octet of the header's length that comes before all elements. It
// is empty for the GSM alphabet.
func (s Shift) Header() (elements []byte) {
	if s.Locking != 0 {
		elements = append(elements, lockingElement, 1, byte(s.Locking))
	}
	if s.Single != 0 {
		elements = append(elements, singleElement, 1, byte(s.Single))
	}
	return elements
}

// octets is how long Header is.
func (s Shift) octets() (n int) {
	if s.Locking != 0 {
		n += elementOctets
	}
	if s.Single != 0 {
		n += elementOctets
	}
	return n
}

func (s Shift) locking() *table {
	if t := lockingTables[s.Locking]; t != nil {
		return t
	}
	return basic
}

func (s Shift) single() *table {
	if t := singleTables[s.Single]; t != nil {
		return t
	}
	return extension
}

// code is where the tables have a character.
func (s Shift) code(r rune) byte {
	if s == (Shift{}) {
		return codeOf(r)
	}
	if c, found := s.locking().codes[r]; found {
		return c
	}
	if c, found := s.single().codes[r]; found {
		return c | extended
	}
	return absent
}
