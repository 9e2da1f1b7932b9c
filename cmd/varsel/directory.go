package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type directoryConnect struct {
	Account     string `required:"" help:"The account."`
	Tenant      string `required:"" help:"Directory (tenant) ID."`
	ClientID    string `required:"" name:"client-id" help:"Application (client) ID."`
	SecretStdin bool   `required:"" help:"Read the client secret's value from standard input."`
}

func (d directoryConnect) Run(ctx context.Context, c *commands, t terminal) error {
	secret, err := readSecret(t.in)
	if err != nil {
		return err
	}
	return c.withAccount(ctx, d.Account, func(app *App, acc accounts.Account) error {
		con, err := app.Directory.Connect(ctx, acc.ID, directory.Credentials{Tenant: d.Tenant, Client: d.ClientID, Secret: secret})
		if err != nil {
			return err
		}
		id := app.Names.Of(secrets.Connection, con.ID)
		return c.say(t.out, map[string]any{"id": id, "tenant": con.Tenant, "state": con.State, "secret_last4": con.SecretLast4},
			"Tenant %s is connected as %s. It is read every %s, and at once by `varsel directory sync`.", con.Tenant, id, con.Every)
	})
}

type directorySync struct {
	Account string        `required:"" help:"The account."`
	Timeout time.Duration `default:"1h" help:"How long to wait at the most."`
}

func (s directorySync) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		connections, err := app.Directory.Connections(ctx, acc.ID)
		if err != nil {
			return err
		}
		if len(connections) == 0 {
			return problem.Conflict("no_connection", "no directory is connected: varsel directory connect")
		}
		ctx, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		// Asked before this process works, one run does what is due and what
		// is asked.
		asked := make([]time.Time, len(connections))
		for i, con := range connections {
			if asked[i], err = app.Directory.Request(ctx, acc.ID, con.ID); err != nil {
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

// awaitRun waits for a run that started after it was asked for.
func (a *App) awaitRun(ctx context.Context, account, connection int64, asked time.Time) (directory.Run, error) {
	for {
		run, found, err := a.Directory.RunAfter(ctx, account, connection, asked)
		if err != nil || found && run.State != directory.Running {
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
	return map[string]any{"id": app.Names.Of(secrets.Run, r.ID), "state": r.State, "reason": r.Reason, "records": r.Records, "people": r.People,
		"contacts": r.Contacts, "without_number": r.WithoutNumber, "invalid": r.Invalid, "added": r.Added, "changed": r.Changed, "removed": r.Removed}
}

func runText(r directory.Run) string {
	if r.State != directory.Done {
		return fmt.Sprintf("The sync failed: %s", r.Reason)
	}
	return fmt.Sprintf("%d people read, %d contacts: %d added, %d changed, %d removed; %d without a number, %d with an invalid one",
		r.People, r.Contacts, r.Added, r.Changed, r.Removed, r.WithoutNumber, r.Invalid)
}

// syncJob reads the directories that are due.
func syncJob(d *directory.Directory) smsqueue.Job {
	return smsqueue.Job{Name: "sync-directories", Every: time.Second, Run: func(ctx context.Context) error {
		due, err := d.Due(ctx, time.Now())
		if err != nil {
			return err
		}
		var errs error
		for _, con := range due {
			// Why a run failed is in its row; problems are for the administrator.
			if _, err := d.Sync(ctx, con.Account, con.ID); err != nil && problem.As(err) == nil {
				errs = errors.Join(errs, fmt.Errorf("sync connection %d: %w", con.ID, err))
			}
		}
		return errs
	}}
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
