package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	budgetsPath = "/v1/budgets"
	teamsPath   = "/v1/teams"
)

func (s Services) budgetRoutes(a huma.API) {
	const read, write = accounts.ScopeBudgetsRead, accounts.ScopeBudgetsWrite
	add(a, route{"GET", budgetsPath, "listBudgets", read, "List the budgets with what is spent of them now, by name", http.StatusOK, false}, s.listBudgets)
	add(a, route{"POST", budgetsPath, "addBudget", write, "Make a budget; it counts from now", http.StatusCreated, true}, s.addBudget)
	add(a, route{"GET", budgetsPath + "/{id}", "readBudget", read, "Read a budget with what is spent of it now", http.StatusOK, false}, s.readBudget)
	add(a, route{"PATCH", budgetsPath + "/{id}", "changeBudget", write, "Change a budget, from what is spent of it now on", http.StatusOK, false}, s.changeBudget)
	add(a, route{"DELETE", budgetsPath + "/{id}", "removeBudget", write, "End a budget: it counts no more", http.StatusNoContent, false}, s.removeBudget)

	add(a, route{"GET", teamsPath, "listTeams", read, "List the teams, by name", http.StatusOK, false}, s.listTeams)
	add(a, route{"POST", teamsPath, "addTeam", write, "Make a team", http.StatusCreated, true}, s.addTeam)
	add(a, route{"GET", teamsPath + "/{id}", "readTeam", read, "Read a team", http.StatusOK, false}, s.readTeam)
	add(a, route{"PATCH", teamsPath + "/{id}", "renameTeam", write, "Rename a team", http.StatusOK, false}, s.renameTeam)
	add(a, route{"DELETE", teamsPath + "/{id}", "removeTeam", write, "End a team that has no budgets", http.StatusNoContent, false}, s.removeTeam)
	add(a, route{"POST", teamsPath + "/{id}/members", "joinTeam", write, "Put a user into a team, out of the one they were in", http.StatusOK, false}, s.joinTeam)
	add(a, route{"DELETE", teamsPath + "/{id}/members/{user}", "leaveTeam", write, "Take a user out of a team", http.StatusNoContent, false}, s.leaveTeam)
	add(a, route{"POST", teamsPath + "/{id}/keys", "joinTeamKey", write, "Put an API key into a team, out of the one it was in", http.StatusOK, false}, s.joinTeamKey)
	add(a, route{"DELETE", teamsPath + "/{id}/keys/{key}", "leaveTeamKey", write, "Take an API key out of a team", http.StatusNoContent, false}, s.leaveTeamKey)
}

