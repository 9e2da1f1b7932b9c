package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type run struct {
	ID         string         `json:"id"`
	Kind       string         `json:"kind" enum:"sync,preview,group"`
	Group      string         `json:"group,omitempty" doc:"Of kind group: its id in the directory."`
	State      string         `json:"state" enum:"running,waiting,done,failed"`
	Phase      string         `json:"phase,omitempty" enum:"groups,people,applying" doc:"Of a run under way."`
	Code       string         `json:"code,omitempty" doc:"Why it waits or failed, in a word that a program can rely on."`
	Reason     string         `json:"reason,omitempty" doc:"Why it waits or failed, for an administrator."`
	Records    int            `json:"records" doc:"People and groups read so far. It never falls."`
	People     int            `json:"people" doc:"In the directory."`
	Skipped    map[string]int `json:"skipped" doc:"Of them, those out of scope, by why: guest, blocked, minor, unlicensed, filter or groups."`
	Contacts   contained      `json:"contacts"`
	Added      int            `json:"added"`
	Changed    int            `json:"changed"`
	Removed    int            `json:"removed"`
	NumberLost int            `json:"number_lost" doc:"Of the changed, those who lost their number."`
	Held       int            `json:"held" doc:"Kept by the brake."`
	Groups     groupsRead     `json:"groups"`
	Cards      cardsFollowed  `json:"cards,omitzero" doc:"Of people who are grouped for cards."`
	Requests   map[string]int `json:"requests" doc:"What was asked of the directory, by method and resource."`
	AsOf       time.Time      `json:"as_of,omitzero" doc:"When what it applied was true in the directory."`
	ResumeAt   time.Time      `json:"resume_at,omitzero" doc:"When one that waits goes on."`
	StartedAt  time.Time      `json:"started_at"`
	EndedAt    time.Time      `json:"ended_at,omitzero"`
}

type contained struct {
	Total         int `json:"total" doc:"People of the directory who are in the address book."`
	WithoutNumber int `json:"without_number" doc:"Of them, those whose fields hold no number."`
	InvalidNumber int `json:"invalid_number" doc:"Of them, those whose number cannot be texted."`
	SharedNumber  int `json:"shared_number" doc:"Of them, those who have a number in common."`
}

type groupsRead struct {
	Total        int `json:"total"`
	Added        int `json:"added"`
	Removed      int `json:"removed"`
	MembersAdded int `json:"members_added"`
	MembersGone  int `json:"members_gone"`
}

type cardsFollowed struct {
	Cards      int `json:"total" doc:"Cards in use."`
	Added      int `json:"added" doc:"Issued, or given back to who returned."`
	Changed    int `json:"changed"`
	Withdrawn  int `json:"withdrawn"`
	Undesigned int `json:"undesigned" doc:"People in groups that no template was applied to."`
	Unmatched  int `json:"unmatched" doc:"People who fit no filter."`
	Minors     int `json:"minors" doc:"People who have none because they are marked as minors."`
	Refused    int `json:"refused" doc:"People for whom none may be issued: there is no agreement, or the plan has no cards."`
}

func (s Services) run(r directory.Run) run {
	return run{
		ID: s.runName(r), Kind: r.Kind, Group: r.Group, State: r.State, Phase: r.Phase, Code: r.Code, Reason: r.Reason,
		Records: r.Records, People: r.People, Skipped: counted(r.Skipped),
		Contacts: contained{r.Contacts, r.WithoutNumber, r.Invalid, r.Shared},
		Added:    r.Added, Changed: r.Changed, Removed: r.Removed, NumberLost: r.NumberLost, Held: r.Held,
		Groups: groupsRead{r.Counts.Groups, r.GroupsAdded, r.GroupsRemoved, r.MembersAdded, r.MembersGone}, Cards: cardsFollowed(r.Counts.Cards), Requests: counted(r.Requests),
		AsOf: at(r.AsOf), ResumeAt: at(r.ResumeAt), StartedAt: at(r.Started), EndedAt: at(r.Ended),
	}
}

// counted is never null.
func counted(of map[string]int) map[string]int {
	if of == nil {
		return map[string]int{}
	}
	return of
}

func (s Services) runName(r directory.Run) string { return s.Names.Of(secrets.Run, r.ID) }

type listRuns struct {
	OneConnection
	Page
}

func (s Services) listRuns(ctx context.Context, in *listRuns) (*answer[list[run]], error) {
	rows, err := s.runsBefore(ctx, in)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.run, s.runName), nil
}

// runsBefore are one more than a page, if there are.
func (s Services) runsBefore(ctx context.Context, in *listRuns) ([]directory.Run, error) {
	before, err := in.from(s.Names, secrets.Run)
	if err != nil {
		return nil, err
	}
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	return s.Directory.Runs(ctx, c.Account, c.ID, before, in.Limit+1)
}

// listObjects asks for a list in the order of the directory's own ids, which
// are its cursors.
type listObjects struct {
	OneConnection
	Page
}

// after is where it begins. PostgreSQL bears no NUL.
func (p Page) after() string { return strings.ReplaceAll(p.Cursor, "\x00", "") }

type held struct {
	DirectoryID string    `json:"directory_id"`
	Contact     string    `json:"contact,omitempty"`
	Name        string    `json:"name"`
	Loss        string    `json:"loss" enum:"removed,number" doc:"What would become of them: removed, or without a number."`
	Since       time.Time `json:"since"`
	Approved    bool      `json:"approved" doc:"They go with the next sync."`
}

