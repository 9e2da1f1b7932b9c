package api

import (
	"context"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type connection struct {
	ID              string    `json:"id"`
	Kind            string    `json:"kind" enum:"graph,scim" doc:"graph: we read the directory. scim: it tells us."`
	Tenant          string    `json:"tenant"`
	ClientID        string    `json:"client_id,omitempty"`
	Cloud           string    `json:"cloud,omitempty" enum:"global,us-gov,us-dod,china"`
	Credential      string    `json:"credential" enum:"secret,certificate,installation,token" doc:"What it signs in with; of kind scim, what the directory shows us."`
	SecretLast4     string    `json:"secret_last4,omitempty" doc:"The end of the secret, by which to tell it from another. The secret itself is never shown."`
	SecretAt        time.Time `json:"secret_at,omitzero" doc:"When the secret or certificate was given to us."`
	SecretExpiresAt time.Time `json:"secret_expires_at,omitzero" doc:"As the certificate or whoever connected says."`
	State           string    `json:"state" enum:"connected,failing,disconnected"`
	Reason          string    `json:"reason,omitempty" doc:"Why it is failing or was not activated, for an administrator."`
	Suspended       string    `json:"suspended,omitempty" doc:"Why it is not followed though it is connected: the account's plan, or unpaid invoices. Nothing is deleted, and it goes on when that is mended."`
	Preview         bool      `json:"preview" doc:"It is read, but the address book does not follow."`
	Held            int       `json:"held" doc:"People whom the brake keeps in the address book until somebody approves."`
	Settings        settings  `json:"settings"`
	Every           string    `json:"every" example:"15m0s" doc:"How often it is read without being asked."`
	Findings        []finding `json:"findings" doc:"Of the last check."`
	CheckedAt       time.Time `json:"checked_at,omitzero"`
	ActivatedAt     time.Time `json:"activated_at,omitzero"`
	AsOf            time.Time `json:"as_of,omitzero" doc:"As of when the address book tells what the directory tells."`
	StalledAt       time.Time `json:"stalled_at,omitzero" doc:"Since when that is too long ago."`
	RequestedAt     time.Time `json:"requested_at,omitzero" doc:"When a sync was last asked for."`
	NextSyncAt      time.Time `json:"next_sync_at,omitzero"`
	CreatedAt       time.Time `json:"created_at"`
}

type finding struct {
	Step    string `json:"step" enum:"sign_in,people,groups,members,organisation"`
	Outcome string `json:"outcome" enum:"passed,broken,not_tried"`
	Code    string `json:"code,omitempty" doc:"What a program can rely on, of a step that is broken." example:"directory_consent"`
	Text    string `json:"text" doc:"In words, for an administrator."`
}

func (s Services) connection(c directory.Connection) connection {
	shown := connection{
		ID: s.connectionName(c.ID), Kind: c.Kind, Tenant: c.Tenant, ClientID: c.Client, Cloud: c.Cloud, Credential: c.Credential,
		SecretLast4: c.SecretLast4, SecretAt: at(c.SecretAt), SecretExpiresAt: at(c.SecretExpires),
		State: c.State, Reason: c.Reason, Preview: c.Preview, Settings: settingsOf(c.Settings), Every: c.Every.String(), Findings: []finding{},
		CheckedAt: at(c.Checked), ActivatedAt: at(c.ActivatedAt), AsOf: at(c.SucceededAt), StalledAt: at(c.StalledAt),
		RequestedAt: at(c.RequestedAt), NextSyncAt: at(c.DueAt), CreatedAt: at(c.Created),
	}
	if c.Kind == directory.FromSCIM {
		shown.Credential, shown.Cloud = "token", ""
	}
	for _, f := range c.Findings {
		shown.Findings = append(shown.Findings, finding(f))
	}
	return shown
}

func (s Services) connectionName(id int64) string { return s.Names.Of(secrets.Connection, id) }

const connectionsPath = "/v1/directory/connections"

// checkPatience is for an operation that waits for a directory's answers.
const checkPatience = time.Minute

func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), checkPatience)
}

