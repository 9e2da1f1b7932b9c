package privacy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// How a run ended.
const (
	RunDone   = "done"
	RunHeld   = "held" // a hold kept everything
	RunFailed = "failed"
)

// Run is what was done about one class of an account's data.
type Run struct {
	ID      int64
	Account int64
	Class   string
	Outcome string
	Count   int       // rows that were emptied or removed
	Oldest  time.Time // age of the oldest that is left, zero for none
	Started time.Time
	Took    time.Duration
}

// RunRetention removes what is too old of every account. A run that was broken off
// leaves no report, and the next goes on where it was.
func (d *Desk) RunRetention(ctx context.Context, now time.Time) error {
	all, err := accountIDs(ctx, d.parts.DB)
	if err != nil {
		return err
	}
	var errs error
	for _, account := range append([]int64{0}, all...) {
		_, err := d.RunRetentionOf(ctx, account, now)
		errs = errors.Join(errs, err)
		if ctx.Err() != nil {
			return errs
		}
	}
	return errors.Join(errs, dropRuns(ctx, d.parts.DB, now))
}

// RunRetentionOf is RunRetention for one account. Account 0 is what belongs to none.
func (d *Desk) RunRetentionOf(ctx context.Context, account int64, now time.Time) ([]Run, error) {
	kept, err := d.Retention(ctx, account)
	if err != nil {
		return nil, err
	}
	var runs []Run
	removed := map[string]int{}
	var errs error
	for _, k := range kept {
		if k.Fixed() || (account == 0) != (k.Name == strays) && k.Name != "audit_details" {
			continue
		}
		r, err := d.runClass(ctx, account, k, now)
		if ctx.Err() != nil {
			return runs, ctx.Err()
		}
		errs = errors.Join(errs, err)
		if r.Count > 0 {
			removed[r.Class] = r.Count
		}
		runs = append(runs, r)
	}
	return runs, errors.Join(errs, d.keepRuns(ctx, account, runs, removed))
}

func (d *Desk) runClass(ctx context.Context, account int64, k Kept, now time.Time) (Run, error) {
	r := Run{Account: account, Class: k.Name, Outcome: RunDone, Started: time.Now()}
	if k.Held != nil {
		r.Outcome = RunHeld
		return r, nil
	}
	before := now.AddDate(0, 0, -k.Days)
	for {
		done, err := k.forget(d, ctx, account, before)
		r.Count, r.Oldest = r.Count+done.Rows, done.Oldest
		r.Took = time.Since(r.Started)
		if err != nil {
			r.Outcome = RunFailed
			return r, fmt.Errorf("remove old %s: %w", k.Name, err)
		}
		if !done.More || ctx.Err() != nil {
			return r, nil
		}
		// Others write between two lots.
		if err := pause(ctx, time.Millisecond); err != nil {
			return r, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (d *Desk) keepRuns(ctx context.Context, account int64, runs []Run, removed map[string]int) error {
	if len(runs) == 0 {
		return nil
	}
	first, err := d.parts.DB.NewIDs(ctx, len(runs))
	if err != nil {
		return err
	}
	for i := range runs {
		runs[i].ID = first + int64(i)
	}
	return d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := insertRuns(ctx, tx, runs); err != nil || len(removed) == 0 {
			return err
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Account: account, Action: "retention.ran", Facts: removed})
		return err
	})
}

// Runs lists an account's runs before one, the newest first; before 0 is from the end.
func (d *Desk) Runs(ctx context.Context, account, before int64, limit int) ([]Run, error) {
	return selectRuns(ctx, d.parts.DB, account, before, limit)
}

func (d *Desk) replaceNumbers(ctx context.Context, account int64, before time.Time) (lots.Done, error) {
	token, err := d.tokens(ctx, account)
	if err != nil {
		return lots.Done{}, err
	}
	return d.parts.Queue.ReplaceNumbers(ctx, account, before, token)
}
