package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	balancePath  = "/balance"
	billingsPath = "/installation/billing"
)

// balancePage is an account's balance and its ledger; for an operator with the forms for
// its terms and its payments.
type balancePage struct {
	Operator bool
	Name     string // the account's
	Path     string // of this page
	Currency string
	Terms    string // in words
	Facts    []fact
	Short    bool      // nothing is available
	Unpaid   time.Time // since when directories are not followed for it; zero: they are
	Filter   ledgerForm
	Zone     string // in which the filter's days begin
	Kinds    []choice
	CSV      string // address of the list as a spreadsheet
	Rows     []entryRow
	Pager    pager
	Choices  []choice // of terms
	Form     moneyForm
	Errors   []fieldError
}

func (balancePage) template() string { return "balance" }

// Error is what is wrong with a field, or empty.
func (p balancePage) Error(field string) string { return errorOf(p.Errors, field) }

// fact is a figure and what it is of.
type fact struct{ Word, Text string }

// ledgerForm is what is asked of the ledger, as it was typed.
type ledgerForm struct{ Kind, Country, Since, Until string }

// moneyForm is what an operator typed.
type moneyForm struct{ Terms, Limit, Suspend, Amount, Reference, Back string }

type entryRow struct {
	At        time.Time
	Kind      string // in words
	Owes      string // what it adds to what is owed, or moves of it
	Moves     bool
	For       string // parts, country, price
	Lane      string
	Campaign  string // id; empty for none
	Reference string
}

func (w *site) balance(c *fiber.Ctx, v visit) error {
	return w.showBalance(c, v, v.Account, balancePage{Path: balancePath})
}

func (w *site) showBalance(c *fiber.Ctx, v visit, acc accounts.Account, p balancePage) error {
	b, err := w.Ledger.Balance(v.ctx, acc.ID)
	if err != nil {
		return err
	}
	p.Name, p.Currency, p.Short = acc.Name, b.Currency, !b.Unlimited && b.Available() <= 0
	p.Terms, p.Facts, p.Unpaid = v.say.terms(b.Terms), v.say.balance(b), b.Suspended
	if p.Form.Terms == "" {
		p.Form.now(v.say, b.Terms)
	}
	for _, one := range []string{"prepaid", "limit", "unlimited"} {
		p.Choices = append(p.Choices, choice{one, v.say.word("terms", one), one == p.Form.Terms})
	}
	if err := w.fillLedger(c, v, acc.ID, &p); err != nil {
		return err
	}
	return render(c, p)
}

// now fills in the terms as they are.
func (f *moneyForm) now(say *tongue, t billing.Terms) {
	f.Terms = termsWord(t)
	if f.Terms == "limit" {
		f.Limit = say.typed(t.Limit)
	}
	if t.Suspend > 0 {
		f.Suspend = strconv.Itoa(t.Suspend)
	}
}

func termsWord(t billing.Terms) string {
	switch {
	case t.Prepaid:
		return "prepaid"
	case t.Unlimited:
		return "unlimited"
	}
	return "limit"
}

func (say *tongue) terms(t billing.Terms) string { return say.word("terms", termsWord(t)) }

// balance is what is known of an account's money, what can be done with it first.
func (say *tongue) balance(b billing.Balance) (all []fact) {
	add := func(id string, micro int64) {
		all = append(all, fact{say.word("balance", id), say.money(micro, b.Currency)})
	}
	if !b.Unlimited {
		add("available", b.Available())
	}
	if termsWord(b.Terms) == "limit" {
		add("limit", b.Limit)
	}
	add("owed", b.Receivable)
	add("reserved", -b.Reserved)
	add("unbilled", -b.Unbilled)
	add("billed", -b.Billed)
	add("paid", b.Paid)
	return all
}

func readLedgerForm(c *fiber.Ctx) ledgerForm {
	return ledgerForm{Kind: c.Query("kind"), Country: strings.ToUpper(strings.TrimSpace(c.Query("country"))), Since: c.Query("since"), Until: c.Query("until")}
}

// filter reads it, with the days of a zone; what is no day is as if nothing was said.
// Until is the last day.
func (f ledgerForm) filter(zone *time.Location) billing.EntryFilter {
	out := billing.EntryFilter{Kind: billing.Kind(f.Kind), Country: f.Country}
	if day, err := time.ParseInLocation(time.DateOnly, f.Since, zone); err == nil {
		out.From = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.Until, zone); err == nil {
		out.Until = day.AddDate(0, 0, 1)
	}
	return out
}

