package api

import (
	"context"
	"fmt"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type newGroup struct {
	Name     string   `json:"name" maxLength:"200" example:"Night shift"`
	Contacts []string `json:"contacts" doc:"The ids of its members."`
}

type group struct {
	ID          string    `json:"id"`
	Source      string    `json:"source" enum:"directory,manual"`
	Tenant      string    `json:"tenant,omitempty" doc:"The directory's tenant."`
	DirectoryID string    `json:"directory_id,omitempty" doc:"The directory's own id of the group."`
	Name        string    `json:"name"`
	Members     int       `json:"members" doc:"With those of nested groups."`
	Textable    int       `json:"textable" doc:"Members with a number that can be texted."`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func (s Services) group(g contacts.Group) group {
	return group{
		ID: s.groupName(g.ID), Source: g.Source, Tenant: g.Tenant, DirectoryID: g.DirectoryID, Name: g.Name,
		Members: g.Members, Textable: g.Textable, CreatedAt: at(g.Created), UpdatedAt: at(g.Updated),
	}
}

func (s Services) groupName(id int64) string { return s.Names.Of(secrets.Group, id) }

func (s Services) groupID(name string) (int64, bool) {
	id, err := s.Names.ID(secrets.Group, name)
	return id, err == nil
}

const groupsPath = "/v1/groups"

type addGroup struct {
	Body newGroup
}

func (s Services) addGroup(ctx context.Context, in *addGroup) (*made[group], error) {
	members, err := s.contactIDs(in.Body.Contacts)
	if err != nil {
		return nil, err
	}
	g, err := s.Book.AddGroup(ctx, accountOf(ctx), in.Body.Name, members)
	if err != nil {
		return nil, err
	}
	shown := s.group(g)
	return &made[group]{Location: groupsPath + "/" + shown.ID, Body: shown}, nil
}

func (s Services) contactIDs(names []string) ([]int64, error) {
	ids := make([]int64, len(names))
	for i, name := range names {
		id, err := s.Names.ID(secrets.Contact, name)
		if err != nil {
			return nil, &problem.Problem{Kind: problem.KindInvalid, Code: "invalid_contacts",
				Field: fmt.Sprintf("contacts/%d", i), Text: err.Error()}
		}
		ids[i] = id
	}
	return ids, nil
}

type listGroups struct {
	Page
}

func (s Services) listGroups(ctx context.Context, in *listGroups) (*answer[list[group]], error) {
	after, err := in.from(s.Names, secrets.Group)
	if err != nil {
		return nil, err
	}
	rows, err := s.Book.Groups(ctx, accountOf(ctx), after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.group, func(g contacts.Group) string { return s.groupName(g.ID) }), nil
}

type oneGroup struct {
	ID string `path:"id" doc:"grp_..."`
}

func (s Services) readGroup(ctx context.Context, in *oneGroup) (*answer[group], error) {
	g, err := s.findGroup(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &answer[group]{Body: s.group(g)}, nil
}

func (s Services) findGroup(ctx context.Context, name string) (contacts.Group, error) {
	id, err := s.Names.ID(secrets.Group, name)
	if err != nil {
		return contacts.Group{}, err
	}
	return s.Book.Group(ctx, accountOf(ctx), id)
}
