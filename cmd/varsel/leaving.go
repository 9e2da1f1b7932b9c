package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

type accountExport struct {
	Account string `required:"" help:"The account."`
	Out     string `required:"" help:"The file to write (ZIP). It must not be there."`
}

func (e accountExport) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		x, err := app.Privacy.AskExport(ctx, acc.ID)
		if err != nil {
			return err
		}
		if x, err = madeExport(ctx, app, x); err != nil {
			return err
		}
		file, x, err := app.Privacy.FetchExport(ctx, acc.ID, x.ID)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := copyTo(e.Out, file); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"id": app.Names.Of(secrets.ExportOfAll, x.ID), "file": e.Out, "bytes": x.Bytes, "rows": x.Rows, "sha256": x.SHA256},
			"%s has everything of %s: %d bytes, SHA-256 %s", e.Out, acc.Handle, x.Bytes, x.SHA256)
	})
}

// madeExport makes an export, or waits for whoever is making it.
func madeExport(ctx context.Context, app *App, x privacy.Export) (privacy.Export, error) {
	for {
		if err := app.Privacy.RunExports(ctx, time.Now()); err != nil {
			return x, err
		}
		now, err := app.Privacy.ExportOf(ctx, x.Account, x.ID)
		switch {
		case err != nil || now.State == privacy.ExportReady:
			return now, err
		case now.State == privacy.ExportFailed:
			return now, problem.Conflict("export_failed", "the export failed; the log says why")
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// copyTo writes a new file that its owner alone can read.
func copyTo(path string, from io.Reader) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return errors.Join(err, out.Close())
}

type accountExit struct {
	Account string `required:"" help:"The account."`
}

func (e accountExit) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		x, err := app.Privacy.Exit(ctx, acc.ID)
		switch {
		case err != nil:
			return err
		case x.Agreement == 0:
			return c.say(t.out, map[string]any{"running": false}, "No agreement has ended: the data stay.")
		case !x.Running():
			return c.say(t.out, map[string]any{"running": false, "deleted_at": utc(x.Done), "certificate_sha256": x.SHA256, "deleted": x.Counts},
				"The data were deleted by %s; SHA-256 of the certificate: %s", utc(x.Done), x.SHA256)
		}
		left := x.DaysLeft(time.Now())
		return c.say(t.out, map[string]any{"running": true, "at_end": x.AtEnd, "terminated_at": utc(x.Terminated), "deadline": utc(x.Deadline), "days_left": left},
			"The agreement ended at %s. At %s (%d days left) all personal data are deleted, unless an agreement is concluded before; chosen: %s.",
			utc(x.Terminated), utc(x.Deadline), left, x.AtEnd)
	})
}

type accountCertificate struct {
	Account string `required:"" help:"The account."`
	Out     string `required:"" help:"The file to write (PDF). It must not be there."`
}

func (a accountCertificate) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, a.Account, func(app *App, acc accounts.Account) error {
		cert, err := app.Privacy.Certificate(ctx, acc.ID)
		if err != nil {
			return err
		}
		out, err := os.OpenFile(a.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = out.Write(cert.PDF)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"file": a.Out, "sha256": cert.SHA256, "deleted_at": utc(cert.At)}, "%s certifies the deletion of %s; SHA-256 %s", a.Out, utc(cert.At), cert.SHA256)
	})
}
