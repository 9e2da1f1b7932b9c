package invoice

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/shopspring/decimal"
)

// Totals are a document's sums, in minor units.
type Totals struct {
	Lines     []int64 // net of each line (BT-131)
	Net       int64   // BT-106, and BT-109 as there are no allowances
	VAT       int64   // BT-110
	Gross     int64   // BT-112
	Due       int64   // BT-115: Gross less what was paid in advance (BR-CO-16)
	Breakdown []Share
	BooksVAT  int64 // VAT in the currency of the seller's books (BT-111)
}

// Share is what one category and rate has of a document (BG-23).
type Share struct {
	VAT
	Base, Tax int64
}

// Total does the document's sums: a line is rounded once, everything else adds up
// rounded lines (EN 16931 BR-CO-10, -13, -14, -15), and VAT is counted on the base of
// each category and rate (BR-CO-17). It refuses what is too large to count.
func Total(d Document) (Totals, error) {
	var t Totals
	for i, l := range d.Lines {
		net, err := Net(l.Quantity, l.Price)
		if err != nil {
			return Totals{}, fmt.Errorf("line %d: %w", i+1, err)
		}
		t.Lines = append(t.Lines, net)
		t.Net += net
		t.share(l.VAT).Base += net
	}
	for i := range t.Breakdown {
		b := &t.Breakdown[i]
		b.Tax = percent(b.Base, b.Rate)
		t.VAT += b.Tax
	}
	t.Gross = t.Net + t.VAT
	t.Due = t.Gross - d.Paid
	if d.Books.Currency != "" {
		var err error
		if t.BooksVAT, err = minor(decimal.New(t.VAT, -2).Mul(d.Books.Rate)); err != nil {
			return Totals{}, err
		}
	}
	return t, nil
}

// Net is what a quantity costs, in minor units.
func Net(quantity, price decimal.Decimal) (int64, error) { return minor(quantity.Mul(price)) }

func (t *Totals) share(v VAT) *Share {
	at := slices.IndexFunc(t.Breakdown, func(s Share) bool { return s.Category == v.Category && s.Rate.Equal(v.Rate) })
	if at < 0 {
		t.Breakdown = append(t.Breakdown, Share{VAT: v})
		at = len(t.Breakdown) - 1
	}
	return &t.Breakdown[at]
}

func percent(base int64, rate decimal.Decimal) int64 {
	return decimal.New(base, -2).Mul(rate).Round(0).IntPart() // cents * percent / 100, in cents
}

// largest is a small part of what fits, so that no sum of a thousand lines with VAT is
// too large.
const largest = math.MaxInt64 / 10_000

// minor rounds to minor units. Amounts are never negative here, so rounding away from
// zero is half-up.
func minor(amount decimal.Decimal) (int64, error) {
	cents := amount.Shift(2).Round(0).BigInt()
	if cents.Cmp(big.NewInt(largest)) > 0 {
		return 0, fmt.Errorf("%s is more than can be counted", amount)
	}
	return cents.Int64(), nil
}

// Amount writes minor units with two decimals: 1234 is "12.34".
func Amount(cents int64) string { return decimal.New(cents, -2).StringFixed(2) }
