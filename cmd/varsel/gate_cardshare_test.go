package main

import (
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
)

// holders gives somebody with a number a card, so that sharing cards has whom to text.
func (f *fixtures) holders() {
	f.t.Helper()
	ctx, app := f.t.Context(), f.app
	const tenant = "walk-tenant"
	_, err := app.Cards.SaveGrouping(ctx, f.account.ID, cards.Grouping{Tenant: tenant, Method: cards.InOne}, "")
	must(f.t, err)
	design, err := app.Cards.SaveTemplate(ctx, f.account.ID, 0, "Walk", generousDesign())
	must(f.t, err)
	must(f.t, app.Cards.Apply(ctx, f.account.ID, design.ID, nil))
	found, err := app.Book.FindKept(ctx, f.account.ID, contacts.Wanted{Phone: walkPhone}, 1)
	must(f.t, err)
	_, err = app.Cards.Follow(ctx, f.account.ID, tenant, func(yield func(cards.Person, error) bool) {
		yield(cards.Person{DirectoryID: "holder", Contact: found[0].ID, Values: map[string]string{"displayName": "Person 0"}}, nil)
	})
	must(f.t, err)
}
