package web

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing"
	bills "github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	invoicesPath    = "/invoices"
	allInvoicesPath = "/installation/invoices"
)

// invoicesPage lists an account's invoices, or for an operator those of all accounts,
// and the drafts.
type invoicesPage struct {
	Operator bool
	Path     string
	Rows     []invoiceRow
	Pager    pager
}

func (invoicesPage) template() string { return "invoices" }

type invoiceRow struct {
	ID, Number string
	Account    string // handle; for an operator
	Kind       string // in words
	State      string
	StateWord  string
	Issued     string // days: 2026-11-01
	Due        string
	Sum        string // with VAT, of a draft without
	Prepaid    string // of it; empty for nothing
	Payable    string // what remains, where something is prepaid
	Begun      time.Time
	Final      bool
}

func (w *site) invoiceRow(say *tongue, inv billing.Invoice, account string) invoiceRow {
	sum := inv.Gross
	if inv.State != billing.Final {
		sum = inv.Net
	}
	row := invoiceRow{ID: w.Names.Of(secrets.Invoice, inv.ID), Number: inv.Number, Account: account, Kind: say.word("invoice_kind", string(inv.Kind)),
		State: inv.State, StateWord: say.word("invoice_state", inv.State), Issued: dayText(inv.Issued), Due: dayText(inv.Due),
		Sum: say.cents(sum, inv.Currency), Begun: inv.Created, Final: inv.State == billing.Final}
	if inv.Prepaid != 0 {
		row.Prepaid, row.Payable = say.cents(inv.Prepaid, inv.Currency), say.cents(inv.Gross-inv.Prepaid, inv.Currency)
	}
	return row
}

// cents is an amount in minor units.
func (say *tongue) cents(minor int64, currency string) string {
	return say.money(minor*10_000, currency)
}

// decimal is a number with as many decimals as it has.
func (say *tongue) decimal(n decimal.Decimal) string {
	return strings.Replace(n.String(), ".", say.comma, 1)
}

