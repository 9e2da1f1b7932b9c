package billing

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Book is a version of the prices. A message keeps the price of the version
// that was valid when it was accepted.
type Book struct {
	ID       int64
	Currency string
}

// AnyCountry is the price of a country that a book does not list.
const AnyCountry = "*"

// CurrentBook is the version valid at a time.
func CurrentBook(ctx context.Context, q db.Querier, at time.Time) (b Book, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT id, currency FROM price_books WHERE valid_from <= $1 ORDER BY valid_from DESC, id DESC LIMIT 1`,
		db.Millis(at)).Scan(&b.ID, &b.Currency)
	if err != nil {
		return b, fmt.Errorf("find the price book: %w", err)
	}
	return b, nil
}

// Prices are what one part costs to each country (ISO 3166 alpha-2), in micro-units.
type Prices map[string]int64

// PricesOf reads a book.
func PricesOf(ctx context.Context, q db.Querier, book int64) (Prices, error) {
	type price struct {
		country string
		micro   int64
	}
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (p price, err error) {
		return p, row.Scan(&p.country, &p.micro)
	}, `SELECT country, micro FROM prices WHERE book_id = $1`, book)
	prices := Prices{}
	for _, p := range all {
		prices[p.country] = p.micro
	}
	return prices, err
}

// PerPart is the price of one part to a country, in micro-units.
func (p Prices) PerPart(country string) (micro int64, err error) {
	if micro, listed := p[country]; listed {
		return micro, nil
	}
	if micro, listed := p[AnyCountry]; listed {
		return micro, nil
	}
	return 0, fmt.Errorf("no price of a part to %q", country)
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
