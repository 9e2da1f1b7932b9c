package web

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type receivedPage struct {
	MaySend  bool
	Filters  []link
	Narrow   string // the campaign or the person whose messages alone are shown
	Some     bool   // not all that the account received are asked for
	Messages []receivedRow
	Back     string // where a form of the page leads back to
	Pager    pager
}

func (receivedPage) template() string { return "received" }

type receivedRow struct {
	ID            string
	Contact, Name string // empty when the number is nobody's in the address book
	From, To      string
	Text          string
	Incomplete    bool
	Received      time.Time

	Campaign, CampaignName string // what it answers, empty when that is not known
	Action                 string // what was done because of its words
	Open, Handled          bool
	Talk                   string // the address of the conversation
}

// showOpen is the list of what somebody is to read.
const showOpen = "open"

func (w *site) received(c *fiber.Ctx, v visit) error {
	f, keep, err := w.receivedFilter(c)
	if err != nil {
		return err
	}
	all, err := w.Queue.Inbound(v.ctx, v.Account.ID, f)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Inbound, all[len(all)-1].ID)
	}
	p := receivedPage{MaySend: maySend(v.Role), Some: len(keep) > 0, Filters: v.say.receivedFilters(keep), Messages: w.receivedRows(v.say, all),
		Back: c.OriginalURL(), Pager: turn("/received", keep, c.Query("from"), next)}
	if p.Narrow, err = w.narrowed(v, f); err != nil {
		return err
	}
	return render(c, p)
}

// receivedFilter also answers the parameters that say it.
func (w *site) receivedFilter(c *fiber.Ctx) (f smsqueue.InboundFilter, keep url.Values, err error) {
	keep = url.Values{}
	if f.Before, err = w.cursor(secrets.Inbound, c.Query("from")); err != nil {
		return f, nil, err
	}
	for name, of := range map[string]struct {
		prefix string
		into   *int64
	}{"campaign": {secrets.Campaign, &f.Campaign}, "contact": {secrets.Contact, &f.Contact}} {
		if *of.into, err = w.cursor(of.prefix, c.Query(name)); err != nil {
			return f, nil, err
		}
		if *of.into != 0 {
			keep.Set(name, c.Query(name))
		}
	}
	switch c.Query("show") {
	case showOpen:
		f.Open = true
		keep.Set("show", showOpen)
	case "":
	default:
		return f, nil, fiber.ErrNotFound
	}
	f.Limit = pageSize + 1
	return f, keep, nil
}

// narrowed is the name of the campaign or the person.
func (w *site) narrowed(v visit, f smsqueue.InboundFilter) (string, error) {
	switch {
	case f.Campaign != 0:
		c, err := w.Queue.Campaign(v.ctx, v.Account.ID, f.Campaign)
		return c.Name, err
	case f.Contact != 0:
		c, err := w.Book.Contact(v.ctx, v.Account.ID, f.Contact)
		return c.Name, err
	}
	return "", nil
}

// receivedFilters lead to everything and to what is open, of what is shown now.
func (say *tongue) receivedFilters(now url.Values) []link {
	every, open := url.Values{}, url.Values{"show": {showOpen}}
	for _, name := range []string{"campaign", "contact"} {
		if now.Has(name) {
			every.Set(name, now.Get(name))
			open.Set(name, now.Get(name))
		}
	}
	isOpen := now.Get("show") == showOpen
	return []link{{address("/received", every), say.text("received_every"), !isOpen}, {address("/received", open), say.text("received_open"), isOpen}}
}

func (w *site) receivedRows(say *tongue, all []smsqueue.Inbound) (rows []receivedRow) {
	for _, m := range all {
		row := receivedRow{ID: w.Names.Of(secrets.Inbound, m.ID), From: m.From, To: m.To, Text: m.Text, Incomplete: m.Incomplete(), Received: m.Received,
			Open: m.Open(), Handled: !m.Handled.IsZero(), Talk: talkPath(m.From)}
		if m.Contact != 0 {
			row.Contact, row.Name = w.Names.Of(secrets.Contact, m.Contact), m.ContactName
		}
		if m.Campaign != 0 {
			row.Campaign, row.CampaignName = w.Names.Of(secrets.Campaign, m.Campaign), m.CampaignName
		}
		if m.Action != "" {
			row.Action = say.word("action", m.Action)
		}
		rows = append(rows, row)
	}
	return rows
}

// handle says that a message was dealt with, or was not, and leads back.
func (w *site) handle(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Inbound, c.Params("id"))
	if err != nil {
		return err
	}
	if _, err := w.Queue.HandleInbound(v.ctx, v.Account.ID, id, c.FormValue("handled") == "yes"); err != nil {
		return err
	}
	return c.Redirect(localPath(c.FormValue("back")), fiber.StatusSeeOther)
}
