package billing

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/billing/vat"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Finalise gives a draft the next number of its series, and from then on it does not
// change. The number, the copies of both profiles and the files are one transaction, so
// a number is never left out and never given twice. A draft that does not pass the
// inspection stays a draft and takes no number. What is final already is returned as it is.
func (b *Invoices) Finalise(ctx context.Context, account, id int64) (Invoice, error) {
	ids, err := b.db.NewIDs(ctx, 2*maxLines+1) // a fee and a bill for each line, and the rounding
	if err != nil {
		return Invoice{}, err
	}
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		inv, t, err := lock(ctx, tx, account, id)
		if err != nil || inv.State == Final {
			return err
		}
		if inv.State == Cancelled {
			return problem.Conflict("invoice_cancelled", "the draft was cancelled")
		}
		s, err := seller(ctx, tx, tx.ForUpdate(selectSeller)) // one after the other, so days follow numbers
		if err != nil {
			return err
		}
		doc, err := compose(ctx, tx, inv, t, s)
		if err != nil {
			return err
		}
		if err := number(ctx, tx, &doc, s); err != nil {
			return err
		}
		if err := postByHand(ctx, tx, inv, doc, ids); err != nil {
			return err
		}
		return settle(ctx, tx, inv, doc)
	})
	if err != nil {
		return Invoice{}, err
	}
	return b.ByID(ctx, account, id)
}

// compose is the document as it would be finalised now, but for its number.
func compose(ctx context.Context, tx *db.Tx, inv Invoice, t terms, s Seller) (invoice.Document, error) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return invoice.Document{}, err
	}
	today := dayOf(time.Now().In(zone).Format(time.DateOnly))
	if inv.Kind == invoice.CreditNote {
		return composeCredit(ctx, tx, inv, t, today)
	}
	c, err := customer(ctx, tx, inv.Account)
	if err != nil {
		return invoice.Document{}, err
	}
	doc := invoice.Document{Kind: inv.Kind, Issued: today, Due: today.AddDate(0, 0, s.Days), Period: t.Period, Currency: inv.Currency,
		Language: c.Language, Reference: firstOf(t.Reference, c.Reference, c.Name), Note: t.Note, Seller: s.Party, Buyer: c.Party, Payment: s.Payment}
	doc.Seller.Endpoint, doc.Buyer.Endpoint = s.deliveredTo(), c.DeliveredTo()
	if doc.Lines, err = linesOf(ctx, tx, inv.Account, inv.ID); err != nil {
		return doc, err
	}
	if unasked(s, c) {
		return doc, problem.Conflict("vat_unchecked", "the register of VAT numbers was not asked about %s, and whether it is valid decides who owes the VAT", c.VATID)
	}
	tax, err := vat.Decide(vat.Sale{From: t.Period.From, To: t.Period.To, Seller: s.Country, SellerVATID: s.VATID, OSS: s.OSS,
		Customer: c.Country, Business: c.Business, CustomerVAT: c.VATID, CustomerGood: c.valid()})
	if err != nil {
		return doc, err
	}
	for i := range doc.Lines {
		doc.Lines[i].VAT = tax
	}
	doc.Books, err = books(doc, tax, t, s)
	return doc, err
}

func firstOf(texts ...string) string {
	at := slices.IndexFunc(texts, func(t string) bool { return t != "" })
	return texts[at]
}

// books is the rate by which VAT is told in the seller's currency (VAT Directive Art.
// 230); none where no VAT is due or the currency is the same.
func books(doc invoice.Document, tax invoice.VAT, t terms, s Seller) (invoice.Books, error) {
	if tax.Category != invoice.Standard || doc.Currency == s.Currency {
		return invoice.Books{}, nil
	}
	if t.Books.Rate.IsZero() {
		return invoice.Books{}, problem.Conflict("no_rate", "the invoice is in %s and the VAT is due in %s: the draft has no rate of exchange", doc.Currency, s.Currency)
	}
	t.Books.Currency = s.Currency
	return t.Books, nil
}

// composeCredit is the invoice over again with the lines that are credited: the parties
// and the taxes are those of then.
func composeCredit(ctx context.Context, tx *db.Tx, inv Invoice, t terms, today time.Time) (doc invoice.Document, err error) {
	var text string
	if err := tx.QueryRowContext(ctx, `SELECT document FROM invoices WHERE account_id = $1 AND id = $2 AND state = 'final'`, inv.Account, inv.Credits).Scan(&text); err != nil {
		return doc, found(err)
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return doc, err
	}
	positions, err := db.Column[int64](ctx, tx, `SELECT credits_position FROM invoice_lines WHERE account_id = $1 AND invoice_id = $2 ORDER BY position`, inv.Account, inv.ID)
	if err != nil {
		return doc, err
	}
	all := doc.Lines
	doc.Lines = nil
	for _, p := range positions {
		doc.Lines = append(doc.Lines, all[p-1])
	}
	doc.Kind, doc.Corrects = invoice.CreditNote, invoice.Reference{Number: doc.Number, Issued: doc.Issued}
	doc.Issued, doc.Due, doc.Note, doc.Paid = today, time.Time{}, t.Note, 0
	return doc, nil
}

