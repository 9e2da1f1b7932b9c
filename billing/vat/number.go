package vat

import (
	"regexp"
	"strings"
)

// shape is how a country's VAT numbers are written after its prefix, and the check
// digit where its tax office tells how to count one.
type shape struct {
	pattern *regexp.Regexp
	check   func(number string) bool // nil: none
}

func numbered(pattern string, check func(string) bool) shape {
	return shape{regexp.MustCompile("^(?:" + pattern + ")$"), check}
}

// shapes by prefix: ISO 3166-1 but for Greece, which has EL. Source: European
// Commission, VIES frequently asked questions, "What is the format of a VAT number?";
// NO: Skatteetaten; GB: HMRC.
var shapes = map[string]shape{
	"AT": numbered(`U\d{8}`, nil),
	"BE": numbered(`[01]\d{9}`, nil),
	"BG": numbered(`\d{9,10}`, nil),
	"CY": numbered(`\d{8}[A-Z]`, nil),
	"CZ": numbered(`\d{8,10}`, nil),
	"DE": numbered(`\d{9}`, german),
	"DK": numbered(`\d{8}`, danish),
	"EE": numbered(`\d{9}`, nil),
	"EL": numbered(`\d{9}`, nil),
	"ES": numbered(`[A-Z0-9]\d{7}[A-Z0-9]`, nil),
	"FI": numbered(`\d{8}`, nil),
	"FR": numbered(`[A-Z0-9]{2}\d{9}`, nil),
	"GB": numbered(`\d{9}|\d{12}|GD\d{3}|HA\d{3}`, nil),
	"HR": numbered(`\d{11}`, nil),
	"HU": numbered(`\d{8}`, nil),
	"IE": numbered(`\d{7}[A-Z]{1,2}|\d[A-Z+*]\d{5}[A-Z]`, nil),
	"IT": numbered(`\d{11}`, nil),
	"LT": numbered(`\d{9}|\d{12}`, nil),
	"LU": numbered(`\d{8}`, nil),
	"LV": numbered(`\d{11}`, nil),
	"MT": numbered(`\d{8}`, nil),
	"NL": numbered(`[A-Z0-9+*]{12}`, nil),
	"NO": numbered(`\d{9}MVA`, norwegian),
	"PL": numbered(`\d{10}`, polish),
	"PT": numbered(`\d{9}`, nil),
	"RO": numbered(`\d{2,10}`, nil),
	"SE": numbered(`\d{10}(?:0[1-9]|[1-8]\d|9[0-4])`, swedish),
	"SI": numbered(`\d{8}`, nil),
	"SK": numbered(`\d{10}`, nil),
}

// Tidy writes a VAT number as it is stored: capitals without spaces, dots and hyphens,
// with its country before it.
func Tidy(country, number string) string {
	number = strings.ToUpper(strings.NewReplacer(" ", "", ".", "", "-", "").Replace(number))
	if number == "" || strings.HasPrefix(number, prefixOf(country)) {
		return number
	}
	return prefixOf(country) + number
}

func prefixOf(country string) string {
	if country == "GR" {
		return "EL"
	}
	return country
}

// WellFormed says whether a tidy VAT number can be one of a country: its form and, where
// one is defined, its check digit. Whether somebody has it only the country's register
// knows. For a country whose form is not known here the prefix is enough.
func WellFormed(country, number string) bool {
	rest, ok := strings.CutPrefix(number, prefixOf(country))
	if !ok || rest == "" {
		return false
	}
	s, known := shapes[prefixOf(country)]
	return !known || s.pattern.MatchString(rest) && (s.check == nil || s.check(rest))
}

// weighted sums the digits times the weights.
func weighted(number string, weights ...int) (sum int) {
	for i, w := range weights {
		sum += w * int(number[i]-'0')
	}
	return sum
}

// norwegian is modulus 11 over the organisation number.
func norwegian(n string) bool { return weighted(n, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }

// danish is modulus 11 over the CVR number.
func danish(n string) bool { return weighted(n, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }

// polish is modulus 11 with the remainder as the last digit; 10 is none.
func polish(n string) bool { return weighted(n, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == int(n[9]-'0') }

// swedish is Luhn's over the organisation number, the first ten digits.
func swedish(n string) bool {
	sum := 0
	for i := range 10 {
		d := int(n[i]-'0') * (2 - i%2)
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

// german is ISO 7064 MOD 11,10.
func german(n string) bool {
	product := 10
	for i := range 8 {
		sum := (int(n[i]-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return (11-product)%10 == int(n[8]-'0')
}
