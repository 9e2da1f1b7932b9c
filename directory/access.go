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

// Reading is one line of the record of what was read from a directory.
type Reading struct {
	At         time.Time
	Run        int64  // 0 for a check of the access
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
// directory, the latest first: in runs before the one given (0 for all), at most
// limit of them, and in the checks between.
func (d *Directory) AccessReport(ctx context.Context, account, connection, before int64, limit int) ([]Reading, error) {
	c, err := d.Connection(ctx, account, connection)
	if err != nil {
		return nil, err
	}
	runs, err := d.Runs(ctx, account, connection, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list what was read: %w", err)
	}
	from, to := time.Time{}, time.Now().Add(time.Hour) // clocks differ
	if before > 0 {
		if to, err = d.startOf(ctx, account, connection, before); err != nil {
			return nil, err
		}
	}
	if len(runs) == limit {
		from = runs[len(runs)-1].Started
	}
	all, err := d.checksBetween(ctx, c, from, to)
	for _, r := range runs {
		all = append(all, readings(r.Started, r.ID, r.Requests, c.Settings.fieldsOf)...)
	}
	slices.SortStableFunc(all, func(a, b Reading) int { return b.At.Compare(a.At) })
	return all, err
}

func readings(at time.Time, run int64, requests map[string]int, fields func(request string) []string) (all []Reading) {
	for _, request := range slices.Sorted(maps.Keys(requests)) {
		all = append(all, Reading{At: at, Run: run, Request: request, Requests: requests[request],
			Permission: permissions[request], Fields: fields(request)})
	}
	return all
}

// ReadingColumns name what Columns answers.
var ReadingColumns = []string{"time", "run", "request", "count", "permission", "fields"}

// Columns are the reading's values in the order of ReadingColumns. name is how
// runs are called outside.
func (r Reading) Columns(name func(run int64) string) []string {
	run := "check"
	if r.Run != 0 {
		run = name(r.Run)
	}
	return []string{r.At.UTC().Format(time.RFC3339), run, r.Request, strconv.Itoa(r.Requests), r.Permission, strings.Join(r.Fields, " ")}
}

// fieldsOfCheck are the properties that a request of a check selects.
func (s Settings) fieldsOfCheck(request string) []string {
	switch request {
	case "GET /groups", "GET /groups/{id}/members", "GET /organization":
		return []string{"id", "displayName"}
	}
	return s.fieldsOf(request)
}

// fieldsOf are the properties that a request selects.
func (s Settings) fieldsOf(request string) []string {
	switch request {
	case "GET /users/delta", "GET /users", "GET /users/{id}", "GET /groups/{id}/members":
		return append([]string{"id"}, s.personFields()...)
	case "GET /groups/delta":
		return append([]string{"id", "members"}, GroupFields...)
	case "GET /groups/{id}":
		return append([]string{"id"}, GroupFields...)
	}
	return nil
}
