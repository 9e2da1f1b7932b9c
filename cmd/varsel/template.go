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
		n := smsqueue.NewTemplate{Name: a.Name, Language: a.Language, Texts: textsIn(a.Text)}
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

// textsIn are the texts of languages, in the order of their names.
func textsIn(of map[string]string) (all []smsqueue.TemplateText) {
	for _, language := range slices.Sorted(maps.Keys(of)) {
		all = append(all, smsqueue.TemplateText{Language: language, Text: of[language]})
	}
	return all
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

// oneTemplate is what the commands about one have in common.
type oneTemplate struct {
	Account  string `required:"" help:"The account."`
	Template string `arg:"" help:"Its name or id."`
}

func (o oneTemplate) with(ctx context.Context, c *commands, do func(app *App, one smsqueue.Template) error) error {
	return c.withAccount(ctx, o.Account, func(app *App, acc accounts.Account) error {
		one, err := app.template(ctx, acc.ID, o.Template)
		if err != nil {
			return err
		}
		return do(app, one)
	})
}

type templateShow struct{ oneTemplate }

func (s templateShow) Run(ctx context.Context, c *commands, t terminal) error {
	return s.with(ctx, c, func(app *App, one smsqueue.Template) error {
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

type templateChange struct {
	oneTemplate
	Name     string            `help:"A new name."`
	Text     map[string]string `mapsep:"none" help:"A language and its new text; languages that are not named keep theirs."`
	Without  []string          `help:"Languages whose text is dropped."`
	Language string            `help:"The language for those whose own it lacks."`
}

func (x templateChange) Run(ctx context.Context, c *commands, t terminal) error {
	return x.with(ctx, c, func(app *App, one smsqueue.Template) error {
		changed, err := x.changed(one.Version)
		if err != nil {
			return err
		}
		one, err = app.Queue.ChangeTemplate(ctx, one.Account, one.ID, changed)
		if err != nil {
			return err
		}
		return c.say(t.out, templateAnswer(app, one), "%s is at version %d.", one.Name, one.Version.Number)
	})
}

// changed is the next version: what is not named stays as it is.
func (x templateChange) changed(v smsqueue.TemplateVersion) (n smsqueue.NewTemplate, err error) {
	if x.Name == "" && x.Language == "" && len(x.Text) == 0 && len(x.Without) == 0 {
		return n, problem.Invalid("text", "say what changes: --text, --without, --language or --name")
	}
	texts := map[string]string{}
	for _, text := range v.Texts {
		texts[text.Language] = text.Text
	}
	for _, language := range x.Without {
		if _, has := texts[language]; !has {
			return n, problem.Invalid("without", "the template has no text in %q", language)
		}
		delete(texts, language)
	}
	maps.Copy(texts, x.Text)
	n = smsqueue.NewTemplate{Name: x.Name, Language: v.Language, Texts: textsIn(texts)}
	if x.Language != "" {
		n.Language = x.Language
	}
	return n, nil
}

type templateArchive struct{ oneTemplate }

func (x templateArchive) Run(ctx context.Context, c *commands, t terminal) error {
	return x.with(ctx, c, func(app *App, one smsqueue.Template) error {
		if err := app.Queue.ArchiveTemplate(ctx, one.Account, one.ID); err != nil {
			return err
		}
		one, err := app.Queue.Template(ctx, one.Account, one.ID)
		if err != nil {
			return err
		}
		return c.say(t.out, templateAnswer(app, one), "%s is archived; campaigns that were made from it go on.", one.Name)
	})
}
