package billing

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// NewCredit is what is decided about a credit note.
type NewCredit struct {
	Lines []int // positions on the invoice from 1; none stands for all that remain
	Note  string
	Also  Also
}

// Credit drafts a credit note for a final invoice. A line is credited whole, and once:
// also by a draft, until that is cancelled.
func (b *Invoices) Credit(ctx context.Context, account, of int64, n NewCredit) (Invoice, error) {
	id, err := b.db.NewIDs(ctx, 1)
	if err != nil {
		return Invoice{}, err
	}
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		inv, t, err := lock(ctx, tx, account, of)
		if err != nil {
			return err
		}
		if inv.Kind == invoice.CreditNote {
			return problem.Conflict("credit_of_credit", "a credit note cannot be credited: write another invoice")
		}
		if inv.State != Final {
			return problem.Conflict("not_final", "what is not final is cancelled, not credited")
		}
		lines, err := creditable(ctx, tx, inv, n.Lines)
		if err != nil {
			return err
		}
		t.Note = n.Note
		if err := insertCredit(ctx, tx, inv, Invoice{ID: id, Account: account, Kind: invoice.CreditNote, Credits: of, Currency: inv.Currency}, t, lines); err != nil {
			return err
		}
		return n.Also.do(ctx, tx, id)
	})
	if err != nil {
		return Invoice{}, err
	}
	return b.ByID(ctx, account, id)
}

// creditable are the positions that are to be credited, when none of them was before.
func creditable(ctx context.Context, tx *db.Tx, inv Invoice, wanted []int) ([]int64, error) {
	all, err := db.Column[int64](ctx, tx, `SELECT position FROM invoice_lines WHERE account_id = $1 AND invoice_id = $2 ORDER BY position`, inv.Account, inv.ID)
	if err != nil {
		return nil, err
	}
	gone, err := db.Column[int64](ctx, tx, `SELECT credits_position FROM invoice_lines WHERE account_id = $1 AND credits_invoice = $2`, inv.Account, inv.ID)
	if err != nil {
		return nil, err
	}
	remain := slices.DeleteFunc(slices.Clone(all), func(p int64) bool { return slices.Contains(gone, p) })
	if len(wanted) == 0 {
		if len(remain) == 0 {
			return nil, problem.Conflict("already_credited", "nothing remains of %s that could be credited", inv.Number)
		}
		return remain, nil
	}
	var lines []int64
	for _, w := range wanted {
		switch p := int64(w); {
		case !slices.Contains(all, p):
			return nil, problem.Invalid("lines", "%s has no line %d", inv.Number, w)
		case slices.Contains(gone, p) || slices.Contains(lines, p):
			return nil, problem.Conflict("already_credited", "line %d of %s is credited already", w, inv.Number)
		default:
			lines = append(lines, p)
		}
	}
	slices.Sort(lines)
	return lines, nil
}

func insertCredit(ctx context.Context, tx *db.Tx, inv, credit Invoice, t terms, positions []int64) error {
	var text string
	if err := tx.QueryRowContext(ctx, `SELECT document FROM invoices WHERE account_id = $1 AND id = $2`, inv.Account, inv.ID).Scan(&text); err != nil {
		return err
	}
	var doc invoice.Document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return err
	}
	for _, p := range positions {
		net, err := invoice.Net(doc.Lines[p-1].Quantity, doc.Lines[p-1].Price)
		if err != nil {
			return err
		}
		credit.Net += net
	}
	if err := insertDraft(ctx, tx, credit, t); err != nil {
		return err
	}
	for i, p := range positions {
		l := doc.Lines[p-1]
		line := NewLine{Name: l.Name, Quantity: l.Quantity, Unit: l.Unit, Price: l.Price, Period: l.Period}
		if err := insertLine(ctx, tx, inv.Account, credit.ID, int64(i+1), line, inv.ID, p); err != nil {
			return err
		}
	}
	return nil
}
