package graph

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

// Check signs in anew and asks for a little of everything that a sync reads. It
// judges by what is in the answers: an app that lacks a permission may get 200
// and nulls.
func Check(ctx context.Context, c Config) []directory.Finding {
	s, err := open(c, readOnly)
	if err != nil {
		return stopped(directory.StepSignIn, err)
	}
	if err := s.signIn(ctx); err != nil {
		return stopped(directory.StepSignIn, err)
	}
	found := []directory.Finding{{Step: directory.StepSignIn, Outcome: directory.Passed, Text: "Microsoft's sign-in accepts the app"}}
	found = append(found, finding(directory.StepPeople, s.tryPeople(ctx), "people are read, with their names"))
	ids, err := s.tryGroups(ctx)
	found = append(found, finding(directory.StepGroups, err, "groups are read"))
	if err != nil {
		found = append(found, directory.Finding{Step: directory.StepMembers, Outcome: directory.NotTried, Text: "without groups there is nothing to try"})
	} else {
		found = append(found, finding(directory.StepMembers, s.tryMembers(ctx, ids), "who is in a group is read, with their names"))
	}
	return append(found, s.tryOrganisation(ctx))
}

// stopped is for a step that makes all further ones pointless.
func stopped(step string, err error) []directory.Finding {
	found := []directory.Finding{finding(step, err, "")}
	for _, next := range []string{directory.StepPeople, directory.StepGroups, directory.StepMembers} {
		found = append(found, directory.Finding{Step: next, Outcome: directory.NotTried, Text: "not tried, because an earlier step failed"})
	}
	return found
}

// errNothingToTry is no fault: an empty tenant has no group with people in it.
var errNothingToTry = problem.New(problem.KindNotFound, "directory_object", "there is no group with people in it to try")

func finding(step string, err error, well string) directory.Finding {
	f := directory.Finding{Step: step, Outcome: directory.Passed, Text: well}
	if err == nil {
		return f
	}
	f.Outcome, f.Code, f.Text = directory.Broken, "directory_answer", err.Error()
	if p := problem.As(err); p != nil {
		f.Code, f.Text = p.Code, p.Text
	}
	if errors.Is(err, errNotFound) || errors.Is(err, errNotServed) || errors.Is(err, errNothingToTry) {
		f.Outcome, f.Code = directory.NotTried, ""
	}
	return f
}

func (s *source) signIn(ctx context.Context) error {
	ctx, broken := watched(ctx)
	_, err := s.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.scope}})
	if err != nil {
		return explain(asking{"a sign-in", ""}, err, *broken)
	}
	return nil
}

func (s *source) tryPeople(ctx context.Context) error {
	one := int32(1)
	raw, err := s.ask(ctx, askingPeople, func() (*kiota.RequestInformation, error) {
		return s.users().ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Select: s.personSelect(), Top: &one},
		})
	})
	if err != nil {
		return err
	}
	page, err := readPage(raw)
	if err != nil {
		return err
	}
	return directory.CheckNamed(page.Items)
}

// triedGroups are so many as one of them will have people in it.
const triedGroups = int32(5)

func (s *source) tryGroups(ctx context.Context) (ids []string, err error) {
	some := triedGroups
	raw, err := s.ask(ctx, askingGroups, func() (*kiota.RequestInformation, error) {
		return s.groups().ToGetRequestInformation(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{Select: []string{"id", "displayName"}, Top: &some},
		})
	})
	if err != nil {
		return nil, err
	}
	page, err := readPage(raw)
	for _, it := range page.Items {
		ids = append(ids, it.ID)
	}
	return ids, err
}

func (s *source) tryMembers(ctx context.Context, groups []string) error {
	for _, id := range groups {
		members, err := s.members(ctx, id, []string{"id", "displayName"}, triedGroups)
		if err != nil {
			return err
		}
		var people []directory.Item
		for _, m := range members {
			if m.isPerson {
				people = append(people, m.Item)
			}
		}
		if len(people) > 0 {
			return directory.CheckNamed(people)
		}
	}
	return errNothingToTry
}

// tryOrganisation is for the name alone: an app may lack the permission.
func (s *source) tryOrganisation(ctx context.Context) directory.Finding {
	raw, err := s.ask(ctx, asking{"the organisation", ""}, func() (*kiota.RequestInformation, error) {
		return asLinked(s.root.String() + "/organization?$select=id,displayName")
	})
	var answer struct {
		Value []struct {
			Name string `json:"displayName"`
		} `json:"value"`
	}
	if err != nil || json.Unmarshal(raw, &answer) != nil || len(answer.Value) == 0 {
		return directory.Finding{Step: directory.StepOrganisation, Outcome: directory.NotTried, Text: "the app may not read the organisation's name, and need not"}
	}
	return directory.Finding{Step: directory.StepOrganisation, Outcome: directory.Passed, Text: answer.Value[0].Name}
}
