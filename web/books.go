package web

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/billing"
	bills "github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const booksPath = "/installation/books"

// booksPage shows operators whether the books agree, what the months' runs came to, and
// what carriers cost and earn.
type booksPage struct {
	Last     []reconciliationRow // the latest first
	Runs     []monthRow
	Margins  []marginRow
	Costs    []costRow
	Carriers []choice
	New      costForm
	Errors   []fieldError
}

func (booksPage) template() string { return "books" }

// Error is what is wrong with a field, or empty.
func (p booksPage) Error(field string) string { return errorOf(p.Errors, field) }

type reconciliationRow struct {
	ID, State   string
	Started     time.Time
	Compared    int
	Messages    int
	Differences int
	Done        bool
	Running     bool
}

type monthRow struct {
	Account, Month string
	State, Word    string
	Why            string
	Invoice        string // its path; empty for none
	At             time.Time
}

type marginRow struct {
	Carrier, Country string
	Messages, Parts  int
	Revenue, Cost    string // Cost is empty where it is not known
	Loss             bool
}

type costRow struct {
	Carrier, Country, Price string
	From                    time.Time
}

// costForm is a cost as it was typed.
type costForm struct {
	Country, Price, Currency string
	Currencies               []choice
}

func (w *site) books(c *fiber.Ctx, v visit) error { return w.showBooks(c, v, booksPage{}, "") }

// shownBooks is how many rows the page has of what has many.
const shownBooks, marginDays = 100, 30

func (w *site) showBooks(c *fiber.Ctx, v visit, p booksPage, carrier string) error {
	all, err := w.Invoices.Reconciliations(v.ctx, 0, 14)
	if err != nil {
		return err
	}
	for _, r := range all {
		p.Last = append(p.Last, w.reconciliationRow(v.say, r))
	}
	if p.Runs, err = w.monthRows(v); err != nil {
		return err
	}
	carriers, err := w.Queue.Routes(v.ctx)
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, r := range carriers {
		names[r.ID] = r.Name
		p.Carriers = append(p.Carriers, choice{Value: r.Name, Text: r.Name, Chosen: r.Name == carrier})
	}
	for _, currency := range bills.Currencies {
		p.New.Currencies = append(p.New.Currencies, choice{Value: currency, Text: currency, Chosen: currency == p.New.Currency})
	}
	today := time.Now().UTC()
	margins, err := w.Invoices.Margins(v.ctx, today.AddDate(0, 0, -marginDays), today)
	if err != nil {
		return err
	}
	for _, m := range margins {
		row := marginRow{Carrier: names[m.Carrier], Country: m.Country, Messages: m.Messages, Parts: m.Parts, Revenue: v.say.money(m.Revenue, m.Currency), Loss: m.Known && m.Carried.Revenue < m.Cost}
		if m.Known {
			row.Cost = v.say.money(m.Cost, m.Currency)
		}
		p.Margins = append(p.Margins, row)
	}
	costs, err := w.Invoices.Costs(v.ctx)
	for _, cost := range costs {
		p.Costs = append(p.Costs, costRow{names[cost.Carrier], v.say.anywhere(cost.Country), v.say.money(cost.Micro, cost.Currency), cost.From})
	}
	if err != nil {
		return err
	}
	return render(c, p)
}

func (say *tongue) anywhere(country string) string {
	if country == billing.Any {
		return say.text("books_any_country")
	}
	return country
}

func (w *site) reconciliationRow(say *tongue, r billing.Reconciliation) reconciliationRow {
	return reconciliationRow{ID: w.Names.Of(secrets.Reconciliation, r.ID), State: say.word("reconciliation", r.State), Started: r.Started, Compared: r.Compared,
		Messages: r.Messages, Differences: r.Differences, Done: r.State == billing.ReconDone, Running: r.State == billing.ReconRunning}
}

