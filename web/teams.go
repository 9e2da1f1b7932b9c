package web

import (
	"context"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const teamsPath = "/teams"

// teamsPage lists the teams, and makes another.
type teamsPage struct {
	Rows   []teamRow
	Name   string // as it was typed
	Errors []fieldError
}

func (teamsPage) template() string { return "teams" }

// Error is what is wrong with a field, or empty.
func (p teamsPage) Error(field string) string { return errorOf(p.Errors, field) }

type teamRow struct {
	ID, Name      string
	Members, Keys int
}

func (w *site) teams(c *fiber.Ctx, v visit) error { return w.showTeams(c, v, teamsPage{}) }

func (w *site) showTeams(c *fiber.Ctx, v visit, p teamsPage) error {
	all, err := w.Teams.List(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, t := range all {
		p.Rows = append(p.Rows, teamRow{w.Names.Of(secrets.Team, t.ID), t.Name, len(t.Members), len(t.Keys)})
	}
	return render(c, p)
}

func (w *site) addTeam(c *fiber.Ctx, v visit) error {
	p := teamsPage{Name: strings.TrimSpace(c.FormValue("name"))}
	t, err := w.Teams.Add(v.ctx, v.Account.ID, p.Name)
	if refused := refusedBudget(err); refused != nil {
		p.Errors = []fieldError{{"name", v.say.word("team_wrong", refused.Code)}}
		return w.showTeams(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(teamsPath+"/"+w.Names.Of(secrets.Team, t.ID), fiber.StatusSeeOther)
}

// teamPage says who is in a team, and changes that.
type teamPage struct {
	ID, Title string
	Members   []memberRow // users and keys
	Others    []choice    // who could come into it
	Name      string      // as it was typed
	Errors    []fieldError
}

func (teamPage) template() string { return "team" }

// Error is what is wrong with a field, or empty.
func (p teamPage) Error(field string) string { return errorOf(p.Errors, field) }

type memberRow struct{ ID, Name, Kind string }

func (w *site) teamNamed(c *fiber.Ctx, v visit) (billing.Team, error) {
	id, err := w.Names.ID(secrets.Team, c.Params("id"))
	if err != nil {
		return billing.Team{}, err
	}
	return w.Teams.ByID(v.ctx, v.Account.ID, id)
}

func (w *site) team(c *fiber.Ctx, v visit) error {
	t, err := w.teamNamed(c, v)
	if err != nil {
		return err
	}
	return w.showTeam(c, v, t, teamPage{Name: t.Name})
}

func (w *site) showTeam(c *fiber.Ctx, v visit, t billing.Team, p teamPage) error {
	p.ID, p.Title = w.Names.Of(secrets.Team, t.ID), t.Name
	for _, m := range t.Members {
		p.Members = append(p.Members, memberRow{w.Names.Of(secrets.User, m.User), m.Email, v.say.text("team_user")})
	}
	for _, k := range t.Keys {
		p.Members = append(p.Members, memberRow{w.Names.Of(secrets.Key, k), w.Names.Of(secrets.Key, k), v.say.text("team_key")})
	}
	users, err := w.Teams.Users(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	keys, err := w.Accounts.Keys(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, u := range users {
		if !slices.Contains(t.Members, u) {
			p.Others = append(p.Others, choice{Value: w.Names.Of(secrets.User, u.User), Text: u.Email})
		}
	}
	for _, k := range keys {
		if !slices.Contains(t.Keys, k.ID) {
			name := w.Names.Of(secrets.Key, k.ID)
			p.Others = append(p.Others, choice{Value: name, Text: name})
		}
	}
	return render(c, p)
}

func (w *site) renameTeam(c *fiber.Ctx, v visit) error {
	t, err := w.teamNamed(c, v)
	if err != nil {
		return err
	}
	p := teamPage{Name: strings.TrimSpace(c.FormValue("name"))}
	_, err = w.Teams.Rename(v.ctx, v.Account.ID, t.ID, p.Name)
	if refused := refusedBudget(err); refused != nil {
		p.Errors = []fieldError{{"name", v.say.word("team_wrong", refused.Code)}}
		return w.showTeam(c.Status(statuses[refused.Kind]), v, t, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(teamsPath+"/"+c.Params("id"), fiber.StatusSeeOther)
}

// moveMember changes whether a user, or a key, is in a team.
func (w *site) moveMember(user, key func(ctx context.Context, account, id, who int64) error) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		t, err := w.teamNamed(c, v)
		if err != nil {
			return err
		}
		prefix, who, ok := w.Names.Read(c.FormValue("who"))
		change := map[string]func(ctx context.Context, account, id, who int64) error{secrets.User: user, secrets.Key: key}[prefix]
		if !ok || change == nil {
			return problem.NotFound("user", "")
		}
		if err := change(v.ctx, v.Account.ID, t.ID, who); err != nil {
			return err
		}
		return c.Redirect(teamsPath+"/"+c.Params("id"), fiber.StatusSeeOther)
	}
}

func (w *site) confirmTeam(c *fiber.Ctx, v visit) error {
	t, err := w.teamNamed(c, v)
	if err != nil {
		return err
	}
	path := teamsPath + "/" + c.Params("id")
	return render(c, confirmPage{Title: v.say.text("team_remove_title", "Name", t.Name), Text: v.say.text("team_remove_text"), Button: v.say.text("team_remove"),
		Path: path + "/remove", Back: path, Crumb: link{Path: teamsPath, Text: v.say.text("teams_title")}})
}

func (w *site) removeTeam(c *fiber.Ctx, v visit) error {
	t, err := w.teamNamed(c, v)
	if err != nil {
		return err
	}
	err = w.Teams.Remove(v.ctx, v.Account.ID, t.ID)
	if problem.Has(err, "team_has_budgets") {
		return w.showTeam(c.Status(fiber.StatusConflict), v, t, teamPage{Name: t.Name, Errors: []fieldError{{"", v.say.word("team_wrong", "team_has_budgets")}}})
	}
	if err != nil {
		return err
	}
	return c.Redirect(teamsPath, fiber.StatusSeeOther)
}
