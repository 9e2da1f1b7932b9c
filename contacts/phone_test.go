package contacts_test

import (
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/contacts"
)

func TestNumbersAsPeopleTypeThem(t *testing.T) {
	const leftToRight, popMark, noBreak, thin, zeroWidth = "\u202a", "\u202c", "\u00a0", "\u2009", "\u200b"
	tests := []struct{ raw, region, e164, country, reason string }{
		{"+47 900 00 000", "NO", "+4790000000", "NO", ""},
		{"90000000", "NO", "+4790000000", "NO", ""},
		{"900-00-000", "NO", "+4790000000", "NO", ""},
		{"4790000000", "NO", "+4790000000", "NO", ""},
		{"0047 900 00 000", "NO", "+4790000000", "NO", ""},
		{"0047 900 00 000", "US", "+4790000000", "NO", ""},
		{"(+47) 900 00 000", "PL", "+4790000000", "NO", ""},
		{"++47 90000000", "NO", "+4790000000", "NO", ""},
		{"+46 70-123 45 67", "NO", "+46701234567", "SE", ""},
		{"501 234 567", "PL", "+48501234567", "PL", ""},
		{"0171/1234567", "DE", "+491711234567", "DE", ""},
		{"+39 (0)6 1234 5678", "IT", "+390612345678", "IT", ""},
		{"+44 (0) 7700 900123", "GB", "", "", contacts.Invalid}, // kept for drama by Ofcom
		{"+44 (0) 7400 123456", "NO", "+447400123456", "GB", ""},
		{"0044(0)7400 123456", "NO", "+447400123456", "GB", ""},
		{"+47 (0) 900 00 000", "NO", "+4790000000", "NO", ""},

		{leftToRight + "+47" + noBreak + "900" + thin + "00" + zeroWidth + "000" + popMark, "NO", "+4790000000", "NO", ""},
		{"+47 900 00 000\n", "NO", "+4790000000", "NO", ""},
		{"\t+47\u2011900\u201100\u2212000", "NO", "+4790000000", "NO", ""},
		{"＋４７　９０００００００", "NO", "+4790000000", "NO", ""},
		{"٩٠٠٠٠٠٠٠", "NO", "+4790000000", "NO", ""},
		{"90\x0000\x000000", "NO", "+4790000000", "NO", ""},

		{"tel:+4790000000", "NO", "+4790000000", "NO", ""},
		{"TEL: 900 00 000", "NO", "+4790000000", "NO", ""},
		{"Mob. 900 00 000", "NO", "+4790000000", "NO", ""},
		{"900 00 000 (privat)", "NO", "+4790000000", "NO", ""},
		{"900 00 000 Kari", "NO", "+4790000000", "NO", ""},
		{"Intern: 22 33 44 55", "NO", "+4722334455", "NO", ""},

		{"900 00 000 / 911 11 111", "NO", "+4790000000", "NO", ""},
		{"90000000/91111111", "NO", "+4790000000", "NO", ""},
		{"90000000, 91111111", "NO", "+4790000000", "NO", ""},
		{"90000000;91111111", "NO", "+4790000000", "NO", ""},
		{"+47 900 00 000 +47 911 11 111", "NO", "+4790000000", "NO", ""},
		{"900 00 000 eller 911 11 111", "NO", "+4790000000", "NO", ""},
		{"900 00 000\n22 33 44 55", "NO", "+4790000000", "NO", ""},

		{"22 33 44 55 ext 3", "NO", "", "", contacts.Extension},
		{"22334455x12", "NO", "", "", contacts.Extension},
		{"22 33 44 55 (int. 12)", "NO", "", "", contacts.Extension},
		{"22 33 44 55, linje 4", "NO", "", "", contacts.Extension},
		{"22 33 44 55 #12", "NO", "", "", contacts.Extension},
		{"22 33 44 55,,12", "NO", "", "", contacts.Extension},
		{"tel:+4722334455;ext=3", "NO", "", "", contacts.Extension},
		{"ext. 4455", "NO", "", "", contacts.Extension},

		{"1-800-FLOWERS", "US", "", "", contacts.Letters},
		{"1 800 FLOWERS", "US", "", "", contacts.Letters},
		{"900 O0 000", "NO", "", "", contacts.Letters},
		{"90O00000", "NO", "", "", contacts.Letters},
		{"O90000000", "NO", "", "", contacts.Letters},

		{"", "NO", "", "", contacts.NoNumber},
		{"n/a", "NO", "", "", contacts.NoNumber},
		{"ask reception", "NO", "", "", contacts.NoNumber},
		{"--", "NO", "", "", contacts.NoNumber},
		{"12", "NO", "", "", contacts.NoNumber},
		{"1234", "NO", "", "", contacts.TooShort},
		{"+47 900 00 000 000 000", "NO", "", "", contacts.TooLong},
		{"+999 12345678", "NO", "", "", contacts.UnknownCountry},
		{"10000000", "NO", "", "", contacts.Invalid},
	}
	for _, tt := range tests {
		e164, country, reason := contacts.Normalise(tt.raw, tt.region)
		got := []string{e164, country, reason}
		if diff := cmp.Diff([]string{tt.e164, tt.country, tt.reason}, got); diff != "" {
			t.Errorf("%q in %s: %s", tt.raw, tt.region, diff)
		}
	}
}

