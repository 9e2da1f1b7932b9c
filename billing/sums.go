package billing

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

// Sums are the ledger accounts of an account, debits less credits, in micro-units. They
// add up to zero.
type Sums struct {
	Receivable, Reserved, Unbilled, Billed, Rounding, Paid int64
}

// Total is zero, always.
func (s Sums) Total() int64 {
	return s.Receivable + s.Reserved + s.Unbilled + s.Billed + s.Rounding + s.Paid
}

func (s *Sums) of(ledgerAccount string) *int64 {
	switch ledgerAccount {
	case Receivable:
		return &s.Receivable
	case Reserved:
		return &s.Reserved
	case Unbilled:
		return &s.Unbilled
	case Billed:
		return &s.Billed
	case Rounding:
		return &s.Rounding
	}
	return &s.Paid
}

// SumsOf reads the whole ledger of an account.
func SumsOf(ctx context.Context, q db.Querier, account int64) (s Sums, err error) {
	type sum struct {
		debit, credit string
		micro         int64
	}
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (m sum, err error) {
		return m, row.Scan(&m.debit, &m.credit, &m.micro)
	}, `
		SELECT debit, credit, CAST(SUM(amount_micro) AS BIGINT) FROM ledger_entries WHERE account_id = $1 GROUP BY debit, credit
		UNION ALL SELECT ledger_account, '', micro FROM ledger_openings WHERE account_id = $1`, account)
	for _, m := range all {
		*s.of(m.debit) += m.micro
		if m.credit != "" {
			*s.of(m.credit) -= m.micro
		}
	}
	return s, err
}