func (f ledgerForm) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"kind": f.Kind, "country": f.Country, "since": f.Since, "until": f.Until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (w *site) fillLedger(c *fiber.Ctx, v visit, account int64, p *balancePage) error {
	p.Filter = readLedgerForm(c)
	for _, kind := range billing.Kinds {
		p.Kinds = append(p.Kinds, choice{string(kind), v.say.word("entry", string(kind)), string(kind) == p.Filter.Kind})
	}
	p.CSV = address(p.Path+"/ledger.csv", p.Filter.query())
	zone, err := w.Invoices.Zone(v.ctx)
	if err != nil {
		return err
	}
	p.Zone = zone.String()
	f := p.Filter.filter(zone)
	if f.Before, err = w.cursor(secrets.Entry, c.Query("from")); err != nil {
		return err
	}
	f.Limit = pageSize + 1
	all, err := w.Ledger.Entries(v.ctx, account, f)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Entry, all[len(all)-1].ID)
	}
	p.Pager = turn(p.Path, p.Filter.query(), c.Query("from"), next)
	for _, e := range all {
		row := v.say.entryRow(e)
		if e.Campaign != 0 {
			row.Campaign = w.Names.Of(secrets.Campaign, e.Campaign)
		}
		p.Rows = append(p.Rows, row)
	}
	return nil
}

func (say *tongue) entryRow(e billing.Posted) entryRow {
	row := entryRow{At: e.At, Kind: say.word("entry", string(e.Kind)), Owes: say.money(e.Owes(), e.Currency), Reference: e.Reference}
	if e.Owes() == 0 {
		row.Owes, row.Moves = say.money(e.Micro, e.Currency), true
	}
	var said []string
	if e.Parts > 0 {
		said = append(said, say.count("parts", e.Parts))
	}
	if e.Country != "" {
		said = append(said, e.Country)
	}
	if e.Unit > 0 && e.Parts > 0 {
		said = append(said, say.text("entry_unit", "Price", say.money(e.Unit, e.Currency)))
	}
	row.For = strings.Join(said, " · ")
	if e.Lane != "" {
		row.Lane = say.word("lane", e.Lane)
	}
	return row
}

// csvMost bounds a download, which says so; what is older is asked for by days. Tests
// have a lower bound.
var csvMost = 100_000

const csvLot = 2000

func (w *site) balanceCSV(c *fiber.Ctx, v visit) error { return w.ledgerCSV(c, v, v.Account) }

func (w *site) ledgerCSV(c *fiber.Ctx, v visit, acc accounts.Account) error {
	ctx, cancel := v.longer()
	defer cancel()
	zone, err := w.Invoices.Zone(ctx)
	if err != nil {
		return err
	}
	f := readLedgerForm(c).filter(zone)
	s := newCSV(v.say, v.say.text("entry_at"), v.say.text("entry_kind"), v.say.text("entry_debit"), v.say.text("entry_credit_side"), v.say.text("entry_amount"), v.say.text("entry_currency"),
		v.say.text("entry_messages"), v.say.text("entry_parts"), v.say.text("entry_country"), v.say.text("entry_part_price"), v.say.text("field_lane"), v.say.text("entry_reference"))
	more, err := w.eachEntry(ctx, acc.ID, f, csvMost, func(e billing.Posted) error { return s.row(v.say.entryCells(e)...) })
	if err == nil && more {
		err = s.row(v.say.text("ledger_cut", "N", v.say.number(csvMost)))
	}
	if err != nil {
		return err
	}
	return s.send(c, "ledger.csv")
}

// eachEntry goes through the newest entries, and says whether there are more than most.
func (w *site) eachEntry(ctx context.Context, account int64, f billing.EntryFilter, most int, do func(billing.Posted) error) (more bool, err error) {
	for {
		f.Limit = min(csvLot, most) + 1
		all, err := w.Ledger.Entries(ctx, account, f)
		if err != nil {
			return false, err
		}
		more := len(all) == f.Limit
		all = all[:min(len(all), f.Limit-1)]
		for _, e := range all {
			if err := do(e); err != nil {
				return false, err
			}
		}
		if most -= len(all); !more || most == 0 {
			return more, nil
		}
		f.Before = all[len(all)-1].ID
	}
}

