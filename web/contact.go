package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// contactPage is a contact to read, or the form of one kept by hand.
type contactPage struct {
	ID, Name string // empty for a new one
	Synced   bool
	MayEdit  bool
	MaySend  bool
	Fields   []contactField
	Own      ownFields // of an existing one
	Warnings []string
	Reason   string // why there is no number
	OptedOut bool   // nothing is sent to the number
	Groups   []string
	Errors   []fieldError
}

func (contactPage) template() string { return "contact" }

// contactField is one that is shown, or filled in.
type contactField struct {
	Name, Label, Value string
	From               string // where the value comes from
	Hint, Type         string
	Required           bool
	Error              string
}

// contactFields are those that are filled in, in the order of the form.
var contactFields = []string{"name", "phone", "department", "job_title", "office", "email", "language"}

func valuesOf(p contacts.Person) map[string]string {
	return map[string]string{"name": p.Name, "phone": p.Phone.Raw, "department": p.Department, "job_title": p.JobTitle,
		"office": p.Office, "email": p.Email, "language": p.Language}
}

func (say *tongue) contactForm(values map[string]string, wrong []fieldError) (all []contactField) {
	for _, name := range contactFields {
		f := contactField{Name: name, Label: say.word("person", name), Value: values[name], Type: "text", Required: name == "name" || name == "phone"}
		switch name {
		case "phone":
			f.Type, f.Hint = "tel", say.text("phone_hint")
		case "email":
			f.Type = "email"
		case "language":
			f.Hint = say.text("language_hint")
		}
		for _, e := range wrong {
			if e.Field == name {
				f.Error = e.Text
			}
		}
		all = append(all, f)
	}
	return all
}

func (w *site) newContact(c *fiber.Ctx, v visit) error {
	return render(c, contactPage{MayEdit: true, MaySend: true, Fields: v.say.contactForm(nil, nil)})
}

func (w *site) addContact(c *fiber.Ctx, v visit) error {
	form := contactEntered(c)
	added, err := w.Book.Add(v.ctx, v.Account.ID, contacts.NewContact{Region: v.Account.Region, Name: form["name"], Phone: form["phone"],
		Department: form["department"], JobTitle: form["job_title"], Office: form["office"], Email: form["email"], Language: form["language"]})
	if refused := problem.As(err); refused != nil {
		p := contactPage{MayEdit: true, MaySend: true, Errors: v.say.contactErrors(refused, form["phone"], v.Account.Region)}
		p.Fields = v.say.contactForm(form, p.Errors)
		return render(c.Status(statuses[refused.Kind]), p)
	}
	if err != nil {
		return err
	}
	return c.Redirect("/contacts/"+w.Names.Of(secrets.Contact, added.ID), fiber.StatusSeeOther)
}

func contactEntered(c *fiber.Ctx) map[string]string {
	form := map[string]string{}
	for _, name := range contactFields {
		form[name] = strings.TrimSpace(c.FormValue(name))
	}
	return form
}

func (say *tongue) contactErrors(p *problem.Problem, phone, region string) []fieldError {
	if p.Field != "phone" || p.Kind != problem.KindInvalid {
		return []fieldError{{p.Field, say.problem(p)}}
	}
	_, _, reason := contacts.Normalise(phone, region)
	return []fieldError{{"phone", say.text("phone_refused", "Reason", say.word("phone", reason))}}
}

func (w *site) contact(c *fiber.Ctx, v visit) error {
	one, err := w.contactNamed(c, v)
	if err != nil {
		return err
	}
	return w.showContact(c, v, one, valuesOf(one.Person), nil)
}

func (w *site) contactNamed(c *fiber.Ctx, v visit) (contacts.Contact, error) {
	id, err := w.Names.ID(secrets.Contact, c.Params("id"))
	if err != nil {
		return contacts.Contact{}, err
	}
	return w.Book.Contact(v.ctx, v.Account.ID, id)
}

func (w *site) showContact(c *fiber.Ctx, v visit, one contacts.Contact, values map[string]string, wrong []fieldError) error {
	own, err := w.Book.Fields(v.ctx, v.Account.ID, one.ID)
	if err != nil {
		return err
	}
	return w.showContactWith(c, v, one, contactPage{Fields: v.say.contactForm(values, wrong), Own: newOwnFields(own), Errors: wrong})
}