type newConnection struct {
	Tenant          string    `json:"tenant" example:"acme.onmicrosoft.com" doc:"Directory (tenant) ID, on the app's Overview page in Entra."`
	ClientID        string    `json:"client_id" example:"6f1d2c7e-0000-4000-8000-000000000001" doc:"Application (client) ID, on the same page."`
	Secret          string    `json:"secret,omitempty" doc:"The client secret's Value, not its Secret ID. It is kept encrypted and never shown again."`
	Certificate     string    `json:"certificate,omitempty" doc:"In place of a secret: the app's certificate and its private key, as one PEM."`
	Cloud           string    `json:"cloud,omitempty" enum:"global,us-gov,us-dod,china" doc:"Microsoft's cloud that the tenant is in; global, if it is not given."`
	SecretExpiresAt time.Time `json:"secret_expires_at,omitzero" doc:"When the secret ends, as Entra shows it."`
	Preview         bool      `json:"preview,omitempty" doc:"Read the directory, but leave the address book as it is until preview is taken away. A tenant that was connected before keeps what was decided; PATCH changes it."`
	Settings        *settings `json:"settings,omitempty" doc:"Of a tenant that is new; PATCH changes them."`
}

type connectDirectory struct {
	Body newConnection
}

func (s Services) connectDirectory(ctx context.Context, in *connectDirectory) (*made[connection], error) {
	ctx, cancel := patient(ctx)
	defer cancel()
	setup := directory.Setup{
		Credentials: directory.Credentials{Tenant: in.Body.Tenant, Client: in.Body.ClientID, Secret: in.Body.Secret, Certificate: in.Body.Certificate},
		Cloud:       in.Body.Cloud, SecretExpires: in.Body.SecretExpiresAt, Preview: in.Body.Preview,
	}
	if in.Body.Settings != nil {
		setup.Settings = in.Body.Settings.chosen()
	}
	c, report, err := s.Directory.Connect(ctx, accountOf(ctx), setup)
	if err != nil {
		return nil, inSettings(err)
	}
	// Of one that goes on with what it had, the new values' findings are told.
	c.Findings = report
	shown, err := s.shown(ctx, c)
	if err != nil {
		return nil, err
	}
	return &made[connection]{Location: connectionsPath + "/" + shown.ID, Body: shown}, nil
}

// shown is a connection with what is not in its row.
func (s Services) shown(ctx context.Context, c directory.Connection) (connection, error) {
	held, err := s.Directory.HeldCount(ctx, c.Account, c.ID)
	if err != nil {
		return connection{}, err
	}
	shown := s.connection(c)
	shown.Held = held
	why, err := s.Directory.Suspended(ctx, c.Account)
	if why != nil && c.State != directory.Disconnected {
		shown.Suspended = why.Text
	}
	return shown, err
}

