package web

import (
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type contactsPage struct {
	MaySend   bool
	MayManage bool
	Reason    string // in words, when only those are shown of whom it is true
	Coverage  coverage
	Filters   []link
	Contacts  []contactRow
	Pager     pager
}

func (contactsPage) template() string { return "contacts" }

// link leads somewhere; Here says that the visitor is there.
type link struct {
	Path, Text string
	Here       bool
}

type contactRow struct {
	ID, Name             string
	Department, JobTitle string
	Phone                string
	Raw                  string // what the field says, when it is no number
	Reason               string // why there is no number
	Warnings             []string
	Rule, Source         string
}

var errNoReason = problem.New(problem.KindNotFound, "not_found", "there is no such list")

func (w *site) contacts(c *fiber.Ctx, v visit) error {
	reason := c.Query("reason")
	if !contacts.IsQualityReason(reason) {
		return errNoReason
	}
	after, err := w.cursor(secrets.Contact, c.Query("from"))
	if err != nil {
		return err
	}
	covered, err := w.Book.Coverage(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	all, err := w.Book.Quality(v.ctx, v.Account.ID, contacts.QualityFilter{Reason: reason}, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	p := contactsPage{MaySend: maySend(v.Role), MayManage: mayManage(v.Role), Filters: v.say.contactFilters("/contacts", reason), Contacts: w.contactRows(v.say, all)}
	keep := url.Values{}
	if reason == "" {
		p.Coverage = v.say.coverage(covered)
	} else {
		p.Reason = v.say.quality(reason)
		keep.Set("reason", reason)
	}
	p.Pager = turn("/contacts", keep, c.Query("from"), w.goesOn(all, more))
	return render(c, p)
}

// goesOn is the cursor of the page after these contacts, if there are more.
func (w *site) goesOn(page []contacts.Checked, more bool) string {
	if !more {
		return ""
	}
	return w.Names.Of(secrets.Contact, page[len(page)-1].ID)
}

// contactFilters are the lists that are offered; one that is only reached from
// the report is there while it is looked at.
func (say *tongue) contactFilters(path, now string) (all []link) {
	offered := []string{"", contacts.AnyWarning, contacts.SharedNumber, contacts.DeskLine}
	if !slices.Contains(offered, now) {
		offered = append(offered, now)
	}
	for _, reason := range offered {
		l := link{Path: path, Text: say.text("every_contact"), Here: reason == now}
		if reason != "" {
			l.Path, l.Text = path+"?reason="+reason, say.quality(reason)
		}
		all = append(all, l)
	}
	return all
}

// quality is what the phone report says, in words.
func (say *tongue) quality(reason string) string {
	if slices.Contains(phoneReasons, reason) {
		return say.word("phone", reason)
	}
	return say.word("warning", reason)
}

func (w *site) contactRows(say *tongue, all []contacts.Checked) (rows []contactRow) {
	for _, c := range all {
		row := contactRow{ID: w.Names.Of(secrets.Contact, c.ID), Name: c.Name, Department: c.Department, JobTitle: c.JobTitle,
			Phone: c.Phone.E164, Rule: say.word("rule", c.Phone.Rule), Source: say.word("source", c.Source), Warnings: say.warnings(c)}
		if c.Phone.Reason != "" {
			row.Reason, row.Raw = say.word("phone", c.Phone.Reason), c.Phone.Raw
		}
		rows = append(rows, row)
	}
	return rows
}

// warnings are of a number that is texted.
func (say *tongue) warnings(c contacts.Checked) (all []string) {
	if c.SharedWith > 0 {
		all = append(all, say.count("shared_with", c.SharedWith))
	}
	if c.DeskLine() {
		all = append(all, say.word("warning", contacts.DeskLine))
	}
	return all
}

// exportContacts has the headings of the command that exports, which an import
// understands.
func (w *site) exportContacts(c *fiber.Ctx, v visit) error {
	out := newCSV(v.say, contacts.ExportColumns...)
	if err := w.Book.Export(v.ctx, v.Account.ID, func(r contacts.Row) error { return out.row(r.Fields()...) }); err != nil {
		return err
	}
	return out.send(c, "contacts.csv")
}
