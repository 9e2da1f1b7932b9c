package web

import (
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	bills "github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// draftPage is the form of a new invoice, as it was filled in.
type draftPage struct {
	Once                               string // tells a form from every other
	Account, From, To, Reference, Note string
	Rate, RateSource, RateDate         string
	Lines                              []draftLine
	Errors                             []fieldError
}

func (draftPage) template() string { return "draft" }

// Error is what is wrong with a field, or empty.
func (p draftPage) Error(field string) string { return errorOf(p.Errors, field) }

// draftLine is a row of the form.
type draftLine struct {
	N                                  int // from 1
	Quantity, Unit, Price, Description string
	Units                              []choice
	Error                              string
}

func (l draftLine) empty() bool { return l.Quantity+l.Price+l.Description == "" }

// moreLines is how many empty rows the form begins with, and gets more of.
const moreLines = 4

func (w *site) newDraft(c *fiber.Ctx, v visit) error {
	month := time.Now().UTC()
	first := time.Date(month.Year(), month.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	p := draftPage{Once: rand.Text(), Account: c.Query("account"), From: dayText(first), To: dayText(first.AddDate(0, 1, -1))}
	return w.showDraft(c, v, p, moreLines)
}

func (w *site) showDraft(c *fiber.Ctx, v visit, p draftPage, more int) error {
	for range more {
		p.Lines = append(p.Lines, draftLine{Unit: "C62"})
	}
	for i := range p.Lines {
		p.Lines[i].N = i + 1
		p.Lines[i].Units = choices(bills.Units, p.Lines[i].Unit, func(u string) string { return v.say.word("invoice_unit", u) })
		p.Lines[i].Error = p.Error("line-" + strconv.Itoa(i+1))
	}
	return render(c, p)
}

func postedDraft(c *fiber.Ctx) draftPage {
	of := func(name string) string { return strings.TrimSpace(c.FormValue(name)) }
	p := draftPage{Once: of("once"), Account: of("account"), From: of("from"), To: of("to"), Reference: of("reference"), Note: of("note"),
		Rate: of("rate"), RateSource: of("rate_source"), RateDate: of("rate_date")}
	for n := 1; c.Request().PostArgs().Has("unit-" + strconv.Itoa(n)); n++ {
		of := func(name string) string { return of(name + "-" + strconv.Itoa(n)) }
		p.Lines = append(p.Lines, draftLine{Quantity: of("quantity"), Unit: of("unit"), Price: of("price"), Description: of("description")})
	}
	return p
}

// read is the draft that the form asks for; what is wrong is in p.Errors.
func (p *draftPage) read(say *tongue) (n billing.NewInvoice) {
	wrong := func(field, text string) { p.Errors = append(p.Errors, fieldError{field, text}) }
	n.Reference, n.Note, n.Books.Source = p.Reference, p.Note, p.RateSource
	for _, d := range []struct {
		field, text string
		needed      bool
		into        *time.Time
	}{{"from", p.From, true, &n.Period.From}, {"to", p.To, true, &n.Period.To}, {"rate_date", p.RateDate, false, &n.Books.At}} {
		day, err := time.Parse(time.DateOnly, d.text)
		if err != nil && (d.needed || d.text != "") {
			wrong(d.field, say.text("draft_wrong_day"))
		}
		*d.into = day
	}
	if p.Rate != "" {
		var err error
		if n.Books.Rate, err = billing.ReadDecimal(p.Rate); err != nil {
			wrong("rate", say.text("draft_wrong_rate"))
		}
	}
	for i, l := range p.Lines {
		if l.empty() {
			continue
		}
		quantity, err := billing.ReadNumber("quantity", l.Quantity)
		price, noPrice := billing.ReadNumber("price", l.Price)
		err = errors.Join(err, noPrice)
		if err != nil || l.Description == "" {
			text := say.text("draft_wrong_line")
			if problem.Has(err, "ambiguous_number") {
				text = say.text("problem_ambiguous_number")
			}
			wrong("line-"+strconv.Itoa(i+1), text)
			continue
		}
		n.Lines = append(n.Lines, billing.NewLine{Name: l.Description, Quantity: quantity, Unit: l.Unit, Price: price})
	}
	if len(n.Lines) == 0 && len(p.Errors) == 0 {
		wrong("line-1", say.text("draft_no_line"))
	}
	return n
}

func (w *site) addDraft(c *fiber.Ctx, v visit) error {
	p := postedDraft(c)
	if c.FormValue("more") != "" {
		return w.showDraft(c, v, p, moreLines)
	}
	n := p.read(v.say)
	var draft int64
	acc, err := w.Accounts.ByHandle(v.ctx, p.Account)
	if problem.Has(err, "account_not_found") {
		p.Errors = append(p.Errors, fieldError{"account", v.say.text("rule_wrong_account")})
	} else if err != nil {
		return err
	}
	if len(p.Errors) == 0 {
		draft, err = w.draftOnce(v, acc.ID, p.hash(), n)
		if refused := problem.As(err); refused != nil {
			p.Errors = v.say.draftErrors(refused)
		} else if err != nil {
			return err
		}
	}
	if len(p.Errors) > 0 {
		return w.showDraft(c.Status(fiber.StatusUnprocessableEntity), v, p, 0)
	}
	return c.Redirect(allInvoicesPath+"/"+w.Names.Of(secrets.Invoice, draft), fiber.StatusSeeOther)
}

// hash tells the draft from every other that is asked for; a form that is sent twice asks
// for the same one.
func (p draftPage) hash() string {
	fields := []string{p.Once, p.Account, p.From, p.To, p.Reference, p.Note, p.Rate, p.RateSource, p.RateDate}
	for _, l := range p.Lines {
		fields = append(fields, l.Quantity, l.Unit, l.Price, l.Description)
	}
	return formHash(fields...)
}

func (w *site) draftOnce(v visit, account int64, hash string, n billing.NewInvoice) (id int64, err error) {
	once := accounts.Once{Account: account, Key: "console " + hash, Hash: hash}
	return once.Do(v.ctx, w.Accounts, func(take accounts.Take) (int64, error) {
		n.Also = billing.Also(take)
		inv, err := w.Invoices.Draft(v.ctx, account, n)
		return inv.ID, err
	})
}

// draftErrors says of a refusal which field it is about.
func (say *tongue) draftErrors(refused *problem.Problem) []fieldError {
	switch refused.Code {
	case "invalid_period":
		return []fieldError{{"from", say.text("draft_wrong_period")}}
	case "invalid_rate":
		return []fieldError{{"rate", say.text("draft_wrong_rate")}}
	case "invalid_lines":
		return []fieldError{{"line-1", say.text("draft_wrong_line")}}
	}
	return []fieldError{{"account", say.problem(refused)}}
}

// creditPage is the form of a credit note.
type creditPage struct {
	ID, Number string
	Lines      []creditRow
	Note       string
	Errors     []fieldError
}

func (creditPage) template() string { return "credit" }

// Error is what is wrong with a field, or empty.
func (p creditPage) Error(field string) string { return errorOf(p.Errors, field) }

type creditRow struct {
	N      int
	Name   string
	Net    string
	Chosen bool
}

func (w *site) creditForm(c *fiber.Ctx, v visit) error { return w.showCredit(c, v, creditPage{}, nil) }

func (w *site) showCredit(c *fiber.Ctx, v visit, p creditPage, chosen map[int]bool) error {
	inv, err := w.anyInvoice(c, v)
	if err != nil {
		return err
	}
	lines, err := w.Invoices.Lines(v.ctx, inv)
	if err != nil {
		return err
	}
	p.ID, p.Number = c.Params("id"), inv.Number
	for i, l := range lines {
		net, err := bills.Net(l.Quantity, l.Price)
		if err != nil {
			return err
		}
		p.Lines = append(p.Lines, creditRow{N: i + 1, Name: l.Name, Net: v.say.cents(net, inv.Currency), Chosen: chosen[i+1]})
	}
	return render(c, p)
}

func (w *site) addCredit(c *fiber.Ctx, v visit) error {
	inv, err := w.anyInvoice(c, v)
	if err != nil {
		return err
	}
	p, chosen := creditPage{Note: strings.TrimSpace(c.FormValue("note"))}, map[int]bool{}
	n := billing.NewCredit{Note: p.Note}
	for _, text := range c.Request().PostArgs().PeekMulti("line") {
		line, _ := strconv.Atoi(string(text)) // 0 is no line, and refused
		n.Lines, chosen[line] = append(n.Lines, line), true
	}
	if len(n.Lines) == 0 {
		p.Errors = []fieldError{{"line-1", v.say.text("credit_no_line")}}
		return w.showCredit(c.Status(fiber.StatusUnprocessableEntity), v, p, chosen)
	}
	credit, err := w.Invoices.Credit(v.ctx, inv.Account, inv.ID, n)
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{"line-1", v.say.problem(refused)}}
		return w.showCredit(c.Status(statuses[refused.Kind]), v, p, chosen)
	}
	if err != nil {
		return err
	}
	return c.Redirect(allInvoicesPath+"/"+w.Names.Of(secrets.Invoice, credit.ID), fiber.StatusSeeOther)
}
