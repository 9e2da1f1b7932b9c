package cards

import (
	"net/mail"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/varsel/varsel/internal/problem"
)

const (
	maxValue = 300 // characters
	maxNote  = 1000
)

// Read checks what somebody wrote for a field of the kind, and is the form in which it is
// kept. A refusal has the code and the field of the kind: invalid_website.
func (k Kind) Read(text string) (string, error) {
	text = strings.TrimSpace(text)
	most := maxValue
	if k == Note {
		most = maxNote
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && (k != Note || r != '\n') }) {
		return "", problem.Invalid(string(k), "it has characters that cannot be shown")
	}
	if utf8.RuneCountInString(text) > most {
		return "", problem.Invalid(string(k), "it has more than %d characters", most)
	}
	if text == "" {
		return "", nil
	}
	switch k {
	case Website:
		return text, webAddress(text)
	case Email:
		return text, mailAddress(text)
	case Mobile, WorkPhone, Fax:
		return text, phoneNumber(k, text)
	}
	return text, nil
}

// webAddress is one that a browser opens as a page, and does not run.
func webAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.ContainsFunc(text, unicode.IsSpace) {
		return problem.Invalid(string(Website), "a web address begins with https:// or http://, as in https://www.example.no")
	}
	return nil
}

func mailAddress(text string) error {
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return problem.Invalid(string(Email), "an e-mail address is wanted, as in kari@example.no")
	}
	return nil
}

// phoneNumber takes numbers as people write them; that one can be texted is not needed.
func phoneNumber(k Kind, text string) error {
	digits := 0
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			digits++
		case !strings.ContainsRune("+()-./ \u00a0", r):
			return problem.Invalid(string(k), "a phone number has digits and spaces, as in +47 22 33 44 55")
		}
	}
	if digits < 3 || digits > 20 {
		return problem.Invalid(string(k), "a phone number has 3 to 20 digits")
	}
	return nil
}
