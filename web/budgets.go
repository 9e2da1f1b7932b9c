package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const budgetsPath = "/budgets"

// budgetsPage lists what may be spent and what is, and makes another budget.
type budgetsPage struct {
	Rows  []budgetRow
	Form  budgetForm
	Teams []choice // with the whole account
	Pers  []choice
	Teamy bool // there are teams
}

func (budgetsPage) template() string { return "budgets" }

// Errors are those of the form.
func (p budgetsPage) Errors() []fieldError { return p.Form.Errors }

// budgetForm is a budget as it was typed.
type budgetForm struct {
	Name, Limit, Warn, Per, Team string
	Currency                     string
	Errors                       []fieldError
}

// Error is what is wrong with a field, or empty.
func (f budgetForm) Error(field string) string { return errorOf(f.Errors, field) }

type budgetRow struct {
	ID, Name, Whose, Per string
	Sum                  string // what of what is spent
	Share                string
	Segments             []segment
	Badge                string // in words, when it is nearly or all spent
	Full                 bool
	Renews               time.Time
}

func (w *site) budgetRow(say *tongue, b billing.Budget) budgetRow {
	row := budgetRow{ID: w.Names.Of(secrets.Budget, b.ID), Name: b.Name, Whose: b.TeamName, Per: say.word("per", string(b.Per)), Renews: b.Renews,
		Sum:   say.text("budget_sum", "Spent", say.money(b.Spent, b.Currency), "Limit", say.money(b.LimitMicro, b.Currency)),
		Share: say.percent(b.Percent(), 100), Segments: []segment{{Name: "underway"}, {Name: "waiting"}}}
	if b.Team == 0 {
		row.Whose = say.text("budget_everybody")
	}
	switch {
	case b.Left() == 0:
		row.Badge, row.Full, row.Segments[0].Name = say.text("budget_full"), true, "lost"
	case !b.Warned.IsZero():
		row.Badge, row.Segments[0].Name = say.text("budget_near", "Share", say.number(b.Warn)), "unconfirmed"
	}
	lay(row.Segments, []int{min(b.Percent(), 100), max(100-b.Percent(), 0)})
	return row
}

func (w *site) budgets(c *fiber.Ctx, v visit) error {
	return w.showBudgets(c, v, budgetForm{Warn: strconv.Itoa(billing.UsualWarning), Per: string(billing.PerMonth)})
}

