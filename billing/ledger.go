// Package billing is what sending costs: price books and the ledger. Money is
// int64 micro-units (1e-6) of a currency, never a float.
package billing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Kind is what an entry does.
type Kind string

const (
	KindReserve         Kind = "reserve"          // set aside when messages are accepted
	KindRelease         Kind = "release"          // given back for what was never sent
	KindCharge          Kind = "charge"           // earned when the carrier accepts
	KindFee             Kind = "fee"              // earned without messages: a subscription
	KindBill            Kind = "bill"             // on an invoice
	KindRoundingUp      Kind = "rounding_up"      // a line's cents are more than its micro-units
	KindRoundingDown    Kind = "rounding_down"    // a line's cents are less
	KindCredit          Kind = "credit"           // on a credit note
	KindPayment         Kind = "payment"          // the customer paid
	KindPaymentReturned Kind = "payment_returned" // a payment went back, or was none
)

// Ledger accounts that money moves between. The ledger is net of VAT.
const (
	Receivable = "receivable" // what the customer owes
	Reserved   = "reserved"   // set aside for messages under way
	Unbilled   = "unbilled"   // earned, on no invoice yet
	Billed     = "billed"     // on an invoice
	Rounding   = "rounding"   // what invoice lines gain by being whole cents
	Paid       = "paid"       // what the customer has paid
)

// movements is double entry: each kind moves an amount from one ledger account
// to another.
var movements = map[Kind]struct{ debit, credit string }{
	KindReserve:         {Receivable, Reserved},
	KindRelease:         {Reserved, Receivable},
	KindCharge:          {Reserved, Unbilled},
	KindFee:             {Receivable, Unbilled},
	KindBill:            {Unbilled, Billed},
	KindRoundingUp:      {Receivable, Rounding},
	KindRoundingDown:    {Rounding, Receivable},
	KindCredit:          {Billed, Receivable},
	KindPayment:         {Paid, Receivable},
	KindPaymentReturned: {Receivable, Paid},
}

// Entry is one movement of money for an account, in the account's currency. Campaign is
// 0 for single messages. Messages and Parts say how many it is for; Country (ISO 3166
// alpha-2, of the number), Unit (micro-units of one part) and Lane are the same for all
// of them, or empty where that has no meaning.
type Entry struct {
	ID        int64
	Account   int64
	Campaign  int64
	Kind      Kind
	Micro     int64 // not negative
	Messages  int
	Parts     int
	Country   string
	Unit      int64
	Lane      string
	Reference string // what it is posted for, once for each account and kind; empty: as often as it is said
	Invoice   int64

	Reservation Reservation // of a release: what it gives back of
}

// Post writes entries, in one statement, in the transaction that made them true. What
// it releases is given back to the budgets it was taken from.
func Post(ctx context.Context, tx *db.Tx, now time.Time, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	n, err := insertEntries(ctx, tx, now, entries, "")
	if err != nil {
		return err
	}
	if n != int64(len(entries)) {
		return fmt.Errorf("post %d ledger entries: %d were written", len(entries), n)
	}
	return unspend(ctx, tx, entries)
}

// PostOnce posts an entry unless its reference was posted for the account and kind
// before, also when both are posted at the same time.
func PostOnce(ctx context.Context, tx *db.Tx, now time.Time, e Entry) (posted bool, err error) {
	if e.Reference == "" {
		return false, fmt.Errorf("post a ledger entry of kind %q once: it has no reference", e.Kind)
	}
	n, err := insertEntries(ctx, tx, now, []Entry{e}, `ON CONFLICT (account_id, kind, reference) WHERE reference <> '' DO NOTHING`)
	return n == 1, err
}

// insertEntries goes by account, so that two transactions that post for the same
// accounts lock their balances in the same order.
func insertEntries(ctx context.Context, tx *db.Tx, now time.Time, entries []Entry, or string) (int64, error) {
	list, err := entryList(entries)
	if err != nil {
		return 0, err
	}
	done, err := tx.ExecContext(ctx, insertEntry+` WHERE true `+or, list, db.Millis(now))
	if err != nil {
		return 0, fmt.Errorf("write the ledger: %w", err)
	}
	return done.RowsAffected()
}

// insertEntry takes the currency from the account: it has one, and entries cannot have
// another.
const insertEntry = `
	INSERT INTO ledger_entries (id, account_id, campaign_id, kind, debit, credit, amount_micro, messages, parts, country, unit_micro,
		lane, reference, invoice_id, currency, at)
	SELECT CAST(r.key AS BIGINT), CAST(r.value->>0 AS BIGINT), CAST(r.value->>1 AS BIGINT), r.value->>2, r.value->>3, r.value->>4,
		CAST(r.value->>5 AS BIGINT), CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT), r.value->>8, CAST(r.value->>9 AS BIGINT),
		r.value->>10, r.value->>11, CAST(r.value->>12 AS BIGINT),
		(SELECT a.currency FROM accounts a WHERE a.id = CAST(r.value->>0 AS BIGINT)), CAST($2 AS BIGINT)
	FROM json_each($1) AS r`

// entryList is entries as an object of their ids, for json_each.
func entryList(entries []Entry) (string, error) {
	sorted := slices.SortedStableFunc(slices.Values(entries), func(a, b Entry) int { return cmp.Compare(a.Account, b.Account) })
	text := []byte("{")
	for i, e := range sorted {
		m, ok := movements[e.Kind]
		if !ok {
			return "", fmt.Errorf("post a ledger entry of unknown kind %q", e.Kind)
		}
		row, err := json.Marshal([]any{e.Account, e.Campaign, e.Kind, m.debit, m.credit, e.Micro, e.Messages, e.Parts, e.Country, e.Unit,
			e.Lane, e.Reference, e.Invoice})
		if err != nil {
			return "", err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `"%d":%s`, e.ID, row)
	}
	return string(append(text, '}')), nil
}
