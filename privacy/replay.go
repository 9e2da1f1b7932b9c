package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
)

// Replayed is what became of a list.
type Replayed struct {
	Lines  int // of this installation
	Erased int // done again
	Lifted int
}

// Replay does what a list of erasures says and this database does not know: after a
// restore, and after a process ended between writing a line and doing it. An empty path
// is the installation's own list.
func (d *Desk) Replay(ctx context.Context, path string) (r Replayed, err error) {
	if path == "" {
		path = d.parts.Erasures
	}
	all, err := readList(path)
	if err != nil || len(all) == 0 {
		return r, err
	}
	known, err := selectErasures(ctx, d.parts.DB, `WHERE true`)
	if err != nil {
		return r, err
	}
	stands := map[int64]bool{} // of those that are known
	for _, e := range known {
		stands[e.ID] = e.Lifted.IsZero()
	}
	for _, l := range all {
		if l.Installation != d.installation() {
			continue
		}
		r.Lines++
		if err := d.replay(ctx, l, stands, &r); err != nil {
			return r, fmt.Errorf("do erasure %d of the list again: %w", l.Seq, err)
		}
	}
	return r, nil
}

func (d *Desk) replay(ctx context.Context, l line, stands map[int64]bool, r *Replayed) error {
	stand, known := stands[l.Erasure]
	if l.Lifted {
		if !stand {
			return nil
		}
		r.Lifted++
		stands[l.Erasure] = false
		return d.lift(ctx, l.Account, l.Erasure, db.Time(l.At))
	}
	if known {
		return nil
	}
	is, err := hasAccount(ctx, d.parts.DB, l.Account)
	if err != nil || !is { // opened after the backup
		return err
	}
	r.Erased++
	stands[l.Erasure] = true
	_, err = d.carryOut(ctx, l, "", true)
	return err
}

// settleAfter is when nothing that was on its way at the time of an erasure is any more:
// a message at a carrier, an import, a page of a directory.
const settleAfter = 10 * time.Minute

// Settle looks once more for whom was erased a while ago, as something may have been
// on its way then, and does what was written down and not done.
func (d *Desk) Settle(ctx context.Context, now time.Time) error {
	ctx = audit.As(ctx, audit.Actor{Kind: audit.System})
	done, errs := d.Replay(ctx, "")
	if done.Erased > 0 {
		slog.Warn("erasures were done that the database did not know", "erasures", done.Erased)
	}
	open, err := selectErasures(ctx, d.parts.DB, `WHERE settled_at = 0 ORDER BY id LIMIT 100`)
	if err != nil || len(open) == 0 {
		return errors.Join(errs, err)
	}
	for _, e := range open {
		if now.Sub(e.At) >= settleAfter {
			errs = errors.Join(errs, d.settle(ctx, e, now))
		}
	}
	return errors.Join(errs, d.overwrite(ctx))
}

func (d *Desk) settle(ctx context.Context, e Erasure, now time.Time) error {
	marks, err := marksOfErasure(ctx, d.parts.DB, e.Account, e.ID)
	if err != nil {
		return err
	}
	l := line{Account: e.Account, Erasure: e.ID, Contacts: e.contacts, Marks: marks}
	f, err := d.recognise(ctx, l)
	if err != nil {
		return err
	}
	return d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		if e.Lifted.IsZero() && f.any() {
			if err := d.apply(ctx, tx, l, f); err != nil {
				return err
			}
		}
		return settleErasure(ctx, tx, e.Account, e.ID, now)
	})
}
