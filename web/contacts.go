package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

type contactsPage struct {
	Group    string // the group's name, when only its members are shown
	Coverage coverage
	Contacts []contactRow
	Pager    pager
}

func (contactsPage) template() string { return "contacts" }

type contactRow struct {
	Name, Department, JobTitle string
	Phone                      string
	Raw                        string // what the field says, when it is no number
	Reason                     string // why there is no number
	Rule, Source               string
}

func (w *site) contacts(c *fiber.Ctx, v visit) error {
	after, err := w.cursor(secrets.Contact, c.Query("from"))
	if err != nil {
		return err
	}
	p, keep := contactsPage{}, url.Values{}
	all, err := w.contactsFrom(c, v, after, &p, keep)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Contact, all[len(all)-1].ID)
	}
	p.Contacts = v.say.contactRows(all)
	p.Pager = turn("/contacts", keep, c.Query("from"), next)
	return render(c, p)
}

// contactsFrom reads one more than a page of the members of a group, if one is
// asked for, else of all.
func (w *site) contactsFrom(c *fiber.Ctx, v visit, after int64, p *contactsPage, keep url.Values) ([]contacts.Contact, error) {
	name := c.Query("group")
	if name == "" {
		covered, err := w.Book.Coverage(v.ctx, v.Account.ID)
		if err != nil {
			return nil, err
		}
		p.Coverage = v.say.coverage(covered)
		return w.Book.Contacts(v.ctx, v.Account.ID, after, pageSize+1)
	}
	id, err := w.Names.ID(secrets.Group, name)
	if err != nil {
		return nil, err
	}
	g, err := w.Book.Group(v.ctx, v.Account.ID, id)
	if err != nil {
		return nil, err
	}
	p.Group = g.Name
	keep.Set("group", name)
	return w.Book.ContactsInGroup(v.ctx, v.Account.ID, id, after, pageSize+1)
}

func (say *tongue) contactRows(all []contacts.Contact) (rows []contactRow) {
	for _, c := range all {
		row := contactRow{Name: c.Name, Department: c.Department, JobTitle: c.JobTitle, Phone: c.Phone.E164,
			Rule: say.word("rule", c.Phone.Rule), Source: say.word("source", c.Source)}
		if c.Phone.Reason != "" {
			row.Reason, row.Raw = say.word("phone", c.Phone.Reason), c.Phone.Raw
		}
		rows = append(rows, row)
	}
	return rows
}
