package privacy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
	"github.com/varsel/varsel/internal/problem"
)

// What the controller chose for the end (Art. 28(3)(g) GDPR).
const (
	AtEndReturn = "return"
	AtEndDelete = "delete"
)

// Exit is how an account that ended its agreement stands: what becomes of its data,
// and when.
type Exit struct {
	Account    int64
	Agreement  int64     // that was terminated; 0: there is none, or a newer one is concluded
	Version    string    // of the agreement
	Language   string    // of the agreement, and of the certificate
	Concluded  time.Time // the agreement
	Terminated time.Time
	AtEnd      string // AtEndReturn or AtEndDelete
	Deadline   time.Time
	Began      time.Time // the deletion; nothing brings back what is gone
	Done       time.Time
	Counts     map[string]int // rows that were deleted, by kind
	SHA256     string         // of the certificate
}

// Running says that the clock runs: the data are there, and will be deleted.
func (x Exit) Running() bool { return x.Agreement != 0 && x.Done.IsZero() }

// DaysLeft is how many days, begun ones too, there are to the deadline.
func (x Exit) DaysLeft(now time.Time) int {
	left := x.Deadline.Sub(now)
	if left <= 0 {
		return 0
	}
	return int((left + 24*time.Hour - 1) / (24 * time.Hour))
}

// Exit tells how an account's end stands; the zero Exit while its agreement holds.
func (d *Desk) Exit(ctx context.Context, account int64) (Exit, error) {
	all, err := selectExits(ctx, d.parts.DB, account)
	if err != nil || len(all) == 0 {
		return Exit{Account: account}, err
	}
	return all[0], nil
}

// RunExits goes on with the accounts whose agreement was ended: it has their data
// exported when they are to be returned, and deletes them at the deadline.
func (d *Desk) RunExits(ctx context.Context, now time.Time) error {
	all, err := selectExits(ctx, d.parts.DB, 0)
	if err != nil {
		return err
	}
	var errs error
	for _, x := range all {
		if !x.Running() {
			continue
		}
		if err := d.goOn(ctx, x, now); err != nil {
			errs = errors.Join(errs, fmt.Errorf("the end of account %d: %w", x.Account, err))
		}
	}
	return errs
}

func (d *Desk) goOn(ctx context.Context, x Exit, now time.Time) error {
	waits := false
	if x.AtEnd == AtEndReturn && x.Began.IsZero() {
		returned, err := d.returned(ctx, x)
		if err != nil {
			return err
		}
		waits = !returned
	}
	if now.Before(x.Deadline) || waits {
		return nil
	}
	free, err := d.mayDelete(ctx, x)
	if err != nil || !free {
		return err
	}
	return d.deleteAccount(ctx, x, now)
}

// returned says whether the data have been there to be fetched since the end of the
// agreement; it has them exported when they have not.
func (d *Desk) returned(ctx context.Context, x Exit) (bool, error) {
	all, err := d.Exports(ctx, x.Account)
	if err != nil {
		return false, err
	}
	open := false
	for _, e := range all {
		if e.Asked.Before(x.Terminated) {
			break
		}
		if e.State == ExportReady || e.State == ExportRemoved {
			return true, nil
		}
		open = open || e.State == ExportAsked || e.State == ExportRunning
	}
	if open {
		return false, nil
	}
	_, err = d.AskExport(ctx, x.Account)
	return false, err
}

// mayDelete says that no hold keeps the data, and no message is at a carrier or has
// money reserved. Nobody is left for whom a paused campaign could wait: it is cancelled.
func (d *Desk) mayDelete(ctx context.Context, x Exit) (bool, error) {
	holds, err := d.Holds(ctx, x.Account)
	if err != nil || len(holds) > 0 {
		return false, err
	}
	if err := d.parts.Queue.CancelAll(ctx, x.Account); err != nil {
		return false, err
	}
	out, err := d.parts.Queue.StillOut(ctx, x.Account)
	return !out, err
}

