package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type directoryConnect struct {
	Account         string `required:"" help:"The account."`
	Tenant          string `required:"" help:"Directory (tenant) ID."`
	ClientID        string `required:"" name:"client-id" help:"Application (client) ID."`
	SecretStdin     bool   `required:"" xor:"credential" help:"Read the client secret's value from standard input."`
	CertificateFile string `required:"" xor:"credential" type:"existingfile" help:"PEM file with the app's certificate and its private key, in place of a secret."`
	SecretExpires   string `help:"Day on which the secret ends (2027-01-31), as Entra shows it; warnings come before."`
	Cloud           string `default:"global" enum:"global,us-gov,us-dod,china" help:"Microsoft's cloud that the tenant is in: global, us-gov (L4), us-dod (L5), china."`
	Preview         bool   `help:"Read the directory, but leave the address book as it is until it is said to follow."`
}

func (d directoryConnect) Run(ctx context.Context, c *commands, t terminal) error {
	setup, err := d.setup(t)
	if err != nil {
		return err
	}
	return c.withAccount(ctx, d.Account, func(app *App, acc accounts.Account) error {
		con, report, err := app.Directory.Connect(ctx, acc.ID, setup)
		if err != nil {
			return err
		}
		return c.sayChecked(t, app, con, report)
	})
}

func (d directoryConnect) setup(t terminal) (s directory.Setup, err error) {
	s = directory.Setup{Credentials: directory.Credentials{Tenant: d.Tenant, Client: d.ClientID}, Cloud: d.Cloud, Preview: d.Preview}
	if d.SecretExpires != "" {
		if s.SecretExpires, err = time.Parse(time.DateOnly, d.SecretExpires); err != nil {
			return s, problem.Invalid("secret_expires", "the day on which the secret ends is written as 2027-01-31")
		}
	}
	if d.CertificateFile != "" {
		text, err := os.ReadFile(d.CertificateFile)
		s.Certificate = string(text)
		return s, err
	}
	s.Secret, err = readSecret(t.in)
	return s, err
}

// sayChecked tells what a check found. One that failed is an error.
func (c *commands) sayChecked(t terminal, app *App, con directory.Connection, r directory.Report) error {
	answer := connectionAnswer(app, con)
	text := fmt.Sprintf("Tenant %s is connected as %s. It is read every %s, and at once by `varsel directory sync`.", con.Tenant, answer["id"], con.Every)
	if con.Kind == directory.FromSCIM {
		text = fmt.Sprintf("Connection %s is open: its directory writes to %s.", answer["id"], tenantURL(app))
	}
	if !r.OK() {
		text = fmt.Sprintf("The check failed: %s", r.Failed())
	}
	if err := c.say(t.out, answer, "%s", text); err != nil {
		return err
	}
	if !r.OK() {
		return errSaid
	}
	return nil
}

func connectionAnswer(app *App, con directory.Connection) map[string]any {
	findings := []map[string]string{}
	for _, f := range con.Findings {
		findings = append(findings, map[string]string{"step": f.Step, "outcome": f.Outcome, "code": f.Code, "text": f.Text})
	}
	answer := map[string]any{"id": app.Names.Of(secrets.Connection, con.ID), "kind": con.Kind, "tenant": con.Tenant,
		"state": con.State, "reason": con.Reason, "preview": con.Preview, "findings": findings}
	if con.Kind == directory.FromGraph {
		maps.Copy(answer, map[string]any{"client_id": con.Client, "cloud": con.Cloud, "credential": con.Credential, "secret_last4": con.SecretLast4})
	}
	for name, at := range map[string]time.Time{"as_of": con.SucceededAt, "secret_expires": con.SecretExpires, "next_sync": con.DueAt} {
		if !at.IsZero() {
			answer[name] = at.UTC().Format(time.RFC3339)
		}
	}
	return answer
}

type directoryList struct {
	Account string `required:"" help:"The account."`
}

func (l directoryList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Directory.Connections(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, con := range all {
			answer := connectionAnswer(app, con)
			if err := c.say(t.out, answer, "%s: %s, %s %s", answer["id"], sourceOf(con), con.State, con.Reason); err != nil {
				return err
			}
		}
		return nil
	})
}

