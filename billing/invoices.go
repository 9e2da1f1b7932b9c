package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/billing/vies"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Invoices keeps invoices and credit notes: drafts, and what was finalised, which never
// changes.
type Invoices struct {
	db       *db.DB
	register *vies.Register
}

// NewInvoices keeps them in d.
func NewInvoices(d *db.DB) *Invoices { return &Invoices{d, vies.At(vies.URL)} }

// Asking has VAT numbers looked up in another register than that of the Union.
func (b *Invoices) Asking(r *vies.Register) *Invoices { return &Invoices{b.db, r} }

// States of an invoice.
const (
	Draft     = "draft"
	Final     = "final"
	Cancelled = "cancelled" // a draft that took no number
)

// Invoice is an invoice or a credit note. Number, days, VAT and Gross are those of a
// final one.
type Invoice struct {
	ID        int64
	Account   int64
	Kind      invoice.Kind
	State     string
	Credits   int64 // of a credit note: the invoice
	Number    string
	Issued    time.Time
	Due       time.Time
	Currency  string
	Net       int64 // minor units, as VAT and Gross
	VAT       int64
	Gross     int64
	Prepaid   int64 // of Gross: what was paid in advance
	Created   time.Time
	Finalised time.Time
}

// NewInvoice is what is decided about a draft.
type NewInvoice struct {
	Period    invoice.Period // of supply; days
	Reference string         // the customer's; empty for the profile's
	Note      string
	Books     invoice.Books // the rate, where VAT is due in another currency; its Currency is the seller's
	Lines     []NewLine
	Also      Also
}

// NewLine is a line of a draft. How it is taxed is decided when it is finalised.
type NewLine struct {
	Name     string
	Quantity decimal.Decimal
	Unit     string
	Price    decimal.Decimal
	Period   invoice.Period // within the invoice's; zero for the whole of it
	Once     string         // what may be charged a single time: "dir_.../2026-10-01"; empty for anything
}

// terms is what a draft keeps besides its lines.
type terms struct {
	Period    invoice.Period
	Reference string
	Note      string
	Books     invoice.Books
}

// Also is done in the transaction that makes something, with its id; nil for nothing.
type Also func(ctx context.Context, tx *db.Tx, made int64) error

func (a Also) do(ctx context.Context, tx *db.Tx, made int64) error {
	if a == nil {
		return nil
	}
	return a(ctx, tx, made)
}

// doAll does each in turn.
func doAll(ctx context.Context, tx *db.Tx, made int64, all []Also) error {
	for _, also := range all {
		if err := also.do(ctx, tx, made); err != nil {
			return err
		}
	}
	return nil
}

// Draft begins an invoice. It has no number.
func (b *Invoices) Draft(ctx context.Context, account int64, n NewInvoice) (Invoice, error) {
	net, err := n.check()
	if err != nil {
		return Invoice{}, err
	}
	id, err := b.db.NewIDs(ctx, 1)
	if err != nil {
		return Invoice{}, err
	}
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := customer(ctx, tx, account)
		if err != nil {
			return err
		}
		if err := insertDraft(ctx, tx, Invoice{ID: id, Account: account, Kind: invoice.Invoice, Currency: c.Currency, Net: net},
			terms{n.Period, n.Reference, n.Note, n.Books}); err != nil {
			return err
		}
		for i, l := range n.Lines {
			if err := insertLine(ctx, tx, account, id, int64(i+1), l, 0, 0); err != nil {
				return err
			}
		}
		return n.Also.do(ctx, tx, id)
	})
	if db.IsDuplicate(err) {
		return Invoice{}, problem.Conflict("already_invoiced", "one of the lines is on another invoice already")
	}
	if err != nil {
		return Invoice{}, err
	}
	return b.ByID(ctx, account, id)
}

// maxLines is how many lines a document may have, so that it can be rendered while
// others wait for the next number.
const maxLines = 1000

func (n NewInvoice) check() (net int64, err error) {
	switch {
	case n.Period.From.IsZero() || n.Period.To.IsZero() || n.Period.To.Before(n.Period.From):
		return 0, problem.Invalid("period", "say from when to when it was supplied")
	case len(n.Lines) == 0 || len(n.Lines) > maxLines:
		return 0, problem.Invalid("lines", "an invoice has 1 to %d lines", maxLines)
	case !n.Books.Rate.IsZero() && !rated(n.Books):
		return 0, problem.Invalid("rate", "a rate of exchange is above 0, and says whose it is and of which day")
	}
	for i, l := range n.Lines {
		cents, err := l.check(n.Period)
		if err != nil {
			return 0, problem.Invalid("lines", "line %d: %v", i+1, err)
		}
		net += cents
	}
	return net, nil
}

// rated says whether a rate of exchange can be shown with its source.
func rated(b invoice.Books) bool { return b.Rate.IsPositive() && b.Source != "" && !b.At.IsZero() }