// deleteAccount deletes all personal data of an account, lot after lot, and
// certifies it. What was broken off goes on where it was.
func (d *Desk) deleteAccount(ctx context.Context, x Exit, now time.Time) error {
	if x.Began.IsZero() {
		began, err := d.beginDeletion(ctx, &x, now)
		if err != nil || !began {
			return err
		}
	}
	for _, forget := range []func(context.Context, int64) (lots.Done, error){
		d.parts.Queue.ForgetAccount, d.cards.ForgetAccount, d.parts.Book.ForgetAccount, d.parts.Directory.ForgetAccount, d.forgetBudgets, d.parts.Accounts.EndKeys, d.eraseDetails, d.forgetExports,
	} {
		if err := toTheEnd(ctx, x.Account, forget); err != nil {
			return err
		}
	}
	if err := forgetNumberKey(ctx, d.parts.DB, x.Account); err != nil {
		return err
	}
	if err := d.parts.DB.TruncateLog(ctx); err != nil {
		return err
	}
	return d.certify(ctx, x, now)
}

func toTheEnd(ctx context.Context, account int64, forget func(context.Context, int64) (lots.Done, error)) error {
	for {
		done, err := forget(ctx, account)
		if err != nil || !done.More {
			return err
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

func (d *Desk) budgets(ctx context.Context, account int64) (map[string]int, error) {
	return billing.Holdings(ctx, d.parts.DB, account)
}

func (d *Desk) forgetBudgets(ctx context.Context, account int64) (lots.Done, error) {
	return billing.ForgetAccount(ctx, d.parts.DB, account)
}

func (d *Desk) eraseDetails(ctx context.Context, account int64) (lots.Done, error) {
	return audit.EraseBefore(ctx, d.parts.DB, account, time.Now().Add(time.Hour))
}

func (d *Desk) forgetExports(ctx context.Context, account int64) (lots.Done, error) {
	all, err := d.Exports(ctx, account)
	for _, x := range all {
		if err == nil && x.State == ExportReady {
			err = d.removeExport(ctx, x)
		}
	}
	return lots.Done{}, err
}

// beginDeletion counts what there is and writes it down; it says no when an agreement
// was concluded meanwhile, which stops the clock.
func (d *Desk) beginDeletion(ctx context.Context, x *Exit, now time.Time) (began bool, err error) {
	x.Counts = map[string]int{}
	for _, room := range []func(context.Context, int64) (map[string]int, error){d.parts.Queue.Holdings, d.cards.Holdings, d.parts.Book.Holdings, d.parts.Directory.Holdings, d.budgets} {
		counts, err := room(ctx, x.Account)
		if err != nil {
			return false, err
		}
		for kind, n := range counts {
			x.Counts[kind] = n
		}
	}
	x.Began = now
	err = d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		began = false
		current, err := lockForDeletion(ctx, tx, x.Account)
		if err != nil || current {
			return err
		}
		began = true
		if err := insertDeletion(ctx, tx, *x); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: x.Account, Action: "account.deletion_began", Subject: agreementPrefix, SubjectID: x.Agreement})
		return err
	})
	return began, err
}

// certify writes the certificate and ends the clock.
func (d *Desk) certify(ctx context.Context, x Exit, now time.Time) error {
	c, err := d.certificate(ctx, x, now)
	if err != nil {
		return err
	}
	return d.inTx(ctx, audit.Entry{Account: x.Account, Action: "account.deleted", Subject: agreementPrefix, SubjectID: x.Agreement,
		Facts: map[string]any{"certificate_sha256": c.SHA256, "deleted": x.Counts}},
		func(tx tx) error { return finishDeletion(ctx, tx, x, c, now) })
}

// Certificate is the certificate of deletion of an account's data, the latest.
type Certificate struct {
	SHA256 string
	PDF    []byte
	At     time.Time
}

// Certificate finds it.
func (d *Desk) Certificate(ctx context.Context, account int64) (Certificate, error) {
	c, err := selectCertificate(ctx, d.parts.DB, account)
	if db.IsNone(err) {
		err = problem.New(problem.KindNotFound, "certificate_not_found", "nothing of this account was deleted at the end of an agreement: there is no certificate")
	}
	return c, err
}

// agreementPrefix is how agreements are called in audit entries.
const agreementPrefix = "agr"