func sourceOf(con directory.Connection) string {
	if con.Kind == directory.FromSCIM {
		return "written by SCIM"
	}
	return "tenant " + con.Tenant
}

// oneConnection is what commands about one connection take.
type oneConnection struct {
	Account    string `required:"" help:"The account."`
	Connection string `help:"The connection; needed when there are several."`
}

func (o oneConnection) with(ctx context.Context, c *commands, do func(app *App, con directory.Connection) error) error {
	return o.withKind(ctx, c, "", do)
}

// withKind finds the connection among those of a kind; "" is all of them.
func (o oneConnection) withKind(ctx context.Context, c *commands, kind string, do func(app *App, con directory.Connection) error) error {
	return c.withAccount(ctx, o.Account, func(app *App, acc accounts.Account) error {
		if o.Connection != "" {
			id, err := app.Names.ID(secrets.Connection, o.Connection)
			if err != nil {
				return err
			}
			con, err := app.Directory.Connection(ctx, acc.ID, id)
			if err != nil {
				return err
			}
			return do(app, con)
		}
		all, err := app.Directory.Connections(ctx, acc.ID)
		all = slices.DeleteFunc(all, func(con directory.Connection) bool { return kind != "" && con.Kind != kind })
		switch {
		case err != nil:
			return err
		case len(all) == 0 && kind == directory.FromSCIM:
			return errNoSCIM
		case len(all) == 0:
			return errNotConnected
		case len(all) > 1:
			return problem.Conflict("several_connections", "there are %d connections; name one with --connection, as `varsel directory list` shows them", len(all))
		}
		return do(app, all[0])
	})
}

var errNotConnected = problem.Conflict("no_connection", "no directory is connected: varsel directory connect")

type directoryCheck struct{ oneConnection }

func (d directoryCheck) Run(ctx context.Context, c *commands, t terminal) error {
	return d.with(ctx, c, func(app *App, con directory.Connection) error {
		con, report, err := app.Directory.Check(ctx, con.Account, con.ID)
		if err != nil {
			return err
		}
		if !c.JSON {
			for _, f := range report {
				fmt.Fprintf(t.out, "%-13s %-10s %s\n", f.Step, f.Outcome, f.Text)
			}
		}
		return c.sayChecked(t, app, con, report)
	})
}

type directoryDisconnect struct{ oneConnection }

func (d directoryDisconnect) Run(ctx context.Context, c *commands, t terminal) error {
	return d.with(ctx, c, func(app *App, con directory.Connection) error {
		if err := app.Directory.Disconnect(ctx, con.Account, con.ID); err != nil {
			return err
		}
		con, err := app.Directory.Connection(ctx, con.Account, con.ID)
		if err != nil {
			return err
		}
		if con.Kind == directory.FromSCIM {
			return c.say(t.out, connectionAnswer(app, con), "What the directory writes is refused now. Contacts stay as they are; `varsel directory check` lets it in again.")
		}
		return c.say(t.out, connectionAnswer(app, con), "Tenant %s is read no more. Contacts stay as they are; `varsel directory check` connects it again.", con.Tenant)
	})
}

type directorySettings struct {
	oneConnection
	SetStdin bool `help:"Read the settings from standard input, as JSON such as this command prints."`
}

// settingsText is how settings are printed and read.
type settingsText struct {
	directory.Settings
	Every   string `json:"every"`
	Preview bool   `json:"preview"`
}

func (d directorySettings) Run(ctx context.Context, c *commands, t terminal) error {
	return d.with(ctx, c, func(app *App, con directory.Connection) error {
		s := settingsText{con.Settings, con.Every.String(), con.Preview}
		if d.SetStdin {
			in := json.NewDecoder(t.in)
			in.DisallowUnknownFields()
			s.Settings = directory.Settings{}
			if err := in.Decode(&s); err != nil {
				return problem.Invalid("settings", "the settings are no JSON such as this command prints: %v", err)
			}
			every, err := time.ParseDuration(s.Every)
			if err != nil {
				return problem.Invalid("every", "how often is synced is written as 15m or 2h")
			}
			if err := app.Directory.Change(ctx, con.Account, con.ID, s.Settings, every, s.Preview); err != nil {
				return err
			}
		}
		return json.NewEncoder(t.out).Encode(s)
	})
}

