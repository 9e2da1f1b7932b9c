package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type receivedPage struct {
	Messages []receivedRow
	Pager    pager
}

func (receivedPage) template() string { return "received" }

type receivedRow struct {
	Contact, Name string // empty when the number is nobody's in the address book
	From, To      string
	Text          string
	Incomplete    bool
	Wish          string // in words, what it asks for
	Received      time.Time
}

func (w *site) received(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Inbound, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Queue.Inbound(v.ctx, v.Account.ID, smsqueue.InboundFilter{Before: before, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Inbound, all[len(all)-1].ID)
	}
	return render(c, receivedPage{Messages: w.receivedRows(v.say, all), Pager: turn("/received", nil, c.Query("from"), next)})
}

func (w *site) receivedRows(say *tongue, all []smsqueue.Inbound) (rows []receivedRow) {
	for _, m := range all {
		row := receivedRow{From: m.From, To: m.To, Text: m.Text, Incomplete: m.Incomplete(), Received: m.Received}
		if m.Action != "" {
			row.Wish = say.word("wish", m.Action)
		}
		if m.Contact != 0 {
			row.Contact, row.Name = w.Names.Of(secrets.Contact, m.Contact), m.ContactName
		}
		rows = append(rows, row)
	}
	return rows
}