func (l NewLine) check(within invoice.Period) (int64, error) {
	switch {
	case strings.TrimSpace(l.Name) == "" || len(l.Name) > 300:
		return 0, fmt.Errorf("a line has a name of up to 300 bytes")
	case !l.Quantity.IsPositive() || l.Quantity.Exponent() < -6:
		return 0, fmt.Errorf("a quantity is above 0 and has six decimals at most")
	case l.Price.IsNegative() || l.Price.Exponent() < -10:
		return 0, fmt.Errorf("a price is not below 0 and has ten decimals at most")
	case !slices.Contains(invoice.Units, l.Unit):
		return 0, fmt.Errorf("a unit is one of %s", strings.Join(invoice.Units, ", "))
	case l.Period != invoice.Period{} && (l.Period.From.Before(within.From) || l.Period.To.After(within.To) || l.Period.To.Before(l.Period.From)):
		return 0, fmt.Errorf("its period is not within the invoice's")
	}
	return invoice.Net(l.Quantity, l.Price)
}

// Cancel ends a draft. It takes no number, and what its lines were for can be put on
// another.
func (b *Invoices) Cancel(ctx context.Context, account, id int64) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		inv, _, err := lock(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if inv.State == Cancelled {
			return nil
		}
		if inv.State == Final {
			return problem.Conflict("invoice_final", "the invoice %s is final: it can only be credited", inv.Number)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM invoice_lines WHERE account_id = $1 AND invoice_id = $2`, account, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE invoices SET state = 'cancelled' WHERE account_id = $1 AND id = $2`, account, id)
		return err
	})
}

// ByID finds an account's invoice.
func (b *Invoices) ByID(ctx context.Context, account, id int64) (Invoice, error) {
	inv, err := scanInvoice(b.db.QueryRowContext(ctx, `SELECT `+invoiceColumns+` FROM invoices WHERE account_id = $1 AND id = $2`, account, id))
	return inv, found(err)
}

// Issued finds an account's invoice that is final: all that the account sees.
func (b *Invoices) Issued(ctx context.Context, account, id int64) (Invoice, error) {
	inv, err := b.ByID(ctx, account, id)
	if err == nil && inv.State != Final {
		err = problem.NotFound("invoice", "")
	}
	return inv, err
}

// Anywhere finds an invoice of whatever account, for who runs the installation.
func (b *Invoices) Anywhere(ctx context.Context, id int64) (Invoice, error) {
	inv, err := scanInvoice(b.db.QueryRowContext(ctx, `SELECT `+invoiceColumns+` FROM invoices WHERE id = $1`, id))
	return inv, found(err)
}

func found(err error) error {
	if db.IsNone(err) {
		return problem.NotFound("invoice", "")
	}
	return err
}

// InvoiceFilter says which invoices are listed, and which page of them.
type InvoiceFilter struct {
	Account  int64        // of all accounts' only this one's; 0: any
	State    string       // empty: any
	Kind     invoice.Kind // empty: any
	From, To time.Time    // days of issue, both included; a draft has none
	Before   int64        // only those begun before this one; 0: from the newest on
	Limit    int
}

// chosen is what a filter lets through, with its values from $1 to $6.
const chosen = `($1 = '' OR state = $1) AND ($2 = '' OR kind = $2) AND ($3 = '' OR issued >= $3) AND ($4 = '' OR issued <> '' AND issued <= $4)
	AND (CAST($5 AS BIGINT) = 0 OR id < $5)`

func (f InvoiceFilter) values() []any {
	return []any{f.State, string(f.Kind), dayText(f.From), dayText(f.To), f.Before, f.Limit}
}

// List lists an account's invoices, the newest first.
func (b *Invoices) List(ctx context.Context, account int64, f InvoiceFilter) ([]Invoice, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (Invoice, error) { return scanInvoice(row) }, `
		SELECT `+invoiceColumns+` FROM invoices
		WHERE `+chosen+` AND account_id = $7 ORDER BY id DESC LIMIT $6`, append(f.values(), account)...)
}

// ListAll is List over all accounts, for who runs the installation.
func (b *Invoices) ListAll(ctx context.Context, f InvoiceFilter) ([]Invoice, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (Invoice, error) { return scanInvoice(row) }, `
		SELECT `+invoiceColumns+` FROM invoices
		WHERE `+chosen+` AND (CAST($7 AS BIGINT) = 0 OR account_id = $7) ORDER BY id DESC LIMIT $6`, append(f.values(), f.Account)...)
}

// Lines are an invoice's, not taxed yet while it is a draft.
func (b *Invoices) Lines(ctx context.Context, inv Invoice) ([]invoice.Line, error) {
	doc, err := b.Content(ctx, inv)
	return doc.Lines, err
}

