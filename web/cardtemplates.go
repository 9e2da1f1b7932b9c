package web

import (
	"crypto/rand"
	"fmt"
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
	Once     string // names this form: sent twice, it notifies once
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
	return w.showSaved(c, v, savedPage{Once: rand.Text(), Apply: true}, nil)
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
	p := savedPage{Once: c.FormValue("once"), Some: c.FormValue("which") == "some", Apply: ticked(c, "apply"), Sync: ticked(c, "sync"), Notify: ticked(c, "notify")}
	chosen, err := w.tickedGroups(c, v)
	if err != nil {
		return err
	}
	if wrong := v.say.wrongGroups(p.Some, len(chosen)); wrong != "" {
		p.Errors = []fieldError{{"groups", wrong}}
		return w.showSaved(c.Status(fiber.StatusUnprocessableEntity), v, p, chosen)
	}
	err = w.afterSaving(v, t, p, chosen)
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{refused.Field, v.say.problem(refused)}}
		return w.showSaved(c.Status(statuses[refused.Kind]), v, p, chosen)
	}
	if err != nil {
		return err
	}
	return c.Redirect(cardsPath, fiber.StatusSeeOther)
}

// tickedGroups are those of the form; none is all of them.
func (w *site) tickedGroups(c *fiber.Ctx, v visit) (chosen []int64, err error) {
	groups, err := w.cardGroups(v)
	for _, g := range groups {
		if ticked(c, w.Names.Of(secrets.CardGroup, g.ID)) {
			chosen = append(chosen, g.ID)
		}
	}
	return chosen, err
}

// wrongGroups says what does not fit together: who ticks groups and leaves the form at
// all of them means the groups, and everybody would get an SMS.
func (say *tongue) wrongGroups(some bool, ticked int) string {
	switch {
	case some && ticked == 0:
		return say.text("cards_wrong_no_group")
	case !some && ticked > 0:
		return say.text("cards_wrong_all_groups")
	}
	return ""
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
		return w.notifyHolders(v, p.Once, groups)
	}
	return nil
}

// notifyHolders tells holders that their card was changed, with its address; the same
// form with the same groups does once.
func (w *site) notifyHolders(v visit, once string, groups []int64) error {
	hash := formHash(once, fmt.Sprint(groups))
	_, err := w.Queue.NotifyHolders(v.ctx, v.Account.ID, groups, "console notify "+hash, hash)
	return err
}

// groupName is what a group is called: everybody's has no name of its own, and neither
// has that of people whom no other group is for.
func (say *tongue) groupName(g cards.CardGroup) string {
	switch {
	case g.Name != "":
		return g.Name
	case g.Method == cards.InOne:
		return say.text("cards_group_all")
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
