package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

type connection struct {
	ID          string    `json:"id"`
	Tenant      string    `json:"tenant"`
	ClientID    string    `json:"client_id"`
	State       string    `json:"state" enum:"connected,failing,disconnected"`
	Reason      string    `json:"reason,omitempty" doc:"Why it is failing, for an administrator."`
	RequestedAt time.Time `json:"requested_at,omitzero" doc:"When a sync was last asked for."`
	NextSyncAt  time.Time `json:"next_sync_at,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
}

func (s Services) connection(c directory.Connection) connection {
	return connection{
		ID: s.connectionName(c.ID), Tenant: c.Tenant, ClientID: c.Client, State: c.State, Reason: c.Reason,
		RequestedAt: at(c.RequestedAt), NextSyncAt: at(c.DueAt), CreatedAt: at(c.Created),
	}
}

func (s Services) connectionName(id int64) string { return s.Names.Of(secrets.Connection, id) }

const connectionsPath = "/v1/directory/connections"

// An account has a handful of connections, so they are one page.
func (s Services) listConnections(ctx context.Context, _ *struct{}) (*answer[list[connection]], error) {
	rows, err := s.Directory.Connections(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return pageOf(rows, len(rows), s.connection, nil), nil
}

type oneConnection struct {
	ID string `path:"id" doc:"dir_..."`
}

type syncRequest struct {
	Connection  string    `json:"connection"`
	RequestedAt time.Time `json:"requested_at" doc:"The run that answers it starts later."`
}

func (s Services) requestSync(ctx context.Context, in *oneConnection) (*made[syncRequest], error) {
	id, err := s.Names.ID(secrets.Connection, in.ID)
	if err != nil {
		return nil, err
	}
	requested, err := s.Directory.Request(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &made[syncRequest]{Location: connectionsPath + "/" + in.ID + "/runs",
		Body: syncRequest{Connection: in.ID, RequestedAt: at(requested)}}, nil
}

type run struct {
	ID        string    `json:"id"`
	State     string    `json:"state" enum:"running,waiting,done,failed"`
	Reason    string    `json:"reason,omitempty" doc:"Why it failed, for an administrator."`
	Records   int       `json:"records" doc:"Changes read so far."`
	People    int       `json:"people" doc:"In the directory."`
	Contacts  contained `json:"contacts"`
	Added     int       `json:"added"`
	Changed   int       `json:"changed"`
	Removed   int       `json:"removed"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

type contained struct {
	Total         int `json:"total" doc:"People of the directory who are in the address book."`
	WithoutNumber int `json:"without_number" doc:"Of them, those whose fields hold no number."`
	InvalidNumber int `json:"invalid_number" doc:"Of them, those whose number cannot be texted."`
}

func (s Services) run(r directory.Run) run {
	return run{
		ID: s.Names.Of(secrets.Run, r.ID), State: r.State, Reason: r.Reason, Records: r.Records, People: r.People,
		Contacts: contained{r.Contacts, r.WithoutNumber, r.Invalid},
		Added:    r.Added, Changed: r.Changed, Removed: r.Removed,
		StartedAt: at(r.Started), EndedAt: at(r.Ended),
	}
}

type listRuns struct {
	ID    string `path:"id" doc:"dir_..."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many there are at the most."`
}

func (s Services) listRuns(ctx context.Context, in *listRuns) (*answer[list[run]], error) {
	id, err := s.Names.ID(secrets.Connection, in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.Directory.Connection(ctx, accountOf(ctx), id); err != nil {
		return nil, err
	}
	rows, err := s.Directory.Runs(ctx, accountOf(ctx), id, 0, in.Limit)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.run, nil), nil
}
