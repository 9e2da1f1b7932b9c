package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type cardTemplatesPage struct {
	MayManage bool
	Rows      []cardTemplateRow
}

func (cardTemplatesPage) template() string { return "cardtemplates" }

type cardTemplateRow struct {
	ID, Name string
	Version  int64
	Updated  time.Time
	Groups   int // that show it
}

func (w *site) cardTemplates(c *fiber.Ctx, v visit) error {
	all, err := w.Cards.Templates(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	groups, err := w.cardGroups(v)
	if err != nil {
		return err
	}
	p := cardTemplatesPage{MayManage: mayManage(v.Role)}
	for _, t := range all {
		row := cardTemplateRow{ID: w.Names.Of(secrets.CardTemplate, t.ID), Name: t.Name, Version: t.Version, Updated: t.Updated}
		for _, g := range groups {
			if g.Template == t.ID {
				row.Groups++
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return render(c, p)
}

func (w *site) confirmCardTemplate(c *fiber.Ctx, v visit) error {
	t, err := w.cardTemplateNamed(c, v)
	if err != nil {
		return err
	}
	return render(c, confirmPage{Title: v.say.text("cards_template_remove_title", "Name", t.Name), Text: v.say.text("cards_template_remove_text"), Button: v.say.text("cards_template_remove"),
		Path: cardTemplatesPath + "/" + c.Params("id") + "/remove", Back: cardTemplatesPath, Crumb: link{Path: cardTemplatesPath, Text: v.say.text("cards_templates_title")}})
}

func (w *site) removeCardTemplate(c *fiber.Ctx, v visit) error {
	t, err := w.cardTemplateNamed(c, v)
	if err != nil {
		return err
	}
	if err := w.Cards.RemoveTemplate(v.ctx, v.Account.ID, t.ID); err != nil {
		return err
	}
	return c.Redirect(cardTemplatesPath, fiber.StatusSeeOther)
}

// savedPage asks what is to be done with a template that was saved: three choices, each
// of which does what it says and nothing else.
type savedPage struct {
	ID, Name string
	Version  int64
	Groups   []choice
	Some     bool // only some groups were chosen
	Apply    bool
	Sync     bool
	Notify   bool
	Errors   []fieldError
}

func (savedPage) template() string { return "cardsaved" }

func (w *site) cardTemplateSaved(c *fiber.Ctx, v visit) error {
	return w.showSaved(c, v, savedPage{Apply: true}, nil)
}

func (w *site) showSaved(c *fiber.Ctx, v visit, p savedPage, chosen []int64) error {
	t, err := w.cardTemplateNamed(c, v)
	if err != nil {
		return err
	}
	groups, err := w.cardGroups(v)
	if err != nil {
		return err
	}
	p.ID, p.Name, p.Version = c.Params("id"), t.Name, t.Version
	for _, g := range groups {
		one := choice{Value: w.Names.Of(secrets.CardGroup, g.ID), Text: v.say.groupName(g)}
		for _, id := range chosen {
			one.Chosen = one.Chosen || id == g.ID
		}
		p.Groups = append(p.Groups, one)
	}
	return render(c, p)
}

// continueCards does exactly what is ticked, and goes to users and groups.
func (w *site) continueCards(c *fiber.Ctx, v visit) error {
	t, err := w.cardTemplateNamed(c, v)
	if err != nil {
		return err
	}
	p := savedPage{Some: c.FormValue("which") == "some", Apply: ticked(c, "apply"), Sync: ticked(c, "sync"), Notify: ticked(c, "notify")}
	chosen, err := w.chosenGroups(c, v, p.Some)
	if err == nil {
		err = w.afterSaving(v, t, p, chosen)
	}
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{refused.Field, v.say.problem(refused)}}
		return w.showSaved(c.Status(statuses[refused.Kind]), v, p, chosen)
	}
	if err != nil {
		return err
	}
	return c.Redirect(cardsPath, fiber.StatusSeeOther)
}

// chosenGroups are those that were ticked; nil for all.
func (w *site) chosenGroups(c *fiber.Ctx, v visit, some bool) ([]int64, error) {
	if !some {
		return nil, nil
	}
	groups, err := w.cardGroups(v)
	if err != nil {
		return nil, err
	}
	var chosen []int64
	for _, g := range groups {
		if ticked(c, w.Names.Of(secrets.CardGroup, g.ID)) {
			chosen = append(chosen, g.ID)
		}
	}
	if len(chosen) == 0 {
		return nil, problem.Invalid("groups", "choose a group")
	}
	return chosen, nil
}

func (w *site) afterSaving(v visit, t cards.Template, p savedPage, groups []int64) error {
	if p.Apply {
		if err := w.Cards.Apply(v.ctx, v.Account.ID, t.ID, groups); err != nil {
			return err
		}
	}
	if p.Sync {
		if err := w.syncCards(v, groups); err != nil {
			return err
		}
	}
	if p.Notify {
		return w.notifyHolders(v, groups)
	}
	return nil
}

// notifyHolders tells holders that their card was changed, with its address.
func (w *site) notifyHolders(v visit, groups []int64) error {
	_, err := w.Queue.NotifyHolders(v.ctx, v.Account.ID, groups)
	return err
}

// groupName is what a group is called: everybody's has no name of its own.
func (say *tongue) groupName(g cards.CardGroup) string {
	if g.Name != "" {
		return g.Name
	}
	return say.text("cards_group_everybody")
}

func (w *site) cardGroupNamed(v visit, name string) (cards.CardGroup, error) {
	id, err := w.Names.ID(secrets.CardGroup, name)
	if err != nil {
		return cards.CardGroup{}, err
	}
	groups, err := w.cardGroups(v)
	if err != nil {
		return cards.CardGroup{}, err
	}
	for _, g := range groups {
		if g.ID == id {
			return g, nil
		}
	}
	return cards.CardGroup{}, problem.NotFound("card_group", "")
}
