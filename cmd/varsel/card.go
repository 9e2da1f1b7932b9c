package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type cardList struct {
	Account string `required:"" help:"The account."`
	Search  string `help:"In what the directory or the holder says."`
	Limit   int    `default:"100" help:"How many, the oldest first."`
}

func (l cardList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Cards.List(ctx, acc.ID, cards.ListFilter{Text: l.Search}, 0, l.Limit)
		if err != nil {
			return err
		}
		for _, one := range all {
			answer := cardAnswer(app, one)
			if err := c.say(t.out, answer, "%s\t%s\t%s\t%s", answer["id"], one.State, one.Taken["displayName"], cmp.Or(answer["address"], any(one.Slug))); err != nil {
				return err
			}
		}
		return nil
	})
}

func cardAnswer(app *App, c cards.Card) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Card, c.ID), "state": c.State, "group": app.Names.Of(secrets.CardGroup, c.Group),
		"contact": app.Names.Of(secrets.Contact, c.Contact), "slug": c.Slug}
	if public := app.Config.reachableURL(); public != "" {
		answer["address"] = cards.Address(public, c.Slug)
	}
	return answer
}

type cardShow struct {
	Account string `required:"" help:"The account."`
	Card    string `arg:"" help:"Its id."`
}

func (s cardShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Card, s.Card)
		if err != nil {
			return err
		}
		card, err := app.Cards.Card(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		answer := cardAnswer(app, card)
		text := fmt.Sprint(cmp.Or(answer["address"], any(card.Slug)))
		if card.State == cards.Active {
			_, design, err := app.Cards.Public(ctx, card.Slug)
			if err != nil {
				return err
			}
			told := map[string]string{}
			for _, section := range design.Tell(card.Values) {
				for _, f := range section.Fields {
					told[f.ID] = f.Value
					text += "\n" + f.ID + ": " + f.Value
				}
			}
			answer["fields"] = told
		}
		return c.say(t.out, answer, "%s", text)
	})
}

type cardGroups struct {
	Account string `required:"" help:"The account."`
	Tenant  string `required:"" help:"Of the directory."`
}

func (g cardGroups) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, g.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Cards.Groups(ctx, acc.ID, g.Tenant)
		if err != nil {
			return err
		}
		for _, one := range all {
			answer := map[string]any{"id": app.Names.Of(secrets.CardGroup, one.ID), "name": one.Name, "cards": one.Cards, "withdrawn": one.Withdrawn, "version": one.Version}
			if one.Template != 0 {
				answer["template"] = app.Names.Of(secrets.CardTemplate, one.Template)
			}
			if err := c.say(t.out, answer, "%s\t%s\t%d cards", answer["id"], one.Name, one.Cards); err != nil {
				return err
			}
		}
		return nil
	})
}

type cardTemplateSave struct {
	Account  string `required:"" help:"The account."`
	File     string `required:"" type:"existingfile" help:"JSON: name and body, as 'card template show --json' writes them."`
	Template string `help:"The name or id of the one whose next version it is; without it a new one is made."`
}

// savedTemplate is a template in a file.
type savedTemplate struct {
	Name string     `json:"name"`
	Body cards.Body `json:"body"`
}

func (s cardTemplateSave) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		content, err := os.ReadFile(s.File)
		if err != nil {
			return err
		}
		var file savedTemplate
		if err := json.Unmarshal(content, &file); err != nil {
			return problem.Invalid("file", "the file is not JSON of a template: %v", err)
		}
		id := int64(0)
		if s.Template != "" {
			one, err := app.cardTemplate(ctx, acc.ID, s.Template)
			if err != nil {
				return err
			}
			id = one.ID
		}
		saved, err := app.Cards.SaveTemplate(ctx, acc.ID, id, file.Name, file.Body)
		if err != nil {
			return err
		}
		return c.say(t.out, cardTemplateAnswer(app, saved), "%s is saved as version %d: %s.", saved.Name, saved.Version, app.Names.Of(secrets.CardTemplate, saved.ID))
	})
}

func cardTemplateAnswer(app *App, t cards.Template) map[string]any {
	return map[string]any{"id": app.Names.Of(secrets.CardTemplate, t.ID), "name": t.Name, "version": t.Version, "body": t.Body}
}

// cardTemplate finds one by its id or its name.
func (app *App) cardTemplate(ctx context.Context, account int64, nameOrID string) (cards.Template, error) {
	if id, err := app.Names.ID(secrets.CardTemplate, nameOrID); err == nil {
		return app.Cards.Template(ctx, account, id)
	}
	all, err := app.Cards.Templates(ctx, account)
	if err != nil {
		return cards.Template{}, err
	}
	for _, one := range all {
		if one.Name == nameOrID {
			return one, nil
		}
	}
	return cards.Template{}, problem.NotFound("card_template", nameOrID)
}

type cardTemplateList struct {
	Account string `required:"" help:"The account."`
}

func (l cardTemplateList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Cards.Templates(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, one := range all {
			if err := c.say(t.out, cardTemplateAnswer(app, one), "%s\t%s\tversion %d", app.Names.Of(secrets.CardTemplate, one.ID), one.Name, one.Version); err != nil {
				return err
			}
		}
		return nil
	})
}

