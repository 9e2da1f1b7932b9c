package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue"
)

type carrierAdd struct {
	Name   string `required:"" help:"Its name."`
	Type   string `required:"" help:"${carrier_types}."`
	Config string `required:"" type:"existingfile" help:"A file with its configuration in JSON."`

	SubProcessor string `name:"subprocessor" help:"The sub-processor that runs it, as subprocessor list shows it."`
}

func (a carrierAdd) Run(ctx context.Context, c *commands, t terminal) error {
	config, err := readConfig(a.Config)
	if err != nil {
		return err
	}
	return c.withApp(ctx, func(app *App) error {
		r, err := app.Queue.AddRoute(ctx, a.Name, a.Type, config)
		if err != nil {
			return err
		}
		if err := app.runBy(ctx, t.err, r.Name, a.SubProcessor); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"name": r.Name, "type": r.Type, "callback_url": r.CallbackURL}, "Carrier %s is configured.%s", r.Name, callbackNote(r))
	})
}

// callbackNote says where a provider over HTTP posts, or that it cannot.
func callbackNote(r smsqueue.Route) string {
	switch {
	case r.CallbackURL != "":
		return "\nIts provider posts receipts and messages to " + r.CallbackURL
	case carrierTypes[r.Type].Hear != nil:
		return "\nThere will be no receipts: set VARSEL_PUBLIC_URL, so that its provider can post them."
	}
	return ""
}

// carrierTypeNames are for people.
func carrierTypeNames() string { return strings.Join(slices.Sorted(maps.Keys(carrierTypes)), ", ") }

func readConfig(file string) (json.RawMessage, error) {
	config, err := os.ReadFile(file)
	if err == nil && !json.Valid(config) {
		err = fmt.Errorf("%s is no JSON", file)
	}
	return config, err
}

type carrierSet struct {
	Name   string `required:"" help:"Its name."`
	Config string `required:"" type:"existingfile" help:"A file with its whole configuration in JSON."`
}

func (s carrierSet) Run(ctx context.Context, c *commands, t terminal) error {
	config, err := readConfig(s.Config)
	if err != nil {
		return err
	}
	return c.withApp(ctx, func(app *App) error {
		r, err := app.Queue.SetRoute(ctx, s.Name, config)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"name": r.Name, "type": r.Type, "version": r.Version}, "Carrier %s has another configuration.", r.Name)
	})
}

// oneCarrier is a command about one carrier.
type oneCarrier struct {
	Name string `required:"" help:"Its name."`
}

func (o oneCarrier) run(ctx context.Context, c *commands, t terminal, what string, do func(app *App) error) error {
	return c.withApp(ctx, func(app *App) error {
		if err := do(app); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"name": o.Name, "state": what}, "Carrier %s is %s.", o.Name, what)
	})
}

type carrierEnable struct{ oneCarrier }

func (e carrierEnable) Run(ctx context.Context, c *commands, t terminal) error {
	return e.run(ctx, c, t, "enabled", func(app *App) error { return app.Queue.EnableRoute(ctx, e.Name) })
}

type carrierDisable struct{ oneCarrier }

func (d carrierDisable) Run(ctx context.Context, c *commands, t terminal) error {
	return d.run(ctx, c, t, "disabled", func(app *App) error { return app.Queue.DisableRoute(ctx, d.Name) })
}

type carrierRemove struct{ oneCarrier }

func (r carrierRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return r.run(ctx, c, t, "removed", func(app *App) error { return app.Queue.RemoveRoute(ctx, r.Name) })
}

type carrierList struct{}

func (carrierList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		working, err := app.Queue.Alive(ctx)
		if err != nil {
			return err
		}
		all, err := app.Queue.Standings(ctx, working)
		if err != nil {
			return err
		}
		for _, s := range all {
			if err := c.say(t.out, standingAnswer(s), "%s", standingText(s)); err != nil {
				return err
			}
		}
		return nil
	})
}

func standingAnswer(s smsqueue.Standing) map[string]any {
	why := []map[string]any{}
	for _, r := range s.Why {
		one := map[string]any{"code": r.Code, "text": whyText(s, r)}
		if r.Messages > 0 {
			one["messages"] = r.Messages
		}
		why = append(why, one)
	}
	return map[string]any{"name": s.Name, "type": s.Type, "enabled": s.Enabled, "status": s.Status, "reason": s.Reason,
		"since": s.Since.UTC().Format(time.RFC3339), "waiting": s.Waiting, "window": s.AtOnce, "throughput": s.Throughput, "learned": s.Learned,
		"callback_url": s.CallbackURL, "why": why}
}

func standingText(s smsqueue.Standing) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\t%s\t%s since %s\t%d waiting", s.Name, s.Type, s.Status, s.Since.UTC().Format(time.RFC3339), s.Waiting)
	if s.AtOnce > 0 {
		fmt.Fprintf(&text, "\t%d parts at once", s.AtOnce)
	}
	if s.Throughput > 0 {
		fmt.Fprintf(&text, ", %d a second", s.Throughput)
	}
	for _, r := range s.Why {
		text.WriteString("\n  " + whyText(s, r))
	}
	if s.CallbackURL != "" {
		text.WriteString("\n  callbacks: " + s.CallbackURL)
	}
	return text.String()
}

// whyText says why messages wait, and what can be done about it.
func whyText(s smsqueue.Standing, r smsqueue.Reason) string {
	switch r.Code {
	case smsqueue.WhyDisabled:
		return "it is disabled: varsel carrier enable --name " + s.Name
	case smsqueue.WhyNoWorker:
		return "no process is working: start varsel serve"
	case smsqueue.WhyIdle:
		return "no process has a link to it yet"
	case smsqueue.WhyConnecting:
		return because("it is being connected", s.Reason)
	case smsqueue.WhyRefused:
		return because("it refuses us", s.Reason) + "; mend its configuration: varsel carrier set --name " + s.Name
	case smsqueue.WhyDown:
		return because("it is not reached, and tried again", s.Reason)
	case smsqueue.WhyThrottled:
		return fmt.Sprintf("it throttles us: about %d parts a second go", s.Learned)
	case smsqueue.WhyPaused:
		return fmt.Sprintf("%d messages belong to campaigns that are paused or held", r.Messages)
	case smsqueue.WhyAccount:
		return fmt.Sprintf("%d messages belong to accounts that are closed or without an agreement", r.Messages)
	}
	return r.Code
}

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}
