package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type routeAdd struct {
	Account  string   `help:"Only what this account sends."`
	Country  string   `help:"Only to numbers of this country, such as NO."`
	Prefix   string   `help:"Only to numbers that begin so, such as +4790."`
	Lane     string   `help:"Only this lane: urgent, normal or bulk."`
	Sender   string   `help:"Only what has this sender."`
	Carrier  []string `required:"" help:"A carrier, or several with their weights: main=70,spare=30."`
	Fallback []string `help:"Carriers that take it when none of those can, the first first."`
}

func (a routeAdd) rule() (r smsqueue.Rule, err error) {
	r = smsqueue.Rule{Account: a.Account, Country: a.Country, Prefix: a.Prefix, Lane: smsqueue.Lane(a.Lane), Sender: a.Sender}
	for _, c := range a.Carrier {
		name, weight, weighted := strings.Cut(c, "=")
		share := smsqueue.RuleShare{Carrier: name, Weight: 1}
		if weighted {
			if share.Weight, err = strconv.Atoi(weight); err != nil || share.Weight == 0 {
				return r, problem.Invalid("carriers", "a carrier with its weight is written main=70, not %q", c)
			}
		}
		r.Shares = append(r.Shares, share)
	}
	for _, c := range a.Fallback {
		r.Shares = append(r.Shares, smsqueue.RuleShare{Carrier: c})
	}
	return r, nil
}

func (a routeAdd) Run(ctx context.Context, c *commands, t terminal) error {
	r, err := a.rule()
	if err != nil {
		return err
	}
	return c.withApp(ctx, func(app *App) error {
		if r, err = app.Queue.AddRule(ctx, r); err != nil {
			return err
		}
		return c.say(t.out, ruleAnswer(app, r), "Rule %s: %s", app.Names.Of(secrets.RouteRule, r.ID), ruleText(r))
	})
}

type routeList struct{}

func (routeList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		rules, err := app.Queue.RouteRules(ctx)
		if err != nil {
			return err
		}
		for _, r := range rules {
			if err := c.say(t.out, ruleAnswer(app, r), "%s\t%s", app.Names.Of(secrets.RouteRule, r.ID), ruleText(r)); err != nil {
				return err
			}
		}
		routes, err := app.Queue.Routes(ctx)
		if err != nil {
			return err
		}
		for _, r := range routes {
			since := r.Health.Since.UTC().Format(time.RFC3339)
			if err := c.say(t.out, map[string]any{"carrier": r.Name, "enabled": r.Enabled, "health": r.Health.State, "reason": r.Health.Reason, "since": since},
				"%s\t%s since %s %s", r.Name, r.Health.State, since, r.Health.Reason); err != nil {
				return err
			}
		}
		return nil
	})
}

type routeRemove struct {
	ID string `required:"" help:"The rule: rul_..."`
}

func (r routeRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		id, err := app.Names.ID(secrets.RouteRule, r.ID)
		if err != nil {
			return err
		}
		if err := app.Queue.RemoveRule(ctx, id); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"removed": r.ID}, "Rule %s is removed.", r.ID)
	})
}

func ruleAnswer(app *App, r smsqueue.Rule) map[string]any {
	shares := []map[string]any{}
	for _, s := range r.Shares {
		shares = append(shares, map[string]any{"carrier": s.Carrier, "weight": s.Weight})
	}
	return map[string]any{"id": app.Names.Of(secrets.RouteRule, r.ID), "account": r.Account, "country": r.Country, "prefix": r.Prefix,
		"lane": r.Lane, "sender": r.Sender, "carriers": shares, "created": r.Created.UTC().Format(time.RFC3339)}
}

// ruleText is a rule in a line.
func ruleText(r smsqueue.Rule) string {
	var what, to []string
	for _, one := range []struct{ name, value string }{
		{"account", r.Account}, {"country", r.Country}, {"prefix", r.Prefix}, {"lane", string(r.Lane)}, {"sender", r.Sender}} {
		if one.value != "" {
			what = append(what, one.name+" "+one.value)
		}
	}
	if what == nil {
		what = []string{"everything"}
	}
	for _, s := range r.Shares {
		if s.Weight == 0 {
			to = append(to, "else "+s.Carrier)
		} else {
			to = append(to, fmt.Sprintf("%s=%d", s.Carrier, s.Weight))
		}
	}
	return strings.Join(what, ", ") + " to " + strings.Join(to, ", ")
}