func (s Services) listHeld(ctx context.Context, in *listObjects) (*answer[list[held]], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	rows, err := s.Directory.Held(ctx, c.Account, c.ID, in.after(), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.held, func(h directory.Held) string { return h.DirectoryID }), nil
}

func (s Services) held(h directory.Held) held {
	shown := held{DirectoryID: h.DirectoryID, Name: h.Name, Loss: h.Loss, Since: at(h.Since), Approved: h.Approved}
	if h.Contact != 0 {
		shown.Contact = s.Names.Of(secrets.Contact, h.Contact)
	}
	return shown
}

type newApproval struct {
	People int `json:"people" minimum:"1" doc:"How many are held, as they were read. When the number has changed meanwhile, nobody goes."`
}

type approveHeld struct {
	OneConnection
	Body newApproval
}

func (s Services) approveHeld(ctx context.Context, in *approveHeld) (*answer[connection], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	if err := s.Directory.Approve(ctx, c.Account, c.ID, in.Body.People, s.approver(ctx)); err != nil {
		return nil, err
	}
	return s.readConnection(ctx, &in.OneConnection)
}

// approver is who answers for the request's key.
func (s Services) approver(ctx context.Context) string {
	key := ctx.Value(caller{}).(accounts.Key)
	name := "API key " + s.Names.Of(secrets.Key, key.ID)
	if key.Owner != "" {
		return key.Owner + ", " + name
	}
	return name
}

type previewPerson struct {
	DirectoryID string `json:"directory_id"`
	Name        string `json:"name"`
	Change      string `json:"change,omitempty" enum:"added,changed,removed,number" doc:"What following would do; number: they would lose theirs."`
	PhoneReason string `json:"phone_reason,omitempty" doc:"Why there is no number to text: no_number, extension, letters, too_short, too_long, unknown_country or invalid."`
	Shared      int    `json:"shared,omitempty" doc:"People with the same number."`
}

type listPreview struct {
	OneConnection
	Page
	Of string `query:"of" enum:"all,added,changed,removed,number,without_number,invalid,shared" default:"all" doc:"Only those of whom it is true."`
}

func (s Services) listPreview(ctx context.Context, in *listPreview) (*answer[list[previewPerson]], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	rows, err := s.Directory.PreviewOf(ctx, c.Account, c.ID, in.Of, in.after(), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, func(p directory.PreviewPerson) previewPerson {
		return previewPerson{p.DirectoryID, p.Name, p.Change, p.Reason, p.Shared}
	}, func(p directory.PreviewPerson) string { return p.DirectoryID }), nil
}

type skipped struct {
	DirectoryID string `json:"directory_id"`
	Reason      string `json:"reason" enum:"guest,blocked,minor,unlicensed,filter,groups"`
}

func (s Services) listSkipped(ctx context.Context, in *listObjects) (*answer[list[skipped]], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	rows, err := s.Directory.SkippedPeople(ctx, c.Account, c.ID, in.after(), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, func(p directory.Skipped) skipped { return skipped(p) },
		func(p directory.Skipped) string { return p.DirectoryID }), nil
}

type unit struct {
	DirectoryID string `json:"directory_id"`
	Name        string `json:"name"`
}

type listUnits struct {
	OneConnection
	Page
	Name string `query:"name" doc:"Only those whose name has this in it."`
}

func (s Services) listUnits(ctx context.Context, in *listUnits) (*answer[list[unit]], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	all, err := s.Directory.Units(ctx, c.Account, c.ID)
	if err != nil {
		return nil, err
	}
	if all, err = unitsAfter(all, in.Cursor); err != nil {
		return nil, err
	}
	wanted := strings.ToLower(in.Name)
	all = slices.DeleteFunc(all, func(u directory.Unit) bool { return !strings.Contains(strings.ToLower(u.Name), wanted) })
	return pageOf(all, in.Limit, func(u directory.Unit) unit { return unit(u) }, func(u directory.Unit) string { return u.DirectoryID }), nil
}

func unitsAfter(all []directory.Unit, cursor string) ([]directory.Unit, error) {
	if cursor == "" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(u directory.Unit) bool { return u.DirectoryID == cursor })
	if i < 0 {
		return nil, problem.Invalid("cursor", "the group that this page began after is gone; begin anew")
	}
	return all[i+1:], nil
}

type reading struct {
	At         time.Time `json:"at"`
	Run        string    `json:"run"`
	Request    string    `json:"request" example:"GET /users/delta"`
	Count      int       `json:"count"`
	Permission string    `json:"permission,omitempty" doc:"That it needs."`
	Fields     []string  `json:"fields,omitempty" doc:"That it asks for, as the settings are now."`
}

// listReadings pages by runs, each of which has several readings.
func (s Services) listReadings(ctx context.Context, in *listRuns) (*answer[list[reading]], error) {
	runs, err := s.runsBefore(ctx, in)
	if err != nil {
		return nil, err
	}
	before, err := in.from(s.Names, secrets.Run)
	if err != nil {
		return nil, err
	}
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	rows, err := s.Directory.AccessReport(ctx, c.Account, c.ID, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := pageOf(rows, len(rows), s.reading, nil)
	if len(runs) > in.Limit {
		out.Body.NextCursor = s.runName(runs[in.Limit-1])
	}
	return out, nil
}

func (s Services) reading(r directory.Reading) reading {
	told := reading{At: at(r.At), Request: r.Request, Count: r.Requests, Permission: r.Permission, Fields: r.Fields}
	if r.Run != 0 {
		told.Run = s.Names.Of(secrets.Run, r.Run)
	}
	return told
}
