package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type groupPage struct {
	ID, Name          string
	Source            string
	Members, Textable int
	Synced            bool
	MaySend           bool
	MayEdit           bool // its name
	MayList           bool // its members
	Rule              []string
	Filters           []link
	Contacts          []contactRow
	Pager             pager
	Find              string
	Found             []contactRow
	Searched          bool
	Error             string // about the name
}

func (groupPage) template() string { return "group" }

// Narrow says that not all members are shown, whatever there are.
func (p groupPage) Narrow() bool { return len(p.Filters) > 0 && !p.Filters[0].Here }

func (w *site) groupNamed(c *fiber.Ctx, v visit) (contacts.Group, error) {
	id, err := w.Names.ID(secrets.Group, c.Params("id"))
	if err != nil {
		return contacts.Group{}, err
	}
	return w.Book.Group(v.ctx, v.Account.ID, id)
}

func (w *site) group(c *fiber.Ctx, v visit) error {
	g, err := w.groupNamed(c, v)
	if err != nil {
		return err
	}
	return w.showGroup(c, v, g, "")
}

// mostFound is how many are shown of those that a search finds.
const mostFound = 20

func (w *site) showGroup(c *fiber.Ctx, v visit, g contacts.Group, wrong string) error {
	reason := c.Query("reason")
	if !contacts.IsQualityReason(reason) {
		return errNoReason
	}
	after, err := w.cursor(secrets.Contact, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Book.Quality(v.ctx, v.Account.ID, contacts.QualityFilter{Group: g.ID, Reason: reason}, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	path := "/groups/" + w.Names.Of(secrets.Group, g.ID)
	p := groupPage{ID: w.Names.Of(secrets.Group, g.ID), Name: g.Name, Source: v.say.word("source", g.Source), Members: g.Members, Textable: g.Textable,
		Synced: g.Source == contacts.FromDirectory, MaySend: maySend(v.Role), Rule: v.say.ruleWords(g.Rule), Error: wrong,
		Contacts: w.contactRows(v.say, all), Filters: v.say.contactFilters(path, reason), Find: strings.TrimSpace(c.Query("find"))}
	p.MayEdit = p.MaySend && !p.Synced
	p.MayList = p.MayEdit && len(g.Rule) == 0
	keep := url.Values{}
	if reason != "" {
		keep.Set("reason", reason)
	}
	p.Pager = turn(path, keep, c.Query("from"), w.goesOn(all, more))
	if p.MayList && p.Find != "" {
		found, err := w.Book.Find(v.ctx, v.Account.ID, p.Find, mostFound)
		if err != nil {
			return err
		}
		p.Searched = true
		for _, one := range found {
			p.Found = append(p.Found, contactRow{ID: w.Names.Of(secrets.Contact, one.ID), Name: one.Name, Phone: one.Phone.E164,
				Department: one.Department, JobTitle: one.JobTitle, Source: v.say.word("source", one.Source)})
		}
	}
	return render(c, p)
}

func (w *site) renameGroup(c *fiber.Ctx, v visit) error {
	g, err := w.groupNamed(c, v)
	if err != nil {
		return err
	}
	_, err = w.Book.RenameGroup(v.ctx, v.Account.ID, g.ID, c.FormValue("name"))
	if refused := problem.As(err); refused != nil && refused.Field == "name" {
		return w.showGroup(c.Status(fiber.StatusUnprocessableEntity), v, g, v.say.text("group_needs_name"))
	}
	if err != nil {
		return err
	}
	return c.Redirect("/groups/"+c.Params("id"), fiber.StatusSeeOther)
}

// changeMembers adds or removes the contact whose button was pressed.
func (w *site) changeMembers(change func(context.Context, int64, int64, []int64) (contacts.Group, error)) func(*fiber.Ctx, visit) error {
	return func(c *fiber.Ctx, v visit) error {
		g, err := w.groupNamed(c, v)
		if err != nil {
			return err
		}
		id, err := w.Names.ID(secrets.Contact, c.FormValue("contact"))
		if err != nil {
			return err
		}
		if _, err := change(v.ctx, v.Account.ID, g.ID, []int64{id}); err != nil {
			return err
		}
		path := "/groups/" + c.Params("id")
		if find := c.FormValue("find"); find != "" {
			path += "?" + url.Values{"find": {find}}.Encode() + "#add"
		}
		return c.Redirect(path, fiber.StatusSeeOther)
	}
}

func (w *site) confirmGroup(c *fiber.Ctx, v visit) error {
	g, err := w.groupNamed(c, v)
	if err != nil {
		return err
	}
	return render(c, confirmPage{Title: v.say.text("delete_named", "Name", g.Name), Text: v.say.count("delete_group_text", g.Members),
		Button: v.say.text("delete"), Path: "/groups/" + c.Params("id") + "/delete", Back: "/groups/" + c.Params("id"),
		Crumb: link{Path: "/groups", Text: v.say.text("nav_groups")}})
}

func (w *site) removeGroup(c *fiber.Ctx, v visit) error {
	g, err := w.groupNamed(c, v)
	if err != nil {
		return err
	}
	if err := w.Book.DeleteGroup(v.ctx, v.Account.ID, g.ID); err != nil {
		return err
	}
	return c.Redirect("/groups", fiber.StatusSeeOther)
}

type newGroupPage struct {
	Name, Error string
}

func (newGroupPage) template() string { return "newgroup" }

func (w *site) newGroup(c *fiber.Ctx, v visit) error { return render(c, newGroupPage{}) }

func (w *site) addGroup(c *fiber.Ctx, v visit) error {
	name := strings.TrimSpace(c.FormValue("name"))
	if c.FormValue("do") == "rule" {
		return c.Redirect("/groups/new/rule?"+url.Values{"name": {name}}.Encode(), fiber.StatusSeeOther)
	}
	g, err := w.Book.AddGroup(v.ctx, v.Account.ID, name, nil)
	if problem.As(err) != nil {
		return render(c.Status(fiber.StatusUnprocessableEntity), newGroupPage{Name: name, Error: v.say.text("group_needs_name")})
	}
	if err != nil {
		return err
	}
	return c.Redirect("/groups/"+w.Names.Of(secrets.Group, g.ID), fiber.StatusSeeOther)
}

// rulePage is the form of a group's rule.
type rulePage struct {
	ID         string // empty for a new group
	Name       string
	Conditions []conditionForm
	Count      string // who would be in it
	Errors     []fieldError
}

func (rulePage) template() string { return "rule" }

// Error is what is wrong with a field, or empty.
func (p rulePage) Error(field string) string { return composePage{Errors: p.Errors}.Error(field) }

type conditionForm struct {
	N           string
	Fields, Ops []choice
	Value       string
}

const (
	leastConditions = 3
	mostConditions  = 10
)

func (say *tongue) conditionForms(r contacts.Rule) (all []conditionForm) {
	for i := range min(max(len(r)+1, leastConditions), mostConditions) {
		one := contacts.Condition{}
		if i < len(r) {
			one = r[i]
		}
		f := conditionForm{N: say.number(i + 1), Value: strings.Join(say.shownValues(one), "; ")}
		for _, field := range contacts.RuleFields {
			f.Fields = append(f.Fields, choice{field, say.word("person", field), field == one.Field})
		}
		for _, op := range contacts.RuleOps {
			f.Ops = append(f.Ops, choice{op, say.word("op", op), op == one.Op})
		}
		all = append(all, f)
	}
	return all
}

// ruleWords tells a rule, a sentence for each condition.
func (say *tongue) ruleWords(r contacts.Rule) (all []string) {
	for _, one := range r {
		all = append(all, strings.TrimSpace(say.text("condition", "Field", say.word("person", one.Field), "Op", say.word("op", one.Op),
			"Values", strings.Join(say.shownValues(one), ", "))))
	}
	return all
}

// shownValues are what a condition compares with, in the visitor's words where
// the values are ours.
func (say *tongue) shownValues(one contacts.Condition) []string {
	values := slices.Clone(one.Values)
	if one.Field == contacts.FieldSource {
		for i, v := range values {
			values[i] = say.word("source", strings.ToLower(v))
		}
	}
	return values
}

// ruleValue undoes what shownValues did.
func (say *tongue) ruleValue(field, entered string) string {
	for _, source := range []string{contacts.FromDirectory, contacts.ByHand} {
		if field == contacts.FieldSource && strings.EqualFold(entered, say.word("source", source)) {
			return source
		}
	}
	return entered
}

func (say *tongue) ruleEntered(c *fiber.Ctx) (r contacts.Rule) {
	form := c.Request().PostArgs()
	fields, ops, values := form.PeekMulti("field"), form.PeekMulti("op"), form.PeekMulti("value")
	for i := range min(len(fields), len(ops), len(values)) {
		if len(fields[i]) == 0 {
			continue
		}
		one := contacts.Condition{Field: string(fields[i]), Op: string(ops[i])}
		entered := []string{string(values[i])}
		if one.Op == contacts.OneOf {
			entered = strings.Split(entered[0], ";")
		}
		for _, value := range entered {
			if value = strings.TrimSpace(value); value != "" {
				one.Values = append(one.Values, say.ruleValue(one.Field, value))
			}
		}
		r = append(r, one)
	}
	return r
}

func (w *site) newRule(c *fiber.Ctx, v visit) error {
	return render(c, rulePage{Name: c.Query("name"), Conditions: v.say.conditionForms(nil)})
}

func (w *site) addRule(c *fiber.Ctx, v visit) error {
	return w.saveRule(c, v, rulePage{Name: strings.TrimSpace(c.FormValue("name"))}, func(r contacts.Rule) (contacts.Group, error) {
		return w.Book.AddRuleGroup(v.ctx, v.Account.ID, c.FormValue("name"), r)
	})
}

func (w *site) rule(c *fiber.Ctx, v visit) error {
	g, err := w.groupNamed(c, v)
	if err != nil {
		return err
	}
	return render(c, rulePage{ID: c.Params("id"), Name: g.Name, Conditions: v.say.conditionForms(g.Rule)})
}

func (w *site) setRule(c *fiber.Ctx, v visit) error {
	g, err := w.groupNamed(c, v)
	if err != nil {
		return err
	}
	return w.saveRule(c, v, rulePage{ID: c.Params("id"), Name: g.Name}, func(r contacts.Rule) (contacts.Group, error) {
		return w.Book.SetRule(v.ctx, v.Account.ID, g.ID, r)
	})
}

func (w *site) saveRule(c *fiber.Ctx, v visit, p rulePage, save func(contacts.Rule) (contacts.Group, error)) error {
	r := v.say.ruleEntered(c)
	p.Conditions = v.say.conditionForms(r)
	var err error
	if c.FormValue("do") == "preview" {
		var members, textable int
		if members, textable, err = w.Book.PreviewRule(v.ctx, v.Account.ID, r); err == nil {
			p.Count = v.say.count("rule_count", members, "Textable", v.say.number(textable))
			return render(c, p)
		}
	} else {
		var g contacts.Group
		if g, err = save(r); err == nil {
			return c.Redirect("/groups/"+w.Names.Of(secrets.Group, g.ID), fiber.StatusSeeOther)
		}
	}
	refused := problem.As(err)
	if refused == nil || refused.Kind != problem.KindInvalid {
		return err
	}
	wrong := fieldError{"rule", v.say.problem(refused)}
	if refused.Field == "name" {
		wrong = fieldError{"name", v.say.text("group_needs_name")}
	}
	p.Errors = []fieldError{wrong}
	return render(c.Status(fiber.StatusUnprocessableEntity), p)
}
