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
	Contacts []string `json:"contacts" doc:"The ids of its members; none with a rule."`

	Rule []newCondition `json:"rule,omitempty" doc:"Finds its members instead: all of these hold for them, now and whenever contacts change."`
}

type newCondition struct {
	Field  string   `json:"field" doc:"department, job_title, office, email_domain, language, source (directory or manual) or phone_country (ISO 3166)."`
	Op     string   `json:"op" doc:"is, is_not, starts_with, contains, one_of or empty. Capital and small letters are the same."`
	Values []string `json:"values,omitempty" doc:"Several for one_of, none for empty, else one."`
}

// condition is one as it is told.
type condition newCondition

func ruleOf(all []newCondition) (r contacts.Rule) {
	for _, c := range all {
		r = append(r, contacts.Condition{Field: c.Field, Op: c.Op, Values: c.Values})
	}
	return r
}

type group struct {
	ID          string      `json:"id"`
	Source      string      `json:"source" enum:"directory,manual"`
	Tenant      string      `json:"tenant,omitempty" doc:"The directory's tenant."`
	DirectoryID string      `json:"directory_id,omitempty" doc:"The directory's own id of the group."`
	Name        string      `json:"name"`
	Rule        []condition `json:"rule,omitempty" doc:"What its members are found by."`
	Members     int         `json:"members" doc:"With those of nested groups."`
	Textable    int         `json:"textable" doc:"Members with a number that can be texted."`
	CreatedAt   time.Time   `json:"created_at"`
	UpdatedAt   time.Time   `json:"updated_at"`
}

func (s Services) group(g contacts.Group) group {
	var rule []condition
	for _, c := range g.Rule {
		rule = append(rule, condition{Field: c.Field, Op: c.Op, Values: c.Values})
	}
	return group{
		ID: s.groupName(g.ID), Source: g.Source, Tenant: g.Tenant, DirectoryID: g.DirectoryID, Name: g.Name, Rule: rule,
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
	var g contacts.Group
	switch rule := ruleOf(in.Body.Rule); {
	case len(rule) == 0:
		g, err = s.Book.AddGroup(ctx, accountOf(ctx), in.Body.Name, members)
	case len(members) > 0:
		err = problem.Invalid("rule", "a group has members or a rule that finds them, not both")
	default:
		g, err = s.Book.AddRuleGroup(ctx, accountOf(ctx), in.Body.Name, rule)
	}
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

type newGroupFields struct {
	Name *string        `json:"name,omitempty" maxLength:"200"`
	Rule []newCondition `json:"rule,omitempty" doc:"Only for a group that has one."`
}

type editGroup struct {
	ID   string `path:"id" doc:"grp_..."`
	Body newGroupFields
}

func (s Services) editGroup(ctx context.Context, in *editGroup) (*answer[group], error) {
	g, err := s.findGroup(ctx, in.ID)
	if err == nil && in.Body.Name != nil {
		g, err = s.Book.RenameGroup(ctx, accountOf(ctx), g.ID, *in.Body.Name)
	}
	if err == nil && len(in.Body.Rule) > 0 {
		g, err = s.Book.SetRule(ctx, accountOf(ctx), g.ID, ruleOf(in.Body.Rule))
	}
	if err != nil {
		return nil, err
	}
	return &answer[group]{Body: s.group(g)}, nil
}

func (s Services) removeGroup(ctx context.Context, in *oneGroup) (*struct{}, error) {
	g, err := s.findGroup(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Book.DeleteGroup(ctx, accountOf(ctx), g.ID)
}

type newRule struct {
	Rule []newCondition `json:"rule"`
}

type previewRule struct {
	Body newRule
}

type ruleCount struct {
	Members  int `json:"members"`
	Textable int `json:"textable" doc:"Of them, those with a number that can be texted."`
}

func (s Services) previewRule(ctx context.Context, in *previewRule) (*answer[ruleCount], error) {
	members, textable, err := s.Book.PreviewRule(ctx, accountOf(ctx), ruleOf(in.Body.Rule))
	if err != nil {
		return nil, err
	}
	return &answer[ruleCount]{Body: ruleCount{members, textable}}, nil
}

type listMembers struct {
	ID string `path:"id" doc:"grp_..."`
	Page
}

func (s Services) listMembers(ctx context.Context, in *listMembers) (*answer[list[contact]], error) {
	return s.listContacts(ctx, &listContacts{Page: in.Page, Group: in.ID})
}

type newMembers struct {
	Contacts []string `json:"contacts" maxItems:"5000" doc:"Their ids. Who is in the group already stays."`
}

type addMembers struct {
	ID   string `path:"id" doc:"grp_..."`
	Body newMembers
}

func (s Services) addMembers(ctx context.Context, in *addMembers) (*answer[group], error) {
	return s.changeMembers(ctx, in.ID, in.Body.Contacts, s.Book.AddMembers)
}

type removeMembers struct {
	ID       string   `path:"id" doc:"grp_..."`
	Contacts []string `query:"contacts" required:"true" maxItems:"200" doc:"Their ids, separated by commas. Who is not in the group is passed over."`
}

func (s Services) removeMembers(ctx context.Context, in *removeMembers) (*answer[group], error) {
	return s.changeMembers(ctx, in.ID, in.Contacts, s.Book.RemoveMembers)
}

func (s Services) changeMembers(ctx context.Context, name string, contactNames []string,
	change func(context.Context, int64, int64, []int64) (contacts.Group, error)) (*answer[group], error) {
	g, err := s.findGroup(ctx, name)
	if err != nil {
		return nil, err
	}
	members, err := s.contactIDs(contactNames)
	if err != nil {
		return nil, err
	}
	if g, err = change(ctx, accountOf(ctx), g.ID, members); err != nil {
		return nil, err
	}
	return &answer[group]{Body: s.group(g)}, nil
}
