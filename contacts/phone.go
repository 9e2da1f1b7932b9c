package contacts

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// Why there is no number to text. These are all the reasons there are, besides
// Gone.
const (
	NoNumber       = "no_number"       // nothing that could be one
	Extension      = "extension"       // a desk line behind a switchboard
	Letters        = "letters"         // letters among the digits: a slip, or a word to dial
	TooShort       = "too_short"       // fewer digits than its country uses
	TooLong        = "too_long"        // more digits than its country uses
	UnknownCountry = "unknown_country" // the country code belongs to nobody
	Invalid        = "invalid"         // the right length, but not in any series that is in use
)

// The rules that choose a number.
const (
	RuleMobile   = "mobile"
	RuleBusiness = "business"
	RuleManual   = "manual"
	RuleNone     = "none"
)

// Choice is the number a person is texted on: which of the fields it came from,
// what that field says, and its E.164 form, or the reason why it has none.
type Choice struct {
	Raw, Rule, E164, Country, Reason string
}

// Choose takes the mobile number when that field holds a number, else the first
// business number that holds one. A mobile number that is wrong stays wrong: a
// text meant for one person does not go to a shared desk instead.
func Choose(mobile string, business []string, region string) Choice {
	if HoldsNumber(mobile) {
		return choice(RuleMobile, mobile, region)
	}
	for _, raw := range business {
		if HoldsNumber(raw) {
			return choice(RuleBusiness, raw, region)
		}
	}
	return Choice{Rule: RuleNone, Reason: NoNumber}
}

// ChooseValid is Choose for an account that wants the first business number that
// can be texted in the place of a mobile number that cannot.
func ChooseValid(mobile string, business []string, region string) Choice {
	c := Choose(mobile, business, region)
	if c.Rule != RuleMobile || c.Reason == "" {
		return c
	}
	for _, raw := range business {
		if desk := choice(RuleBusiness, raw, region); desk.Reason == "" {
			return desk
		}
	}
	return c
}

func choice(rule, raw, region string) Choice {
	c := Choice{Raw: raw, Rule: rule}
	c.E164, c.Country, c.Reason = Normalise(raw, region)
	return c
}

// HoldsNumber says whether a field has at least three decimal digits, of any
// script. 'n/a' and 'ask reception' hold none.
func HoldsNumber(raw string) bool {
	return countDigits(raw) >= 3
}

func countDigits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// Normalise reads a number as people type it. region (ISO 3166 alpha-2) is
// where a number without a country code belongs. It answers the E.164 form and
// the number's own region, or the reason why there is none.
func Normalise(raw, region string) (e164, country, reason string) {
	if !HoldsNumber(raw) {
		return "", "", NoNumber
	}
	if len(raw) > longestRaw {
		return "", "", TooLong
	}
	number, reason := first(plain(raw))
	if reason != "" {
		return "", "", reason
	}
	return parse(number, region)
}

// longestRaw, in bytes, is far beyond what any directory keeps in such a field
// (Entra: 64 characters).
const longestRaw = 500

// plain writes every digit, space, dash and plus sign in the ASCII way, and
// drops what cannot be seen, such as the marks that a contact card pastes
// around a number to keep it left-to-right.
func plain(raw string) string {
	return strings.TrimSpace(strings.Map(plainRune, raw))
}

func plainRune(r rune) rune {
	const fullWidth = '！' - '!'
	switch {
	case strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r):
		return '\n'
	case unicode.IsSpace(r):
		return ' '
	case unicode.In(r, unicode.Cf, unicode.Cc):
		return -1
	case r >= '！' && r <= '～':
		return r - fullWidth
	case unicode.IsDigit(r):
		return asciiDigit(r)
	case unicode.Is(unicode.Pd, r), r == '−':
		return '-'
	}
	return r
}

// asciiDigit relies on every script's digits standing in blocks of ten that
// begin with zero (The Unicode Standard, 4.6).
func asciiDigit(r rune) rune {
	for _, block := range unicode.Nd.R16 {
		if r <= rune(block.Hi) {
			return '0' + (r-rune(block.Lo))%10
		}
	}
	for _, block := range unicode.Nd.R32 {
		if r <= rune(block.Hi) {
			return '0' + (r-rune(block.Lo))%10
		}
	}
	return r
}

const (
	numberCharacters = "0123456789 ()-./\\~"

	// Fewer digits than these after a number are not another number.
	secondNumberDigits = 5

	// 'Internal 22 33 44 55' is a label before a whole number, 'int 4455' is not.
	longestExtension = 6

	extensionWords = `(?:x|xtn|ext|extn|extension|extensión|int|intern|internal|interno|innvalg|linje|lokal|` +
		`anknytning|ankn|alanumero|alanro|durchwahl|dw|nebenstelle|nst|poste|toestel|tst|wew|wewn|wewnętrzny|` +
		`klapka|linka|mellék|anexo|ramal|доб)`
)

