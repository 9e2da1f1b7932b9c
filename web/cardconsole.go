package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

const cardsPath = "/cards"

// cardsPage is users and groups: who has which card.
type cardsPage struct {
	MaySync, MayManage bool
	Tenants            []cardTenant
	Group, Search      string
	GroupName          string
	Rows               []cardRow
	Pager              pager
	Templates          bool // there is one
}

func (cardsPage) template() string { return "cards" }

// cardTenant is a directory, and how its people are grouped.
type cardTenant struct {
	Tenant, ID string // ID is the connection's
	AsOf       time.Time
	Locked     bool // until it was analysed
	Analysis   analysis
	Grouped    bool
	Method     string // in words
	Connected  bool
	Groups     []cardGroupRow
}

type cardGroupRow struct {
	ID, Name, Template string // Template is empty for none
	TemplateID         string
	Version            int64
	Behind             bool // the template has a later version
	Cards, Withdrawn   int
}

type cardRow struct {
	ID, Name, Title, Group string
	Address                string
	Codes                  []link
	Withdrawn              bool
	Updated                time.Time
}

func (w *site) showCards(c *fiber.Ctx, v visit) error {
	p := cardsPage{MaySync: maySend(v.Role), MayManage: mayManage(v.Role), Search: strings.TrimSpace(c.Query("search")), Group: c.Query("group")}
	templates, err := w.Cards.Templates(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.Templates = len(templates) > 0
	if p.Tenants, err = w.cardTenants(v, templates); err != nil {
		return err
	}
	if err := w.cardRows(c, v, &p); err != nil {
		return err
	}
	return render(c, p)
}

// newest are the account's connections, the last of each tenant: a directory that was
// connected again keeps its cards.
func (w *site) newest(v visit) ([]directory.Connection, error) {
	all, err := w.Directory.Connections(v.ctx, v.Account.ID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b directory.Connection) int {
		if (a.State == directory.Disconnected) != (b.State == directory.Disconnected) {
			if a.State == directory.Disconnected {
				return 1
			}
			return -1
		}
		return int(min(max(b.ID-a.ID, -1), 1))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(one directory.Connection) bool {
		before := seen[one.Tenant]
		seen[one.Tenant] = true
		return before
	}), nil
}

// cardGroups are those of all directories.
func (w *site) cardGroups(v visit) (all []cards.CardGroup, err error) {
	connections, err := w.newest(v)
	if err != nil {
		return nil, err
	}
	for _, one := range connections {
		groups, err := w.Cards.Groups(v.ctx, v.Account.ID, one.Tenant)
		if err != nil {
			return nil, err
		}
		all = append(all, groups...)
	}
	return all, nil
}

func (w *site) cardTenants(v visit, templates []cards.Template) (all []cardTenant, err error) {
	connections, err := w.newest(v)
	if err != nil {
		return nil, err
	}
	for _, one := range connections {
		state, err := lookAtSync(v.ctx, w.Directory, one)
		if err != nil {
			return nil, err
		}
		t := cardTenant{Tenant: one.Tenant, ID: w.Names.Of(secrets.Connection, one.ID), AsOf: one.SucceededAt, Locked: !state.analysed,
			Analysis: v.say.analysis(state), Connected: one.State != directory.Disconnected}
		if err := w.readGrouping(v, &t, templates); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func (w *site) readGrouping(v visit, t *cardTenant, templates []cards.Template) error {
	grouping, found, err := w.groupingOf(v, t.Tenant)
	if err != nil || !found {
		return err
	}
	t.Grouped, t.Method = true, v.say.word("card_method", string(grouping.Method))
	groups, err := w.Cards.Groups(v.ctx, v.Account.ID, t.Tenant)
	if err != nil {
		return err
	}
	for _, g := range groups {
		row := cardGroupRow{ID: w.Names.Of(secrets.CardGroup, g.ID), Name: v.say.groupName(g), Version: g.Version, Cards: g.Cards, Withdrawn: g.Withdrawn}
		for _, one := range templates {
			if one.ID == g.Template {
				row.Template, row.TemplateID, row.Behind = one.Name, w.Names.Of(secrets.CardTemplate, one.ID), one.Version > g.Version
			}
		}
		t.Groups = append(t.Groups, row)
	}
	return nil
}

func (w *site) cardRows(c *fiber.Ctx, v visit, p *cardsPage) error {
	filter := cards.ListFilter{Text: p.Search}
	groups, err := w.cardGroups(v)
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, g := range groups {
		names[g.ID] = v.say.groupName(g)
	}
	if p.Group != "" {
		g, err := w.cardGroupNamed(v, p.Group)
		if err != nil {
			return err
		}
		filter.Group, p.GroupName = g.ID, v.say.groupName(g)
	}
	after, err := w.cursor(secrets.Card, c.Query("from"))
	if err != nil {
		return err
	}
	if c.Query("from") == "" {
		after = 0
	}
	all, err := w.Cards.List(v.ctx, v.Account.ID, filter, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next, keep := "", url.Values{}
	if more {
		next = w.Names.Of(secrets.Card, all[len(all)-1].ID)
	}
	for name, value := range map[string]string{"search": p.Search, "group": p.Group} {
		if value != "" {
			keep.Set(name, value)
		}
	}
	p.Pager = turn(cardsPath, keep, c.Query("from"), next)
	for _, card := range all {
		p.Rows = append(p.Rows, w.cardRow(card, names[card.Group]))
	}
	return nil
}

func (w *site) cardRow(card cards.Card, group string) cardRow {
	row := cardRow{ID: w.Names.Of(secrets.Card, card.ID), Name: card.Taken["displayName"], Title: card.Taken["jobTitle"], Group: group,
		Address: cards.Address(w.PublicURL, card.Slug), Withdrawn: card.State != cards.Active, Updated: card.Updated}
	if row.Name == "" {
		row.Name = card.Slug
	}
	for _, form := range []string{"png", "svg", "pdf"} {
		if w.PublicURL == "" {
			break // what is printed has to lead somewhere
		}
		row.Codes = append(row.Codes, link{Path: "/c/" + card.Slug + "/qr." + form, Text: strings.ToUpper(form)})
	}
	return row
}

// syncCards asks for a sync of the directories that groups are of; nil: of all.
func (w *site) syncCards(v visit, groups []int64) error {
	connections, err := w.newest(v)
	if err != nil {
		return err
	}
	for _, one := range connections {
		if one.State == directory.Disconnected {
			continue
		}
		of, err := w.Cards.Groups(v.ctx, v.Account.ID, one.Tenant)
		if err != nil {
			return err
		}
		wanted := groups == nil || slices.ContainsFunc(of, func(g cards.CardGroup) bool { return slices.Contains(groups, g.ID) })
		if !wanted {
			continue
		}
		if _, err := w.Directory.Request(v.ctx, v.Account.ID, one.ID); err != nil {
			return err
		}
	}
	return nil
}

func (w *site) syncAllCards(c *fiber.Ctx, v visit) error {
	if err := w.syncCards(v, nil); err != nil {
		return err
	}
	return c.Redirect(cardsPath, fiber.StatusSeeOther)
}

// syncCardGroup asks for a sync of the directory that a group is of: who belongs to a
// group is known when its people have been read.
func (w *site) syncCardGroup(c *fiber.Ctx, v visit) error {
	g, err := w.cardGroupNamed(v, c.Params("id"))
	if err != nil {
		return err
	}
	if err := w.syncCards(v, []int64{g.ID}); err != nil {
		return err
	}
	return c.Redirect(cardsPath, fiber.StatusSeeOther)
}
