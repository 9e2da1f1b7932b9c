package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Where an export stands.
const (
	ExportAsked   = "asked"
	ExportRunning = "running"
	ExportReady   = "ready"
	ExportFailed  = "failed"
	ExportRemoved = "removed" // after its time
)

// Export is everything of an account in one file (Art. 28(3)(g) GDPR).
type Export struct {
	ID, Account int64
	State       string
	File        string // its name in the directory of exports
	Bytes       int64
	Rows        int
	SHA256      string
	Asked       time.Time
	Ready       time.Time
	KeepUntil   time.Time // when the file goes
	Fetched     time.Time // first
}

const (
	// exportKept is how long an export that was asked for waits to be fetched.
	exportKept = 14 * 24 * time.Hour
	// exportTries is how often an export is begun.
	exportTries = 5
	// exportLease is how long an export waits that nobody goes on with. It is
	// renewed while somebody writes.
	exportLease = time.Minute
)

// AskExport has everything of an account written into one file. While one is being
// made it is that one.
func (d *Desk) AskExport(ctx context.Context, account int64) (x Export, err error) {
	id, err := d.parts.DB.NewIDs(ctx, 1)
	if err != nil {
		return x, err
	}
	err = d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		x = Export{ID: id, Account: account, State: ExportAsked, Asked: time.Now()}
		open, err := selectExports(ctx, tx, `WHERE account_id = $1 AND state IN ('asked', 'running') ORDER BY id LIMIT 1`, account)
		if err != nil || len(open) > 0 {
			if len(open) > 0 {
				x = open[0]
			}
			return err
		}
		if err := insertExport(ctx, tx, x); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: "export.asked", Subject: secrets.ExportOfAll, SubjectID: id})
		return err
	})
	return x, err
}

// Exports lists an account's exports, the newest first.
func (d *Desk) Exports(ctx context.Context, account int64) ([]Export, error) {
	return selectExports(ctx, d.parts.DB, `WHERE account_id = $1 ORDER BY id DESC LIMIT 50`, account)
}

// ExportOf finds one of an account's.
func (d *Desk) ExportOf(ctx context.Context, account, id int64) (Export, error) {
	all, err := selectExports(ctx, d.parts.DB, `WHERE account_id = $1 AND id = $2`, account, id)
	if err != nil || len(all) == 0 {
		return Export{}, orElse(err, problem.New(problem.KindNotFound, "export_not_found", "the account has no such export"))
	}
	return all[0], nil
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// FetchExport opens the file of an export, and records that it was fetched. The
// caller closes it.
func (d *Desk) FetchExport(ctx context.Context, account, id int64) (*os.File, Export, error) {
	x, err := d.ExportOf(ctx, account, id)
	if err != nil {
		return nil, x, err
	}
	if x.State != ExportReady {
		return nil, x, problem.Conflict("export_not_ready", "the export is %s: there is no file to fetch", x.State)
	}
	f, err := os.Open(d.exportPath(x))
	if errors.Is(err, os.ErrNotExist) {
		return nil, x, problem.New(problem.KindUnavailable, "export_elsewhere",
			"the file of the export is not on this machine: VARSEL_EXPORTS is to be a directory that all processes share")
	}
	if err != nil {
		return nil, x, fmt.Errorf("open an export: %w", err)
	}
	err = d.inTx(ctx, audit.Entry{Account: account, Action: "export.fetched", Subject: secrets.ExportOfAll, SubjectID: id, Facts: map[string]any{"sha256": x.SHA256}},
		func(tx tx) error { return markFetched(ctx, tx, id, time.Now()) })
	if err != nil {
		f.Close()
	}
	return f, x, err
}

func (d *Desk) exportPath(x Export) string { return filepath.Join(d.parts.Exports, x.File) }

// RunExports makes what was asked for, and removes what has waited long enough. An
// export that its writer has left, as after a kill, is begun anew.
func (d *Desk) RunExports(ctx context.Context, now time.Time) error {
	if err := d.removeExports(ctx, now); err != nil {
		return err
	}
	for {
		x, err := takeExport(ctx, d.parts.DB, now, time.Now())
		if err != nil || x.ID == 0 {
			return err
		}
		if err := d.makeExport(ctx, x); err != nil {
			return err
		}
	}
}

func (d *Desk) makeExport(ctx context.Context, x Export) error {
	if err := os.MkdirAll(d.parts.Exports, 0o700); err != nil {
		return fmt.Errorf("make the directory of exports: %w", err)
	}
	x.File = fmt.Sprintf("%s.zip", d.parts.Names.Of(secrets.ExportOfAll, x.ID))
	stop := d.renew(ctx, x.ID)
	var err error
	x.Rows, x.Bytes, x.SHA256, err = d.writeExport(ctx, x.Account, d.exportPath(x))
	stop()
	if err != nil {
		slog.Error("an export failed", "export", d.parts.Names.Of(secrets.ExportOfAll, x.ID), "error", err)
		return d.giveUpExport(context.WithoutCancel(ctx), x)
	}
	x.Ready = time.Now()
	x.KeepUntil = x.Ready.Add(exportKept)
	if exit, err := d.Exit(ctx, x.Account); err == nil && exit.Running() && exit.Deadline.After(x.KeepUntil) {
		x.KeepUntil = exit.Deadline
	}
	return d.inTx(ctx, audit.Entry{Account: x.Account, Action: "export.made", Subject: secrets.ExportOfAll, SubjectID: x.ID,
		Facts: map[string]any{"sha256": x.SHA256, "rows": x.Rows}},
		func(tx tx) error { return finishExport(ctx, tx, x) })
}

// renew keeps an export for its writer until stop.
func (d *Desk) renew(ctx context.Context, id int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, exportLease/4) == nil {
			if err := renewExport(ctx, d.parts.DB, id, time.Now().Add(exportLease)); err != nil && ctx.Err() == nil {
				slog.Error("an export's lease could not be renewed", "error", err)
			}
		}
	}()
	return func() { cancel(); <-ended }
}

func (d *Desk) removeExports(ctx context.Context, now time.Time) error {
	old, err := selectExports(ctx, d.parts.DB, `WHERE state = 'ready' AND keep_until < $1`, db.Millis(now))
	if err != nil {
		return err
	}
	for _, x := range old {
		if err := d.removeExport(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) removeExport(ctx context.Context, x Export) error {
	if err := os.Remove(d.exportPath(x)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove an export: %w", err)
	}
	return d.inTx(ctx, audit.Entry{Account: x.Account, Action: "export.removed", Subject: secrets.ExportOfAll, SubjectID: x.ID},
		func(tx tx) error { return markRemoved(ctx, tx, x.ID) })
}
