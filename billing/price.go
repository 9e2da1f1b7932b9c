package billing

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Book is a version of a price list. A message keeps the price of the version that
// was valid when it was accepted.
type Book struct {
	ID       int64
	Currency string
}

// Any stands for the countries, or the lanes, that a book does not list.
const Any = "*"

// Lanes are the lanes that a price can be for.
var Lanes = []string{"urgent", "normal", "bulk"}

// CurrentBook is the version that an account's messages are priced by at a time: of
// its own price list, else of its plan's.
func CurrentBook(ctx context.Context, q db.Querier, account int64, at time.Time) (b Book, err error) {
	var list, currency string
	err = q.QueryRowContext(ctx, `
		SELECT b.id, b.currency, l.name, a.currency
		FROM accounts a`+planOfAccount+`
		JOIN price_lists l ON l.id = `+listOfAccount+`
		JOIN price_books b ON b.list_id = l.id AND b.valid_from <= $2 AND b.withdrawn_at = 0
		WHERE a.id = $1 ORDER BY b.valid_from DESC LIMIT 1`, account, db.Millis(at)).Scan(&b.ID, &b.Currency, &list, &currency)
	if db.IsNone(err) {
		return b, problem.Conflict("no_prices", "there are no prices for this account: its price list has no version that is valid")
	}
	if err != nil {
		return b, fmt.Errorf("find the price book: %w", err)
	}
	if b.Currency != currency {
		return b, otherCurrency(list, b.Currency, currency)
	}
	return b, nil
}

// planOfAccount joins an account's plan at the time $2; one without has the first.
const planOfAccount = `
		LEFT JOIN account_plans ap ON ap.account_id = a.id AND ap.valid_from <= $2 AND (ap.valid_until = 0 OR ap.valid_until > $2)
		JOIN plans p ON p.id = COALESCE(ap.plan_id, 1)`

// listOfAccount is the id of its price list then.
const listOfAccount = `CASE WHEN COALESCE(ap.list_id, 0) = 0 THEN p.list_id ELSE ap.list_id END`

func otherCurrency(list, its, account string) error {
	return problem.Conflict("price_list_currency", "the price list %s is in %s, and the account in %s: choose a list in the account's currency", list, its, account)
}

// Price is what one part costs, in micro-units. Country is ISO 3166 alpha-2; it and
// Lane may be Any.
type Price struct {
	Country string
	Lane    string
	Micro   int64
}

type destination struct{ country, lane string }

// Prices are those of a book.
type Prices map[destination]int64

// PricesOf reads a book.
func PricesOf(ctx context.Context, q db.Querier, book int64) (Prices, error) {
	all, err := listPrices(ctx, q, book)
	prices := make(Prices, len(all))
	for _, p := range all {
		prices[destination{p.Country, p.Lane}] = p.Micro
	}
	return prices, err
}

// listPrices are a book's prices, by country and lane.
func listPrices(ctx context.Context, q db.Querier, book int64) ([]Price, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (p Price, err error) {
		return p, row.Scan(&p.Country, &p.Lane, &p.Micro)
	}, `SELECT country, lane, micro FROM prices WHERE book_id = $1 ORDER BY country, lane`, book)
}

// PerPart is the price of one part to a country in a lane, in micro-units: the price
// of just that, else the country's in any lane, else the lane's to any country, else
// that of everything else.
func (p Prices) PerPart(country, lane string) (micro int64, err error) {
	for _, d := range [...]destination{{country, lane}, {country, Any}, {Any, lane}, {Any, Any}} {
		if micro, listed := p[d]; listed {
			return micro, nil
		}
	}
	return 0, problem.Conflict("no_price", "there is no price of a part to %q", country)
}

// ReadDecimal reads a number as people write it in any of our languages: 500, 12.50 or
// 12,50, with any spaces between its digits.
func ReadDecimal(text string) (decimal.Decimal, error) {
	n, err := decimal.NewFromString(strings.Replace(closed(text), ",", ".", 1))
	// An exponent makes numbers that take for ever.
	if err != nil || len(text) > 30 || strings.ContainsAny(text, "eE") {
		return decimal.Zero, fmt.Errorf("%q is no number such as 500 or 12.50", text)
	}
	return n, nil
}

// closed has none of the spaces that are put between thousands: Norwegian and Polish
// have U+00A0 or the narrow U+202F there.
func closed(text string) string {
	return strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "").Replace(text)
}

// twoReadings is what some read as thousands, and others as a number with three decimals.
var twoReadings = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$`)

// ReadNumber is ReadDecimal for a sum or a quantity, where 1,000 may be meant as a
// thousand and is refused (ambiguous_number). A fourth decimal says that it is one.
func ReadNumber(field, text string) (decimal.Decimal, error) {
	if twoReadings.MatchString(closed(text)) {
		return decimal.Zero, &problem.Problem{Kind: problem.KindInvalid, Code: "ambiguous_number", Field: field,
			Text: fmt.Sprintf("%q may be thousands, or a number with three decimals: write thousands without a mark, as 1000, and decimals with two or four digits", text)}
	}
	n, err := ReadDecimal(text)
	if err != nil {
		return n, problem.Invalid(field, "%s", err)
	}
	return n, nil
}

// ReadAmount is ReadNumber in micro-units.
func ReadAmount(field, text string) (micro int64, err error) {
	n, err := ReadNumber(field, text)
	if problem.Has(err, "ambiguous_number") {
		return 0, err
	}
	if micro, ok := micros(n); err == nil && ok {
		return micro, nil
	}
	return 0, problem.Invalid(field, "%q is no amount such as 500 or 12.50, with six decimals at most", text)
}

func micros(n decimal.Decimal) (micro int64, ok bool) {
	n = n.Shift(6)
	if !n.IsInteger() || !n.BigInt().IsInt64() {
		return 0, false
	}
	return n.IntPart(), true
}

// Money writes micro-units as a decimal with the digits it has, two at least:
// 45000 is "0.045".
func Money(micro int64) string {
	sign := ""
	if micro < 0 {
		sign, micro = "-", -micro
	}
	text := fmt.Sprintf("%s%d.%06d", sign, micro/1_000_000, micro%1_000_000)
	for i := 0; i < 4 && text[len(text)-1] == '0'; i++ {
		text = text[:len(text)-1]
	}
	return text
}

// mostPrice bounds a price, in units of money.
const mostPrice = 1_000_000

// ReadPrice reads a price, which is not below 0, into micro-units. Prices of parts have
// three decimals often, so that 1.125 is just that.
func ReadPrice(text string) (micro int64, err error) {
	n, err := ReadDecimal(text)
	micro, ok := micros(n)
	switch {
	case err != nil || !ok:
		return 0, problem.Invalid("price", "%q is not a price: write it as 0.045, with six decimals at most", text)
	case micro < 0:
		return 0, problem.Invalid("price", "a price is not below 0, as %s is", text)
	case micro > mostPrice*1_000_000:
		return 0, problem.Invalid("price", "a price is %d at most", mostPrice)
	}
	return micro, nil
}
