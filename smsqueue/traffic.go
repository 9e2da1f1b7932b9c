package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
)

// Traffic is what was charged of the messages that were accepted from one time to
// another, by the carrier that they went to. It reads an hour at a time.
func (q *Queue) Traffic(ctx context.Context, from, to time.Time) ([]billing.Carried, error) {
	type key struct {
		carrier           int64
		country, currency string
	}
	sums := map[key]billing.Carried{}
	for ; from.Before(to); from = from.Add(time.Hour) {
		hour, err := carriedIn(ctx, q.db, from, from.Add(time.Hour))
		if err != nil {
			return nil, err
		}
		for _, c := range hour {
			k := key{c.Carrier, c.Country, c.Currency}
			c.Messages, c.Parts, c.Revenue = c.Messages+sums[k].Messages, c.Parts+sums[k].Parts, c.Revenue+sums[k].Revenue
			sums[k] = c
		}
	}
	var all []billing.Carried
	for _, c := range sums {
		all = append(all, c)
	}
	return all, nil
}

// carriedIn has a row for each beginning of a number that is long enough to tell the
// country.
func carriedIn(ctx context.Context, q db.Querier, from, to time.Time) ([]billing.Carried, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (c billing.Carried, err error) {
		var phone string
		err = row.Scan(&c.Carrier, &phone, &c.Currency, &c.Messages, &c.Parts, &c.Revenue)
		c.Country = contacts.CountryOf(phone)
		return c, err
	}, `
		SELECT r.carrier_id, MIN(m.phone), a.currency, COUNT(*), CAST(SUM(m.parts) AS BIGINT), CAST(SUM(m.price_micro) AS BIGINT)
		FROM messages m JOIN ranges r ON r.id = m.range_id JOIN accounts a ON a.id = m.account_id
		WHERE m.id >= $1 AND m.id < $2 AND m.money = 'charged' GROUP BY r.carrier_id, SUBSTR(m.phone, 1, 8), a.currency`, idAt(from), idAt(to))
}
