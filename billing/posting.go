package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
)

// postByHand writes the ledger of what an operator drafted and now finalises: each line
// of an invoice is a fee that is billed at once, a credit note gives its sum back. A
// line that is charged a single time and is in the ledger already is billed as it was
// charged; what the line differs by is rounding. So the ledger stays the invoices' sum.
func postByHand(ctx context.Context, tx *db.Tx, inv Invoice, doc invoice.Document, id int64) error {
	own, err := takeInLedger(ctx, tx, inv)
	if err != nil || !own {
		return err
	}
	total, err := invoice.Total(doc)
	if err != nil {
		return err
	}
	now := time.Now()
	if inv.Kind == invoice.CreditNote {
		return Post(ctx, tx, now, Entry{ID: id, Account: inv.Account, Kind: KindCredit, Micro: total.Net * microPerCent, Reference: doc.Number, Invoice: inv.ID})
	}
	once, err := db.Column[string](ctx, tx, `SELECT once FROM invoice_lines WHERE account_id = $1 AND invoice_id = $2 ORDER BY position`, inv.Account, inv.ID)
	if err != nil {
		return err
	}
	inv.Net = total.Net
	var bills []Entry
	var micro int64
	for i, reference := range once {
		if reference == "" {
			reference = fmt.Sprintf("%s/%d", doc.Number, i+1)
		}
		fee := Entry{ID: id, Account: inv.Account, Kind: KindFee, Micro: total.Lines[i] * microPerCent, Reference: reference}
		if fee.Micro, err = chargeFee(ctx, tx, now, fee); err != nil {
			return err
		}
		micro += fee.Micro
		bills = append(bills, Entry{ID: id + 1, Account: inv.Account, Kind: KindBill, Micro: fee.Micro, Reference: reference, Invoice: inv.ID})
		id += 2
	}
	return Post(ctx, tx, now, append(bills, rounding(id, inv, micro)...)...)
}

// chargeFee posts a fee unless it was, and returns what was charged.
func chargeFee(ctx context.Context, tx *db.Tx, now time.Time, fee Entry) (micro int64, err error) {
	posted, err := PostOnce(ctx, tx, now, fee)
	if err != nil || posted {
		return fee.Micro, err
	}
	err = tx.QueryRowContext(ctx, `SELECT amount_micro FROM ledger_entries WHERE account_id = $1 AND kind = 'fee' AND reference = $2`, fee.Account, fee.Reference).Scan(&micro)
	return micro, err
}

// takeInLedger marks an invoice that goes into the ledger: it is in the account's
// currency, and a credit note's invoice is there.
func takeInLedger(ctx context.Context, tx *db.Tx, inv Invoice) (bool, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE invoices SET in_ledger = TRUE
		WHERE account_id = $1 AND id = $2 AND currency = (SELECT currency FROM accounts WHERE id = $1)
			AND (credits = 0 OR EXISTS (SELECT 1 FROM invoices c WHERE c.account_id = $1 AND c.id = invoices.credits AND c.in_ledger = TRUE))`, inv.Account, inv.ID)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}
