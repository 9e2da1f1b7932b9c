package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type templateAdd struct {
	Account  string            `required:"" help:"The account."`
	Name     string            `required:"" help:"What it is called."`
	Text     map[string]string `required:"" mapsep:"none" help:"A language and its text, as in en=\"Hi {{first_name|there}}\"; one for each language."`
	Language string            `help:"The language for those whose own it lacks; it can be left out when there is one text."`
}

func (a templateAdd) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, a.Account, func(app *App, acc accounts.Account) error {
		n := smsqueue.NewTemplate{Name: a.Name, Language: a.Language}
		for _, language := range slices.Sorted(maps.Keys(a.Text)) {
			n.Texts = append(n.Texts, smsqueue.TemplateText{Language: language, Text: a.Text[language]})
		}
		if n.Language == "" && len(n.Texts) > 1 {
			return problem.Invalid("language", "name the language for those whose own it lacks (--language)")
		}
		kept, err := app.Queue.AddTemplate(ctx, acc.ID, n)
		if err != nil {
			return err
		}
		return c.say(t.out, templateAnswer(app, kept), "%s is kept as %s.", kept.Name, app.Names.Of(secrets.Template, kept.ID))
	})
}

func templateAnswer(app *App, t smsqueue.Template) map[string]any {
	texts := map[string]string{}
	for _, text := range t.Version.Texts {
		texts[text.Language] = text.Text
	}
	return map[string]any{"id": app.Names.Of(secrets.Template, t.ID), "name": t.Name, "version": t.Version.Number, "language": t.Version.Language,
		"texts": texts, "changed": t.Version.Created.UTC().Format(time.RFC3339), "archived": !t.Archived.IsZero()}
}

type templateList struct {
	Account string `required:"" help:"The account."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

func (l templateList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Queue.Templates(ctx, acc.ID, 0, l.Limit)
		if err != nil {
			return err
		}
		for _, one := range all {
			answer := templateAnswer(app, one)
			languages := slices.Sorted(maps.Keys(answer["texts"].(map[string]string)))
			if err := c.say(t.out, answer, "%s\t%s\tversion %d\t%s", answer["id"], one.Name, one.Version.Number, strings.Join(languages, ", ")); err != nil {
				return err
			}
		}
		return nil
	})
}

type templateShow struct {
	Account  string `required:"" help:"The account."`
	Template string `arg:"" help:"Its name or id."`
}

func (s templateShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		one, err := app.template(ctx, acc.ID, s.Template)
		if err != nil {
			return err
		}
		text := one.Name
		for _, each := range one.Version.Texts {
			text += "\n" + each.Language + ": " + each.Text
		}
		return c.say(t.out, templateAnswer(app, one), "%s", text)
	})
}

// template finds one by its id, or one that can be used by its name.
func (app *App) template(ctx context.Context, account int64, nameOrID string) (smsqueue.Template, error) {
	if id, err := app.Names.ID(secrets.Template, nameOrID); err == nil {
		return app.Queue.Template(ctx, account, id)
	}
	return app.Queue.FindTemplate(ctx, account, nameOrID)
}
