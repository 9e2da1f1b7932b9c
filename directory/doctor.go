package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Finding is what a check found out about one step of the way to a directory.
type Finding struct {
	Step    string // one of the steps
	Outcome string // Passed, Broken or NotTried
	Code    string // a problem's, of one that is broken
	Text    string // in words, for an administrator
}

// The steps of a check, in their order.
const (
	StepSignIn       = "sign_in"
	StepPeople       = "people"
	StepGroups       = "groups"
	StepMembers      = "members"
	StepOrganisation = "organisation"
)

// Outcomes of a step.
const (
	Passed   = "passed"
	Broken   = "broken"
	NotTried = "not_tried" // an earlier one is broken, or the directory does not offer it
)

// Report is the findings of a check.
type Report []Finding

// OK says that nothing is broken.
func (r Report) OK() bool {
	_, broken := r.failed()
	return !broken
}

// failed is the first step that is broken.
func (r Report) failed() (Finding, bool) {
	i := slices.IndexFunc(r, func(f Finding) bool { return f.Outcome == Broken })
	if i < 0 {
		return Finding{}, false
	}
	return r[i], true
}

// Failed is the first step that is broken, in words; "" for none.
func (r Report) Failed() string {
	f, _ := r.failed()
	return f.Text
}

// checkTimeout bounds a check: somebody waits for it.
const checkTimeout = 45 * time.Second

// examine asks for everything that a sync reads.
func (d *Directory) examine(ctx context.Context, c Connection, credentials Credentials) (Report, error) {
	cloud, err := d.cloud(c.Cloud)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return cloud.Check(ctx, Access{Credentials: credentials, PersonFields: c.Settings.personFields(), Urgent: true}), nil
}

// Reading is one line of the record of what was read from a directory.
type Reading struct {
	At         time.Time
	Run        int64
	Request    string // GET /users/delta
	Requests   int
	Permission string
	Fields     []string
}

// Permissions are what each request needs, of the three that an app is granted.
var permissions = map[string]string{
	"GET /users/delta":         "User.Read.All",
	"GET /users":               "User.Read.All",
	"GET /users/{id}":          "User.Read.All",
	"GET /groups/delta":        "Group.Read.All, GroupMember.Read.All",
	"GET /groups":              "Group.Read.All",
	"GET /groups/{id}":         "Group.Read.All",
	"GET /groups/{id}/members": "GroupMember.Read.All",
	"GET /organization":        "",
}

// AccessReport tells an organisation's security staff what was read of its
// directory, run by run: those before the run given (0 for the latest), at most
// limit runs.
func (d *Directory) AccessReport(ctx context.Context, account, connection, before int64, limit int) ([]Reading, error) {
	c, err := d.Connection(ctx, account, connection)
	if err != nil {
		return nil, err
	}
	runs, err := d.Runs(ctx, account, connection, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list what was read: %w", err)
	}
	var all []Reading
	for _, r := range runs {
		for _, request := range slices.Sorted(maps.Keys(r.Requests)) {
			all = append(all, Reading{At: r.Started, Run: r.ID, Request: request, Requests: r.Requests[request],
				Permission: permissions[request], Fields: c.Settings.fieldsOf(request)})
		}
	}
	return all, nil
}

// ReadingColumns name what Columns answers.
var ReadingColumns = []string{"time", "run", "request", "count", "permission", "fields"}

// Columns are the reading's values in the order of ReadingColumns.
func (r Reading) Columns(run string) []string {
	return []string{r.At.UTC().Format(time.RFC3339), run, r.Request, strconv.Itoa(r.Requests), r.Permission, strings.Join(r.Fields, " ")}
}

// fieldsOf are the properties that a request selects.
func (s Settings) fieldsOf(request string) []string {
	switch request {
	case "GET /users/delta", "GET /users", "GET /users/{id}", "GET /groups/{id}/members":
		return append([]string{"id"}, s.personFields()...)
	case "GET /groups/delta", "GET /groups", "GET /groups/{id}":
		return append([]string{"id", "members"}, GroupFields...)
	}
	return nil
}
