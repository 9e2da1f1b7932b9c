package billing

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Kinds are all that an entry can do.
var Kinds = []Kind{KindReserve, KindRelease, KindCharge, KindFee, KindBill, KindRoundingUp, KindRoundingDown, KindCredit, KindPayment, KindPaymentReturned}

// Posted is an entry as it stands in the ledger.
type Posted struct {
	Entry
	Debit, Credit string // ledger accounts
	Currency      string
	At            time.Time
}

// Owes is what the entry adds to what the customer owes, in micro-units: negative where
// it takes from it, and zero where it moves what is owed already.
func (p Posted) Owes() int64 {
	switch Receivable {
	case p.Debit:
		return p.Micro
	case p.Credit:
		return -p.Micro
	}
	return 0
}

// EntryFilter chooses entries; what is empty chooses all.
type EntryFilter struct {
	Kind        Kind
	Campaign    int64
	Invoice     int64
	Country     string
	Reference   string
	From, Until time.Time // Until is not included
	Before      int64     // an entry's id: older ones
	Limit       int
}

// Entries of an account, the newest first.
func (l *Ledger) Entries(ctx context.Context, account int64, f EntryFilter) ([]Posted, error) {
	if f.Kind != "" && !slices.Contains(Kinds, f.Kind) {
		return nil, problem.Invalid("kind", "%q is no kind of entry", f.Kind)
	}
	return selectEntries(ctx, l.db, `
		WHERE account_id = $1 AND (CAST($2 AS BIGINT) = 0 OR id < $2) AND ($3 = '' OR kind = $3) AND (CAST($4 AS BIGINT) = 0 OR campaign_id = $4)
			AND (CAST($5 AS BIGINT) = 0 OR invoice_id = $5) AND ($6 = '' OR country = $6) AND ($7 = '' OR reference = $7)
			AND at >= $8 AND (CAST($9 AS BIGINT) = 0 OR at < $9)
		ORDER BY id DESC LIMIT $10`,
		account, f.Before, string(f.Kind), f.Campaign, f.Invoice, strings.ToUpper(f.Country), f.Reference, db.Millis(f.From), db.Millis(f.Until), f.Limit)
}

func selectEntries(ctx context.Context, q db.Querier, where string, args ...any) ([]Posted, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (p Posted, err error) {
		var at int64
		err = row.Scan(&p.ID, &p.Account, &p.Campaign, &p.Kind, &p.Debit, &p.Credit, &p.Micro, &p.Currency, &p.Messages, &p.Parts, &p.Country,
			&p.Unit, &p.Lane, &p.Reference, &p.Invoice, &at)
		p.At = db.Time(at)
		return p, err
	}, `
		SELECT id, account_id, campaign_id, kind, debit, credit, amount_micro, currency, messages, parts, country,
			unit_micro, lane, reference, invoice_id, at
		FROM ledger_entries `+where, args...)
}
