package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

const sendingPath = "/campaigns/sending"

// sendingPage is when and how much the account sends.
type sendingPage struct {
	MayManage bool
	Saved     bool
	Form      sendingForm
	Waits     []waitRow // of single messages
	Errors    []fieldError
}

func (sendingPage) template() string { return "sending" }

// Error is what is wrong with a field, or empty.
func (p sendingPage) Error(field string) string { return errorOf(p.Errors, field) }

type sendingForm struct {
	Windows, Zone             string
	Normal                    bool
	PerHour, PerDay, PerMonth string
	Now                       string // what the clocks show in the zone
}

func (w *site) sending(c *fiber.Ctx, v visit) error {
	r, err := w.Queue.Rules(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	form := sendingForm{Windows: r.Windows.String(), Zone: r.Zone, Normal: r.Normal,
		PerHour: limitText(r.PerHour), PerDay: limitText(r.PerDay), PerMonth: limitText(r.PerMonth)}
	return w.showSending(c, v, sendingPage{Form: form, Saved: c.Query("saved") != ""})
}

func limitText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (w *site) showSending(c *fiber.Ctx, v visit, p sendingPage) error {
	p.MayManage = mayManage(v.Role)
	if zone, err := window.Zone(p.Form.Zone); err == nil {
		p.Form.Now = v.say.local(time.Now(), zone)
	}
	why, err := w.Queue.Why(v.ctx, v.Account.ID, 0)
	if err != nil {
		return err
	}
	for _, one := range why {
		p.Waits = append(p.Waits, waitRow{v.say.wait(one), one.Messages, one.Until})
	}
	return render(c, p)
}

func (w *site) setSending(c *fiber.Ctx, v visit) error {
	field := func(name string) string { return strings.TrimSpace(c.FormValue(name)) }
	form := sendingForm{Windows: field("windows"), Zone: field("zone"), Normal: c.FormValue("normal") != "",
		PerHour: field("per_hour"), PerDay: field("per_day"), PerMonth: field("per_month")}
	rules, err := form.rules()
	if err == nil {
		err = w.Queue.SetRules(v.ctx, v.Account.ID, rules)
	}
	if refused := problem.As(err); refused != nil && refused.Kind == problem.KindInvalid {
		return w.showSending(c.Status(fiber.StatusUnprocessableEntity), v, sendingPage{Form: form, Errors: []fieldError{{refused.Field, v.say.problem(refused)}}})
	}
	if err != nil {
		return err
	}
	return c.Redirect(sendingPath+"?saved=yes", fiber.StatusSeeOther)
}

func (f sendingForm) rules() (r smsqueue.Rules, err error) {
	r = smsqueue.Rules{Normal: f.Normal, Zone: f.Zone}
	if r.Windows, err = window.Parse(f.Windows); err != nil {
		return r, err
	}
	for _, limit := range []struct {
		field, text string
		into        *int
	}{{"per_hour", f.PerHour, &r.PerHour}, {"per_day", f.PerDay, &r.PerDay}, {"per_month", f.PerMonth, &r.PerMonth}} {
		if limit.text == "" {
			continue
		}
		if *limit.into, err = strconv.Atoi(limit.text); err != nil {
			return r, problem.Invalid(limit.field, "a cap is a number of parts, not %q", limit.text)
		}
	}
	return r, nil
}
