package web

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const cardSendPath = "/cards/share"

// cardSendPage sends holders the link to their own card.
type cardSendPage struct {
	Once     string // names this form: sent twice, it starts one campaign
	Groups   []choice
	Text     string
	Ceiling  string // micro-units; empty for none
	Errors   []fieldError
	Forecast *forecast // nil until it is asked for
}

func (cardSendPage) template() string { return "cardsend" }

// Error is what is wrong with a field.
func (p cardSendPage) Error(field string) string {
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func (w *site) cardShareRoutes() []route {
	return []route{
		{fiber.MethodGet, cardSendPath, sender, w.cardSend},
		{fiber.MethodPost, cardSendPath, sender, w.cardSent},
	}
}

func (w *site) cardSend(c *fiber.Ctx, v visit) error {
	p := cardSendPage{Once: rand.Text(), Text: smsqueue.ShareText(v.say.Code)}
	return w.showCardSend(c, v, p, []string{c.Query("group")})
}

// cardSent previews the campaign, or starts it.
func (w *site) cardSent(c *fiber.Ctx, v visit) error {
	var groups []string
	for _, one := range c.Request().PostArgs().PeekMulti("group") {
		groups = append(groups, string(one))
	}
	p := cardSendPage{Once: c.FormValue("once"), Text: entered(c.FormValue("text")), Ceiling: c.FormValue("ceiling")}
	n, err := w.cardShare(v, p, groups)
	if err == nil && c.FormValue("do") == "preview" {
		var found smsqueue.Preview
		if found, err = w.Queue.Preview(v.ctx, v.Account.ID, n); err == nil {
			p.Forecast = v.say.forecast(found)
			return w.showCardSend(c, v, p, groups)
		}
	}
	var started smsqueue.Campaign
	if err == nil {
		if started, err = w.Queue.StartCampaign(v.ctx, v.Account.ID, n); err == nil {
			return c.Redirect("/campaigns/"+w.Names.Of(secrets.Campaign, started.ID), fiber.StatusSeeOther)
		}
	}
	refused := problem.As(err)
	if refused == nil {
		return err
	}
	p.Errors = []fieldError{v.say.cardSendError(refused, p.Text)}
	return w.showCardSend(c.Status(statuses[refused.Kind]), v, p, groups)
}

// cardShare is the campaign that the form asks for; the same form with the same content
// is the same wish.
func (w *site) cardShare(v visit, p cardSendPage, groups []string) (n smsqueue.NewCampaign, err error) {
	s := smsqueue.NewShare{Text: p.Text, Name: v.say.text("cards_send_title"), RequestHash: formHash(append([]string{p.Once, p.Text, p.Ceiling}, groups...)...)}
	s.Key = "console " + s.RequestHash
	for _, name := range groups {
		id, err := w.Names.ID(secrets.CardGroup, name)
		if err != nil {
			return n, err
		}
		s.To.Groups = append(s.To.Groups, id)
	}
	if p.Ceiling != "" {
		if s.CeilingMicro, err = strconv.ParseInt(p.Ceiling, 10, 64); err != nil {
			return n, fiber.ErrBadRequest
		}
	}
	return w.Queue.Share(v.ctx, v.Account.ID, s)
}

func (say *tongue) cardSendError(refused *problem.Problem, text string) fieldError {
	switch {
	case refused.Code == "card_link_missing":
		return fieldError{"text", say.text("cards_send_no_link", "Field", "{{card_link}}")}
	case refused.Field == "text" && say.faulty(text) != "":
		return fieldError{"text", say.faulty(text)}
	}
	return fieldError{refused.Field, say.problem(refused)}
}

func (w *site) showCardSend(c *fiber.Ctx, v visit, p cardSendPage, chosen []string) error {
	groups, err := w.cardGroups(v)
	if err != nil {
		return err
	}
	if strings.TrimSpace(p.Text) == "" {
		p.Text = smsqueue.ShareText(v.say.Code)
	}
	picked := map[string]bool{}
	for _, name := range chosen {
		picked[name] = true
	}
	for _, g := range groups {
		name := w.Names.Of(secrets.CardGroup, g.ID)
		p.Groups = append(p.Groups, choice{Value: name, Chosen: picked[name], Text: v.say.count("cards_send_group", g.Cards, "Name", v.say.groupName(g))})
	}
	return render(c, p)
}
