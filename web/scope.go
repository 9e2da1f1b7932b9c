package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

// settingsPage is what is decided about a connection. Without JavaScript its
// buttons look for groups and add conditions, and nothing entered is lost.
type settingsPage struct {
	head
	Form    settingsForm
	Units   []choice // those chosen, and those found
	Hidden  int      // chosen ones that are not among the directory's groups any more
	Beyond  bool     // more were found than are shown
	Rows    []conditionRow
	Everies []choice
	Errors  []fieldError
	Saved   bool
	Preview bool
}

func (settingsPage) template() string { return "settings" }

// Error is what is wrong with a field, or empty.
func (p settingsPage) Error(field string) string { return errorOf(p.Errors, field) }

// settingsForm is what the visitor has entered.
type settingsForm struct {
	directory.Settings
	Search  string
	Every   time.Duration
	Expires string
	Blank   int // empty conditions to offer
}

type conditionRow struct {
	N          int
	Fields, Is []choice
	Values     string // one a line
}

var (
	everies    = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}
	conditions = []string{directory.IsOneOf, directory.IsNoneOf, directory.StartsWith, directory.Contains, directory.IsEmpty, directory.IsSet}
)

const (
	mostUnits   = 50 // that a search shows
	mostFilters = 20
)

func (w *site) settings(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	f := settingsForm{Settings: one.Settings, Every: one.Every, Blank: 1}
	if !one.SecretExpires.IsZero() {
		f.Expires = one.SecretExpires.UTC().Format(time.DateOnly)
	}
	return w.showSettings(c, v, one, settingsPage{Form: f, Saved: c.Query("saved") != ""})
}

func (w *site) settingsPost(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	f, err := readSettings(c)
	p := settingsPage{Form: f}
	switch do := c.FormValue("do"); {
	case err == nil && do == "search":
		return w.showSettings(c, v, one, p)
	case err == nil && do == "more":
		p.Form.Blank++
		return w.showSettings(c, v, one, p)
	case err == nil:
		err = w.save(v, one, f, do == "preview")
	}
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{refused.Field, v.say.problem(refused)}}
		return w.showSettings(c.Status(statuses[refused.Kind]), v, one, p)
	}
	if err != nil {
		return err
	}
	if c.FormValue("do") == "preview" {
		return c.Redirect("/directory/"+c.Params("id")+"/preview", fiber.StatusSeeOther)
	}
	return c.Redirect("/directory/"+c.Params("id")+"/settings?saved=1", fiber.StatusSeeOther)
}

// save keeps what was entered; with a preview the address book stops following
// until somebody has looked.
func (w *site) save(v visit, one directory.Connection, f settingsForm, preview bool) error {
	expires, err := dayOf("secret_expires", f.Expires)
	if err != nil {
		return err
	}
	if err := w.Directory.Change(v.ctx, v.Account.ID, one.ID, f.Settings, f.Every, one.Preview || preview); err != nil {
		return err
	}
	if one.Credential == directory.BySecret && !expires.Equal(one.SecretExpires) {
		if err := w.Directory.SecretExpires(v.ctx, v.Account.ID, one.ID, expires); err != nil {
			return err
		}
	}
	if preview && one.State != directory.Disconnected {
		_, err = w.Directory.RequestPreview(v.ctx, v.Account.ID, one.ID)
	}
	return err
}

func readSettings(c *fiber.Ctx) (f settingsForm, err error) {
	on := func(name string) bool { return c.FormValue(name) != "" }
	f.Scope = directory.Scope{Guests: on("guests"), Blocked: on("blocked"), NoMinors: on("no_minors"), LicensedOnly: on("licensed_only")}
	f.PhoneFallbackOnInvalid, f.Search, f.Expires = on("phone_fallback"), strings.TrimSpace(c.FormValue("search")), c.FormValue("secret_expires")
	for _, id := range c.Request().PostArgs().PeekMulti("group") {
		f.Scope.Groups = append(f.Scope.Groups, string(id))
	}
	for i := range mostFilters {
		field := c.FormValue(fmt.Sprintf("field-%d", i))
		if field == "" {
			continue
		}
		f.Scope.Filter = append(f.Scope.Filter, directory.Condition{Field: field, Is: c.FormValue(fmt.Sprintf("is-%d", i)),
			Values: linesOf(c.FormValue(fmt.Sprintf("values-%d", i)))})
	}
	f.Blank = 1
	if f.Every, err = time.ParseDuration(c.FormValue("every")); err != nil {
		return f, problem.Invalid("every", "choose how often it is read")
	}
	return f, nil
}

func linesOf(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (w *site) showSettings(c *fiber.Ctx, v visit, one directory.Connection, p settingsPage) (err error) {
	if p.head, err = w.headOf(v, one, "settings"); err != nil {
		return err
	}
	units, err := w.Directory.Units(v.ctx, v.Account.ID, one.ID)
	if err != nil {
		return err
	}
	p.Preview = one.Preview
	p.offer(units)
	p.Rows = v.say.conditionRows(p.Form)
	p.Everies = v.say.everyChoices(p.Form.Every)
	return render(c, p)
}

// offer lists the groups that are chosen and then those that a search finds.
func (p *settingsPage) offer(units []directory.Unit) {
	chosen, found := []choice{}, []choice{}
	known := map[string]bool{}
	for _, u := range units {
		known[u.DirectoryID] = true
		one := choice{Value: u.DirectoryID, Text: u.Name, Chosen: slices.Contains(p.Form.Scope.Groups, u.DirectoryID)}
		switch {
		case one.Chosen:
			chosen = append(chosen, one)
		case strings.Contains(strings.ToLower(u.Name), strings.ToLower(p.Form.Search)):
			found = append(found, one)
		}
	}
	for _, id := range p.Form.Scope.Groups {
		if !known[id] {
			chosen = append(chosen, choice{Value: id, Text: id, Chosen: true})
			p.Hidden++
		}
	}
	p.Beyond = len(found) > mostUnits
	p.Units = append(chosen, found[:min(len(found), mostUnits)]...)
}

func (say *tongue) conditionRows(f settingsForm) (rows []conditionRow) {
	all := slices.Clone(f.Scope.Filter)
	for range f.Blank {
		all = append(all, directory.Condition{})
	}
	for i, c := range all[:min(len(all), mostFilters)] {
		row := conditionRow{N: i, Values: strings.Join(c.Values, "\n"), Fields: []choice{{Text: say.text("no_condition"), Chosen: c.Field == ""}}}
		for _, name := range directory.FilterFields {
			row.Fields = append(row.Fields, choice{name, say.word("filter", name), name == c.Field})
		}
		for _, name := range conditions {
			row.Is = append(row.Is, choice{name, say.word("is", name), name == c.Is})
		}
		rows = append(rows, row)
	}
	return rows
}

func (say *tongue) everyChoices(now time.Duration) (all []choice) {
	offered := everies
	if !slices.Contains(offered, now) && now > 0 {
		offered = append(slices.Clone(offered), now)
		slices.Sort(offered)
	}
	for _, d := range offered {
		all = append(all, choice{d.String(), say.every(d), d == now})
	}
	return all
}

func (say *tongue) every(d time.Duration) string {
	if d%time.Hour != 0 {
		return say.count("every_minutes", int(d.Minutes()))
	}
	return say.count("every_hours", int(d.Hours()))
}
