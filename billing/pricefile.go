package billing

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/internal/problem"
)

// priceColumns is the first row of a file of prices.
var priceColumns = []string{"country", "lane", "price"}

// mostPrices bounds a version.
const mostPrices = 2000

// ParsePrices reads prices from CSV with the columns country, lane and price, as
// WritePrices writes it. An empty country or lane is Any. The columns are separated by
// commas, or by semicolons as where a comma is in decimals. Every row that is wrong is
// told with its number.
func ParsePrices(file []byte) ([]Price, error) {
	rows, err := priceRows(file)
	if err != nil {
		return nil, err
	}
	var wrong []string
	var prices []Price
	for i, row := range rows[1:] {
		p, err := parsePrice(row)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("row %d: %v", i+2, err))
			continue
		}
		if at := slices.IndexFunc(prices, func(o Price) bool { return o.Country == p.Country && o.Lane == p.Lane }); at >= 0 {
			wrong = append(wrong, fmt.Sprintf("row %d: there is another price for %s and %s above", i+2, p.Country, p.Lane))
		}
		prices = append(prices, p)
	}
	if len(wrong) > 0 {
		return nil, problem.Invalid("prices", "%s", strings.Join(wrong, "\n"))
	}
	return prices, checkPrices(prices)
}

func priceRows(file []byte) ([][]string, error) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	first, _, _ := bytes.Cut(file, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(file))
	if bytes.Contains(first, []byte(";")) {
		r.Comma = ';'
	}
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	rows, err := r.ReadAll()
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		return nil, problem.Invalid("prices", "row %d: %v", broken.Line, broken.Err)
	case err != nil:
		return nil, err
	case len(rows) == 0 || !slices.EqualFunc(rows[0], priceColumns, func(got, want string) bool { return strings.EqualFold(strings.TrimSpace(got), want) }):
		return nil, problem.Invalid("prices", "the first row has to be: %s", strings.Join(priceColumns, ","))
	case len(rows) > mostPrices+1:
		return nil, problem.Invalid("prices", "a version has %d prices at most", mostPrices)
	}
	return rows, nil
}

func parsePrice(row []string) (p Price, err error) {
	if len(row) != len(priceColumns) {
		return p, fmt.Errorf("it has %d columns instead of %d", len(row), len(priceColumns))
	}
	p.Country, p.Lane = strings.ToUpper(strings.TrimSpace(row[0])), strings.ToLower(strings.TrimSpace(row[1]))
	if p.Country == "" {
		p.Country = Any
	}
	if p.Lane == "" {
		p.Lane = Any
	}
	if p.Micro, err = ReadPrice(row[2]); err != nil {
		return p, err
	}
	return p, p.check()
}

func (p Price) check() error {
	switch {
	case p.Country != Any && (len(p.Country) != 2 || phonenumbers.GetCountryCodeForRegion(p.Country) == 0):
		return problem.Invalid("prices", "%q is no country code such as NO, and not %s for all others", p.Country, Any)
	case p.Lane != Any && !slices.Contains(Lanes, p.Lane):
		return problem.Invalid("prices", "%q is no lane: there are %s, and %s for all others", p.Lane, strings.Join(Lanes, ", "), Any)
	case p.Micro < 0 || p.Micro > mostPrice*1_000_000:
		return problem.Invalid("prices", "a price is not below 0, and %d at most", mostPrice)
	}
	return nil
}

// checkPrices sees that every message has a price, and only one.
func checkPrices(prices []Price) error {
	if len(prices) > mostPrices {
		return problem.Invalid("prices", "a version has %d prices at most", mostPrices)
	}
	known := Prices{}
	for _, p := range prices {
		if err := p.check(); err != nil {
			return err
		}
		if _, twice := known[destination{p.Country, p.Lane}]; twice {
			return problem.Invalid("prices", "there are two prices for %s and %s", p.Country, p.Lane)
		}
		known[destination{p.Country, p.Lane}] = p.Micro
	}
	if _, ok := known[destination{Any, Any}]; !ok {
		return problem.Invalid("prices", "the price for every country and lane that is not listed is missing: add a row with *,*")
	}
	return nil
}

// WritePrices writes prices as CSV.
func WritePrices(w io.Writer, prices []Price) error {
	out := csv.NewWriter(w)
	rows := [][]string{priceColumns}
	for _, p := range prices {
		rows = append(rows, []string{p.Country, p.Lane, Money(p.Micro)})
	}
	return out.WriteAll(rows)
}
