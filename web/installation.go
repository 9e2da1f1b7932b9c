package web

import (
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const (
	carriersPath = "/installation/carriers"
	carrierPath  = "/installation/carrier/" // and its name
)

type installationPage struct {
	Carriers []standingRow
}

func (installationPage) template() string { return "installation" }

// standingRow is a carrier as its operator sees it.
type standingRow struct {
	smsqueue.Standing
	State, Word string
	Reasons     []string // in words
	Mend        bool     // the configuration has to be corrected
}

func (w *site) carriers(c *fiber.Ctx, v visit) error {
	working, err := w.Queue.Working(v.ctx)
	if err != nil {
		return err
	}
	all, err := w.Queue.Standings(v.ctx, working)
	if err != nil {
		return err
	}
	var p installationPage
	for _, s := range all {
		p.Carriers = append(p.Carriers, v.say.standing(s))
	}
	return render(c, p)
}

func (say *tongue) standing(s smsqueue.Standing) standingRow {
	row := standingRow{Standing: s, State: string(s.Status)}
	if !s.Enabled {
		row.State = "disabled"
	}
	row.Word = say.word("link", row.State)
	for _, r := range s.Why {
		row.Reasons = append(row.Reasons, say.why(s, r))
		row.Mend = row.Mend || r.Code == smsqueue.WhyRefused
	}
	return row
}

// why says what keeps messages from going.
func (say *tongue) why(s smsqueue.Standing, r smsqueue.Reason) string {
	switch r.Code {
	case smsqueue.WhyNoWorker:
		return say.text("why_no_worker")
	case smsqueue.WhyThrottled:
		return say.count("why_throttled", s.Learned)
	case smsqueue.WhyPaused:
		return say.count("why_paused", r.Messages)
	case smsqueue.WhyAccount:
		return say.count("why_account", r.Messages)
	}
	return say.carrier(s.Route)
}

// carrierPage is the form of a carrier. What was typed comes back as it is: a
// password that was left out in silence would keep the one before.
type carrierPage struct {
	Known   bool // it is there already
	Enabled bool
	Name    string
	Types   []choice
	Config  string
	Errors  []fieldError
}

func (carrierPage) template() string { return "carrier" }

// Error is what is wrong with a field, or empty.
func (p carrierPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) newCarrier(c *fiber.Ctx, v visit) error { return w.showCarrier(c, carrierPage{}, "") }

func (w *site) showCarrier(c *fiber.Ctx, p carrierPage, kind string) error {
	for _, name := range w.Queue.RouteTypes() {
		p.Types = append(p.Types, choice{Value: name, Text: name, Chosen: name == kind})
	}
	return render(c, p)
}

func (w *site) addCarrier(c *fiber.Ctx, v visit) error {
	p := carrierPage{Name: strings.TrimSpace(c.FormValue("name")), Config: c.FormValue("config")}
	kind := c.FormValue("type")
	_, err := w.Queue.AddRoute(v.ctx, p.Name, kind, json.RawMessage(p.Config))
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.carrierErrors(refused)
		return w.showCarrier(c.Status(statuses[refused.Kind]), p, kind)
	}
	return w.carrierChanged(c, v, p.Name, "added", err)
}

func (w *site) editCarrier(c *fiber.Ctx, v visit) error {
	r, err := w.Queue.Route(v.ctx, c.Params("name"))
	if err != nil {
		return err
	}
	shown, err := w.Queue.ShownConfig(v.ctx, r.Name)
	if err != nil {
		return err
	}
	return w.showCarrier(c, carrierPage{Known: true, Enabled: r.Enabled, Name: r.Name, Config: string(shown)}, r.Type)
}

func (w *site) changeCarrier(c *fiber.Ctx, v visit) error {
	r, err := w.Queue.Route(v.ctx, c.Params("name"))
	if err != nil {
		return err
	}
	config := c.FormValue("config")
	_, err = w.Queue.MendRoute(v.ctx, r.Name, json.RawMessage(config))
	if refused := problem.As(err); refused != nil {
		return w.showCarrier(c.Status(statuses[refused.Kind]), carrierPage{Known: true, Enabled: r.Enabled, Name: r.Name, Config: config,
			Errors: v.say.carrierErrors(refused)}, r.Type)
	}
	return w.carrierChanged(c, v, r.Name, "configured", err)
}

func (say *tongue) carrierErrors(refused *problem.Problem) []fieldError {
	switch refused.Field {
	case "name":
		return []fieldError{{"name", say.text("carrier_name_wrong")}}
	case "type":
		return []fieldError{{"type", say.text("carrier_type_wrong")}}
	case "config":
		_, reason, _ := strings.Cut(refused.Text, ": ")
		return []fieldError{{"config", say.text("carrier_config_wrong", "Reason", reason)}}
	}
	return []fieldError{{"", say.problem(refused)}}
}

func (w *site) enableCarrier(c *fiber.Ctx, v visit) error {
	name := c.Params("name")
	return w.carrierChanged(c, v, name, "enabled", w.Queue.EnableRoute(v.ctx, name))
}

func (w *site) disableCarrier(c *fiber.Ctx, v visit) error {
	name := c.Params("name")
	return w.carrierChanged(c, v, name, "disabled", w.Queue.DisableRoute(v.ctx, name))
}

func (w *site) confirmCarrier(c *fiber.Ctx, v visit) error {
	r, err := w.Queue.Route(v.ctx, c.Params("name"))
	if err != nil {
		return err
	}
	one := carrierPath + r.Name
	return render(c, confirmPage{Title: v.say.text("carrier_remove_title", "Name", r.Name), Text: v.say.text("carrier_remove_text"),
		Button: v.say.text("carrier_remove"), Path: one + "/remove", Back: one,
		Crumb: link{Path: carriersPath, Text: v.say.text("carriers_title")}})
}

func (w *site) removeCarrier(c *fiber.Ctx, v visit) error {
	name := c.Params("name")
	return w.carrierChanged(c, v, name, "removed", w.Queue.RemoveRoute(v.ctx, name))
}

// carrierChanged goes back to the list, and says in the log who did what.
func (w *site) carrierChanged(c *fiber.Ctx, v visit, name, what string, err error) error {
	if err != nil {
		return err
	}
	slog.Info("a carrier was "+what, "carrier", name, "by", w.Names.Of(secrets.User, v.User))
	return c.Redirect(carriersPath, fiber.StatusSeeOther)
}
