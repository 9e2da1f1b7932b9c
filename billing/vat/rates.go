package vat

import (
	"time"

	"github.com/shopspring/decimal"
)

// Rate is a country's standard rate from a day on.
type Rate struct {
	Country string // ISO 3166-1 alpha-2
	From    time.Time
	Percent decimal.Decimal
	Source  string
}

// tedb is where the rates of the Union's countries are published.
const tedb = "European Commission, Taxes in Europe Database, standard rate"

// rates, of one country the older first. What is sold from Norway, Poland, Denmark,
// Sweden and Germany is taxed at the seller's rate; those of the other countries serve
// the one-stop shop.
var rates = []Rate{
	standard("NO", "2005-01-01", "25", "Stortingets vedtak om merverdiavgift § 2"),
	standard("PL", "2011-01-01", "23", "Ustawa o podatku od towarów i usług, art. 146aa i 146ef"),
	standard("DK", "1992-01-01", "25", "Momsloven § 33"),
	standard("SE", "1990-07-01", "25", "Mervärdesskattelagen (2023:200) 9 kap. 2 §"),
	standard("DE", "2007-01-01", "19", "Umsatzsteuergesetz § 12 Abs. 1"),
	standard("DE", "2020-07-01", "16", "Umsatzsteuergesetz § 28 Abs. 1"),
	standard("DE", "2021-01-01", "19", "Umsatzsteuergesetz § 12 Abs. 1"),
	standard("AT", "2016-01-01", "20", tedb),
	standard("BE", "1996-01-01", "21", tedb),
	standard("BG", "2007-01-01", "20", tedb),
	standard("CY", "2014-01-13", "19", tedb),
	standard("CZ", "2013-01-01", "21", tedb),
	standard("EE", "2009-07-01", "20", tedb),
	standard("EE", "2024-01-01", "22", tedb),
	standard("EE", "2025-07-01", "24", tedb),
	standard("ES", "2012-09-01", "21", tedb),
	standard("FI", "2013-01-01", "24", tedb),
	standard("FI", "2024-09-01", "25.5", tedb),
	standard("FR", "2014-01-01", "20", tedb),
	standard("GR", "2016-06-01", "24", tedb),
	standard("HR", "2012-03-01", "25", tedb),
	standard("HU", "2012-01-01", "27", tedb),
	standard("IE", "2021-03-01", "23", tedb),
	standard("IT", "2013-10-01", "22", tedb),
	standard("LT", "2009-09-01", "21", tedb),
	standard("LU", "2015-01-01", "17", tedb),
	standard("LU", "2023-01-01", "16", tedb),
	standard("LU", "2024-01-01", "17", tedb),
	standard("LV", "2012-07-01", "21", tedb),
	standard("MT", "2004-01-01", "18", tedb),
	standard("NL", "2012-10-01", "21", tedb),
	standard("PT", "2011-01-01", "23", tedb),
	standard("RO", "2017-01-01", "19", tedb),
	standard("RO", "2025-08-01", "21", tedb),
	standard("SI", "2013-07-01", "22", tedb),
	standard("SK", "2011-01-01", "20", tedb),
	standard("SK", "2025-01-01", "23", tedb),
}

func standard(country, from, percent, source string) Rate {
	day, err := time.Parse(time.DateOnly, from)
	if err != nil {
		panic(err)
	}
	return Rate{Country: country, From: day, Percent: decimal.RequireFromString(percent), Source: source}
}

// RateOn is a country's standard rate on a day; found is false where we have none.
func RateOn(country string, day time.Time) (r Rate, found bool) {
	for _, one := range rates {
		if one.Country == country && !one.From.After(day) {
			r, found = one, true
		}
	}
	return r, found
}
