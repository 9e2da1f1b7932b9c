package web

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/slug"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	invitesPath = "/cards/invites"
	invitedPath = "/i/:slug"
)

func (w *site) inviteRoutes() []route {
	const get, post, one = fiber.MethodGet, fiber.MethodPost, invitesPath + "/:id"
	return []route{
		{get, invitedPath, anybody, w.invited},
		{get, invitesPath, member, w.invites},
		{get, invitesPath + "/new", sender, w.newInvite},
		{post, invitesPath + "/new", sender, w.addInvite},
		{get, one, member, w.invite},
		{get, one + "/code/:form", member, w.inviteCode},
		{get, one + "/end", sender, w.confirmInvite},
		{post, one + "/end", sender, w.endInvite},
	}
}

// invited leads a visitor to where an invite does, and nowhere else, whatever else they
// ask for. Nothing is kept of the visit.
func (w *site) invited(c *fiber.Ctx, v visit) error {
	name, ok := slug.Parse(c.Params("slug"))
	if !ok {
		return renderNoInvite(c, v, fiber.StatusNotFound)
	}
	target, err := w.Cards.Invited(v.ctx, name, time.Now())
	switch {
	case problem.Has(err, "invite_gone"):
		return renderNoInvite(c, v, fiber.StatusGone)
	case problem.Has(err, "invite_not_found"):
		return renderNoInvite(c, v, fiber.StatusNotFound)
	case err != nil:
		return err
	}
	c.Set("X-Robots-Tag", "noindex")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the slug is nobody else's business
	return c.Redirect(target, fiber.StatusSeeOther)
}

func renderNoInvite(c *fiber.Ctx, v visit, status int) error {
	return renderNowhere(c, v, status, cardGonePage{Gone: status == fiber.StatusGone, Invite: true})
}

type invitesPage struct {
	MaySend bool
	Rows    []inviteRow
	Pager   pager
}

func (invitesPage) template() string { return "invites" }

type inviteRow struct {
	ID, Name, Target, Link string
	Over                   bool
	Ends, Ended            time.Time
}

func (w *site) inviteRow(i cards.Invite) inviteRow {
	return inviteRow{ID: w.Names.Of(secrets.Invite, i.ID), Name: i.Name, Target: i.Target, Link: cards.InviteAddress(w.PublicURL, i.Slug),
		Over: i.Over(time.Now()), Ends: i.Ends, Ended: i.Ended}
}

const invitesInPage = 50

