package web

import (
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// suppressionsPage lists the numbers that want no messages.
type suppressionsPage struct {
	MaySend, MayManage bool
	Search             string // the number that is looked for
	Rows               []suppressionRow
	Phone, Note        string // as they were typed
	Errors             []fieldError
	Settings           smsqueue.OptOutSettings
	Numbers            []choice // of the account
	Pager              pager
}

func (suppressionsPage) template() string { return "suppressions" }

// Error is what is wrong with a field.
func (p suppressionsPage) Error(field string) string {
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

type suppressionRow struct {
	ID, Phone   string
	Reason      string // in words
	Note        string
	Since       time.Time
	Lifted      time.Time
	LiftedBy    string // in words
	StandsStill bool
}

const suppressionsPath = "/suppressions"

func (w *site) suppressions(c *fiber.Ctx, v visit) error {
	return w.showSuppressions(c, v, suppressionsPage{Search: strings.TrimSpace(c.Query("phone"))})
}

// showSuppressions lists those that stand; of a number that is looked for, all there
// have been.
func (w *site) showSuppressions(c *fiber.Ctx, v visit, p suppressionsPage) error {
	before, err := w.cursor(secrets.Suppress, c.Query("from"))
	if err != nil {
		return err
	}
	p.MaySend, p.MayManage = maySend(v.Role), mayManage(v.Role)
	if p.Settings, err = w.Queue.OptOutSettings(v.ctx, v.Account.ID); err != nil {
		return err
	}
	numbers, err := w.Queue.NumbersOf(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		if i == 0 || numbers[i-1].Number != n.Number { // one is listed for each carrier
			p.Numbers = append(p.Numbers, choice{Value: n.Number, Text: n.Number, Chosen: n.Number == p.Settings.Number})
		}
	}
	all, err := w.Queue.Suppressions(v.ctx, v.Account.ID, smsqueue.SuppressionFilter{Phone: p.Search, Lifted: p.Search != "", Before: before, Limit: pageSize + 1})
	if refused := problem.As(err); refused != nil {
		p.Errors = append(p.Errors, fieldError{"search", v.say.word("suppression_wrong", "phone")})
		return render(c.Status(statuses[refused.Kind]), p)
	}
	if err != nil {
		return err
	}
	all, more := cut(all)
	next, keep := "", url.Values{}
	if more {
		next = w.Names.Of(secrets.Suppress, all[len(all)-1].ID)
	}
	if p.Search != "" {
		keep.Set("phone", p.Search)
	}
	p.Rows, p.Pager = w.suppressionRows(v.say, all), turn(suppressionsPath, keep, c.Query("from"), next)
	return render(c, p)
}

func (w *site) suppressionRows(say *tongue, all []smsqueue.Suppression) (rows []suppressionRow) {
	for _, s := range all {
		row := suppressionRow{ID: w.Names.Of(secrets.Suppress, s.ID), Phone: s.Phone, Reason: say.word("suppressed", string(s.Reason)), Note: s.Note,
			Since: s.Created, Lifted: s.Lifted, StandsStill: s.Stands()}
		if !s.Stands() {
			row.LiftedBy = say.word("lifted", string(s.LiftedBy))
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *site) addSuppression(c *fiber.Ctx, v visit) error {
	p := suppressionsPage{Phone: strings.TrimSpace(c.FormValue("phone")), Note: strings.TrimSpace(c.FormValue("note"))}
	_, _, err := w.Queue.Suppress(v.ctx, v.Account.ID, smsqueue.NewSuppression{Phone: p.Phone, Note: p.Note, User: v.User})
	if refused := problem.As(err); refused != nil && (refused.Field == "phone" || refused.Field == "note") {
		p.Errors = []fieldError{{refused.Field, v.say.word("suppression_wrong", refused.Field)}}
		return w.showSuppressions(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(suppressionsPath, fiber.StatusSeeOther)
}

func (w *site) suppressionNamed(c *fiber.Ctx, v visit) (smsqueue.Suppression, error) {
	id, err := w.Names.ID(secrets.Suppress, c.Params("id"))
	if err != nil {
		return smsqueue.Suppression{}, err
	}
	return w.Queue.Suppression(v.ctx, v.Account.ID, id)
}

func (w *site) confirmLift(c *fiber.Ctx, v visit) error {
	s, err := w.suppressionNamed(c, v)
	if err != nil {
		return err
	}
	return render(c, confirmPage{Title: v.say.text("lift_title", "Number", s.Phone), Text: v.say.text("lift_text"), Button: v.say.text("lift_button"),
		Path: suppressionsPath + "/" + c.Params("id") + "/lift", Back: suppressionsPath, Crumb: link{Path: suppressionsPath, Text: v.say.text("suppressions_title")}})
}

func (w *site) liftSuppression(c *fiber.Ctx, v visit) error {
	s, err := w.suppressionNamed(c, v)
	if err != nil {
		return err
	}
	if err := w.Queue.Unsuppress(v.ctx, v.Account.ID, s.Phone); err != nil {
		return err
	}
	return c.Redirect(suppressionsPath, fiber.StatusSeeOther)
}

func (w *site) decideOptOut(c *fiber.Ctx, v visit) error {
	o := smsqueue.OptOutSettings{Replies: c.FormValue("replies") == "yes", Urgent: c.FormValue("urgent") == "yes", Number: c.FormValue("number")}
	err := w.Queue.SetOptOutSettings(v.ctx, v.Account.ID, o)
	if refused := problem.As(err); refused != nil {
		return w.showSuppressions(c.Status(statuses[refused.Kind]), v, suppressionsPage{Errors: []fieldError{{"number", v.say.problem(refused)}}})
	}
	if err != nil {
		return err
	}
	return c.Redirect(suppressionsPath, fiber.StatusSeeOther)
}
