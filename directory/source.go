package directory

import (
	"context"
	"encoding/json"

	"github.com/varsel/varsel/internal/problem"
)

// Source is a directory, read page by page. Its errors are problems whose text
// an administrator understands, and hold no secret.
type Source interface {
	// People and Groups answer the page that link names. An empty link begins a
	// full round; ErrExpired says that the directory no longer knows the link.
	People(ctx context.Context, link string) (Page, error)
	Groups(ctx context.Context, link string) (Page, error)
	// Person answers all that is selected of one person, removed when there is none.
	Person(ctx context.Context, id string) (Item, error)
}

// ErrExpired says that a link is too old, so that only a full round helps.
var ErrExpired = problem.New(problem.KindUnavailable, "directory_expired", "the directory no longer knows where we were")

// Page has either a Next link, when the round goes on, or a Delta link, from
// which the next round tells what changed since. It may have no items.
type Page struct {
	Items       []Item
	Next, Delta string
}

// Item is one change of a person or a group. The same object may come several
// times, and a group's members in several slices.
type Item struct {
	ID      string
	Removed bool
	// Fields are the selected properties that the page has: what is absent is as
	// it was, what is null was cleared.
	Fields  map[string]json.RawMessage
	Members []Member // of a group
}

// Member is a person or group that came into a group or, when Removed, left it.
type Member struct {
	ID      string
	Removed bool
}

// PersonFields are the properties asked for; no others are kept. A new one means
// a full round.
var PersonFields = []string{
	"displayName", "jobTitle", "department", "officeLocation", "mail", "preferredLanguage",
	"mobilePhone", "businessPhones", "usageLocation", "country", "accountEnabled", "userType",
}

// GroupFields are asked for together with the members.
var GroupFields = []string{"displayName"}

// Credentials are the three values of the app that the customer registered.
type Credentials struct {
	Tenant, Client, Secret string
}

// Cloud is where directories are.
type Cloud struct {
	Hosts string // sign-in and API; links are valid for these alone
	Open  func(Credentials) (Source, error)
}
