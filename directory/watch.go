package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
)

// A connection is stalled when it has had no success for stalledAfter periods,
// and for an hour at the least.
const (
	stalledAfter = 3
	stalledFloor = time.Hour
)

// WarnDays are how many days before a secret ends there is a warning.
var WarnDays = []int{30, 14, 7, 1}

// Watch raises an alarm, once, for each connection whose address book is out of
// date for too long, and a warning before a secret ends. Each is an event and a
// line in the log; the console shows them from the connection. What is suspended is not
// out of date.
func (d *Directory) Watch(ctx context.Context, now time.Time) error {
	all, err := d.watched(ctx)
	if err != nil {
		return fmt.Errorf("list the connections to watch: %w", err)
	}
	var errs error
	suspended := suspensions{d, map[int64]bool{}}
	for _, one := range all {
		not, err := suspended.of(ctx, one.Account)
		if err == nil && !not {
			err = d.watchStall(ctx, one.Connection, now)
		}
		errs = errors.Join(errs, err, d.watchSecret(ctx, one.Connection, one.warned, now))
	}
	return errs
}

// Stalled says whether the address book is out of date for too long.
func (c Connection) Stalled(now time.Time) bool {
	since := c.SucceededAt
	for _, at := range []time.Time{c.ActivatedAt, c.Created} {
		if at.After(since) {
			since = at
		}
	}
	return c.State != Disconnected && !c.Preview && now.Sub(since) > max(stalledAfter*c.Every, stalledFloor)
}

func (d *Directory) watchStall(ctx context.Context, c Connection, now time.Time) error {
	if !c.Stalled(now) || !c.StalledAt.IsZero() {
		return nil
	}
	slog.Warn("a directory has not been synced for too long", "connection", c.ID, "account", c.Account, "as_of", c.SucceededAt, "reason", c.Reason)
	return d.alarm(ctx, c, `stalled_at = $3`, db.Millis(now), "directory.stalled", map[string]any{"as_of": c.SucceededAt, "reason": c.Reason}, now)
}

// DaysLeft answers for how many whole days the secret lasts, less than 0 when it
// has ended, and false when nobody knows.
func (c Connection) DaysLeft(now time.Time) (int, bool) {
	if c.SecretExpires.IsZero() {
		return 0, false
	}
	left := c.SecretExpires.Sub(now)
	if left < 0 {
		return -1, true
	}
	return int(left / (24 * time.Hour)), true
}

// watchSecret warns again at each of WarnDays, and on the last.
func (d *Directory) watchSecret(ctx context.Context, c Connection, warned int, now time.Time) error {
	left, known := c.DaysLeft(now)
	if !known {
		return nil
	}
	due := 0
	for _, days := range WarnDays {
		if left <= days {
			due = days
		}
	}
	if left < 0 {
		due = ended
	}
	if due == 0 || warned != 0 && warned <= due {
		return nil
	}
	slog.Warn("the secret of a directory connection ends soon", "connection", c.ID, "account", c.Account, "days_left", left)
	return d.alarm(ctx, c, `warned_days = $3`, due, "directory.secret_expires", map[string]any{"days_left": left}, now)
}

// ended is what warned_days says of a secret that has ended: less than any day.
const ended = -1

func (d *Directory) alarm(ctx context.Context, c Connection, set string, value any, kind string, data map[string]any, now time.Time) error {
	id, err := d.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	data["connection"] = c.ID
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE connections SET `+set+` WHERE account_id = $1 AND id = $2`, c.Account, c.ID, value); err != nil {
			return err
		}
		return events.Record(ctx, tx, events.Event{ID: id, Account: c.Account, Type: kind, Data: data, At: now})
	})
}

// purgeAfter is how long removed people can be restored (Microsoft Entra: 30
// days), and so how long their memberships are kept.
const purgeAfter = 30 * 24 * time.Hour

// Purge forgets people and groups that were removed too long ago to return.
func (d *Directory) Purge(ctx context.Context, now time.Time) error {
	before := now.Add(-purgeAfter)
	return errors.Join(d.purgeMirror(ctx, before), d.PurgeSCIM(ctx, now))
}
