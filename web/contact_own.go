package web

import (
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

// ownFields are the fields of a contact's own, as they are shown or filled in.
type ownFields struct {
	All             []ownField
	NewName, New    string // a field to be added, as it was typed
	Wrong           string
	WrongName       bool // it is the new field's name that is wrong
	Example, Prefix string
}

type ownField struct{ Name, Value string }

// ownPrefix is before a field's name where a form has its value.
const ownPrefix = "own-"

func newOwnFields(values map[string]string) ownFields {
	o := ownFields{Prefix: ownPrefix, Example: "{{custom.badge}}"}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		o.All = append(o.All, ownField{name, values[name]})
	}
	return o
}

// at is the element that what is wrong is said about.
func (o ownFields) at() string {
	if o.WrongName {
		return "new-name"
	}
	return "own"
}

// setOwnFields changes the fields of a contact's own. An empty value forgets one, as
// its button does.
func (w *site) setOwnFields(c *fiber.Ctx, v visit) error {
	one, err := w.contactNamed(c, v)
	if err != nil {
		return err
	}
	values := ownEntered(c)
	name, value := strings.TrimSpace(c.FormValue("new-name")), strings.TrimSpace(c.FormValue("new-value"))
	if name != "" || value != "" {
		values[name] = value
	}
	if forgotten := c.FormValue("forget"); forgotten != "" {
		values = map[string]string{forgotten: ""}
	}
	_, err = w.Book.SetFields(v.ctx, v.Account.ID, one.ID, values)
	if refused := problem.As(err); refused != nil && refused.Field == "fields" {
		delete(values, name)
		own := newOwnFields(values)
		own.NewName, own.New, own.Wrong, own.WrongName = name, value, v.say.problem(refused), !contacts.IsFieldName(name) && name+value != ""
		if own.WrongName {
			own.Wrong = v.say.text("own_wrong_name")
		}
		return w.showContactWith(c.Status(statuses[refused.Kind]), v, one, contactPage{Own: own, Errors: []fieldError{{own.at(), own.Wrong}}})
	}
	if err != nil {
		return err
	}
	return c.Redirect("/contacts/"+c.Params("id")+"#own", fiber.StatusSeeOther)
}

// ownEntered are the values of the fields there are, as they were typed.
func ownEntered(c *fiber.Ctx) map[string]string {
	values := map[string]string{}
	for key, value := range c.Request().PostArgs().All() {
		if name, is := strings.CutPrefix(string(key), ownPrefix); is {
			values[name] = strings.TrimSpace(string(value))
		}
	}
	return values
}
