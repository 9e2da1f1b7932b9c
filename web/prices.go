package web

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	pricesPath     = "/prices"
	plansPath      = "/installation/plans"
	priceListsPath = "/installation/price-lists"
)

// pricesPage is an account's plan, what its directories have come to, and what a part
// costs it.
type pricesPage struct {
	Plan        planRow
	Since       time.Time // zero for since the beginning
	Next        string    // the plan that was decided for later
	NextFrom    time.Time
	Directories []directoryFee
	Prices      []priceRow
}

func (pricesPage) template() string { return "prices" }

// planRow is a plan in words.
type planRow struct {
	Name      string
	Includes  []string
	List      string
	Directory string // a month's price
	Anchor    int
}

func (say *tongue) plan(p billing.Plan) planRow {
	row := planRow{Name: p.Name, List: p.List.Name, Directory: say.money(p.DirectoryMicro, p.List.Currency), Anchor: p.Anchor}
	for _, c := range p.Capabilities {
		row.Includes = append(row.Includes, say.word("capability", c))
	}
	return row
}

type directoryFee struct {
	ID, From, To string
	Days         int
	Amount       string
}

type priceRow struct{ Country, Lane, Price string }

// prices are rows of a version; empty words stand for any country or lane.
func (say *tongue) prices(all []billing.Price, currency string) (rows []priceRow) {
	for _, p := range all {
		row := priceRow{Country: p.Country, Lane: say.text("prices_any_lane"), Price: say.money(p.Micro, currency)}
		if p.Country == billing.Any {
			row.Country = say.text("prices_any_country")
		}
		if p.Lane != billing.Any {
			row.Lane = say.word("lane", p.Lane)
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *site) prices(c *fiber.Ctx, v visit) error {
	terms, err := w.Plans.Terms(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	now, next := billing.Now(terms, time.Now())
	p := pricesPage{Plan: v.say.plan(now.Plan), Since: now.From}
	p.Plan.List = now.List().Name
	if next != nil {
		p.Next, p.NextFrom = next.Plan.Name, next.From
	}
	if p.Directories, err = w.directoryFees(v, now.Plan.List.Currency); err != nil {
		return err
	}
	_, all, err := w.ownPrices(v)
	p.Prices = v.say.prices(all, now.Plan.List.Currency)
	if problem.As(err) == nil && err != nil {
		return err
	}
	return render(c, p)
}

func (w *site) directoryFees(v visit, currency string) (fees []directoryFee, err error) {
	running, err := w.Subscriptions.Running(v.ctx, v.Account.ID)
	for _, d := range running {
		fees = append(fees, directoryFee{d.Key, dayText(d.Whole.From), dayText(d.Whole.To), d.Days, v.say.money(d.Micro, currency)})
	}
	return fees, err
}

func (w *site) ownPrices(v visit) (billing.Book, []billing.Price, error) {
	book, err := w.PriceLists.CurrentBook(v.ctx, v.Account.ID)
	if err != nil {
		return book, nil, err
	}
	all, err := w.PriceLists.Prices(v.ctx, book.ID)
	return book, all, err
}

func (w *site) pricesCSV(c *fiber.Ctx, v visit) error {
	book, all, err := w.ownPrices(v)
	if err != nil {
		return err
	}
	return sendPrices(c, "prices-"+book.Currency, all)
}

// sendPrices is a file that can be imported as it is.
func sendPrices(c *fiber.Ctx, name string, all []billing.Price) error {
	var file bytes.Buffer
	if err := billing.WritePrices(&file, all); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`.csv"`)
	return c.Send(file.Bytes())
}

// plansPage lists the plans, with a form for one and a form to give one to an account.
type plansPage struct {
	Plans []planRow

	tariffForm
	Includes []choice
	Lists    []choice

	Account, From string
	Chosen        []choice // plans
	Own           []choice // price lists

	Errors []fieldError
}

func (plansPage) template() string { return "plans" }

// tariffForm is a plan as it was typed.
type tariffForm struct {
	Name, Directory, Anchor, List string
	Capabilities                  []string
	Loss                          billing.Loss // that is to be confirmed
}

// tariffFormOf has a plan in it as it is.
func (say *tongue) tariffFormOf(p billing.Plan) tariffForm {
	return tariffForm{Name: p.Name, Directory: say.typed(p.DirectoryMicro), Anchor: strconv.Itoa(p.Anchor), List: p.List.Name, Capabilities: p.Capabilities}
}

func typedPlan(c *fiber.Ctx) tariffForm {
	f := tariffForm{Name: strings.TrimSpace(c.FormValue("name")), Directory: strings.TrimSpace(c.FormValue("directory_price")), Anchor: c.FormValue("anchor"), List: c.FormValue("price_list")}
	for _, capability := range billing.Capabilities {
		if c.FormValue(capability) != "" {
			f.Capabilities = append(f.Capabilities, capability)
		}
	}
	return f
}

// Lost are the capabilities of the loss, in words.
func (p plansPage) Lost() (all []string) {
	for _, one := range p.Includes {
		if slices.Contains(p.Loss.Capabilities, one.Value) {
			all = append(all, one.Text)
		}
	}
	return all
}

// Error is what is wrong with a field, or empty.
func (p plansPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) plans(c *fiber.Ctx, v visit) error {
	var p plansPage
	if name := c.Query("plan"); name != "" {
		one, err := w.Plans.ByName(v.ctx, name)
		if err != nil {
			return err
		}
		p.tariffForm = v.say.tariffFormOf(one)
	}
	return w.showPlans(c, v, p)
}

func (w *site) showPlans(c *fiber.Ctx, v visit, p plansPage) error {
	all, err := w.Plans.All(v.ctx)
	if err != nil {
		return err
	}
	lists, err := w.PriceLists.All(v.ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		p.Plans = append(p.Plans, v.say.plan(one))
		p.Chosen = append(p.Chosen, choice{one.Name, one.Name + " (" + one.List.Currency + ")", one.Name == c.FormValue("plan")})
	}
	for _, l := range lists {
		p.Lists = append(p.Lists, choice{l.Name, l.Name + " (" + l.Currency + ")", l.Name == p.List})
		p.Own = append(p.Own, choice{l.Name, l.Name + " (" + l.Currency + ")", l.Name == c.FormValue("own_list")})
	}
	for _, capability := range billing.Capabilities {
		p.Includes = append(p.Includes, choice{capability, v.say.word("capability", capability), slices.Contains(p.Capabilities, capability)})
	}
	return render(c, p)
}

func (w *site) setPlan(c *fiber.Ctx, v visit) error {
	p := plansPage{tariffForm: typedPlan(c)}
	n, err := p.read()
	if err != nil {
		return w.plansChanged(c, v, p, "name", err)
	}
	if p.Loss, err = w.Plans.LossOf(v.ctx, n.Name, n.Capabilities); err != nil {
		return err
	}
	if p.Loss.Accounts > 0 && c.FormValue("confirm") != strconv.Itoa(p.Loss.Accounts) {
		p.Errors = []fieldError{{"confirm", v.say.text("plan_loss_unconfirmed")}}
		return w.showPlans(c.Status(fiber.StatusConflict), v, p)
	}
	_, err = w.Plans.Set(v.ctx, n)
	return w.plansChanged(c, v, p, "name", err)
}

// read is the plan that was typed. What is empty stays as it is, but for the
// capabilities: a box without its tick is one that the plan is not to have.
func (f tariffForm) read() (n billing.NewPlan, err error) {
	n = billing.NewPlan{Name: f.Name, List: f.List, Capabilities: append([]string{}, f.Capabilities...)}
	if f.Anchor != "" {
		if n.Anchor, err = strconv.Atoi(f.Anchor); err != nil || n.Anchor == 0 {
			return n, problem.Invalid("anchor", "no day of the month")
		}
	}
	if f.Directory != "" {
		micro, err := billing.ReadAmount("directory_price", f.Directory)
		if err != nil {
			return n, err
		}
		n.DirectoryMicro = &micro
	}
	return n, nil
}

func (w *site) assignPlan(c *fiber.Ctx, v visit) error {
	p := plansPage{Account: strings.TrimSpace(c.FormValue("account")), From: c.FormValue("from")}
	acc, err := w.Accounts.ByHandle(v.ctx, p.Account)
	a := billing.Assignment{Plan: c.FormValue("plan"), List: c.FormValue("own_list")}
	if err == nil {
		a.From, err = dayOf("from", p.From)
	}
	if err == nil {
		_, err = w.Plans.Assign(v.ctx, acc.ID, a)
	}
	return w.plansChanged(c, v, p, "account", err)
}

// plansChanged says what was refused at its field, or at the form's first.
func (w *site) plansChanged(c *fiber.Ctx, v visit, p plansPage, first string, err error) error {
	if refused := problem.As(err); refused != nil {
		field := refused.Field
		if !slices.Contains([]string{"name", "directory_price", "anchor", "from"}, field) {
			field = first
		}
		p.Errors = []fieldError{{field, v.say.problem(refused)}}
		return w.showPlans(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(plansPath, fiber.StatusSeeOther)
}

// priceListsPage lists the price lists, with a form for a new one.
type priceListsPage struct {
	Lists          []billing.PriceList
	Name, Currency string // as they were typed
	Errors         []fieldError
}

func (priceListsPage) template() string { return "pricelists" }

// Error is what is wrong with a field, or empty.
func (p priceListsPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) priceLists(c *fiber.Ctx, v visit) error {
	return w.showPriceLists(c, v, priceListsPage{})
}

func (w *site) showPriceLists(c *fiber.Ctx, v visit, p priceListsPage) (err error) {
	if p.Lists, err = w.PriceLists.All(v.ctx); err != nil {
		return err
	}
	return render(c, p)
}

func (w *site) createPriceList(c *fiber.Ctx, v visit) error {
	p := priceListsPage{Name: strings.TrimSpace(c.FormValue("name")), Currency: strings.TrimSpace(c.FormValue("currency"))}
	l, err := w.PriceLists.Create(v.ctx, p.Name, p.Currency)
	if refused := problem.As(err); refused != nil {
		field := refused.Field
		if field == "" {
			field = "name"
		}
		p.Errors = []fieldError{{field, v.say.problem(refused)}}
		return w.showPriceLists(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(priceListsPath+"/"+l.Name, fiber.StatusSeeOther)
}

// priceListPage is a list with its versions, and the form of the next one.
type priceListPage struct {
	List     billing.PriceList
	Versions []priceVersionRow
	Prices   []priceRow // of the version that is valid now
	File     string     // as it was typed
	From     string
	Errors   []fieldError
	Rows     []string // what is wrong with the file, row by row
}

func (priceListPage) template() string { return "pricelist" }

// Error is what is wrong with a field, or empty.
func (p priceListPage) Error(field string) string { return errorOf(p.Errors, field) }

type priceVersionRow struct {
	billing.Version
	Name  string
	State string // in words
	Ahead bool   // it can be withdrawn
}

func (w *site) priceList(c *fiber.Ctx, v visit) error {
	return w.showPriceList(c, v, priceListPage{})
}

func (w *site) showPriceList(c *fiber.Ctx, v visit, p priceListPage) (err error) {
	if p.List, err = w.PriceLists.ByName(v.ctx, c.Params("list")); err != nil {
		return err
	}
	all, err := w.PriceLists.Versions(v.ctx, p.List.ID)
	if err != nil {
		return err
	}
	now := time.Now()
	current := billing.Current(all, now)
	for _, one := range all {
		state := "past"
		switch {
		case !one.Withdrawn.IsZero():
			state = "withdrawn"
		case one.From.After(now):
			state = "ahead"
		case one.ID == current:
			state = "current"
		}
		p.Versions = append(p.Versions, priceVersionRow{one, w.Names.Of(secrets.PriceVersion, one.ID), v.say.word("price_version", state), state == "ahead"})
	}
	if current != 0 {
		prices, err := w.PriceLists.Prices(v.ctx, current)
		if err != nil {
			return err
		}
		p.Prices = v.say.prices(prices, p.List.Currency)
	}
	return render(c, p)
}

func (w *site) addPriceVersion(c *fiber.Ctx, v visit) error {
	l, err := w.PriceLists.ByName(v.ctx, c.Params("list"))
	if err != nil {
		return err
	}
	p := priceListPage{File: c.FormValue("prices"), From: c.FormValue("valid_from")}
	prices, err := billing.ParsePrices([]byte(p.File))
	var from time.Time
	if err == nil {
		from, err = dayOf("valid_from", p.From)
	}
	if err == nil {
		_, err = w.PriceLists.Add(v.ctx, l.ID, from, prices)
	}
	if refused := problem.As(err); refused != nil {
		field := "valid_from"
		if refused.Field == "prices" {
			field, p.Rows = "prices", strings.Split(refused.Text, "\n")
		}
		p.Errors = []fieldError{{field, v.say.problem(refused)}}
		return w.showPriceList(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(priceListsPath+"/"+l.Name, fiber.StatusSeeOther)
}

// priceVersion is the version that the address names.
func (w *site) priceVersion(c *fiber.Ctx, v visit) (l billing.PriceList, one billing.Version, err error) {
	if l, err = w.PriceLists.ByName(v.ctx, c.Params("list")); err != nil {
		return l, one, err
	}
	id, err := w.Names.ID(secrets.PriceVersion, c.Params("id"))
	if err != nil {
		return l, one, err
	}
	one, err = w.PriceLists.Version(v.ctx, l.ID, id)
	return l, one, err
}

func (w *site) withdrawPriceVersion(c *fiber.Ctx, v visit) error {
	l, one, err := w.priceVersion(c, v)
	if err != nil {
		return err
	}
	if err := w.PriceLists.Withdraw(v.ctx, l.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect(priceListsPath+"/"+l.Name, fiber.StatusSeeOther)
}

func (w *site) priceVersionCSV(c *fiber.Ctx, v visit) error {
	l, one, err := w.priceVersion(c, v)
	if err != nil {
		return err
	}
	all, err := w.PriceLists.Prices(v.ctx, one.ID)
	if err != nil {
		return err
	}
	return sendPrices(c, l.Name+"-"+dayText(one.From), all)
}