// An account has a handful of connections, so they are one page.
func (s Services) listConnections(ctx context.Context, _ *struct{}) (*answer[list[connection]], error) {
	rows, err := s.Directory.Connections(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	all := list[connection]{Items: []connection{}}
	for _, c := range rows {
		shown, err := s.shown(ctx, c)
		if err != nil {
			return nil, err
		}
		all.Items = append(all.Items, shown)
	}
	return &answer[list[connection]]{Body: all}, nil
}

// OneConnection is the part of a request that names a connection.
type OneConnection struct {
	ID string `path:"id" doc:"dir_..."`
}

func (s Services) found(ctx context.Context, in OneConnection) (directory.Connection, error) {
	id, err := s.Names.ID(secrets.Connection, in.ID)
	if err != nil {
		return directory.Connection{}, err
	}
	return s.Directory.Connection(ctx, accountOf(ctx), id)
}

func (s Services) readConnection(ctx context.Context, in *OneConnection) (*answer[connection], error) {
	c, err := s.found(ctx, *in)
	if err != nil {
		return nil, err
	}
	shown, err := s.shown(ctx, c)
	return &answer[connection]{Body: shown}, err
}

type newDecisions struct {
	Settings        *settings  `json:"settings,omitempty" doc:"All of them. A changed scope means that everybody is read again."`
	Every           string     `json:"every,omitempty" example:"15m" doc:"How often it is read without being asked: 5m to 24h."`
	Preview         *bool      `json:"preview,omitempty" doc:"Taken away, the address book follows with the next sync, which is then due."`
	SecretExpiresAt *time.Time `json:"secret_expires_at,omitempty" doc:"When the secret ends, as Entra shows it."`
}

type changeConnection struct {
	OneConnection
	Body newDecisions
}

func (s Services) changeConnection(ctx context.Context, in *changeConnection) (*answer[connection], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	if err := s.decide(ctx, c, in.Body); err != nil {
		return nil, err
	}
	return s.readConnection(ctx, &in.OneConnection)
}

func (s Services) decide(ctx context.Context, c directory.Connection, n newDecisions) (err error) {
	if n.Settings != nil {
		c.Settings = n.Settings.chosen()
	}
	if n.Every != "" {
		if c.Every, err = time.ParseDuration(n.Every); err != nil {
			return problem.Invalid("every", "how often it is read is written as 15m or 2h")
		}
	}
	if n.Preview != nil {
		c.Preview = *n.Preview
	}
	if n.Settings != nil || n.Every != "" || n.Preview != nil {
		if err := s.Directory.Change(ctx, c.Account, c.ID, c.Settings, c.Every, c.Preview); err != nil {
			return inSettings(err)
		}
	}
	if n.SecretExpiresAt != nil {
		return s.Directory.SecretExpires(ctx, c.Account, c.ID, *n.SecretExpiresAt)
	}
	return nil
}

func (s Services) checkConnection(ctx context.Context, in *OneConnection) (*answer[connection], error) {
	ctx, cancel := patient(ctx)
	defer cancel()
	c, err := s.found(ctx, *in)
	if err != nil {
		return nil, err
	}
	if c, _, err = s.Directory.Check(ctx, c.Account, c.ID); err != nil {
		return nil, err
	}
	shown, err := s.shown(ctx, c)
	return &answer[connection]{Body: shown}, err
}

func (s Services) disconnectDirectory(ctx context.Context, in *OneConnection) (*answer[connection], error) {
	c, err := s.found(ctx, *in)
	if err != nil {
		return nil, err
	}
	if err := s.Directory.Disconnect(ctx, c.Account, c.ID); err != nil {
		return nil, err
	}
	return s.readConnection(ctx, in)
}

type newSync struct {
	Kind  string `json:"kind,omitempty" enum:"sync,preview,group" doc:"sync, if it is not given. preview only compares; group reads one group."`
	Group string `json:"group,omitempty" pattern:"^[A-Za-z0-9-]*$" patternDescription:"an object id" doc:"Of kind group: its id in the directory."`
}

type requestSync struct {
	OneConnection
	Body *newSync
}

type syncRequest struct {
	Connection  string    `json:"connection"`
	RequestedAt time.Time `json:"requested_at" doc:"The run that answers it starts later."`
}

func (s Services) requestSync(ctx context.Context, in *requestSync) (*made[syncRequest], error) {
	id, err := s.Names.ID(secrets.Connection, in.ID)
	if err != nil {
		return nil, err
	}
	want := newSync{}
	if in.Body != nil {
		want = *in.Body
	}
	requested, err := s.request(ctx, id, want)
	if err != nil {
		return nil, err
	}
	return &made[syncRequest]{Location: connectionsPath + "/" + in.ID + "/runs",
		Body: syncRequest{Connection: in.ID, RequestedAt: at(requested)}}, nil
}

func (s Services) request(ctx context.Context, connection int64, want newSync) (time.Time, error) {
	account := accountOf(ctx)
	switch {
	case (want.Kind == directory.Group) != (want.Group != ""):
		return time.Time{}, problem.Invalid("group", "the kind group, and no other, needs the id of a group")
	case want.Kind == directory.Group:
		return s.Directory.RequestGroup(ctx, account, connection, want.Group)
	case want.Kind == directory.Preview:
		return s.Directory.RequestPreview(ctx, account, connection)
	}
	return s.Directory.Request(ctx, account, connection)
}
