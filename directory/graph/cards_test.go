package graph_test

import (
	"testing"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

func TestACompanyHasCardsOverTheWire(t *testing.T) { // Q23, Q28, Q33, Q41, Q44, Q53, Q56
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(300), PageSize: 90})
	shelf := cards.New(h.db)
	run := h.synced()
	equal(t, cards.Followed{}, run.Cards)

	tenant := h.sim.TenantID()
	_, err := shelf.SaveGrouping(t.Context(), account, cards.Grouping{Tenant: tenant, Method: cards.ByFields, Fields: []string{"department", "city"}}, "")
	equal(t, nil, err)
	run = h.synced() // a full round: the city was not read before
	equal(t, 300, run.Records)
	equal(t, []int{0, run.Contacts}, []int{run.Cards.Cards, run.Cards.Undesigned + run.Cards.Minors})
	if run.Cards.Minors == 0 {
		t.Error("no minor was found")
	}

	design, err := shelf.SaveTemplate(t.Context(), account, 0, "Design", cards.Usual())
	equal(t, nil, err)
	equal(t, nil, shelf.Apply(t.Context(), account, design.ID, nil))
	first := h.synced().Cards
	equal(t, run.Cards.Undesigned, first.Added)
	all := cardsOf(h, shelf)
	users := map[string]graphsim.User{}
	for _, u := range h.sim.Users() {
		users[u.ID] = u
	}
	for id, c := range all {
		_, shown, err := shelf.Public(t.Context(), c.Slug)
		equal(t, nil, err)
		equal(t, []any{users[id].Properties["displayName"], users[id].Properties["surname"]},
			[]any{shown.First(c.Values, cards.FullName), shown.First(c.Values, cards.FamilyName)})
	}

	var leaver cards.Card
	for _, c := range all {
		leaver = c
		break
	}
	h.sim.SoftDelete(leaver.DirectoryID)
	const fresh = "00000000-1111-2222-3333-444444444444"
	h.sim.AddUser(graphsim.User{ID: fresh, Properties: map[string]any{"displayName": "New", "department": "Robotics", "accountEnabled": true, "userType": "Member"}})
	equal(t, cards.Followed{Cards: len(all), Added: 1, Withdrawn: 1, Minors: first.Minors}, h.synced().Cards)
	if _, _, err := shelf.Public(t.Context(), leaver.Slug); !problem.Has(err, "card_gone") {
		t.Errorf("a leaver's card: %v", err)
	}
	_, shown, err := shelf.Public(t.Context(), cardsOf(h, shelf)[fresh].Slug)
	equal(t, []any{nil, design.ID}, []any{err, shown.ID})

	h.sim.Restore(leaver.DirectoryID)
	h.synced()
	back := cardsOf(h, shelf)[leaver.DirectoryID]
	equal(t, []any{leaver.Slug, cards.Active, leaver.Taken}, []any{back.Slug, back.State, back.Taken})
}

func cardsOf(h *house, shelf *cards.Cards) map[string]cards.Card {
	h.Helper()
	list, err := shelf.List(h.Context(), account, cards.ListFilter{}, 0, 100_000)
	equal(h.T, nil, err)
	all := map[string]cards.Card{}
	for _, c := range list {
		all[c.DirectoryID] = c
	}
	return all
}