func TestDigitsOfEveryScriptAreRead(t *testing.T) {
	for _, zero := range "٠۰०০๐０𝟎𝟶𞥐" {
		raw := string([]rune{zero + 9, zero, zero, zero, zero, zero, zero, zero + 7})
		if got, _, _ := contacts.Normalise(raw, "NO"); got != "+4790000007" {
			t.Errorf("%q is %q", raw, got)
		}
	}
	for _, block := range unicode.Nd.R32 {
		if (block.Hi-block.Lo+1)%10 != 0 {
			t.Errorf("%U to %U are not whole rows of ten", block.Lo, block.Hi)
		}
	}
}

// Reading 5: at least three decimal digits, of any script.
func TestAFieldHoldsANumber(t *testing.T) { // S9
	for raw, want := range map[string]bool{
		"": false, "   ": false, "n/a": false, "ask reception": false, "1-2": false,
		"112": true, "ext 312": true, "١٢٣": true, "+47 900 00 000": true,
	} {
		if contacts.HoldsNumber(raw) != want {
			t.Errorf("%q: %v", raw, !want)
		}
	}
}

func TestThePhoneRule(t *testing.T) {
	mobile := contacts.Choice{Raw: "900 00 000", Rule: "mobile", E164: "+4790000000", Country: "NO"}
	business := contacts.Choice{Raw: "22 33 44 55", Rule: "business", E164: "+4722334455", Country: "NO"}
	none := contacts.Choice{Rule: "none", Reason: contacts.NoNumber}
	tests := []struct {
		name     string
		mobile   string
		business []string
		want     contacts.Choice
	}{
		{"S9 mobile first", "900 00 000", []string{"22 33 44 55"}, mobile},
		{"S10 business only when the mobile field holds no number", "n/a", []string{"22 33 44 55"}, business},
		{"S10 an invalid mobile number does not become a desk line", "1234", []string{"22 33 44 55"},
			contacts.Choice{Raw: "1234", Rule: "mobile", Reason: contacts.TooShort}},
		{"S11 the first number met", "", []string{"22 33 44 55", "22 33 44 66"}, business},
		{"S11 what holds no number is not met", "", []string{"", "ask reception", "22 33 44 55"}, business},
		{"S11 the first number met, even when it is wrong", "", []string{"22 33", "22 33 44 55"},
			contacts.Choice{Raw: "22 33", Rule: "business", Reason: contacts.TooShort}},
		{"S8 nobody's number", "", nil, none},
		{"S8 nothing but words", "-", []string{"see intranet"}, none},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, contacts.Choose(tt.mobile, tt.business, "NO")); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestRegionOfAPerson(t *testing.T) {
	tests := []struct{ usage, country, want string }{
		{"SE", "Norge", "SE"},
		{"se", "", "SE"},
		{"", "Norge", "NO"},
		{"", "Norway", "NO"},
		{"", "NO", "NO"},
		{"", " no ", "NO"},
		{"", "NOR", "NO"},
		{"", "U.K.", "GB"},
		{"", "POLSKA", "PL"},
		{"", "Österreich", "AT"},
		{"", "The  Netherlands", "NL"},
		{"", "Česká republika", "CZ"},
		{"", "Ελλάδα", "GR"},
		{"ZZ", "Danmark", "DK"},
		{"", "Atlantis", "FI"},
		{"", "", "FI"},
	}
	for _, tt := range tests {
		if got := contacts.Region(tt.usage, tt.country, "FI"); got != tt.want {
			t.Errorf("usage %q, country %q: %s, want %s", tt.usage, tt.country, got, tt.want)
		}
	}
}

func FuzzNormaliseAnswersANumberOrAReason(f *testing.F) {
	for _, seed := range []string{"+47 900 00 000", "0171/1234567", "ext 123", "\xff123", "+", "٣٣٣", "+39 (0)6 1 / 2"} {
		f.Add(seed, "NO")
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		e164, country, reason := contacts.Normalise(raw, region)
		if (e164 == "") == (reason == "") || (country == "") != (e164 == "") {
			t.Fatalf("%q in %q: %q, %q, %q", raw, region, e164, country, reason)
		}
		if e164 == "" {
			return
		}
		if n, err := phonenumbers.Parse(e164, ""); err != nil || !phonenumbers.IsValidNumber(n) {
			t.Fatalf("%q became %q: %v", raw, e164, err)
		}
	})
}