type directoryHeld struct{ oneConnection }

func (d directoryHeld) Run(ctx context.Context, c *commands, t terminal) error {
	return d.with(ctx, c, func(app *App, con directory.Connection) error {
		for after := ""; ; {
			page, err := app.Directory.Held(ctx, con.Account, con.ID, after, 1000)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, h := range page {
				answer := map[string]any{"directory_id": h.DirectoryID, "name": h.Name, "loss": h.Loss, "since": h.Since.UTC().Format(time.RFC3339), "approved": h.Approved}
				if err := c.say(t.out, answer, "%s  %s  %s", h.DirectoryID, h.Loss, h.Name); err != nil {
					return err
				}
				after = h.DirectoryID
			}
		}
	})
}

type directoryApprove struct {
	oneConnection
	People int    `required:"" help:"How many they are, as varsel directory held lists them."`
	By     string `required:"" help:"Who approves, for the record."`
}

func (d directoryApprove) Run(ctx context.Context, c *commands, t terminal) error {
	return d.with(ctx, c, func(app *App, con directory.Connection) error {
		if err := app.Directory.Approve(ctx, con.Account, con.ID, d.People, d.By); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"approved": d.People, "by": d.By}, "%d people go with the next sync, which is due now.", d.People)
	})
}

type directoryAccess struct {
	oneConnection
	Runs int `default:"1000" help:"Of how many of the latest runs."`
}

func (d directoryAccess) Run(ctx context.Context, c *commands, t terminal) error {
	return d.with(ctx, c, func(app *App, con directory.Connection) error {
		all, err := app.Directory.AccessReport(ctx, con.Account, con.ID, 0, d.Runs)
		if err != nil {
			return err
		}
		w := csv.NewWriter(t.out)
		w.Write(directory.ReadingColumns)
		for _, one := range all {
			w.Write(one.Columns(func(run int64) string { return app.Names.Of(secrets.Run, run) }))
		}
		w.Flush()
		return w.Error()
	})
}

type directorySync struct {
	Account    string        `required:"" help:"The account."`
	Connection string        `help:"Only this connection."`
	Preview    bool          `xor:"kind" help:"Only say what would change."`
	Group      string        `xor:"kind" help:"Only this group, by its object id in the directory."`
	Timeout    time.Duration `default:"1h" help:"How long to wait at the most."`
}

func (s directorySync) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		connections, err := s.connections(ctx, app, acc.ID)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		// Asked before this process works, one run does what is due and what
		// is asked.
		asked := make([]time.Time, len(connections))
		for i, con := range connections {
			if asked[i], err = s.request(ctx, app, con); err != nil {
				return err
			}
		}
		if err := app.haveWorker(ctx); err != nil {
			return err
		}
		var failed error
		for i, con := range connections {
			run, err := app.awaitRun(ctx, acc.ID, con.ID, asked[i])
			if err != nil {
				return err
			}
			if err := c.say(t.out, runAnswer(app, run), "%s", runText(run)); err != nil {
				return err
			}
			if run.State != directory.Done {
				failed = errSaid
			}
		}
		return failed
	})
}

// connections are those to sync: one that was disconnected is not.
func (s directorySync) connections(ctx context.Context, app *App, account int64) ([]directory.Connection, error) {
	all, err := app.Directory.Connections(ctx, account)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(con directory.Connection) bool {
		name := app.Names.Of(secrets.Connection, con.ID)
		return s.Connection != "" && name != s.Connection || s.Connection == "" && con.State == directory.Disconnected
	})
	switch {
	case len(chosen) > 0:
		return chosen, nil
	case len(all) > 0 && all[0].Reason != "":
		return nil, problem.Conflict("disconnected", "the directory is not connected: %s", all[0].Reason)
	}
	return nil, errNotConnected
}

func (s directorySync) request(ctx context.Context, app *App, con directory.Connection) (time.Time, error) {
	switch {
	case s.Preview:
		return app.Directory.RequestPreview(ctx, con.Account, con.ID)
	case s.Group != "":
		return app.Directory.RequestGroup(ctx, con.Account, con.ID, s.Group)
	}
	return app.Directory.Request(ctx, con.Account, con.ID)
}