// number takes the next of the series, which is what its numbers begin with: a prefix and
// the year. The row stays locked until the transaction ends, and goes back with it.
func number(ctx context.Context, tx *db.Tx, doc *invoice.Document, s Seller) error {
	prefix := s.Prefix
	if doc.Kind == invoice.CreditNote {
		prefix = s.CreditPrefix
	}
	series := fmt.Sprintf("%s%d-", prefix, doc.Issued.Year())
	var next int64
	err := tx.QueryRowContext(ctx, `
		INSERT INTO invoice_series (name, last) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET last = invoice_series.last + 1 RETURNING last`, series).Scan(&next)
	doc.Number = fmt.Sprintf("%s%05d", series, next)
	return err
}

// settle writes and inspects the files, and makes the draft final.
func settle(ctx context.Context, tx *db.Tx, inv Invoice, doc invoice.Document) error {
	total, err := invoice.Total(doc)
	if err != nil {
		return err
	}
	if doc.Paid, err = advance(ctx, tx, inv, total); err != nil {
		return err
	}
	if doc.Paid > 0 && doc.Paid == total.Gross {
		doc.Due = time.Time{}
	}
	xml, err := invoice.UBL(doc)
	if err != nil {
		return err
	}
	if wrong := invoice.Check(xml); len(wrong) > 0 {
		return refused(wrong)
	}
	pdf, err := invoice.PDF(doc)
	if err != nil {
		return err
	}
	xmlSum, err := keepFile(ctx, tx, inv, XML, xml)
	if err != nil {
		return err
	}
	pdfSum, err := keepFile(ctx, tx, inv, PDF, pdf)
	if err != nil {
		return err
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE invoices SET state = 'final', number = $1, issued = $2, due = $3, net = $4, vat = $5, gross = $6, prepaid = $7, document = $8, finalised_at = $9
		WHERE account_id = $10 AND id = $11 AND state = 'draft'`,
		doc.Number, dayText(doc.Issued), dayText(doc.Due), total.Net, total.VAT, total.Gross, doc.Paid, string(text), db.Millis(time.Now()), inv.Account, inv.ID)
	if err := oneRow(done, err); err != nil {
		return err
	}
	_, err = audit.Record(ctx, tx, audit.Entry{Account: inv.Account, Action: "invoice.finalised", Subject: "inv", SubjectID: inv.ID,
		Facts: map[string]any{"kind": doc.Kind, "number": doc.Number, "gross": invoice.Amount(total.Gross), "currency": doc.Currency, "xml_sha256": xmlSum, "pdf_sha256": pdfSum}})
	return err
}

// advance is what of an invoice is paid already, with VAT, where the account pays in
// advance: all but what it owes after the invoice is in the ledger. That is net of VAT, so
// what is owed has the VAT that its share of the invoice has.
func advance(ctx context.Context, tx *db.Tx, inv Invoice, total invoice.Totals) (int64, error) {
	var owed int64
	err := tx.QueryRowContext(ctx, `
		SELECT b.receivable FROM invoices i JOIN billing_terms t ON t.account_id = i.account_id JOIN ledger_balances b ON b.account_id = i.account_id
		WHERE i.account_id = $1 AND i.id = $2 AND i.kind = '380' AND i.in_ledger = TRUE AND t.prepaid = TRUE`, inv.Account, inv.ID).Scan(&owed)
	if db.IsNone(err) || err == nil && total.Net == 0 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	net := total.Net * microPerCent
	open := decimal.New(min(max(0, owed), net), 0)
	return total.Gross - open.Mul(decimal.New(total.Gross, 0)).DivRound(decimal.New(net, 0), 0).IntPart(), nil
}

func oneRow(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows were changed instead of one", n)
	}
	return err
}

// refused says which rules a document breaks.
func refused(wrong []invoice.Violation) error {
	var all []string
	for _, v := range wrong {
		all = append(all, v.String())
	}
	return problem.Conflict("invoice_refused", "the invoice would not pass inspection: %s", strings.Join(all, "; "))
}

func keepFile(ctx context.Context, tx *db.Tx, inv Invoice, kind string, content []byte) (string, error) {
	sum := sha256.Sum256(content)
	text := hex.EncodeToString(sum[:])
	_, err := tx.ExecContext(ctx, `INSERT INTO invoice_files (account_id, invoice_id, kind, content, sha256) VALUES ($1, $2, $3, $4, $5)`,
		inv.Account, inv.ID, kind, content, text)
	return text, err
}
