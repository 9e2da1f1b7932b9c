package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"

	"github.com/varsel/varsel/directory"
)

// memberPage is the largest that Graph serves.
const memberPage = int32(999)

// Group reads a group's direct members page by page. There is no delta of one
// group, so all of them are told.
func (s *source) Group(ctx context.Context, id string) (group directory.Item, people []directory.Item, err error) {
	group, err = s.groupItself(ctx, id)
	if err != nil || group.Removed {
		return group, nil, err
	}
	members, err := s.members(ctx, id, append([]string{"id"}, s.access.PersonFields...), memberPage)
	if err != nil {
		return group, nil, err
	}
	for _, m := range members {
		group.Members = append(group.Members, directory.Member{ID: m.ID})
		if m.isPerson {
			people = append(people, m.Item)
		}
	}
	return group, people, nil
}

func (s *source) groupItself(ctx context.Context, id string) (directory.Item, error) {
	raw, err := s.ask(ctx, askingGroups, func() (*kiota.RequestInformation, error) {
		return s.groups().ByGroupId(id).ToGetRequestInformation(ctx, &groups.GroupItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.GroupItemRequestBuilderGetQueryParameters{Select: append([]string{"id"}, directory.GroupFields...)},
		})
	})
	if errors.Is(err, errNotFound) {
		return directory.Item{ID: id, Removed: true}, nil
	}
	if err != nil {
		return directory.Item{}, err
	}
	return readItem(raw)
}

// member is a person or a group in a group.
type member struct {
	directory.Item
	isPerson bool
}

// members reads all pages, or only the first for a size below the largest.
func (s *source) members(ctx context.Context, group string, fields []string, size int32) (all []member, err error) {
	request := func() (*kiota.RequestInformation, error) {
		return s.groups().ByGroupId(group).Members().ToGetRequestInformation(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemMembersRequestBuilderGetQueryParameters{Select: fields, Top: &size},
		})
	}
	for {
		raw, err := s.ask(ctx, askingMembers, request)
		if err != nil {
			return nil, err
		}
		some, next, err := readMembers(raw)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if next == "" || size < memberPage {
			return all, nil
		}
		if err := s.checkLink(next); err != nil {
			return nil, err
		}
		request = func() (*kiota.RequestInformation, error) { return asLinked(next) }
	}
}

// asLinked asks for what a link names, as it is written.
func asLinked(link string) (*kiota.RequestInformation, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, err
	}
	info := kiota.NewRequestInformation()
	info.Method = kiota.GET
	info.SetUri(*u)
	info.Headers.TryAdd("Accept", "application/json")
	info.AddRequestOptions(asItIs)
	return info, nil
}

func readMembers(raw []byte) (all []member, next string, err error) {
	var p struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return nil, "", errNotAPage
	}
	for _, one := range p.Value {
		var kind struct {
			Type string `json:"@odata.type"`
		}
		it, err := readItem(one)
		if err != nil || json.Unmarshal(one, &kind) != nil {
			return nil, "", errNotAPage
		}
		if it.ID != "" && personOrGroup(kind.Type) {
			all = append(all, member{it, kind.Type != "#microsoft.graph.group"})
		}
	}
	return all, p.Next, nil
}
