package main

import (
	"context"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type budgetList struct {
	Account string `required:"" help:"The account."`
}

func (l budgetList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Budgets.List(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, b := range all {
			if err := c.sayBudget(app, t)(b, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// sayBudget says what a budget is and what is spent of it.
func (c *commands) sayBudget(app *App, t terminal) func(billing.Budget, error) error {
	return func(b billing.Budget, err error) error {
		if err != nil {
			return err
		}
		answer := map[string]any{"id": app.Names.Of(secrets.Budget, b.ID), "name": b.Name, "per": b.Per, "limit": billing.Money(b.LimitMicro), "currency": b.Currency,
			"spent": billing.Money(b.Spent), "warn_percent": b.Warn}
		whose, until := "everybody", ""
		if b.Team != 0 {
			answer["team"], whose = app.Names.Of(secrets.Team, b.Team), b.TeamName
		}
		if !b.Renews.IsZero() {
			answer["renews_at"] = utc(b.Renews)
			until = "\trenews " + utc(b.Renews)
		}
		if !b.Warned.IsZero() {
			answer["warned_at"] = utc(b.Warned)
		}
		return c.say(t.out, answer, "%s\t%s\t%s\tper %s\t%s of %s %s\t%d %%%s", answer["id"], b.Name, whose, b.Per,
			billing.Money(b.Spent), billing.Money(b.LimitMicro), b.Currency, b.Percent(), until)
	}
}

// budgetNamed finds a budget by its name or id.
func (app *App) budgetNamed(ctx context.Context, account int64, name string) (billing.Budget, error) {
	if id, err := app.Names.ID(secrets.Budget, name); err == nil {
		return app.Budgets.ByID(ctx, account, id)
	}
	all, err := app.Budgets.List(ctx, account)
	for _, b := range all {
		if b.Name == name {
			return b, nil
		}
	}
	if err == nil {
		err = problem.NotFound("budget", name)
	}
	return billing.Budget{}, err
}

// budgetLimit is an amount in micro-units, above zero.
func budgetLimit(text string) (int64, error) {
	micro, err := ceiling(text)
	if err != nil || micro == 0 {
		return 0, problem.Invalid("limit", "%q is no amount above zero with at most six decimals", text)
	}
	return micro, nil
}

type budgetAdd struct {
	Account string `required:"" help:"The account."`
	Name    string `required:"" help:"Its name."`
	Per     string `required:"" enum:"campaign,day,month" help:"What it is for: each campaign, a day or a month."`
	Limit   string `required:"" help:"What may be spent, in the account's currency: 250.00."`
	Team    string `help:"Whose messages it counts, by name or id; everybody's when it is left out."`
	Warn    int    `default:"80" help:"Percent of the limit at which a warning comes; 0 for none."`
}

func (b budgetAdd) Run(ctx context.Context, c *commands, t terminal) error {
	limit, err := budgetLimit(b.Limit)
	if err != nil {
		return err
	}
	return c.withAccount(ctx, b.Account, func(app *App, acc accounts.Account) error {
		n := billing.NewBudget{Name: b.Name, Per: billing.Per(b.Per), LimitMicro: limit, Warn: b.Warn}
		if b.Team != "" {
			team, err := app.teamNamed(ctx, acc.ID, b.Team)
			if err != nil {
				return err
			}
			n.Team = team.ID
		}
		return c.sayBudget(app, t)(app.Budgets.Add(ctx, acc.ID, n))
	})
}

type budgetChange struct {
	Account string  `required:"" help:"The account."`
	Budget  string  `arg:"" help:"Its name or id."`
	Name    *string `help:"Another name."`
	Limit   string  `help:"What may be spent."`
	Warn    *int    `help:"Percent of the limit at which a warning comes; 0 for none."`
}

func (b budgetChange) Run(ctx context.Context, c *commands, t terminal) error {
	change := billing.BudgetChange{Name: b.Name, Warn: b.Warn}
	if b.Limit != "" {
		limit, err := budgetLimit(b.Limit)
		if err != nil {
			return err
		}
		change.LimitMicro = &limit
	}
	return c.withAccount(ctx, b.Account, func(app *App, acc accounts.Account) error {
		one, err := app.budgetNamed(ctx, acc.ID, b.Budget)
		if err != nil {
			return err
		}
		return c.sayBudget(app, t)(app.Budgets.Change(ctx, acc.ID, one.ID, change))
	})
}

type budgetRemove struct {
	Account string `required:"" help:"The account."`
	Budget  string `arg:"" help:"Its name or id."`
}

func (b budgetRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, b.Account, func(app *App, acc accounts.Account) error {
		one, err := app.budgetNamed(ctx, acc.ID, b.Budget)
		if err != nil {
			return err
		}
		if err := app.Budgets.Remove(ctx, acc.ID, one.ID); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"removed": app.Names.Of(secrets.Budget, one.ID)}, "The budget %q counts no more.", one.Name)
	})
}

// budgetsJob tells of budgets that are nearly spent.
func budgetsJob(b *billing.Budgets) smsqueue.Job {
	return smsqueue.Job{Name: "tell-budgets", Every: 10 * time.Second, Run: b.Tell}
}

type teamList struct {
	Account string `required:"" help:"The account."`
}

func (l teamList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Teams.List(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, team := range all {
			if err := c.sayTeam(app, t)(team, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// sayTeam says who is in a team.
func (c *commands) sayTeam(app *App, t terminal) func(billing.Team, error) error {
	return func(team billing.Team, err error) error {
		if err != nil {
			return err
		}
		members, keys := []string{}, []string{}
		for _, m := range team.Members {
			members = append(members, m.Email)
		}
		for _, k := range team.Keys {
			keys = append(keys, app.Names.Of(secrets.Key, k))
		}
		id := app.Names.Of(secrets.Team, team.ID)
		return c.say(t.out, map[string]any{"id": id, "name": team.Name, "members": members, "keys": keys},
			"%s\t%s\t%s", id, team.Name, strings.Join(append(members, keys...), ", "))
	}
}

// teamNamed finds a team by its name or id.
func (app *App) teamNamed(ctx context.Context, account int64, name string) (billing.Team, error) {
	if id, err := app.Names.ID(secrets.Team, name); err == nil {
		return app.Teams.ByID(ctx, account, id)
	}
	all, err := app.Teams.List(ctx, account)
	for _, t := range all {
		if t.Name == name {
			return t, nil
		}
	}
	if err == nil {
		err = problem.NotFound("team", name)
	}
	return billing.Team{}, err
}

type teamAdd struct {
	Account string `required:"" help:"The account."`
	Name    string `required:"" help:"Its name."`
}

func (a teamAdd) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, a.Account, func(app *App, acc accounts.Account) error {
		return c.sayTeam(app, t)(app.Teams.Add(ctx, acc.ID, a.Name))
	})
}

// ofTeam is a command about one team.
func (c *commands) ofTeam(ctx context.Context, account, team string, do func(app *App, acc accounts.Account, one billing.Team) error) error {
	return c.withAccount(ctx, account, func(app *App, acc accounts.Account) error {
		one, err := app.teamNamed(ctx, acc.ID, team)
		if err != nil {
			return err
		}
		return do(app, acc, one)
	})
}

type teamRename struct {
	Account string `required:"" help:"The account."`
	Team    string `arg:"" help:"Its name or id."`
	Name    string `required:"" help:"Another name."`
}

func (r teamRename) Run(ctx context.Context, c *commands, t terminal) error {
	return c.ofTeam(ctx, r.Account, r.Team, func(app *App, acc accounts.Account, one billing.Team) error {
		return c.sayTeam(app, t)(app.Teams.Rename(ctx, acc.ID, one.ID, r.Name))
	})
}

type teamRemove struct {
	Account string `required:"" help:"The account."`
	Team    string `arg:"" help:"Its name or id."`
}

func (r teamRemove) Run(ctx context.Context, c *commands, t terminal) error {
	return c.ofTeam(ctx, r.Account, r.Team, func(app *App, acc accounts.Account, one billing.Team) error {
		if err := app.Teams.Remove(ctx, acc.ID, one.ID); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"removed": app.Names.Of(secrets.Team, one.ID)}, "There is no team %q any more.", one.Name)
	})
}

type teamJoin struct {
	Account string `required:"" help:"The account."`
	Team    string `arg:"" help:"Its name or id."`
	Who     string `arg:"" help:"The e-mail address of a user, or an API key's id: key_..."`
}

func (j teamJoin) Run(ctx context.Context, c *commands, t terminal) error {
	return c.ofTeam(ctx, j.Account, j.Team, func(app *App, acc accounts.Account, one billing.Team) error {
		return c.changeTeam(ctx, app, t, acc, one, j.Who, app.Teams.Join, app.Teams.JoinKey)
	})
}

type teamLeave struct {
	Account string `required:"" help:"The account."`
	Team    string `arg:"" help:"Its name or id."`
	Who     string `arg:"" help:"The e-mail address of a user, or an API key's id: key_..."`
}

func (l teamLeave) Run(ctx context.Context, c *commands, t terminal) error {
	return c.ofTeam(ctx, l.Account, l.Team, func(app *App, acc accounts.Account, one billing.Team) error {
		return c.changeTeam(ctx, app, t, acc, one, l.Who, app.Teams.Leave, app.Teams.LeaveKey)
	})
}

// changeTeam changes whether a user, or an API key, is in a team.
func (c *commands) changeTeam(ctx context.Context, app *App, t terminal, acc accounts.Account, team billing.Team, who string, user, key func(ctx context.Context, account, id, who int64) error) error {
	change, id := key, int64(0)
	var err error
	if strings.HasPrefix(who, secrets.Key+"_") {
		id, err = app.Names.ID(secrets.Key, who)
	} else {
		var m billing.Member
		m, err = app.Teams.MemberNamed(ctx, acc.ID, who)
		change, id = user, m.User
	}
	if err != nil {
		return err
	}
	if err := change(ctx, acc.ID, team.ID, id); err != nil {
		return err
	}
	return c.sayTeam(app, t)(app.Teams.ByID(ctx, acc.ID, team.ID))
}
