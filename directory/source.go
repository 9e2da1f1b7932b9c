package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Source is a directory, read page by page. Its errors are problems whose text
// an administrator understands, and hold no secret; Later marks those that pass
// by themselves.
type Source interface {
	// People and Groups answer the page that link names. An empty link begins a
	// full round; ErrExpired says that the directory no longer knows the link.
	People(ctx context.Context, link string) (Page, error)
	Groups(ctx context.Context, link string) (Page, error)
	// Person answers all that is selected of one person, removed when there is none.
	Person(ctx context.Context, id string) (Item, error)
	// Group answers a group with all who are in it directly, and what is selected
	// of the people among them. A group that is gone is removed.
	Group(ctx context.Context, id string) (group Item, people []Item, err error)
}

// ErrExpired says that a link is too old, so that only a full round helps.
var ErrExpired = problem.New(problem.KindUnavailable, "directory_expired", "the directory no longer knows where we were")

// ErrNotSignedIn says that the directory does not accept our sign-in any more.
// A source that is opened anew signs in again.
var ErrNotSignedIn = problem.New(problem.KindConflict, "directory_token", "Microsoft Graph does not accept our sign-in")

// Later is a failure that passes by itself: whoever asked waits and asks again.
type Later struct {
	After time.Duration // as the directory asks for, 0 when it does not say
	Err   error
}

func (l *Later) Error() string { return l.Err.Error() }

func (l *Later) Unwrap() error { return l.Err }

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

// PersonFields are the properties asked for of every connection, besides those
// that its scope reads; no others are kept. A new one means a full round.
var PersonFields = []string{
	"displayName", "jobTitle", "department", "officeLocation", "mail", "preferredLanguage",
	"mobilePhone", "businessPhones", "usageLocation", "country", "accountEnabled", "userType",
}

// GroupFields are asked for together with the members.
var GroupFields = []string{"displayName"}

// Access is how a source is opened, and for what.
type Access struct {
	Credentials
	PersonFields []string
	// Urgent is for what somebody waits for; other reading stands back when the
	// directory is busy.
	Urgent bool
	// Told, when not nil, hears of every exchange with the directory after it.
	Told func(Exchange)
}

// Exchange is one request over the network and how it was answered.
type Exchange struct {
	Method, Resource string // GET, /users/delta
	Permission       string // that it needs
	Status           int    // 0 for no answer
}

func (e Exchange) String() string { return fmt.Sprintf("%s %s", e.Method, e.Resource) }

// Cloud is where directories are.
type Cloud struct {
	Hosts string // sign-in and API; links are valid for these alone
	Open  func(Access) (Source, error)
	// Subscribe opens what may subscribe to changes, and nothing else.
	Subscribe func(Access) (Subscriber, error)
	// SignInAt and ConsentAt are pages of Microsoft's for a person with a browser:
	// to sign in, and to let the installation's app into the person's tenant.
	SignInAt  func(Visit) string
	ConsentAt func(Visit) string
	// WhoIs answers who signed in, for the code that the browser came back with.
	WhoIs func(ctx context.Context, v Visit, code string) (Visitor, error)
	// Check asks for everything that a sync reads, with a fresh sign-in, and says
	// of each step how it went.
	Check func(ctx context.Context, a Access) []Finding
}

// The clouds of Microsoft that a connection may name.
const (
	GlobalCloud = "global"
	USGovCloud  = "us-gov" // L4, GCC High
	DoDCloud    = "us-dod" // L5
	ChinaCloud  = "china"
)

// Clouds are those of an installation, by name.
type Clouds map[string]Cloud
