package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
)

type team struct {
	ID        string       `json:"id" example:"tem_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name      string       `json:"name" example:"Marketing"`
	Members   []teamMember `json:"members" doc:"Users of the console, by e-mail address."`
	Keys      []string     `json:"keys" doc:"API keys: key_..."`
	CreatedAt time.Time    `json:"created_at"`
}

type teamMember struct {
	User  string `json:"user" doc:"usr_..."`
	Email string `json:"email"`
}

func (s Services) team(t billing.Team) team {
	out := team{ID: s.Names.Of(secrets.Team, t.ID), Name: t.Name, Members: []teamMember{}, Keys: []string{}, CreatedAt: at(t.Created)}
	for _, m := range t.Members {
		out.Members = append(out.Members, teamMember{s.Names.Of(secrets.User, m.User), m.Email})
	}
	for _, k := range t.Keys {
		out.Keys = append(out.Keys, s.Names.Of(secrets.Key, k))
	}
	return out
}

// listTeams is one page: an account has few.
func (s Services) listTeams(ctx context.Context, _ *struct{}) (*answer[list[team]], error) {
	all, err := s.Teams.List(ctx, accountOf(ctx))
	out := list[team]{Items: []team{}}
	for _, t := range all {
		out.Items = append(out.Items, s.team(t))
	}
	return &answer[list[team]]{Body: out}, err
}

type newTeam struct {
	Name string `json:"name" example:"Marketing"`
}

type addTeam struct {
	Once
	Body newTeam
}

func (s Services) addTeam(ctx context.Context, in *addTeam) (*made[team], error) {
	id, err := in.Once.do(ctx, s, teamsPath, in.Body, func(take accounts.Take) (int64, error) {
		t, err := s.Teams.Add(ctx, accountOf(ctx), in.Body.Name, billing.Also(take))
		return t.ID, err
	})
	if err != nil {
		return nil, err
	}
	t, err := s.Teams.ByID(ctx, accountOf(ctx), id)
	shown := s.team(t)
	return &made[team]{Location: teamsPath + "/" + shown.ID, Body: shown}, err
}

type oneTeam struct {
	ID string `path:"id" doc:"tem_..."`
}

// theTeam answers with a team as it is now.
func (s Services) theTeam(ctx context.Context, id int64) (*answer[team], error) {
	t, err := s.Teams.ByID(ctx, accountOf(ctx), id)
	return &answer[team]{Body: s.team(t)}, err
}

func (s Services) readTeam(ctx context.Context, in *oneTeam) (*answer[team], error) {
	id, err := s.Names.ID(secrets.Team, in.ID)
	if err != nil {
		return nil, err
	}
	return s.theTeam(ctx, id)
}

type renameTeam struct {
	ID   string `path:"id" doc:"tem_..."`
	Body newTeam
}

func (s Services) renameTeam(ctx context.Context, in *renameTeam) (*answer[team], error) {
	id, err := s.Names.ID(secrets.Team, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := s.Teams.Rename(ctx, accountOf(ctx), id, in.Body.Name)
	return &answer[team]{Body: s.team(t)}, err
}

func (s Services) removeTeam(ctx context.Context, in *oneTeam) (*struct{}, error) {
	id, err := s.Names.ID(secrets.Team, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Teams.Remove(ctx, accountOf(ctx), id)
}

type newMember struct {
	Email string `json:"email" doc:"Of a user of the account." example:"kari@acme.example"`
}

type joinTeam struct {
	ID   string `path:"id" doc:"tem_..."`
	Body newMember
}

func (s Services) joinTeam(ctx context.Context, in *joinTeam) (*answer[team], error) {
	id, err := s.Names.ID(secrets.Team, in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.Teams.MemberNamed(ctx, accountOf(ctx), in.Body.Email)
	if err != nil {
		return nil, err
	}
	if err := s.Teams.Join(ctx, accountOf(ctx), id, m.User); err != nil {
		return nil, err
	}
	return s.theTeam(ctx, id)
}

type leaveTeam struct {
	ID   string `path:"id" doc:"tem_..."`
	User string `path:"user" doc:"usr_..."`
}

func (s Services) leaveTeam(ctx context.Context, in *leaveTeam) (*struct{}, error) {
	id, user, err := s.both(in.ID, secrets.User, in.User)
	if err != nil {
		return nil, err
	}
	return nil, s.Teams.Leave(ctx, accountOf(ctx), id, user)
}

// both are a team and who or what is in it.
func (s Services) both(team, prefix, name string) (id, who int64, err error) {
	if id, err = s.Names.ID(secrets.Team, team); err == nil {
		who, err = s.Names.ID(prefix, name)
	}
	return id, who, err
}

type newTeamKey struct {
	Key string `json:"key" doc:"key_..."`
}

type joinTeamKey struct {
	ID   string `path:"id" doc:"tem_..."`
	Body newTeamKey
}

func (s Services) joinTeamKey(ctx context.Context, in *joinTeamKey) (*answer[team], error) {
	id, key, err := s.both(in.ID, secrets.Key, in.Body.Key)
	if err != nil {
		return nil, err
	}
	if err := s.Teams.JoinKey(ctx, accountOf(ctx), id, key); err != nil {
		return nil, err
	}
	return s.theTeam(ctx, id)
}

type leaveTeamKey struct {
	ID  string `path:"id" doc:"tem_..."`
	Key string `path:"key" doc:"key_..."`
}

func (s Services) leaveTeamKey(ctx context.Context, in *leaveTeamKey) (*struct{}, error) {
	id, key, err := s.both(in.ID, secrets.Key, in.Key)
	if err != nil {
		return nil, err
	}
	return nil, s.Teams.LeaveKey(ctx, accountOf(ctx), id, key)
}
