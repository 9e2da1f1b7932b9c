package web

import (
	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

type groupsPage struct {
	MaySend bool
	Synced  bool // some of them come from a directory, which may be asked to tell
	Groups  []groupRow
	Pager   pager
}

func (groupsPage) template() string { return "groups" }

type groupRow struct {
	ID, Name, Source  string
	Members, Textable int
	Synced            bool
}

func (w *site) groups(c *fiber.Ctx, v visit) error {
	after, err := w.cursor(secrets.Group, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Book.Groups(v.ctx, v.Account.ID, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	p := groupsPage{MaySend: maySend(v.Role)}
	next := ""
	if more {
		next = w.Names.Of(secrets.Group, all[len(all)-1].ID)
	}
	for _, g := range all {
		p.Groups = append(p.Groups, groupRow{ID: w.Names.Of(secrets.Group, g.ID), Name: g.Name,
			Source: v.say.word("source", g.Source), Members: g.Members, Textable: g.Textable,
			Synced: g.Source == contacts.FromDirectory})
		p.Synced = p.Synced || p.MaySend && g.Source == contacts.FromDirectory
	}
	p.Pager = turn("/groups", nil, c.Query("from"), next)
	return render(c, p)
}