type budget struct {
	ID        string     `json:"id" example:"bud_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name      string     `json:"name" example:"Marketing"`
	Team      string     `json:"team,omitempty" doc:"tem_..., of whose messages it counts; of all when it is missing."`
	Per       string     `json:"per" enum:"campaign,day,month" doc:"campaign: each one. Days and months are those of the account's time zone."`
	Limit     money      `json:"limit"`
	Spent     money      `json:"spent" doc:"Reserved since the day or month began and not given back; per campaign, by the dearest one."`
	Left      money      `json:"left"`
	Warn      int        `json:"warn_percent" doc:"The share of the limit at which a warning comes; 0 for none."`
	WarnedAt  *time.Time `json:"warned_at,omitempty" doc:"When it came, of what is spent now."`
	RenewsAt  *time.Time `json:"renews_at,omitempty" doc:"When the next day or month begins."`
	CreatedAt time.Time  `json:"created_at"`
}

func (s Services) budget(b billing.Budget) budget {
	out := budget{ID: s.Names.Of(secrets.Budget, b.ID), Name: b.Name, Per: string(b.Per), Limit: moneyOf(b.LimitMicro, b.Currency),
		Spent: moneyOf(b.Spent, b.Currency), Left: moneyOf(b.Left(), b.Currency), Warn: b.Warn, CreatedAt: at(b.Created)}
	if b.Team != 0 {
		out.Team = s.Names.Of(secrets.Team, b.Team)
	}
	if !b.Warned.IsZero() {
		out.WarnedAt = new(at(b.Warned))
	}
	if !b.Renews.IsZero() {
		out.RenewsAt = new(at(b.Renews))
	}
	return out
}

func (s Services) budgets(all []billing.Budget) []budget {
	out := []budget{}
	for _, b := range all {
		out = append(out, s.budget(b))
	}
	return out
}

// listBudgets is one page: an account has few.
func (s Services) listBudgets(ctx context.Context, _ *struct{}) (*answer[list[budget]], error) {
	all, err := s.Budgets.List(ctx, accountOf(ctx))
	return &answer[list[budget]]{Body: list[budget]{Items: s.budgets(all)}}, err
}

type newBudget struct {
	Name  string `json:"name" example:"Marketing"`
	Team  string `json:"team,omitempty" doc:"tem_..., whose messages it counts; all when it is left out."`
	Per   string `json:"per" enum:"campaign,day,month"`
	Limit money  `json:"limit"`
	Warn  *int   `json:"warn_percent,omitempty" minimum:"0" maximum:"100" doc:"The share of the limit at which a warning comes; 0 for none. 80 when it is left out."`
}

type addBudget struct {
	Once
	Body newBudget
}

func (s Services) addBudget(ctx context.Context, in *addBudget) (*made[budget], error) {
	n := billing.NewBudget{Name: in.Body.Name, Per: billing.Per(in.Body.Per), Warn: billing.UsualWarning}
	set(&n.Warn, in.Body.Warn)
	var err error
	if in.Body.Team != "" {
		if n.Team, err = s.Names.ID(secrets.Team, in.Body.Team); err != nil {
			return nil, err
		}
	}
	if n.LimitMicro, err = s.limit(ctx, in.Body.Limit); err != nil {
		return nil, err
	}
	id, err := in.Once.do(ctx, s, budgetsPath, in.Body, func(take accounts.Take) (int64, error) {
		n.Also = billing.Also(take)
		b, err := s.Budgets.Add(ctx, accountOf(ctx), n)
		return b.ID, err
	})
	if err != nil {
		return nil, err
	}
	b, err := s.Budgets.ByID(ctx, accountOf(ctx), id)
	shown := s.budget(b)
	return &made[budget]{Location: budgetsPath + "/" + shown.ID, Body: shown}, err
}

// limit is an amount in the account's currency.
func (s Services) limit(ctx context.Context, m money) (int64, error) {
	acc, err := s.Accounts.ByID(ctx, accountOf(ctx))
	if err == nil && m.Currency != acc.Currency {
		err = problem.Invalid("limit", "the account pays in %s, not in %s", acc.Currency, m.Currency)
	}
	return m.micro(), err
}

type oneBudget struct {
	ID string `path:"id" doc:"bud_..."`
}

func (s Services) readBudget(ctx context.Context, in *oneBudget) (*answer[budget], error) {
	id, err := s.Names.ID(secrets.Budget, in.ID)
	if err != nil {
		return nil, err
	}
	b, err := s.Budgets.ByID(ctx, accountOf(ctx), id)
	return &answer[budget]{Body: s.budget(b)}, err
}

type newLimits struct {
	Name  *string `json:"name,omitempty"`
	Limit *money  `json:"limit,omitempty"`
	Warn  *int    `json:"warn_percent,omitempty" minimum:"0" maximum:"100"`
}

type changeBudget struct {
	ID   string `path:"id" doc:"bud_..."`
	Body newLimits
}

func (s Services) changeBudget(ctx context.Context, in *changeBudget) (*answer[budget], error) {
	id, err := s.Names.ID(secrets.Budget, in.ID)
	if err != nil {
		return nil, err
	}
	change := billing.BudgetChange{Name: in.Body.Name, Warn: in.Body.Warn}
	if in.Body.Limit != nil {
		micro, err := s.limit(ctx, *in.Body.Limit)
		if err != nil {
			return nil, err
		}
		change.LimitMicro = &micro
	}
	b, err := s.Budgets.Change(ctx, accountOf(ctx), id, change)
	return &answer[budget]{Body: s.budget(b)}, err
}

func (s Services) removeBudget(ctx context.Context, in *oneBudget) (*struct{}, error) {
	id, err := s.Names.ID(secrets.Budget, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Budgets.Remove(ctx, accountOf(ctx), id)
}
