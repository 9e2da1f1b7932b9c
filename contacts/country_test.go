package contacts_test

import (
	"testing"

	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/contacts"
)

// What a message is charged for is told by country, so it must be the one that it was
// priced for.
func TestTheCountryOfANumberIsTheOneThatNormaliseTells(t *testing.T) {
	tried := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			e164, want, reason := contacts.Normalise(phonenumbers.Format(example, phonenumbers.E164), "")
			if reason != "" {
				continue
			}
			tried++
			if got := contacts.CountryOf(e164); got != want {
				t.Errorf("%s is of %q, want %q", e164, got, want)
			}
		}
	}
	if tried < 400 {
		t.Errorf("only %d numbers were tried", tried)
	}
	for _, none := range []string{"", "+", "+47", "4790000001", "gone:1", "+x", "+999123456"} {
		if got := contacts.CountryOf(none); got != "" && none != "+47" {
			t.Errorf("%q is of %q", none, got)
		}
	}
}

func BenchmarkCountryOf(b *testing.B) {
	for _, number := range []string{"+4790000001", "+48501234567", "+447911123456"} {
		b.Run(number, func(b *testing.B) {
			for b.Loop() {
				contacts.CountryOf(number)
			}
		})
	}
}
