package web

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const routesPath = "/installation/routes"

type routesPage struct {
	Rules    []ruleRow
	Carriers []healthRow
}

func (routesPage) template() string { return "routes" }

// ruleRow is a rule as its operator sees it.
type ruleRow struct {
	smsqueue.Rule
	ID    string
	Takes []string // what a message must be, in words; none for any
}

// healthRow is how a carrier is.
type healthRow struct {
	smsqueue.Route
	Word string
	Ill  string // why it is not well, in words
}

func (w *site) routing(c *fiber.Ctx, v visit) error {
	rules, err := w.Queue.RouteRules(v.ctx)
	if err != nil {
		return err
	}
	routes, err := w.Queue.Routes(v.ctx)
	if err != nil {
		return err
	}
	var p routesPage
	for _, r := range rules {
		p.Rules = append(p.Rules, ruleRow{Rule: r, ID: w.Names.Of(secrets.RouteRule, r.ID), Takes: v.say.takes(r)})
	}
	for _, r := range routes {
		row := healthRow{Route: r, Word: v.say.word("health", string(r.Health.State))}
		if r.Health.Reason != "" {
			row.Ill = v.say.word("ill", r.Health.Reason)
		}
		p.Carriers = append(p.Carriers, row)
	}
	return render(c, p)
}

func (say *tongue) takes(r smsqueue.Rule) (all []string) {
	lane := ""
	if r.Lane != "" {
		lane = say.word("lane", string(r.Lane))
	}
	for _, one := range []struct{ value, words string }{
		{r.Account, say.text("rule_takes_account", "Value", r.Account)},
		{r.Country, say.text("rule_takes_country", "Value", r.Country)},
		{r.Prefix, say.text("rule_takes_prefix", "Value", r.Prefix)},
		{lane, say.text("rule_takes_lane", "Value", lane)},
		{r.Sender, say.text("rule_takes_sender", "Value", r.Sender)},
	} {
		if one.value != "" {
			all = append(all, one.words)
		}
	}
	return all
}

// routeRulePage is the form of a new rule, as it was filled in.
type routeRulePage struct {
	Account, Country, Prefix, Sender string
	Carriers                         string // one a line
	Lanes                            []choice
	Errors                           []fieldError
}

func (routeRulePage) template() string { return "routerule" }

// Error is what is wrong with a field, or empty.
func (p routeRulePage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) newRouteRule(c *fiber.Ctx, v visit) error {
	return w.showRouteRule(c, v, routeRulePage{}, "")
}

func (w *site) showRouteRule(c *fiber.Ctx, v visit, p routeRulePage, lane string) error {
	for _, l := range smsqueue.Lanes {
		p.Lanes = append(p.Lanes, choice{Value: string(l), Text: v.say.word("lane", string(l)), Chosen: string(l) == lane})
	}
	return render(c, p)
}

func (w *site) addRouteRule(c *fiber.Ctx, v visit) error {
	p := routeRulePage{Account: strings.TrimSpace(c.FormValue("account")), Country: strings.TrimSpace(c.FormValue("country")),
		Prefix: strings.TrimSpace(c.FormValue("prefix")), Sender: strings.TrimSpace(c.FormValue("sender")), Carriers: c.FormValue("carriers")}
	lane := c.FormValue("lane")
	r, err := w.Queue.AddRule(v.ctx, smsqueue.Rule{Account: p.Account, Country: p.Country, Prefix: p.Prefix, Lane: smsqueue.Lane(lane),
		Sender: p.Sender, Shares: shares(p.Carriers)})
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.routeRuleErrors(refused)
		return w.showRouteRule(c.Status(statuses[refused.Kind]), v, p, lane)
	}
	return w.routesChanged(c, v, w.Names.Of(secrets.RouteRule, r.ID), "added", err)
}

// shares reads carriers with their weights, one a line. A weight that is no number
// is one that no rule takes.
func shares(lines string) (all []smsqueue.RuleShare) {
	for line := range strings.Lines(lines) {
		name, weight, weighted := strings.Cut(line, "=")
		share := smsqueue.RuleShare{Carrier: strings.TrimSpace(name)}
		if share.Carrier == "" && !weighted {
			continue
		}
		if weighted {
			var err error
			if share.Weight, err = strconv.Atoi(strings.TrimSpace(weight)); err != nil || share.Weight == 0 {
				share.Weight = -1
			}
		}
		all = append(all, share)
	}
	return all
}

func (say *tongue) routeRuleErrors(refused *problem.Problem) []fieldError {
	switch refused.Code {
	case "invalid_country":
		return []fieldError{{"country", say.text("rule_wrong_country")}}
	case "invalid_prefix":
		return []fieldError{{"prefix", say.text("rule_wrong_prefix")}}
	case "invalid_sender":
		return []fieldError{{"sender", say.problem(refused)}}
	case "invalid_lane":
		return []fieldError{{"lane", say.problem(refused)}}
	case "account_not_found":
		return []fieldError{{"account", say.text("rule_wrong_account")}}
	case "invalid_carriers", "carrier_not_found":
		return []fieldError{{"carriers", say.text("rule_wrong_carriers")}}
	case "rule_exists":
		return []fieldError{{"", say.text("rule_wrong_exists")}}
	}
	return []fieldError{{"", say.problem(refused)}}
}

func (w *site) confirmRouteRule(c *fiber.Ctx, v visit) error {
	name := c.Params("id")
	if _, err := w.Names.ID(secrets.RouteRule, name); err != nil {
		return err
	}
	return render(c, confirmPage{Title: v.say.text("rule_remove_title"), Text: v.say.text("rule_remove_text"), Button: v.say.text("rule_remove"),
		Path: routesPath + "/" + name + "/remove", Back: routesPath, Crumb: link{Path: routesPath, Text: v.say.text("routes_title")}})
}

func (w *site) removeRouteRule(c *fiber.Ctx, v visit) error {
	name := c.Params("id")
	id, err := w.Names.ID(secrets.RouteRule, name)
	if err != nil {
		return err
	}
	return w.routesChanged(c, v, name, "removed", w.Queue.RemoveRule(v.ctx, id))
}

// routesChanged goes back to the list, and says in the log who did what.
func (w *site) routesChanged(c *fiber.Ctx, v visit, rule, what string, err error) error {
	if err != nil {
		return err
	}
	slog.Info("a rule of routing was "+what, "rule", rule, "by", w.Names.Of(secrets.User, v.User))
	return c.Redirect(routesPath, fiber.StatusSeeOther)
}
