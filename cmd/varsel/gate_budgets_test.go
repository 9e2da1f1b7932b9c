package main

import (
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
)

// budgets are the values about budgets and teams: a budget and a team of their own for
// every step, with the walk's user and a key in the team.
func (f *fixtures) budgets() {
	ctx, app, id := f.t.Context(), f.app, f.account.ID
	is := func(v string) func() string { return func() string { return v } }
	users, err := app.Teams.Users(ctx, id)
	must(f.t, err)
	key, _, err := app.Accounts.CreateKey(ctx, id, []string{"*"}, "")
	must(f.t, err)
	user, keyName := app.Names.Of(secrets.User, users[0].User), app.Names.Of(secrets.Key, key.ID)
	var last int64
	budget := func() string {
		if last != 0 {
			_ = app.Budgets.Remove(ctx, id, last) // a step may have removed it; an account has few
		}
		b, err := app.Budgets.Add(ctx, id, billing.NewBudget{Name: f.fresh("Budget %d"), Per: billing.PerMonth, LimitMicro: 1_000_000_000_000})
		must(f.t, err)
		last = b.ID
		return app.Names.Of(secrets.Budget, b.ID)
	}
	team := func() string {
		t, err := app.Teams.Add(ctx, id, f.fresh("Team %d"))
		must(f.t, err)
		must(f.t, app.Teams.Join(ctx, id, t.ID, users[0].User))
		must(f.t, app.Teams.JoinKey(ctx, id, t.ID, key.ID))
		return app.Names.Of(secrets.Team, t.ID)
	}
	for name, value := range map[string]func() string{
		"budgets/id": budget, "teams/id": team, "members/user": is(user), "keys/key": is(keyName),
		"addBudget per": is("month"), "addBudget limit": is(`{"amount":"250","currency":"EUR"}`), "joinTeam email": is(users[0].Email), "joinTeamKey key": is(keyName),

		"budget add per": is("day"), "budget add limit": is("250"), "budget change budget": budget, "budget remove budget": budget,
		"team rename team": team, "team remove team": team, "team join team": team, "team join who": is(users[0].Email), "team leave team": team, "team leave who": is(keyName),

		"/teams/:id/join who": is(user), "/teams/:id/leave who": is(keyName),
	} {
		f.values[name] = value
	}
	for _, form := range []string{"/budgets ", "/budgets/:id "} {
		f.values[form+"name"], f.values[form+"limit"], f.values[form+"warn"], f.values[form+"per"] = f.values["name"], is("250"), is("80"), is("month")
	}
	for _, form := range []string{"/teams ", "/teams/:id "} {
		f.values[form+"name"] = f.values["name"]
	}
}
