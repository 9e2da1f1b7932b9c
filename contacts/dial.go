package contacts

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// abroad is the region of a number of which nothing is known: it is read only when it
// has its country code.
const abroad = ""

var nothingButDigits = regexp.MustCompile(`^\+?[0-9]+$`)

// Readable is a number as people read it. One that was written without a space, as
// directories and links have them, gets those of its country; any other stays as it is.
func Readable(raw string) string {
	number, _, reason := Normalise(raw, abroad)
	if reason != "" || !nothingButDigits.MatchString(plain(raw)) {
		return raw
	}
	n, err := phonenumbers.Parse(number, abroad)
	if err != nil {
		return raw
	}
	return phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
}

// Everywhere is a number as it is dialled from everywhere, in E.164, where it is one;
// any other stays as it is.
func Everywhere(raw string) string {
	if number, _, reason := Normalise(raw, abroad); reason == "" {
		return number
	}
	return raw
}

// Dialled are the digits that a telephone dials of a number as people type it, with a
// plus where it has one, and those of an extension behind it: +49302952816 and 722 of
// "+49 (0)30 2952816 ext 722". It is empty where there are no three digits.
func Dialled(raw string) (number, extension string) {
	line := plain(raw)
	start := strings.IndexAny(line, "+0123456789")
	if start < 0 {
		return "", ""
	}
	line = line[start:]
	end := endOfNumber(line)
	number, rest := line[:end], line[end:]
	if countDigits(number) < 3 {
		return "", ""
	}
	if n := countDigits(rest); n > 0 && n <= longestExtension {
		extension = digitsOf(rest)
	}
	if e164, _, reason := parse(number, abroad); reason == "" {
		return e164, extension
	}
	plus := ""
	if strings.HasPrefix(number, "+") {
		plus = "+"
	}
	return plus + digitsOf(trunkZero.ReplaceAllString(number, "$1")), extension
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}