// showContactWith shows one of whom something may have been typed.
func (w *site) showContactWith(c *fiber.Ctx, v visit, one contacts.Contact, p contactPage) error {
	checked, err := w.Book.Quality(v.ctx, v.Account.ID, contacts.QualityFilter{}, one.ID-1, 1)
	if err != nil {
		return err
	}
	groups, err := w.Book.GroupNames(v.ctx, v.Account.ID, one.ID)
	if err != nil {
		return err
	}
	p.ID, p.Name, p.Synced, p.MaySend, p.Groups = w.Names.Of(secrets.Contact, one.ID), one.Name, one.Source == contacts.FromDirectory, maySend(v.Role), groups
	p.MayEdit = p.MaySend && !p.Synced
	for _, each := range checked {
		if each.ID == one.ID {
			p.Warnings = v.say.warnings(each)
		}
	}
	if _, p.OptedOut, err = w.Queue.SuppressionOf(v.ctx, v.Account.ID, one.Phone.E164); err != nil {
		return err
	}
	if one.Phone.Reason != "" {
		p.Reason = v.say.word("phone", one.Phone.Reason)
	}
	switch {
	case !p.MayEdit:
		p.Fields = v.say.contactFacts(one)
	case p.Fields == nil:
		p.Fields = v.say.contactForm(valuesOf(one.Person), nil)
	}
	return render(c, p)
}

// contactFacts are the fields with a word on where each comes from.
func (say *tongue) contactFacts(one contacts.Contact) (all []contactField) {
	values := valuesOf(one.Person)
	for _, name := range contactFields {
		f := contactField{Label: say.word("person", name), Value: values[name], From: say.word("source", one.Source)}
		if name == "phone" {
			f.From = say.word("rule", one.Phone.Rule)
			if one.Phone.E164 != "" {
				f.Value = one.Phone.E164
			}
		}
		all = append(all, f)
	}
	return all
}

func (w *site) editContact(c *fiber.Ctx, v visit) error {
	one, err := w.contactNamed(c, v)
	if err != nil {
		return err
	}
	form := contactEntered(c)
	ch := contacts.Changes{Region: v.Account.Region}
	for name, into := range map[string]**string{"name": &ch.Name, "phone": &ch.Phone, "department": &ch.Department, "job_title": &ch.JobTitle,
		"office": &ch.Office, "email": &ch.Email, "language": &ch.Language} {
		if form[name] != valuesOf(one.Person)[name] {
			*into = new(form[name])
		}
	}
	_, err = w.Book.EditContact(v.ctx, v.Account.ID, one.ID, ch)
	if refused := problem.As(err); refused != nil && one.Source == contacts.ByHand {
		return w.showContact(c.Status(statuses[refused.Kind]), v, one, form, v.say.contactErrors(refused, form["phone"], v.Account.Region))
	}
	if err != nil {
		return err
	}
	return c.Redirect("/contacts/"+c.Params("id"), fiber.StatusSeeOther)
}

// confirmPage asks once more before something is deleted.
type confirmPage struct {
	Title, Text, Button string
	Path                string // where the form goes
	Back                string
	Crumb               link
}

func (confirmPage) template() string { return "confirm" }

func (w *site) confirmContact(c *fiber.Ctx, v visit) error {
	one, err := w.contactNamed(c, v)
	if err != nil {
		return err
	}
	p := confirmPage{Title: v.say.text("delete_named", "Name", one.Name), Text: v.say.text("delete_manual_contact"), Button: v.say.text("delete"),
		Path: "/contacts/" + c.Params("id") + "/delete", Back: "/contacts/" + c.Params("id"), Crumb: link{Path: "/contacts", Text: v.say.text("nav_contacts")}}
	if one.Source == contacts.FromDirectory {
		p.Text, p.Button = v.say.text("delete_synced_contact"), v.say.text("delete_until_sync")
	}
	return render(c, p)
}

func (w *site) removeContact(c *fiber.Ctx, v visit) error {
	one, err := w.contactNamed(c, v)
	if err != nil {
		return err
	}
	if err := w.Book.Remove(v.ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect("/contacts", fiber.StatusSeeOther)
}