var (
	extensionAfter  = regexp.MustCompile(`(?i)^[ ,;:(\[-]*` + extensionWords + `[ .:=#-]*\d`)
	extensionBefore = regexp.MustCompile(`(?i)(?:^|\PL)` + extensionWords + `[ .:=#-]*$`)
	hasLetter       = regexp.MustCompile(`\pL`)
	trunkZero       = regexp.MustCompile(`^((?:\++|00)[\d ()-]*?)\( *0 *\)`)
)

// first cuts the first number out of a line: without a label before it, and
// without a second number or a remark after it.
func first(line string) (number, reason string) {
	start := strings.IndexAny(line, "+0123456789")
	label, line := line[:start], line[start:]
	end := endOfNumber(line)
	number, rest := line[:end], line[end:]
	switch {
	case !strings.HasPrefix(number, "+") && countDigits(number) <= longestExtension && extensionBefore.MatchString(label),
		extensionAfter.MatchString(rest):
		return "", Extension
	case endsInLetter(label), touches(number, rest):
		return "", Letters
	case countDigits(rest) >= secondNumberDigits:
		return number, ""
	case countDigits(rest) == 0 && countDigits(number) >= secondNumberDigits:
		return number, ""
	case hasLetter.MatchString(rest):
		return "", Letters
	case countDigits(rest) > 0: // '22 22 22 22, 12' or '#12': dialled after the call is answered
		return "", Extension
	}
	return number, ""
}

func endOfNumber(line string) int {
	digits := strings.TrimLeft(line, "+")
	signs := len(line) - len(digits)
	end := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune(numberCharacters, r) })
	if end < 0 {
		return len(line)
	}
	return signs + end
}

func endsInLetter(label string) bool {
	r := []rune(label)
	return len(r) > 0 && unicode.IsLetter(r[len(r)-1])
}

// touches says that letters follow the digits at once, or after a sign that
// belongs inside a number: 90OO0000, 1-800-FLOWERS.
func touches(number, rest string) bool {
	for _, r := range rest {
		return unicode.IsLetter(r) && !strings.HasSuffix(number, " ") && !strings.HasSuffix(number, "(")
	}
	return false
}

// parse tries the readings of a number in turn. A zero in brackets after the
// country code is left out when calling from abroad, except where it belongs to
// the number (Italy); a stroke divides an area code from its number, or two
// numbers.
func parse(number, region string) (e164, country, reason string) {
	for {
		for _, reading := range []string{trunkZero.ReplaceAllString(number, "$1"), number} {
			var why string
			if e164, country, why = parseOne(reading, region); why == "" {
				return e164, country, ""
			}
			if reason == "" {
				reason = why
			}
		}
		stroke := strings.LastIndexAny(number, `/\`)
		if stroke < 0 {
			return "", "", reason
		}
		number = number[:stroke]
	}
}

func parseOne(number, region string) (e164, country, reason string) {
	digits := digitsOf(number)
	if strings.HasPrefix(number, "+") {
		return valid("+"+digits, region)
	}
	if e164, country, reason = valid(digits, region); reason == "" {
		return e164, country, ""
	}
	// Europe's prefix for abroad, typed by somebody whose own country has another.
	if abroad, ok := strings.CutPrefix(digits, "00"); ok {
		return valid("+"+abroad, region)
	}
	return "", "", reason
}

func valid(digits, region string) (e164, country, reason string) {
	n, err := phonenumbers.Parse(digits, region)
	if err != nil {
		return "", "", parseReason(err)
	}
	if !phonenumbers.IsValidNumber(n) {
		return "", "", lengthReason(n)
	}
	return phonenumbers.Format(n, phonenumbers.E164), phonenumbers.GetRegionCodeForNumber(n), ""
}

func parseReason(err error) string {
	switch err {
	case phonenumbers.ErrInvalidCountryCode:
		return UnknownCountry
	case phonenumbers.ErrNumTooLong:
		return TooLong
	case phonenumbers.ErrTooShortNSN, phonenumbers.ErrTooShortAfterIDD:
		return TooShort
	}
	return Invalid
}

func lengthReason(n *phonenumbers.PhoneNumber) string {
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return TooShort
	case phonenumbers.TOO_LONG:
		return TooLong
	case phonenumbers.INVALID_COUNTRY_CODE:
		return UnknownCountry
	}
	return Invalid
}
