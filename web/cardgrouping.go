package web

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const cardGroupingPath = "/cards/grouping/:id"

// groupingPage is how a directory's people are put into groups of cards.
type groupingPage struct {
	ID, Tenant string
	Locked     bool // until the directory was analysed
	Analysis   analysis
	Form       cards.Grouping
	Methods    []choice
	Fields     []groupingField
	Filters    []groupingFilter
	Goes       int // cards that go with another method
	Confirm    string
	Errors     []fieldError
}

func (groupingPage) template() string { return "cardgrouping" }

// Error is what is wrong with a field, or empty.
func (p groupingPage) Error(field string) string { return errorOf(p.Errors, field) }

// groupingField is one of the fields to group by.
type groupingField struct {
	Name    string
	N       int // from 1
	Choices []choice
}

type groupingFilter struct {
	N        int // from 1
	At       string
	ID, Name string
	Rows     []groupingCondition
}

type groupingCondition struct {
	At         string
	Fields, Is []choice
	Values     string // one a line
}

func (w *site) groupingOf(v visit, tenant string) (cards.Grouping, bool, error) {
	g, err := w.Cards.Grouping(v.ctx, v.Account.ID, tenant)
	if problem.Has(err, "card_grouping_not_found") {
		return cards.Grouping{Tenant: tenant, Method: cards.InOne}, false, nil
	}
	return g, err == nil, err
}

func (w *site) cardGrouping(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	p := groupingPage{}
	if p.Form, _, err = w.groupingOf(v, one.Tenant); err != nil {
		return err
	}
	return w.showGrouping(c, v, one, p)
}

func (w *site) showGrouping(c *fiber.Ctx, v visit, one directory.Connection, p groupingPage) error {
	state, err := lookAtSync(v.ctx, w.Directory, one)
	if err != nil {
		return err
	}
	p.ID, p.Tenant, p.Locked, p.Analysis = w.Names.Of(secrets.Connection, one.ID), one.Tenant, !state.analysed, v.say.analysis(state)
	p.Methods = choicesOf(v.say, "card_method", p.Form.Method, []cards.Method{cards.InOne, cards.ByFields, cards.ByFilters})
	for i := range 3 {
		chosen := ""
		if i < len(p.Form.Fields) {
			chosen = p.Form.Fields[i]
		}
		all := []choice{{Text: v.say.text("cards_no_field"), Chosen: chosen == ""}}
		p.Fields = append(p.Fields, groupingField{"by-" + strconv.Itoa(i), i + 1, append(all, choicesOf(v.say, "filter", chosen, cards.GroupingFields)...)})
	}
	p.Filters = v.say.groupingFilters(p.Form.Filters)
	return render(c, p)
}

// groupingFilters are the filters with room for one more, and in each for one condition.
func (say *tongue) groupingFilters(filters []cards.Filter) (all []groupingFilter) {
	for i, f := range append(filters[:len(filters):len(filters)], cards.Filter{}) {
		row := groupingFilter{N: i + 1, At: strconv.Itoa(i), ID: f.ID, Name: f.Name}
		for j := range len(f.Conditions) + 1 {
			one := directory.Condition{}
			if j < len(f.Conditions) {
				one = directory.Condition(f.Conditions[j])
			}
			row.Rows = append(row.Rows, groupingCondition{At: row.At + "-" + strconv.Itoa(j), Values: strings.Join(one.Values, "\n"),
				Fields: append([]choice{{Text: say.text("no_condition"), Chosen: one.Field == ""}}, choicesOf(say, "filter", one.Field, cards.GroupingFields)...),
				Is:     choicesOf(say, "is", one.Is, conditions)})
		}
		all = append(all, row)
	}
	return all
}

func readGroupingForm(c *fiber.Ctx, tenant string) cards.Grouping {
	g := cards.Grouping{Tenant: tenant, Method: cards.Method(c.FormValue("method")), Minors: ticked(c, "minors")}
	for i := range 3 {
		if f := c.FormValue("by-" + strconv.Itoa(i)); f != "" {
			g.Fields = append(g.Fields, f)
		}
	}
	for i := range 60 {
		at := "-" + strconv.Itoa(i)
		f := cards.Filter{ID: c.FormValue("filter" + at), Name: strings.TrimSpace(c.FormValue("name" + at))}
		for j := range 25 {
			at := at + "-" + strconv.Itoa(j)
			if name := c.FormValue("field" + at); name != "" {
				one := directory.Condition{Field: name, Is: c.FormValue("is" + at)}
				for line := range strings.Lines(c.FormValue("values" + at)) {
					if line = strings.TrimSpace(line); line != "" {
						one.Values = append(one.Values, line)
					}
				}
				f.Conditions = append(f.Conditions, one)
			}
		}
		if f.Name != "" || len(f.Conditions) > 0 {
			g.Filters = append(g.Filters, f)
		}
	}
	return g
}

// groupCards saves the form. Another method than before asks for the number of cards that
// go with it.
func (w *site) groupCards(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	p := groupingPage{Form: readGroupingForm(c, one.Tenant), Confirm: strings.TrimSpace(c.FormValue("confirm"))}
	if c.FormValue("do") == "more" {
		return w.showGrouping(c, v, one, p)
	}
	state, err := lookAtSync(v.ctx, w.Directory, one)
	if err != nil {
		return err
	}
	if !state.analysed {
		return problem.Conflict("card_grouping_locked", "the directory is still being analysed")
	}
	_, err = w.Cards.SaveGrouping(v.ctx, v.Account.ID, p.Form, p.Confirm)
	if refused := problem.As(err); refused != nil {
		if refused.Code == "card_regrouping" {
			if p.Goes, err = w.Cards.Regroups(v.ctx, v.Account.ID, one.Tenant, p.Form.Method); err != nil {
				return err
			}
			refused.Field = "confirm"
		}
		p.Errors = []fieldError{{refused.Field, v.say.problem(refused)}}
		return w.showGrouping(c.Status(statuses[refused.Kind]), v, one, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(cardsPath, fiber.StatusSeeOther)
}
