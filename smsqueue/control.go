package smsqueue

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Pause stops a campaign: nothing of it is claimed for a carrier any more. What is
// on its way is answered and counted. One that has not started does not start.
func (q *Queue) Pause(ctx context.Context, account, id int64) (Campaign, error) {
	return q.turn(ctx, account, id, "pause", func(tx *db.Tx) (bool, error) { return pauseCampaign(ctx, tx, account, id) })
}

// Resume lets a paused campaign go on, or one that was held for a reason that is over,
// and each of those that it has not been sent to get it once. One whose time to start
// passed meanwhile starts now. The code cost_above_ceiling says that it would be held
// again, and what it costs now.
func (q *Queue) Resume(ctx context.Context, account, id int64) (Campaign, error) {
	return q.ResumeUpTo(ctx, account, id, 0)
}

// ResumeUpTo is Resume with another ceiling, in micro-units; 0 leaves it as it is.
func (q *Queue) ResumeUpTo(ctx context.Context, account, id, most int64) (Campaign, error) {
	if most < 0 {
		return Campaign{}, problem.Invalid("max_cost", "a ceiling is not below zero")
	}
	c, err := q.Campaign(ctx, account, id)
	if err != nil {
		return Campaign{}, err
	}
	if err := q.underCeiling(ctx, c, cmp.Or(most, c.CeilingMicro)); err != nil {
		return c, err
	}
	pool, err := poolFor(ctx, q.db, 1, 0)
	if err != nil {
		return Campaign{}, err
	}
	return q.turn(ctx, account, id, "resume", func(tx *db.Tx) (bool, error) {
		ids, now := pool, time.Now()
		resumed, err := resumeCampaign(ctx, tx, account, id, most, now)
		if err != nil || !resumed {
			return false, err
		}
		return true, closeCampaign(ctx, tx, id, &ids, now) // its last answers may have come meanwhile
	})
}

// Cancel ends a campaign. What is queued is cancelled soon after, its money
// released; what is on its way is answered and counted.
func (q *Queue) Cancel(ctx context.Context, account, id int64) (Campaign, error) {
	return q.turn(ctx, account, id, "cancel", func(tx *db.Tx) (bool, error) { return cancelCampaign(ctx, tx, account, id) })
}

// CancelAll is Cancel for every campaign of an account that is not over.
func (q *Queue) CancelAll(ctx context.Context, account int64) error {
	err := q.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, setCancelled, account); err != nil {
			return err
		}
		return tx.Notify(ctx, wordTurned)
	})
	q.hear(wordTurned)
	return err
}

// turn changes a campaign's state where change finds it in one that allows it, and
// tells the workers.
func (q *Queue) turn(ctx context.Context, account, id int64, verb string, change func(tx *db.Tx) (bool, error)) (Campaign, error) {
	var done bool
	err := q.db.InTx(ctx, func(tx *db.Tx) (err error) {
		if done, err = change(tx); err != nil || !done {
			return err
		}
		return tx.Notify(ctx, wordTurned)
	})
	if err != nil {
		return Campaign{}, err
	}
	c, err := q.Campaign(ctx, account, id)
	if err == nil && !done {
		return c, problem.Conflict("campaign_"+string(c.State), "the campaign is %s: there is nothing to %s", c.State, verb)
	}
	q.hear(wordTurned)
	return c, err
}

// clearLoop cancels what is left of cancelled campaigns.
func (w *Worker) clearLoop(ctx context.Context) {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	for {
		if err := w.clearAll(ctx); err != nil && ctx.Err() == nil {
			slog.Error("a cancelled campaign could not be cleared", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-w.clears:
		case <-tick.C:
		}
	}
}

func (w *Worker) clearAll(ctx context.Context) error {
	clearing, err := db.Column[int64](ctx, w.db, `SELECT id FROM campaigns WHERE clearing = TRUE ORDER BY id LIMIT 100`)
	if err != nil {
		return err
	}
	for _, id := range clearing {
		if err := w.clear(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// clear cancels what is queued in the campaign's ranges. It is done when no range
// is open: a message that is on its way may come back.
func (w *Worker) clear(ctx context.Context, campaign int64) error {
	open, err := selectOpenRanges(ctx, w.db, campaign)
	if err != nil {
		return err
	}
	for _, r := range open {
		if err := w.cancelRange(ctx, r); err != nil {
			return err
		}
	}
	return doneClearing(ctx, w.db, campaign, time.Now())
}

func (w *Worker) cancelRange(ctx context.Context, r rangeRow) error {
	pool, err := poolFor(ctx, w.db, 1, r.size())
	if err != nil {
		return err
	}
	return w.db.InTx(ctx, func(tx *db.Tx) error {
		ids := pool
		rows, err := lockRange(ctx, tx, r, Queued)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			moves = append(moves, move{row: m, to: Cancelled, reason: "campaign_cancelled"})
		}
		if _, err := apply(ctx, tx, moves, &ids, time.Now()); err != nil {
			return err
		}
		return endIfSent(ctx, tx, r.id)
	})
}