type oneCardTemplate struct {
	Account  string `required:"" help:"The account."`
	Template string `arg:"" help:"Its name or id."`
}

type cardTemplateShow struct{ oneCardTemplate }

func (s cardTemplateShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		one, err := app.cardTemplate(ctx, acc.ID, s.Template)
		if err != nil {
			return err
		}
		body, err := json.MarshalIndent(savedTemplate{one.Name, one.Body}, "", "  ")
		if err != nil {
			return err
		}
		return c.say(t.out, cardTemplateAnswer(app, one), "%s", body)
	})
}

type cardTemplateApply struct {
	oneCardTemplate
	Group []string `help:"The id of a group; without one all groups, also those that are yet to come."`
}

func (a cardTemplateApply) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, a.Account, func(app *App, acc accounts.Account) error {
		one, err := app.cardTemplate(ctx, acc.ID, a.Template)
		if err != nil {
			return err
		}
		var groups []int64
		for _, name := range a.Group {
			id, err := app.Names.ID(secrets.CardGroup, name)
			if err != nil {
				return err
			}
			groups = append(groups, id)
		}
		if err := app.Cards.Apply(ctx, acc.ID, one.ID, groups); err != nil {
			return err
		}
		return c.say(t.out, cardTemplateAnswer(app, one), "Version %d of %s is applied. The next sync fetches what it takes from the directory.", one.Version, one.Name)
	})
}

type cardTemplateNotify struct {
	oneCardTemplate
	Group []string `help:"The id of a group; without one the holders of all cards."`
	Key   string   `help:"The same key takes effect once."`
}

func (n cardTemplateNotify) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, n.Account, func(app *App, acc accounts.Account) error {
		one, err := app.cardTemplate(ctx, acc.ID, n.Template)
		if err != nil {
			return err
		}
		groups, err := app.idsOf(secrets.CardGroup, n.Group)
		if err != nil {
			return err
		}
		cam, err := app.Queue.NotifyHolders(ctx, acc.ID, groups, n.Key, fmt.Sprint(one.ID, groups))
		if err != nil {
			return err
		}
		return c.say(t.out, campaignAnswer(app, cam), "%s tells the holders that their card was changed.", app.Names.Of(secrets.Campaign, cam.ID))
	})
}

type cardGroupingShow struct {
	Account string `required:"" help:"The account."`
	Tenant  string `required:"" help:"Of the directory."`
}

func (s cardGroupingShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		g, err := app.Cards.Grouping(ctx, acc.ID, s.Tenant)
		if err != nil {
			return err
		}
		return sayGrouping(c, t, g)
	})
}

func sayGrouping(c *commands, t terminal, g cards.Grouping) error {
	text := string(g.Method)
	if len(g.Fields) > 0 {
		text += ": " + strings.Join(g.Fields, " | ")
	}
	for _, f := range g.Filters {
		text += "\n" + f.Name
	}
	return c.say(t.out, map[string]any{"tenant": g.Tenant, "method": g.Method, "fields": g.Fields, "filters": g.Filters, "minors": g.Minors}, "%s", text)
}

type cardGroupingSet struct {
	Account string   `required:"" help:"The account."`
	Tenant  string   `required:"" help:"Of the directory."`
	Method  string   `required:"" enum:"all,fields,filters" help:"all, fields or filters."`
	Field   []string `help:"A field to group by, as department; up to three, in their order."`
	Filters string   `type:"existingfile" help:"JSON: the filters, as 'card grouping show --json' writes them."`
	Minors  bool     `help:"Who is marked as a minor has a card too."`
	Confirm string   `help:"The number of cards that another method than before deletes."`
}

func (s cardGroupingSet) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		if err := app.grouped(ctx, acc.ID, s.Tenant); err != nil {
			return err
		}
		g := cards.Grouping{Tenant: s.Tenant, Method: cards.Method(s.Method), Fields: s.Field, Minors: s.Minors}
		if s.Filters != "" {
			content, err := os.ReadFile(s.Filters)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(content, &g.Filters); err != nil {
				return problem.Invalid("filters", "the file is not JSON of filters: %v", err)
			}
		}
		g, err := app.Cards.SaveGrouping(ctx, acc.ID, g, s.Confirm)
		if err != nil {
			return err
		}
		return sayGrouping(c, t, g)
	})
}

// grouped refuses a directory that was not read from end to end yet.
func (app *App) grouped(ctx context.Context, account int64, tenant string) error {
	all, err := app.Directory.Connections(ctx, account)
	if err != nil {
		return err
	}
	known := false
	for _, one := range all {
		if one.Tenant != tenant {
			continue
		}
		if known = true; !one.SucceededAt.IsZero() {
			return nil
		}
		if _, done, err := app.Directory.LatestDone(ctx, account, one.ID, directory.Preview); err != nil || done {
			return err
		}
	}
	if !known {
		return problem.NotFound("connection", tenant)
	}
	return problem.Conflict("card_grouping_locked", "the directory is still being analysed")
}
