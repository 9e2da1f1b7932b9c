package contacts

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// CountryOf is the country (ISO 3166 alpha-2) of a number in E.164 form, as Normalise
// tells it, and empty for what is no such number. It is for messages by the thousand:
// nothing is parsed, and most calling codes (ITU-T E.164) belong to one country alone.
func CountryOf(e164 string) string {
	digits, ok := strings.CutPrefix(e164, "+")
	if !ok {
		return ""
	}
	for n := 1; n <= 3 && n < len(digits); n++ {
		code, err := strconv.Atoi(digits[:n])
		if err != nil {
			return ""
		}
		if regions := phonenumbers.GetRegionCodesForCountryCode(code); len(regions) > 0 {
			return countryAmong(regions, code, digits[n:])
		}
	}
	return ""
}

func countryAmong(regions []string, code int, national string) string {
	if len(regions) == 1 {
		return regions[0]
	}
	whole, err := strconv.ParseUint(national, 10, 64)
	if err != nil {
		return ""
	}
	country, zeros := int32(code), int32(len(national)-len(strings.TrimLeft(national, "0")))
	leading := zeros > 0 // Italy's belong to the number
	return phonenumbers.GetRegionCodeForNumber(&phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &whole,
		ItalianLeadingZero: &leading, NumberOfLeadingZeros: &zeros})
}