// awaitRun waits for a run that started after it was asked for.
func (a *App) awaitRun(ctx context.Context, account, connection int64, asked time.Time) (directory.Run, error) {
	for {
		run, found, err := a.Directory.RunAfter(ctx, account, connection, asked)
		if err != nil || found && !run.Open() {
			return run, err
		}
		select {
		case <-ctx.Done():
			return run, fmt.Errorf("wait for the sync: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func runAnswer(app *App, r directory.Run) map[string]any {
	return map[string]any{"id": app.Names.Of(secrets.Run, r.ID), "kind": r.Kind, "state": r.State, "code": r.Code, "reason": r.Reason,
		"records": r.Records, "people": r.People, "skipped": r.Skipped, "contacts": r.Contacts, "without_number": r.WithoutNumber,
		"invalid": r.Invalid, "shared": r.Shared, "added": r.Added, "changed": r.Changed, "removed": r.Removed, "held": r.Held,
		"groups": r.Groups, "as_of": r.AsOf.UTC().Format(time.RFC3339)}
}

func runText(r directory.Run) string {
	if r.State != directory.Done {
		return fmt.Sprintf("The sync failed: %s", r.Reason)
	}
	text := "%d people read, %d contacts: %d added, %d changed, %d removed; %d without a number, %d with an invalid one"
	if r.Kind == directory.Preview {
		text = "%d people read, %d would be contacts: %d to add, %d to change, %d to remove; %d without a number, %d with an invalid one"
	}
	text = fmt.Sprintf(text, r.People, r.Contacts, r.Added, r.Changed, r.Removed, r.WithoutNumber, r.Invalid)
	if r.Held > 0 {
		text += fmt.Sprintf(". %d more would lose their place or their number and are kept until somebody approves: varsel directory held", r.Held)
	}
	return text
}

// syncsAtOnce is how many tenants a process reads at the same time.
const syncsAtOnce = 4

// syncJob reads the directories that are due, several at a time: a slow one
// holds up no other.
func syncJob(d *directory.Directory) smsqueue.Job {
	return smsqueue.Job{Name: "sync-directories", Every: time.Second, Run: func(ctx context.Context) error {
		syncs := make(chan struct{}, syncsAtOnce)
		var failed error
		var mu sync.Mutex
		var all sync.WaitGroup
		defer all.Wait()
		for {
			due, err := d.Due(ctx, time.Now())
			if err != nil || len(due) == 0 && len(syncs) == 0 {
				all.Wait()
				return errors.Join(err, failed)
			}
			for _, con := range due {
				select {
				case syncs <- struct{}{}:
				default:
					continue // the others have it busy; the next look finds this one again
				}
				all.Go(func() {
					defer func() { <-syncs }()
					if err := syncOne(ctx, d, con); err != nil {
						mu.Lock()
						defer mu.Unlock()
						failed = errors.Join(failed, err)
					}
				})
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
		}
	}}
}

// syncOne leaves problems to the administrator: why a run failed is in its row.
func syncOne(ctx context.Context, d *directory.Directory, con directory.Connection) error {
	if _, err := d.Sync(ctx, con.Account, con.ID); err != nil && problem.As(err) == nil {
		return fmt.Errorf("sync connection %d: %w", con.ID, err)
	}
	return nil
}

type contactsExport struct {
	Account string `required:"" help:"The account."`
}

func (e contactsExport) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		if c.JSON {
			return app.Book.Export(ctx, acc.ID, func(r contacts.Row) error {
				object := map[string]any{}
				for i, name := range contacts.ExportColumns {
					object[name] = r.Fields()[i]
				}
				return c.say(t.out, object, "")
			})
		}
		w := csv.NewWriter(t.out)
		if err := w.Write(contacts.ExportColumns); err != nil {
			return err
		}
		if err := app.Book.Export(ctx, acc.ID, func(r contacts.Row) error { return w.Write(r.Fields()) }); err != nil {
			return err
		}
		w.Flush()
		return w.Error()
	})
}
