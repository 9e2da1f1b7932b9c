// Package billing is what sending costs: price books and the ledger. Money is
// int64 micro-units (1e-6) of a currency, never a float.
package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Kind is what an entry does.
type Kind string

const (
	Reserve Kind = "reserve" // set aside when messages are accepted
	Charge  Kind = "charge"  // earned when the carrier accepts
	Release Kind = "release" // given back for what was never sent
)

// Ledger accounts that money moves between.
const (
	receivable = "receivable" // what the customer may owe
	reserved   = "reserved"   // set aside for messages under way
	revenue    = "revenue"    // earned
)

// movements is double entry: each kind moves an amount from one ledger account
// to another.
var movements = map[Kind]struct{ debit, credit string }{
	Reserve: {receivable, reserved},
	Charge:  {reserved, revenue},
	Release: {reserved, receivable},
}

// Entry is one movement of money for an account. Campaign is 0 for single
// messages. Messages and Parts say how many it is for.
type Entry struct {
	ID       int64
	Account  int64
	Campaign int64
	Kind     Kind
	Micro    int64
	Currency string
	Messages int
	Parts    int
}

// Post writes an entry in the transaction that made it true.
func Post(ctx context.Context, tx *db.Tx, e Entry, now time.Time) error {
	m, ok := movements[e.Kind]
	if !ok {
		return fmt.Errorf("post a ledger entry of unknown kind %q", e.Kind)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO ledger_entries (id, account_id, campaign_id, kind, debit, credit, amount_micro, currency, messages, parts, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.ID, e.Account, e.Campaign, string(e.Kind), m.debit, m.credit, e.Micro, e.Currency, e.Messages, e.Parts, db.Millis(now))
	return err
}

// Totals is what the ledger says of an account or of one campaign: what was
// set aside, earned and given back, in micro-units.
type Totals struct {
	Reserved, Charged, Released int64
}

// Open is what is still set aside.
func (t Totals) Open() int64 { return t.Reserved - t.Charged - t.Released }

// CampaignTotals sums a campaign's entries.
func CampaignTotals(ctx context.Context, q db.Querier, account, campaign int64) (t Totals, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(CASE kind WHEN 'reserve' THEN amount_micro END), 0) AS BIGINT),
		       CAST(COALESCE(SUM(CASE kind WHEN 'charge' THEN amount_micro END), 0) AS BIGINT),
		       CAST(COALESCE(SUM(CASE kind WHEN 'release' THEN amount_micro END), 0) AS BIGINT)
		FROM ledger_entries WHERE account_id = $1 AND campaign_id = $2`, account, campaign).
		Scan(&t.Reserved, &t.Charged, &t.Released)
	return t, err
}