func (w *site) monthRows(v visit) (rows []monthRow, err error) {
	runs, err := w.Invoices.Runs(v.ctx, billing.RunFilter{Limit: shownBooks})
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		acc, err := w.Accounts.ByID(v.ctx, r.Account)
		if err != nil {
			return nil, err
		}
		row := monthRow{Account: acc.Handle, Month: r.Month.Format("2006-01"), State: r.State, Word: v.say.word("month_run", r.State), At: r.At}
		if r.Reason != "" {
			row.Why = v.say.problem(&problem.Problem{Code: r.Reason, Text: r.Detail})
		}
		if r.Invoice != 0 {
			row.Invoice = allInvoicesPath + "/" + w.Names.Of(secrets.Invoice, r.Invoice)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (w *site) runMonths(c *fiber.Ctx, v visit) error {
	if _, _, err := w.Invoices.RunMonth(v.ctx, billing.RunOrder{Until: time.Now().Add(patience / 2)}, time.Now()); err != nil {
		return err
	}
	return c.Redirect(booksPath, fiber.StatusSeeOther)
}

func (w *site) reconcileNow(c *fiber.Ctx, v visit) error {
	r, err := w.Invoices.AskReconciliation(v.ctx, time.Now())
	if err != nil {
		return err
	}
	return c.Redirect(booksPath+"/"+w.Names.Of(secrets.Reconciliation, r.ID), fiber.StatusSeeOther)
}

func (w *site) addCost(c *fiber.Ctx, v visit) error {
	p := booksPage{New: costForm{Country: strings.TrimSpace(c.FormValue("country")), Price: strings.TrimSpace(c.FormValue("price")), Currency: c.FormValue("currency")}}
	carrier, err := w.Queue.Route(v.ctx, c.FormValue("carrier"))
	if err != nil {
		return err
	}
	micro, err := billing.ReadPrice(p.New.Price)
	if err == nil {
		_, err = w.Invoices.SetCost(v.ctx, billing.Cost{Carrier: carrier.ID, Country: p.New.Country, Currency: p.New.Currency, Micro: micro}, time.Now())
	}
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.costErrors(refused)
		return w.showBooks(c.Status(statuses[refused.Kind]), v, p, carrier.Name)
	}
	if err != nil {
		return err
	}
	return c.Redirect(booksPath, fiber.StatusSeeOther)
}

func (say *tongue) costErrors(refused *problem.Problem) []fieldError {
	switch refused.Code {
	case "invalid_price":
		return []fieldError{{"price", say.text("books_wrong_price")}}
	case "invalid_country":
		return []fieldError{{"country", say.text("books_wrong_country")}}
	}
	return []fieldError{{"", say.problem(refused)}}
}

// reconciliationPage is what one found.
type reconciliationPage struct {
	reconciliationRow
	Found []differenceRow
}

func (reconciliationPage) template() string { return "reconciliation" }

// differenceRow names the rows that do not agree.
type differenceRow struct {
	Word            string
	Account         string
	Rows            []string // names: cmp_..., msg_..., ent_..., or an invoice's
	Detail          string
	Expected, Found string
}

func (w *site) reconciliation(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Reconciliation, c.Params("id"))
	if err != nil {
		return err
	}
	r, err := w.Invoices.Reconciliation(v.ctx, id)
	if err != nil {
		return err
	}
	found, err := w.Invoices.Differences(v.ctx, id)
	if err != nil {
		return err
	}
	p := reconciliationPage{reconciliationRow: w.reconciliationRow(v.say, r)}
	for _, d := range found {
		row := differenceRow{Word: v.say.word("difference", d.Kind), Detail: d.Detail, Rows: w.rowsOf(d), Expected: billing.Money(d.Expected), Found: billing.Money(d.Found)}
		if d.Account != 0 {
			acc, err := w.Accounts.ByID(v.ctx, d.Account)
			if err != nil {
				return err
			}
			row.Account = acc.Handle
		}
		p.Found = append(p.Found, row)
	}
	return render(c, p)
}

func (w *site) rowsOf(d billing.Difference) (names []string) {
	for _, row := range []struct {
		prefix string
		id     int64
	}{{secrets.Campaign, d.Campaign}, {secrets.Entry, d.Entry}, {secrets.Invoice, d.Invoice}} {
		if row.id != 0 {
			names = append(names, w.Names.Of(row.prefix, row.id))
		}
	}
	for _, id := range d.Messages {
		names = append(names, w.Names.Of(secrets.Message, id))
	}
	for _, id := range d.Entries {
		names = append(names, w.Names.Of(secrets.Entry, id))
	}
	return names
}