func dayText(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

func (w *site) invoices(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Invoice, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Invoices.List(v.ctx, v.Account.ID, billing.InvoiceFilter{State: billing.Final, Before: before, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	p := invoicesPage{Path: invoicesPath}
	all, p.Pager = w.invoicePager(c, invoicesPath, all)
	for _, inv := range all {
		p.Rows = append(p.Rows, w.invoiceRow(v.say, inv, ""))
	}
	return render(c, p)
}

func (w *site) invoicePager(c *fiber.Ctx, path string, all []billing.Invoice) ([]billing.Invoice, pager) {
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Invoice, all[len(all)-1].ID)
	}
	return all, turn(path, nil, c.Query("from"), next)
}

func (w *site) allInvoices(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Invoice, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Invoices.ListAll(v.ctx, billing.InvoiceFilter{Before: before, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	p := invoicesPage{Operator: true, Path: allInvoicesPath}
	all, p.Pager = w.invoicePager(c, allInvoicesPath, all)
	handles := map[int64]string{}
	for _, inv := range all {
		if handles[inv.Account] == "" {
			acc, err := w.Accounts.ByID(v.ctx, inv.Account)
			if err != nil {
				return err
			}
			handles[inv.Account] = acc.Handle
		}
		p.Rows = append(p.Rows, w.invoiceRow(v.say, inv, handles[inv.Account]))
	}
	return render(c, p)
}

// invoicePage is an invoice or a draft as its operator sees it.
type invoicePage struct {
	invoiceRow
	Creditable bool
	Lines      []invoiceLineRow
}

func (invoicePage) template() string { return "invoice" }

type invoiceLineRow struct {
	Description    string
	Quantity, Unit string
	Price          string
	Net            string
	VAT            string // the rate, or why there is none; empty while it is a draft
}

func (w *site) anyInvoice(c *fiber.Ctx, v visit) (billing.Invoice, error) {
	id, err := w.Names.ID(secrets.Invoice, c.Params("id"))
	if err != nil {
		return billing.Invoice{}, err
	}
	return w.Invoices.Anywhere(v.ctx, id)
}

func (w *site) invoice(c *fiber.Ctx, v visit) error {
	inv, err := w.anyInvoice(c, v)
	if err != nil {
		return err
	}
	acc, err := w.Accounts.ByID(v.ctx, inv.Account)
	if err != nil {
		return err
	}
	lines, err := w.Invoices.Lines(v.ctx, inv)
	if err != nil {
		return err
	}
	p := invoicePage{invoiceRow: w.invoiceRow(v.say, inv, acc.Handle), Creditable: inv.State == billing.Final && inv.Kind == bills.Invoice}
	for _, l := range lines {
		net, err := bills.Net(l.Quantity, l.Price)
		if err != nil {
			return err
		}
		row := invoiceLineRow{Description: l.Name, Quantity: v.say.decimal(l.Quantity), Unit: v.say.word("invoice_unit", l.Unit), Price: v.say.decimal(l.Price), Net: v.say.cents(net, inv.Currency), VAT: l.VAT.Reason}
		if l.VAT.Category == bills.Standard {
			row.VAT = v.say.text("percent", "N", v.say.decimal(l.VAT.Rate))
		}
		p.Lines = append(p.Lines, row)
	}
	return render(c, p)
}

// confirmInvoice asks before a draft is finalised or cancelled: neither can be undone.
func (w *site) confirmInvoice(what string) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		inv, err := w.anyInvoice(c, v)
		if err != nil {
			return err
		}
		if inv.State != billing.Draft {
			return problem.Conflict("invoice_final", "the invoice is no draft any more")
		}
		path := allInvoicesPath + "/" + c.Params("id")
		return render(c, confirmPage{Title: v.say.word("invoice_ask", what), Text: v.say.word("invoice_means", what), Button: v.say.word("invoice_turn", what),
			Path: path + "/" + what, Back: path, Crumb: link{Path: allInvoicesPath, Text: v.say.text("invoices_title")}})
	}
}

func (w *site) finaliseInvoice(c *fiber.Ctx, v visit) error {
	inv, err := w.anyInvoice(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Invoices.Finalise(v.ctx, inv.Account, inv.ID); err != nil {
		return err
	}
	return c.Redirect(allInvoicesPath+"/"+c.Params("id"), fiber.StatusSeeOther)
}

func (w *site) cancelInvoice(c *fiber.Ctx, v visit) error {
	inv, err := w.anyInvoice(c, v)
	if err != nil {
		return err
	}
	if err := w.Invoices.Cancel(v.ctx, inv.Account, inv.ID); err != nil {
		return err
	}
	return c.Redirect(allInvoicesPath, fiber.StatusSeeOther)
}

// invoiceFile downloads a final invoice of the account.
func (w *site) invoiceFile(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Invoice, c.Params("id"))
	if err != nil {
		return err
	}
	inv, err := w.Invoices.Issued(v.ctx, v.Account.ID, id)
	if err != nil {
		return err
	}
	return w.sendInvoice(c, v, inv)
}

func (w *site) anyInvoiceFile(c *fiber.Ctx, v visit) error {
	inv, err := w.anyInvoice(c, v)
	if err != nil {
		return err
	}
	return w.sendInvoice(c, v, inv)
}

var invoiceTypes = map[string]string{billing.XML: "application/xml; charset=utf-8", billing.PDF: "application/pdf", "csv": "text/csv; charset=utf-8"}

func (w *site) sendInvoice(c *fiber.Ctx, v visit, inv billing.Invoice) error {
	kind := c.Params("kind")
	content, err := w.invoiceContent(v, inv, kind)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, invoiceTypes[kind])
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+inv.Number+"."+kind+`"`)
	return c.Send(content)
}

// invoiceContent is a file that was stored with the invoice, or its lines as CSV.
func (w *site) invoiceContent(v visit, inv billing.Invoice, kind string) ([]byte, error) {
	if kind != "csv" {
		content, _, err := w.Invoices.File(v.ctx, inv.Account, inv.ID, kind)
		return content, err
	}
	doc, err := w.Invoices.Document(v.ctx, inv.Account, inv.ID)
	if err != nil {
		return nil, err
	}
	return bills.CSV(doc)
}
