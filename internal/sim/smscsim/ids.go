package smscsim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// idForm writes one message number twice: in submit_sm_resp and in the receipt. Carriers differ
// in both, and some disagree with themselves.
type idForm struct {
	answer, receipt func(n uint64) string
}

var idForms = map[string]idForm{
	"":                        {decimal, decimal},
	"decimal":                 {decimal, decimal},
	"hex":                     {hexLower, hexLower},
	"hex-receipt-decimal":     {hexLower, decimal},
	"decimal-receipt-hex":     {decimal, hexLower},
	"uuid":                    {uuid, uuid},
	"zeros":                   {decimal, tenDigits},
	"upper-hex-receipt-lower": {hexUpper, hexLower},
}

// formOf takes an unknown name for decimal: SetFaults has no error to give.
func formOf(name string) idForm {
	if form, ok := idForms[name]; ok {
		return form
	}
	return idForms[""]
}

// firstID is a nine-digit number, so "zeros" has a zero to add and no id in hex is another's
// decimal. It is random because a carrier does not reuse ids after a restart.
func firstID() uint64 {
	return 100_000_000 + rand.Uint64N(800_000_000)
}

func decimal(n uint64) string   { return strconv.FormatUint(n, 10) }
func hexLower(n uint64) string  { return strconv.FormatUint(n, 16) }
func hexUpper(n uint64) string  { return fmt.Sprintf("%X", n) }
func tenDigits(n uint64) string { return fmt.Sprintf("%010d", n) }

// uuid scatters the number over a version 4 UUID; both answer and receipt can compute it.
func uuid(n uint64) string {
	high, low := scatter(2*n), scatter(2*n+1)
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		high>>32, high>>16&0xFFFF, high&0xFFF, 0x8000|low>>48&0x3FFF, low&0xFFFFFFFFFFFF)
}

// scatter is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a permutation of 64 bits,
// so two numbers never share a UUID half.
func scatter(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
