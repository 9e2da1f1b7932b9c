package main

import (
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

// invites are the values about invites: one that goes on, and one that is ended.
func (f *fixtures) invites() {
	f.t.Helper()
	made := func() (name, slug string) {
		i, err := f.app.Cards.AddInvite(f.t.Context(), f.account.ID, cards.NewInvite{Name: "Party", Target: "https://example.no/party"}, time.Now())
		must(f.t, err)
		return f.app.Names.Of(secrets.Invite, i.ID), i.Slug
	}
	open, slug := made()
	ended, _ := made()
	const target = "https://example.no/party"
	for key, value := range map[string]string{
		"invites/id": open, "code/form": "svg", "i/slug": slug, "invite": open, "invite end invite": ended, "/v1/invites/:id/end": ended, "/cards/invites/:id/end": ended,
		"addInvite target": target, "invite add target": target, "/cards/invites/new target": target, "/cards/invites/new name": "Party",
	} {
		f.values[key] = func() string { return value }
	}
}
