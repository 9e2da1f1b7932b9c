package main

import (
	"context"
	"maps"
	"slices"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// contactsFields shows the fields of a contact's own; what is given is changed before.
type contactsFields struct {
	Account string            `required:"" help:"The account."`
	Contact string            `arg:"" help:"The contact's id (con_...), or a part of their name or number that fits nobody else."`
	Set     map[string]string `mapsep:"none" help:"A field and its value, as in badge=A-117; once for each."`
	Remove  []string          `help:"Fields that are forgotten."`
}

func (f contactsFields) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, f.Account, func(app *App, acc accounts.Account) error {
		id, err := app.contact(ctx, acc.ID, f.Contact)
		if err != nil {
			return err
		}
		all, err := f.change(ctx, app.Book, acc.ID, id)
		if err != nil {
			return err
		}
		text := "There are none."
		for i, name := range slices.Sorted(maps.Keys(all)) {
			if i == 0 {
				text = ""
			} else {
				text += "\n"
			}
			text += name + "\t" + all[name]
		}
		return c.say(t.out, map[string]any{"id": app.Names.Of(secrets.Contact, id), "fields": all}, "%s", text)
	})
}

func (f contactsFields) change(ctx context.Context, book *contacts.Book, account, contact int64) (map[string]string, error) {
	values := map[string]string{}
	maps.Copy(values, f.Set)
	for _, name := range f.Remove {
		values[name] = ""
	}
	if len(values) == 0 {
		return book.Fields(ctx, account, contact)
	}
	return book.SetFields(ctx, account, contact, values)
}

// contact finds one by its id, or by what fits only one.
func (app *App) contact(ctx context.Context, account int64, nameOrID string) (int64, error) {
	if id, err := app.Names.ID(secrets.Contact, nameOrID); err == nil {
		return id, nil
	}
	found, err := app.Book.Find(ctx, account, nameOrID, 2)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, problem.New(problem.KindNotFound, "contact_not_found", "there is no contact %q", nameOrID)
	case len(found) > 1:
		return 0, problem.Conflict("contact_ambiguous", "several contacts fit %q: name one by its id (%s, %s)", nameOrID,
			app.Names.Of(secrets.Contact, found[0].ID), app.Names.Of(secrets.Contact, found[1].ID))
	}
	return found[0].ID, nil
}
