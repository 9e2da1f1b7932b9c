package smsqueue_test

import (
	"context"

	"github.com/varsel/varsel/internal/db"
)

// moneyOf is what the ledger says of a campaign: what was set aside, earned and given
// back, in micro-units.
type moneyOf struct {
	Reserved, Charged, Released int64
}

// Open is what is still set aside.
func (m moneyOf) Open() int64 { return m.Reserved - m.Charged - m.Released }

// campaignMoney sums a campaign's entries.
func campaignMoney(ctx context.Context, q db.Querier, account, campaign int64) (m moneyOf, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(CASE kind WHEN 'reserve' THEN amount_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE kind WHEN 'charge' THEN amount_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE kind WHEN 'release' THEN amount_micro END), 0) AS BIGINT)
		FROM ledger_entries WHERE account_id = $1 AND campaign_id = $2`, account, campaign).
		Scan(&m.Reserved, &m.Charged, &m.Released)
	return m, err
}
