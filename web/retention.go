package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const retentionPath = "/account/retention"

// retentionPage is how long what is kept of the account.
type retentionPage struct {
	MayManage bool
	Saved     bool
	Classes   []classRow
	Holds     []holdRow
	Of        []choice // what a hold can be of
	Reason    string   // as it was typed
	Errors    []fieldError
}

func (retentionPage) template() string { return "retention" }

// Error is what is wrong with a field, or empty.
func (p retentionPage) Error(field string) string { return errorOf(p.Errors, field) }

type classRow struct {
	privacy.Kept
	Word, Help string
	Typed      string // days, as they were typed
	Who        string // said so, in words
	Outcome    string // of the last run, in words
	Settable   bool
}

type holdRow struct {
	ID, What, Reason string
	Since            time.Time
	Ours             bool // of this account, which may lift it
}

func (w *site) retention(c *fiber.Ctx, v visit) error {
	return w.showRetention(c, v, retentionPage{Saved: c.Query("saved") != ""}, nil)
}

// showRetention shows what was typed where something is wrong with it.
func (w *site) showRetention(c *fiber.Ctx, v visit, p retentionPage, typed map[string]string) error {
	p.MayManage = mayManage(v.Role)
	kept, err := w.Privacy.Retention(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.Of = []choice{{Value: "", Text: v.say.text("hold_everything")}}
	for _, k := range kept {
		row := classRow{Kept: k, Word: v.say.word("kept", k.Name), Help: v.say.word("kept_help", k.Name), Typed: strconv.Itoa(k.Days), Who: v.say.word("kept_by", string(k.Says)),
			Settable: p.MayManage && !k.Fixed() && !k.Installation}
		if days, ok := typed[k.Name]; ok {
			row.Typed = days
		}
		if k.Last != nil {
			row.Outcome = v.say.word("retention_run", k.Last.Outcome)
		}
		p.Classes = append(p.Classes, row)
		if !k.Fixed() {
			p.Of = append(p.Of, choice{Value: k.Name, Text: row.Word})
		}
	}
	holds, err := w.Privacy.Holds(v.ctx, v.Account.ID)
	for _, h := range holds {
		row := holdRow{ID: w.Names.Of(secrets.Hold, h.ID), What: v.say.text("hold_everything"), Reason: h.Reason, Since: h.Since, Ours: h.Account != 0}
		if h.Class != "" {
			row.What = v.say.word("kept", h.Class)
		}
		p.Holds = append(p.Holds, row)
	}
	if err != nil {
		return err
	}
	return render(c, p)
}

// setRetention takes the days that were changed.
func (w *site) setRetention(c *fiber.Ctx, v visit) error {
	kept, err := w.Privacy.Retention(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	typed := map[string]string{}
	var wrong []fieldError
	for _, k := range kept {
		text := strings.TrimSpace(c.FormValue(k.Name))
		if k.Fixed() || k.Installation || text == strconv.Itoa(k.Days) || text == "" && k.Says != privacy.SaysAccount {
			continue
		}
		typed[k.Name] = text
		days, err := strconv.Atoi(text)
		if text == "" {
			days, err = 0, nil
		} else if err != nil || days == 0 {
			days = -1
		}
		err = w.Privacy.SetRetention(v.ctx, v.Account.ID, k.Name, days)
		if refused := problem.As(err); refused != nil {
			wrong = append(wrong, fieldError{k.Name, v.say.text("retention_wrong_days", "Class", v.say.word("kept", k.Name), "Min", k.Min, "Max", k.Max)})
		} else if err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return w.showRetention(c.Status(fiber.StatusUnprocessableEntity), v, retentionPage{Errors: wrong}, typed)
	}
	return c.Redirect(retentionPath+"?saved=yes", fiber.StatusSeeOther)
}

func (w *site) holdData(c *fiber.Ctx, v visit) error {
	reason := strings.TrimSpace(c.FormValue("reason"))
	_, err := w.Privacy.Hold(v.ctx, v.Account.ID, c.FormValue("class"), reason)
	if refused := problem.As(err); refused != nil && refused.Field == "reason" {
		return w.showRetention(c.Status(fiber.StatusUnprocessableEntity), v, retentionPage{Reason: reason, Errors: []fieldError{{"reason", v.say.text("hold_wrong_reason")}}}, nil)
	}
	if err != nil {
		return err
	}
	return c.Redirect(retentionPath, fiber.StatusSeeOther)
}

func (w *site) confirmLiftHold(c *fiber.Ctx, v visit) error {
	if _, err := w.Names.ID(secrets.Hold, c.Params("id")); err != nil {
		return err
	}
	return render(c, confirmPage{Title: v.say.text("hold_lift_title"), Text: v.say.text("hold_lift_text"), Button: v.say.text("hold_lift"),
		Path: retentionPath + "/holds/" + c.Params("id") + "/lift", Back: retentionPath, Crumb: link{Path: retentionPath, Text: v.say.text("retention_title")}})
}

func (w *site) liftHold(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Hold, c.Params("id"))
	if err != nil {
		return err
	}
	if err := w.Privacy.LiftHold(v.ctx, v.Account.ID, id); err != nil {
		return err
	}
	return c.Redirect(retentionPath, fiber.StatusSeeOther)
}