func (say *tongue) entryCells(e billing.Posted) []string {
	unit, lane := "", ""
	if e.Unit > 0 {
		unit = say.plain(e.Unit)
	}
	if e.Lane != "" {
		lane = say.word("lane", e.Lane)
	}
	return []string{e.At.Format(time.RFC3339), say.word("entry", string(e.Kind)), say.word("ledger", e.Debit), say.word("ledger", e.Credit), say.plain(e.Micro), e.Currency,
		say.plainCount(e.Messages), say.plainCount(e.Parts), e.Country, unit, lane, e.Reference}
}

// billings lists the accounts, for their balances.
func (w *site) billings(c *fiber.Ctx, v visit) error {
	return w.listAccounts(c, v, accountsPage{Path: billingsPath, Title: "billing_title", Lead: "billing_lead"})
}

func (w *site) accountNamed(c *fiber.Ctx, v visit) (accounts.Account, balancePage, error) {
	acc, err := w.Accounts.ByHandle(v.ctx, c.Params("account"))
	return acc, balancePage{Operator: true, Path: billingsPath + "/" + acc.Handle}, err
}

func (w *site) billing(c *fiber.Ctx, v visit) error {
	acc, p, err := w.accountNamed(c, v)
	if err != nil {
		return err
	}
	return w.showBalance(c, v, acc, p)
}

func (w *site) billingCSV(c *fiber.Ctx, v visit) error {
	acc, _, err := w.accountNamed(c, v)
	if err != nil {
		return err
	}
	return w.ledgerCSV(c, v, acc)
}

func (w *site) setTerms(c *fiber.Ctx, v visit) error {
	acc, p, err := w.accountNamed(c, v)
	if err != nil {
		return err
	}
	p.Form.Terms, p.Form.Limit, p.Form.Suspend = c.FormValue("terms", "limit"), strings.TrimSpace(c.FormValue("limit")), strings.TrimSpace(c.FormValue("suspend"))
	t := billing.Terms{Prepaid: p.Form.Terms == "prepaid", Unlimited: p.Form.Terms == "unlimited"}
	if !t.Prepaid && !t.Unlimited {
		if t.Limit, err = billing.ReadAmount("limit", p.Form.Limit); err != nil {
			return w.refuseMoney(c, v, acc, p, err)
		}
	}
	if p.Form.Suspend != "" {
		if t.Suspend, err = strconv.Atoi(p.Form.Suspend); err != nil {
			return w.refuseMoney(c, v, acc, p, problem.Invalid("suspend_days", "no number"))
		}
	}
	return w.moneyDone(c, v, acc, p, w.Ledger.SetTerms(v.ctx, acc.ID, t))
}

func (w *site) pay(c *fiber.Ctx, v visit) error {
	acc, p, err := w.accountNamed(c, v)
	if err != nil {
		return err
	}
	p.Form.Amount, p.Form.Reference = strings.TrimSpace(c.FormValue("amount")), strings.TrimSpace(c.FormValue("reference"))
	paid := billing.Payment{Reference: p.Form.Reference}
	if paid.Micro, err = billing.ReadAmount("amount", p.Form.Amount); err != nil {
		return w.refuseMoney(c, v, acc, p, err)
	}
	_, err = w.Ledger.Pay(v.ctx, acc.ID, paid)
	return w.moneyDone(c, v, acc, p, err)
}

func (w *site) returnPayment(c *fiber.Ctx, v visit) error {
	acc, p, err := w.accountNamed(c, v)
	if err != nil {
		return err
	}
	p.Form.Back = strings.TrimSpace(c.FormValue("back"))
	_, err = w.Ledger.ReturnPayment(v.ctx, acc.ID, p.Form.Back)
	return w.moneyDone(c, v, acc, p, err)
}

func (w *site) moneyDone(c *fiber.Ctx, v visit, acc accounts.Account, p balancePage, err error) error {
	if refused := problem.As(err); refused != nil {
		return w.refuseMoney(c, v, acc, p, err)
	}
	if err != nil {
		return err
	}
	return c.Redirect(p.Path, fiber.StatusSeeOther)
}

// moneyFields are where a problem is told that does not name the field.
var moneyFields = map[string]string{"invalid_suspend_days": "suspend", "payment_differs": "reference", "payment_returned": "reference", "payment_not_found": "back"}

func (w *site) refuseMoney(c *fiber.Ctx, v visit, acc accounts.Account, p balancePage, err error) error {
	refused := problem.As(err)
	field := or(moneyFields[refused.Code], refused.Field)
	if field == "" {
		return err
	}
	p.Errors = []fieldError{{field, v.say.wrongNumber("money_wrong", refused.Code)}}
	return w.showBalance(c.Status(statuses[refused.Kind]), v, acc, p)
}

func (say *tongue) plainCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