// Content is an invoice as far as it is decided: of what is not final its period, its
// reference, its note and its lines, which are not taxed yet.
func (b *Invoices) Content(ctx context.Context, inv Invoice) (doc invoice.Document, err error) {
	if inv.State == Final {
		return b.Document(ctx, inv.Account, inv.ID)
	}
	t, err := termsOfDraft(ctx, b.db, inv.Account, inv.ID)
	if err != nil {
		return doc, err
	}
	lines, err := linesOf(ctx, b.db, inv.Account, inv.ID)
	return invoice.Document{Period: t.Period, Reference: t.Reference, Note: t.Note, Lines: lines}, err
}

// Document is a final invoice's.
func (b *Invoices) Document(ctx context.Context, account, id int64) (doc invoice.Document, err error) {
	var text string
	err = b.db.QueryRowContext(ctx, `SELECT document FROM invoices WHERE account_id = $1 AND id = $2 AND state = 'final'`, account, id).Scan(&text)
	if err != nil {
		return doc, found(err)
	}
	return doc, json.Unmarshal([]byte(text), &doc)
}

// Kinds of files that a final invoice has.
const (
	XML = "xml" // UBL 2.1
	PDF = "pdf"
)

// File is a final invoice's file, byte for byte as it was made then, with its SHA-256
// in hex.
func (b *Invoices) File(ctx context.Context, account, id int64, kind string) (content []byte, sha256 string, err error) {
	err = b.db.QueryRowContext(ctx, `SELECT content, sha256 FROM invoice_files WHERE account_id = $1 AND invoice_id = $2 AND kind = $3`, account, id, kind).
		Scan(&content, &sha256)
	return content, sha256, found(err)
}

// This room's statements about invoices; it writes seller_profile, customer_profiles,
// invoices, invoice_lines, invoice_files and invoice_series.

const invoiceColumns = `id, account_id, kind, state, credits, number, issued, due, currency, net, vat, gross, prepaid, created_at, finalised_at`

type scanner interface{ Scan(into ...any) error }

func scanInvoice(row scanner) (inv Invoice, err error) {
	var issued, due string
	var created, finalised int64
	err = row.Scan(&inv.ID, &inv.Account, &inv.Kind, &inv.State, &inv.Credits, &inv.Number, &issued, &due, &inv.Currency, &inv.Net, &inv.VAT, &inv.Gross, &inv.Prepaid, &created, &finalised)
	inv.Issued, inv.Due, inv.Created, inv.Finalised = dayOf(issued), dayOf(due), db.Time(created), db.Time(finalised)
	return inv, err
}

// lock reads an invoice that nobody else changes until the transaction ends.
func lock(ctx context.Context, tx *db.Tx, account, id int64) (Invoice, terms, error) {
	var t terms
	inv, err := scanInvoice(tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT `+invoiceColumns+` FROM invoices WHERE account_id = $1 AND id = $2`), account, id))
	if err != nil {
		return inv, t, found(err)
	}
	t, err = termsOfDraft(ctx, tx, account, id)
	return inv, t, err
}

func termsOfDraft(ctx context.Context, q db.Querier, account, id int64) (t terms, err error) {
	var text string
	if err := q.QueryRowContext(ctx, `SELECT terms FROM invoices WHERE account_id = $1 AND id = $2`, account, id).Scan(&text); err != nil {
		return t, found(err)
	}
	return t, json.Unmarshal([]byte(text), &t)
}

func insertDraft(ctx context.Context, tx *db.Tx, inv Invoice, t terms) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO invoices (id, account_id, kind, state, credits, currency, net, terms, created_at) VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8)`,
		inv.ID, inv.Account, string(inv.Kind), inv.Credits, inv.Currency, inv.Net, string(text), db.Millis(time.Now()))
	return err
}

// insertLine puts a line on a draft; of a credit note it says which line it credits.
func insertLine(ctx context.Context, tx *db.Tx, account, id, position int64, l NewLine, credits, line int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO invoice_lines (account_id, invoice_id, position, name, quantity, unit, price, period_from, period_to, once, credits_invoice, credits_position)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		account, id, position, strings.TrimSpace(l.Name), l.Quantity.String(), l.Unit, l.Price.String(), dayText(l.Period.From), dayText(l.Period.To), l.Once, credits, line)
	return err
}

func linesOf(ctx context.Context, q db.Querier, account, id int64) ([]invoice.Line, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (l invoice.Line, err error) {
		var from, to string
		err = row.Scan(&l.Name, &l.Quantity, &l.Unit, &l.Price, &from, &to)
		l.Period = invoice.Period{From: dayOf(from), To: dayOf(to)}
		return l, err
	}, `SELECT name, quantity, unit, price, period_from, period_to FROM invoice_lines WHERE account_id = $1 AND invoice_id = $2 ORDER BY position`, account, id)
}

func dayText(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

func dayOf(text string) time.Time {
	day, _ := time.Parse(time.DateOnly, text) // the zero time for an empty text
	return day
}