func (w *site) invites(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Invite, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Cards.Invites(v.ctx, v.Account.ID, before, invitesInPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(all) > invitesInPage {
		all = all[:invitesInPage]
		next = w.Names.Of(secrets.Invite, all[invitesInPage-1].ID)
	}
	p := invitesPage{MaySend: maySend(v.Role), Pager: turn(invitesPath, nil, c.Query("from"), next)}
	for _, i := range all {
		p.Rows = append(p.Rows, w.inviteRow(i))
	}
	return render(c, p)
}

// newInvitePage is the form of an invite, with what was entered.
type newInvitePage struct {
	Once                         string // names this form: sent twice, it makes one invite
	Name, Target, Ends, Template string
	Zone                         string // of Ends
	Templates                    []choice
	Errors                       []fieldError
}

func (newInvitePage) template() string { return "newinvite" }

// Error is what is wrong with a field.
func (p newInvitePage) Error(field string) string {
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func (w *site) newInvite(c *fiber.Ctx, v visit) error {
	return w.showNewInvite(c, v, newInvitePage{Once: rand.Text()})
}

func (w *site) showNewInvite(c *fiber.Ctx, v visit, p newInvitePage) error {
	rules, err := w.Queue.Rules(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.Zone = rules.Zone
	templates, err := w.Cards.Templates(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, t := range templates {
		name := w.Names.Of(secrets.CardTemplate, t.ID)
		p.Templates = append(p.Templates, choice{Value: name, Text: t.Name, Chosen: name == p.Template})
	}
	return render(c, p)
}

func (w *site) addInvite(c *fiber.Ctx, v visit) error {
	p := newInvitePage{Once: c.FormValue("once"), Name: c.FormValue("name"), Target: c.FormValue("target"), Ends: c.FormValue("ends_at"), Template: c.FormValue("template")}
	id, err := w.inviteAsked(v, p)
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{v.say.inviteError(refused)}
		return w.showNewInvite(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(invitesPath+"/"+w.Names.Of(secrets.Invite, id), fiber.StatusSeeOther)
}

// inviteAsked makes what the form asks for; the same form with the same content is the
// same wish.
func (w *site) inviteAsked(v visit, p newInvitePage) (id int64, err error) {
	n := cards.NewInvite{Name: p.Name, Target: p.Target}
	if p.Template != "" {
		if n.Template, err = w.Names.ID(secrets.CardTemplate, p.Template); err != nil {
			return 0, err
		}
	}
	if p.Ends != "" {
		if n.Ends, _, _, err = w.Queue.StartTime(v.ctx, v.Account.ID, p.Ends, ""); err != nil {
			return 0, err
		}
	}
	hash := formHash(p.Once, p.Name, p.Target, p.Ends, p.Template)
	once := accounts.Once{Account: v.Account.ID, Key: "console " + hash, Hash: hash}
	return once.Do(v.ctx, w.Accounts, func(take accounts.Take) (int64, error) {
		n.Also = take
		i, err := w.Cards.AddInvite(v.ctx, v.Account.ID, n, time.Now())
		return i.ID, err
	})
}

func (say *tongue) inviteError(p *problem.Problem) fieldError {
	switch p.Code {
	case "invalid_start_at": // how a time is written is the queue's to say
		return fieldError{"ends_at", say.problem(p)}
	case "invalid_name":
		return fieldError{"name", say.text("invite_name_wrong", "N", cards.MaxName)}
	case "card_template_not_found":
		return fieldError{"template", say.problem(p)}
	}
	return fieldError{p.Field, say.problem(p)}
}

// invitePage is one invite, with its link and codes.
type invitePage struct {
	inviteRow
	MaySend bool
	Codes   []link
}

func (invitePage) template() string { return "invite" }

func (w *site) invite(c *fiber.Ctx, v visit) error {
	i, err := w.inviteNamed(c, v)
	if err != nil {
		return err
	}
	p := invitePage{inviteRow: w.inviteRow(i), MaySend: maySend(v.Role)}
	for _, form := range cards.CodeForms {
		if w.PublicURL == "" {
			break // what is printed has to lead somewhere
		}
		p.Codes = append(p.Codes, link{Path: invitesPath + "/" + p.ID + "/code/" + string(form), Text: strings.ToUpper(string(form))})
	}
	return render(c, p)
}

func (w *site) inviteNamed(c *fiber.Ctx, v visit) (cards.Invite, error) {
	id, err := w.Names.ID(secrets.Invite, c.Params("id"))
	if err != nil {
		return cards.Invite{}, err
	}
	return w.Cards.Invite(v.ctx, v.Account.ID, id)
}

func (w *site) inviteCode(c *fiber.Ctx, v visit) error {
	i, err := w.inviteNamed(c, v)
	if err != nil {
		return err
	}
	form := cards.CodeForm(c.Params("form"))
	if form.MediaType() == "" {
		return fiber.ErrNotFound
	}
	file, err := w.Cards.InviteCode(v.ctx, i, w.PublicURL, form, time.Now())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, form.MediaType())
	if c.Query("show") == "" {
		c.Set(fiber.HeaderContentDisposition, attachment(i.Name, v.say.text("invite"), "."+string(form)))
	}
	return c.Send(file)
}

func (w *site) confirmInvite(c *fiber.Ctx, v visit) error {
	i, err := w.inviteNamed(c, v)
	if err != nil {
		return err
	}
	one := invitesPath + "/" + c.Params("id")
	return render(c, confirmPage{Title: v.say.text("invite_end_title", "Name", i.Name), Text: v.say.text("invite_end_text"), Button: v.say.text("invite_end"),
		Path: one + "/end", Back: one, Crumb: link{Path: one, Text: i.Name}})
}

func (w *site) endInvite(c *fiber.Ctx, v visit) error {
	i, err := w.inviteNamed(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Cards.EndInvite(v.ctx, v.Account.ID, i.ID, time.Now()); err != nil {
		return err
	}
	return c.Redirect(invitesPath+"/"+c.Params("id"), fiber.StatusSeeOther)
}

// inviteText is what a message about an invite begins with; empty for none.
func (w *site) inviteText(v visit, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	id, err := w.Names.ID(secrets.Invite, name)
	if err != nil {
		return "", err
	}
	i, err := w.Cards.Invite(v.ctx, v.Account.ID, id)
	if err == nil && w.PublicURL == "" {
		err = cards.ErrNoPublicURL
	}
	return i.Name + ": " + cards.InviteAddress(w.PublicURL, i.Slug), err
}
