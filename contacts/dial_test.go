package contacts_test

import (
	"testing"

	"github.com/varsel/varsel/contacts"
)

func TestANumberIsDialledWithoutWhatIsBehindIt(t *testing.T) { // Q30
	for raw, want := range map[string][2]string{
		"+49 (0)30 2952816 ext 722":            {"+49302952816", "722"},
		"+49 30 2952816 x722":                  {"+49302952816", "722"},
		"+49 30 2952816 #722":                  {"+49302952816", "722"},
		"tel:+49-30-2952816;ext=722":           {"+49302952816", "722"},
		"+49 30 2952816 Durchwahl 722":         {"+49302952816", "722"},
		"\u200etel:+358404393990\u200e":        {"+358404393990", ""},
		"0047 401 00 001":                      {"+4740100001", ""},
		"+39 (0)6 1234 5678":                   {"+390612345678", ""},
		"22 33 44 55":                          {"22334455", ""},
		"(0)30 2952816":                        {"0302952816", ""},
		"+47 401 00 001 eller +47 22 33 44 55": {"+4740100001", ""},
		"113":                                  {"113", ""},
		"ask reception":                        {"", ""},
		"12":                                   {"", ""},
	} {
		if number, extension := contacts.Dialled(raw); [2]string{number, extension} != want {
			t.Errorf("%q is dialled as %q, %q; want %q", raw, number, extension, want)
		}
	}
}

func TestANumberIsReadInItsCountrysWay(t *testing.T) {
	for raw, want := range map[string]string{"+358404393990": "+358 40 4393990", "+4740100001": "+47 40 10 00 01", "+47 40 10 00 01": "+47 40 10 00 01",
		"22334455": "22334455", "+999123": "+999123", "Kari": "Kari"} {
		if got := contacts.Readable(raw); got != want {
			t.Errorf("%q is read as %q, want %q", raw, got, want)
		}
	}
	for raw, want := range map[string]string{"+47 401 00 001": "+4740100001", "22 33 44 55": "22 33 44 55", "+47 401 00 001 ext 5": "+47 401 00 001 ext 5"} {
		if got := contacts.Everywhere(raw); got != want {
			t.Errorf("%q is written as %q, want %q", raw, got, want)
		}
	}
}