func (w *site) showBudgets(c *fiber.Ctx, v visit, form budgetForm) error {
	all, err := w.Budgets.List(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	teams, err := w.Teams.List(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	form.Currency = v.Account.Currency
	p := budgetsPage{Form: form, Teamy: len(teams) > 0, Teams: []choice{{Text: v.say.text("budget_everybody")}}}
	for _, b := range all {
		p.Rows = append(p.Rows, w.budgetRow(v.say, b))
	}
	for _, t := range teams {
		name := w.Names.Of(secrets.Team, t.ID)
		p.Teams = append(p.Teams, choice{Value: name, Text: t.Name, Chosen: name == form.Team})
	}
	for _, per := range billing.Pers {
		p.Pers = append(p.Pers, choice{Value: string(per), Text: v.say.word("per", string(per)), Chosen: string(per) == form.Per})
	}
	return render(c, p)
}

func typedBudget(c *fiber.Ctx) budgetForm {
	typed := func(field string) string { return strings.TrimSpace(c.FormValue(field)) }
	return budgetForm{Name: typed("name"), Limit: typed("limit"), Warn: typed("warn"), Per: typed("per"), Team: typed("team")}
}

// warn is the share; -1, which is refused, for what is no number.
func (f budgetForm) warn() int {
	if f.Warn == "" {
		return 0
	}
	n, err := strconv.Atoi(f.Warn)
	if err != nil {
		return -1
	}
	return n
}

// wrong keeps with a form why it was refused.
func (f *budgetForm) wrong(say *tongue, refused *problem.Problem) {
	field := map[string]string{"invalid_limit": "limit", "ambiguous_number": "limit", "invalid_warn_percent": "warn", "invalid_name": "name", "budget_exists": "name"}[refused.Code]
	f.Errors = []fieldError{{field, say.wrongNumber("budget_wrong", refused.Code)}}
}

// refusedBudget says whether an error is about what was typed.
func refusedBudget(err error) *problem.Problem {
	refused := problem.As(err)
	if refused == nil || refused.Kind == problem.KindNotFound {
		return nil
	}
	return refused
}

func (w *site) addBudget(c *fiber.Ctx, v visit) error {
	form := typedBudget(c)
	n := billing.NewBudget{Name: form.Name, Per: billing.Per(form.Per), Warn: form.warn()}
	var err error
	if form.Team != "" {
		if n.Team, err = w.Names.ID(secrets.Team, form.Team); err != nil {
			return err
		}
	}
	if n.LimitMicro, err = billing.ReadAmount("limit", form.Limit); err == nil {
		_, err = w.Budgets.Add(v.ctx, v.Account.ID, n)
	}
	if refused := refusedBudget(err); refused != nil {
		form.wrong(v.say, refused)
		return w.showBudgets(c.Status(statuses[refused.Kind]), v, form)
	}
	if err != nil {
		return err
	}
	return c.Redirect(budgetsPath, fiber.StatusSeeOther)
}

// budgetPage changes a budget.
type budgetPage struct {
	budgetRow
	Form budgetForm
}

func (budgetPage) template() string { return "budget" }

// Errors are those of the form.
func (p budgetPage) Errors() []fieldError { return p.Form.Errors }

func (w *site) budgetNamed(c *fiber.Ctx, v visit) (billing.Budget, error) {
	id, err := w.Names.ID(secrets.Budget, c.Params("id"))
	if err != nil {
		return billing.Budget{}, err
	}
	return w.Budgets.ByID(v.ctx, v.Account.ID, id)
}

func (w *site) budget(c *fiber.Ctx, v visit) error {
	b, err := w.budgetNamed(c, v)
	if err != nil {
		return err
	}
	form := budgetForm{Name: b.Name, Limit: v.say.typed(b.LimitMicro), Warn: strconv.Itoa(b.Warn), Currency: b.Currency}
	return render(c, budgetPage{w.budgetRow(v.say, b), form})
}

func (w *site) changeBudget(c *fiber.Ctx, v visit) error {
	b, err := w.budgetNamed(c, v)
	if err != nil {
		return err
	}
	form := typedBudget(c)
	warn := form.warn()
	limit, err := billing.ReadAmount("limit", form.Limit)
	if err == nil {
		_, err = w.Budgets.Change(v.ctx, v.Account.ID, b.ID, billing.BudgetChange{Name: &form.Name, LimitMicro: &limit, Warn: &warn})
	}
	if refused := refusedBudget(err); refused != nil {
		form.wrong(v.say, refused)
		form.Currency = b.Currency
		return render(c.Status(statuses[refused.Kind]), budgetPage{w.budgetRow(v.say, b), form})
	}
	if err != nil {
		return err
	}
	return c.Redirect(budgetsPath, fiber.StatusSeeOther)
}

func (w *site) confirmBudget(c *fiber.Ctx, v visit) error {
	b, err := w.budgetNamed(c, v)
	if err != nil {
		return err
	}
	path := budgetsPath + "/" + c.Params("id")
	return render(c, confirmPage{Title: v.say.text("budget_remove_title", "Name", b.Name), Text: v.say.text("budget_remove_text"), Button: v.say.text("budget_remove"),
		Path: path + "/remove", Back: path, Crumb: link{Path: budgetsPath, Text: v.say.text("budgets_title")}})
}

func (w *site) removeBudget(c *fiber.Ctx, v visit) error {
	b, err := w.budgetNamed(c, v)
	if err != nil {
		return err
	}
	if err := w.Budgets.Remove(v.ctx, v.Account.ID, b.ID); err != nil {
		return err
	}
	return c.Redirect(budgetsPath, fiber.StatusSeeOther)
}
