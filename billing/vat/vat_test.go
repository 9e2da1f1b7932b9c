package vat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/billing/vat"
	"github.com/varsel/varsel/internal/problem"
)

func on(day string) time.Time {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return at
}

// S16
func TestWhereTheCustomerIsDecidesTheTax(t *testing.T) {
	for name, c := range map[string]struct {
		sale     vat.Sale
		category invoice.Category
		percent  string
		reason   string
	}{
		"Norway at home":                       {vat.Sale{Seller: "NO", Customer: "NO", Business: true}, "S", "25", ""},
		"Poland at home":                       {vat.Sale{Seller: "PL", Customer: "PL", Business: true}, "S", "23", ""},
		"Denmark at home, a consumer":          {vat.Sale{Seller: "DK", Customer: "DK"}, "S", "25", ""},
		"Sweden at home":                       {vat.Sale{Seller: "SE", Customer: "SE", Business: true}, "S", "25", ""},
		"Germany at home":                      {vat.Sale{Seller: "DE", Customer: "DE", Business: true}, "S", "19", ""},
		"a business with a number":             {vat.Sale{Seller: "DE", Customer: "PL", Business: true, CustomerVAT: "PL5260250274", CustomerGood: true}, "AE", "0", "Reverse charge / Steuerschuldnerschaft des Leistungsempfängers"},
		"the same from Poland":                 {vat.Sale{Seller: "PL", Customer: "DE", Business: true, CustomerVAT: "DE136695976", CustomerGood: true}, "AE", "0", "Reverse charge / odwrotne obciążenie"},
		"a number that VIES does not know":     {vat.Sale{Seller: "DE", Customer: "PL", Business: true, CustomerVAT: "PL5260250274"}, "S", "19", ""},
		"a number that cannot be one":          {vat.Sale{Seller: "DE", Customer: "PL", Business: true, CustomerVAT: "PL5260250275", CustomerGood: true}, "S", "19", ""},
		"a business without a number":          {vat.Sale{Seller: "DK", Customer: "SE", Business: true}, "S", "25", ""},
		"a consumer of the Union":              {vat.Sale{Seller: "SE", Customer: "DE"}, "S", "25", ""},
		"a consumer in the one-stop shop":      {vat.Sale{Seller: "SE", Customer: "FI", OSS: true}, "S", "25.5", ""},
		"a business outside the Union":         {vat.Sale{Seller: "DK", Customer: "NO", Business: true}, "O", "0", "Not subject to VAT, place of supply outside the European Union / Leveringssted uden for EU"},
		"a consumer outside the Union":         {vat.Sale{Seller: "DK", Customer: "US"}, "O", "0", "Not subject to VAT, place of supply outside the European Union / Leveringssted uden for EU"},
		"Norway to a business in the Union":    {vat.Sale{Seller: "NO", Customer: "DE", Business: true}, "G", "0", "Export of services, zero-rated / Fritatt for merverdiavgift, merverdiavgiftsloven § 6-22"},
		"Norway to a consumer overseas":        {vat.Sale{Seller: "NO", Customer: "GB"}, "G", "0", "Export of services, zero-rated / Fritatt for merverdiavgift, merverdiavgiftsloven § 6-22"},
		"Norway to a consumer, one-stop shop":  {vat.Sale{Seller: "NO", Customer: "PL", OSS: true}, "S", "23", ""},
		"Germany in the second half of 2020":   {vat.Sale{From: on("2020-12-31"), To: on("2020-12-31"), Seller: "DE", Customer: "DE"}, "S", "16", ""},
		"Germany when that was over":           {vat.Sale{From: on("2021-01-01"), To: on("2021-01-01"), Seller: "DE", Customer: "DE"}, "S", "19", ""},
		"Estonia on the last day at 22":        {vat.Sale{From: on("2025-06-30"), To: on("2025-06-30"), Seller: "SE", Customer: "EE", OSS: true}, "S", "22", ""},
		"Estonia on the first day at 24":       {vat.Sale{From: on("2025-07-01"), To: on("2025-07-01"), Seller: "SE", Customer: "EE", OSS: true}, "S", "24", ""},
		"Greece, whose numbers begin with EL":  {vat.Sale{Seller: "DE", Customer: "GR", Business: true, CustomerVAT: "EL123456789", CustomerGood: true}, "AE", "0", "Reverse charge / Steuerschuldnerschaft des Leistungsempfängers"},
		"another country's number is not ours": {vat.Sale{Seller: "DE", Customer: "GR", Business: true, CustomerVAT: "PL5260250274", CustomerGood: true}, "S", "19", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.sale.SellerVATID = c.sale.Seller + "1"
			if c.sale.To.IsZero() {
				c.sale.From, c.sale.To = on("2026-11-01"), on("2026-11-01")
			}
			got, err := vat.Decide(c.sale)
			if err != nil {
				t.Fatal(err)
			}
			if got.Category != c.category || !got.Rate.Equal(decimal.RequireFromString(c.percent)) || got.Reason != c.reason {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestWhatThereIsNoRuleForIsRefused(t *testing.T) {
	for name, s := range map[string]vat.Sale{
		"a seller elsewhere":                          {From: on("2026-11-01"), To: on("2026-11-01"), Seller: "US", SellerVATID: "US1", Customer: "NO"},
		"a seller without a VAT number":               {From: on("2026-11-01"), To: on("2026-11-01"), Seller: "NO", Customer: "NO"},
		"Norway to a consumer without one-stop shop":  {From: on("2026-11-01"), To: on("2026-11-01"), Seller: "NO", SellerVATID: "NO1", Customer: "DE"},
		"a day before the rates that we have of then": {From: on("1980-01-01"), To: on("1980-01-01"), Seller: "NO", SellerVATID: "NO1", Customer: "NO"},
	} {
		if got, err := vat.Decide(s); !problem.Has(err, "no_vat_rule") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestEveryRateHasASourceAndComesInOrder(t *testing.T) {
	for _, country := range append([]string{"NO"}, "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK") {
		r, found := vat.RateOn(country, on("2026-11-01"))
		if !found || r.Source == "" || r.Percent.LessThan(decimal.NewFromInt(15)) {
			t.Errorf("%s: %+v", country, r)
		}
	}
}

func TestVATNumbersHaveTheFormOfTheirCountry(t *testing.T) {
	good := map[string][]string{
		"NO": {"NO923609016MVA", "NO974760673MVA"}, "DK": {"DK13585628", "DK25313763"}, "SE": {"SE556012579001", "SE202100548901"},
		"PL": {"PL5260250274", "PL7740001454"}, "DE": {"DE136695976", "DE811128135"}, "GR": {"EL123456789"}, "IE": {"IE1234567WA", "IE1A12345A"},
		"NL": {"NL123456789B01"}, "CH": {"CHE123456789"}, "GB": {"GB123456789"},
	}
	bad := map[string][]string{
		"NO": {"NO923609017MVA", "NO923609016", "923609016MVA", "NO92360901XMVA"}, "DK": {"DK13585629", "DK1358562"}, "SE": {"SE556012579101", "SE556012579000", "SE5560125790"},
		"PL": {"PL5260250275", "PL526025027"}, "DE": {"DE136695978", "DE13669597"}, "GR": {"GR123456789"}, "FR": {"FR12"}, "AT": {"AT12345678"}, "CH": {"CH", ""},
	}
	for country, numbers := range good {
		for _, n := range numbers {
			if !vat.WellFormed(country, n) {
				t.Errorf("%s of %s was refused", n, country)
			}
		}
	}
	for country, numbers := range bad {
		for _, n := range numbers {
			if vat.WellFormed(country, n) {
				t.Errorf("%s of %s was taken", n, country)
			}
		}
	}
}

func TestEveryWrongDigitIsFound(t *testing.T) {
	for country, number := range map[string]string{"NO": "NO923609016MVA", "DK": "DK13585628", "SE": "SE556012579001", "PL": "PL5260250274", "DE": "DE136695976"} {
		last := 2 + map[string]int{"NO": 9, "DK": 8, "SE": 10, "PL": 10, "DE": 9}[country]
		for at := 2; at < last; at++ {
			wrong := []byte(number)
			if wrong[at]++; wrong[at] > '9' {
				wrong[at] = '0'
			}
			if vat.WellFormed(country, string(wrong)) {
				t.Errorf("%s was taken for %s", wrong, number)
			}
		}
	}
}

func TestNumbersAreTidiedAsTheyAreStored(t *testing.T) {
	for typed, want := range map[string]string{"923 609 016 mva": "NO923609016MVA", "no 923.609.016-MVA": "NO923609016MVA", "": ""} {
		if got := vat.Tidy("NO", typed); got != want {
			t.Errorf("%q became %q", typed, got)
		}
	}
	if got := vat.Tidy("GR", "123456789"); got != "EL123456789" {
		t.Errorf("a Greek number became %q", got)
	}
}

func TestASaleAcrossAChangeOfTheRateIsRefused(t *testing.T) {
	s := vat.Sale{From: on("2025-06-01"), To: on("2025-07-31"), Seller: "SE", SellerVATID: "SE1", Customer: "EE", OSS: true}
	if _, err := vat.Decide(s); !problem.Has(err, "vat_rate_changed") || !strings.Contains(err.Error(), "2025-07-01") {
		t.Errorf("got %v", err)
	}
	s.From = on("2025-07-01")
	if got, err := vat.Decide(s); err != nil || got.Rate.String() != "24" {
		t.Errorf("from the day of the change on: %+v (%v)", got, err)
	}
}
