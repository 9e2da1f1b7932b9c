// Package slug makes and reads the names of cards in addresses, as in
// https://kort.example.no/c/7h2kx09qmz4bd8ra.
package slug

import (
	"crypto/rand"
	"strings"
)

// Letters are those of Crockford's base 32: without i, l and o, which look like
// digits, and without u, so that fewer words arise by chance.
const Letters = "0123456789abcdefghjkmnpqrstvwxyz"

// Length is in letters of 5 bits each, so 80 random bits. Who tries 1,000 a second
// for a year (2^35) where a million cards live (2^20) finds one with a chance of one
// in 30 million. 128 bits would need 26 letters: ten more in the SMS that carries
// the address, and larger modules gone from the QR code.
const Length = 16

// New is a slug that nobody can guess. It is random alone: that it was never used
// before is for the table to say.
func New() string {
	random := make([]byte, Length)
	rand.Read(random) // never fails: it ends the program instead
	for i, b := range random {
		random[i] = Letters[b%byte(len(Letters))] // 32 divides 256: all are as likely
	}
	return string(random)
}

var lookAlikes = strings.NewReplacer("i", "1", "l", "1", "o", "0")

// Parse reads a slug as a person may have typed it from paper: in capitals, or with
// a letter for the digit that it looks like. A QR code carries it in capitals, which
// need fewer modules (ISO/IEC 18004, alphanumeric mode).
func Parse(text string) (slug string, ok bool) {
	slug = lookAlikes.Replace(strings.ToLower(text))
	if len(text) != Length || len(slug) != Length || strings.Trim(slug, Letters) != "" {
		return "", false
	}
	return slug, true
}
