package cards

import (
	"slices"
	"strings"
	"unicode"
)

// phones are the kinds that are telephone numbers.
var phones = []Kind{Mobile, WorkPhone, Fax}

// bare is a number without the scheme of a link (RFC 3966), which some directories put
// before it, and without the marks that are pasted around numbers to keep them left to
// right.
func bare(number string) string {
	number = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, number))
	if scheme, rest, found := strings.Cut(number, ":"); found && strings.EqualFold(scheme, "tel") {
		return strings.TrimSpace(rest)
	}
	return number
}

// clean is a value in the form that its kind is told in.
func (k Kind) clean(value string) string {
	if slices.Contains(phones, k) {
		return bare(value)
	}
	return value
}
