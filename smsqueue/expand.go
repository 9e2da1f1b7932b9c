package smsqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

const (
	// expandLot bounds how long expansion holds the one writer of SQLite.
	expandLot = 5000
	// rangeSize is how many messages one task names at the most. One task per
	// message would cap a worker at what Redis can do.
	rangeSize = 500
)

// starting is a campaign whose recipients are not all known.
type starting struct {
	id, account, group, route, book int64
	lane                            Lane
	state                           CampaignState
	after                           string
	ceiling, reserved               int64
	validity                        time.Duration
	currency                        string
}

// expandLoop starts campaigns that are due.
func (w *Worker) expandLoop(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		more, err := w.expandSome(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Error("expand", "error", err)
		}
		if more && err == nil {
			w.nudge() // what there is now can go
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.starts:
		case <-tick.C:
		}
	}
}

// expandSome resolves one lot of every campaign that is to start, so that a
// large one does not keep a small one waiting. It says whether there is more.
func (w *Worker) expandSome(ctx context.Context) (more bool, err error) {
	all, err := selectStarting(ctx, w.db, time.Now())
	if err != nil {
		return false, err
	}
	for _, c := range all {
		again, failure := w.expand(ctx, c)
		if failure != nil { // the others go on
			err = errors.Join(err, fmt.Errorf("expand campaign %d: %w", c.id, failure))
		}
		more = more || again
	}
	return more, err
}

// expand turns the next recipients into messages: one row per phone number, in
// the order of the numbers, so that the last number is the place to go on from.
// Who is left out is counted before the lot that finds nobody more.
func (w *Worker) expand(ctx context.Context, c starting) (more bool, err error) {
	ids, err := w.lotIDs(ctx)
	if err != nil {
		return false, err
	}
	var left *LeftOut
	if w.short[c.id] {
		if left, err = countLeftOut(ctx, w.db, c); err != nil {
			return false, err
		}
	}
	var full bool
	err = w.db.InTx(ctx, func(tx *db.Tx) error {
		more, full, err = c.expandLot(ctx, tx, ids, left, time.Now())
		return err
	})
	delete(w.short, c.id)
	if err == nil && more && !full {
		w.short[c.id] = true
	}
	return more && err == nil, err
}

// lotIDs are what one lot may need.
type lotIDs struct{ message, rng, ledger int64 }

func (w *Worker) lotIDs(ctx context.Context) (ids lotIDs, err error) {
	ids.message, err = w.db.NewIDs(ctx, expandLot)
	if err == nil {
		ids.rng, err = w.db.NewIDs(ctx, expandLot/rangeSize)
	}
	if err == nil {
		ids.ledger, err = w.db.NewIDs(ctx, 3)
	}
	return ids, err
}

// expandLot says whether the campaign goes on, and whether the lot was full.
func (c starting) expandLot(ctx context.Context, tx *db.Tx, ids lotIDs, left *LeftOut, now time.Time) (more, full bool, err error) {
	mine, err := takeCampaign(ctx, tx, c, now)
	if err != nil || !mine {
		return false, false, err
	}
	if err := groupExists(ctx, tx, c.account, c.group); problem.As(err) != nil {
		return false, false, holdCampaign(ctx, tx, c, "group_gone")
	} else if err != nil {
		return false, false, err
	}
	l, err := insertRecipients(ctx, tx, c, ids.message, ids.rng, now)
	pool := idPool{ids.ledger}
	switch {
	case err != nil:
		return false, false, err
	case l.count == 0 && left != nil:
		return false, false, finishExpansion(ctx, tx, c, *left, &pool, now)
	case c.ceiling > 0 && c.reserved+l.cost > c.ceiling:
		if err := dropRecipients(ctx, tx, l); err != nil {
			return false, false, err
		}
		return false, false, holdCampaign(ctx, tx, c, "cost_above_ceiling")
	case l.count == 0:
		return true, false, nil
	}
	if err := insertRanges(ctx, tx, c.ranges(l, ids.rng, now)); err != nil {
		return false, false, err
	}
	entry := billing.Entry{ID: pool.take(), Account: c.account, Campaign: c.id, Kind: billing.Reserve,
		Micro: l.cost, Currency: c.currency, Messages: l.count, Parts: l.parts}
	if err := billing.Post(ctx, tx, entry, now); err != nil {
		return false, false, err
	}
	return true, l.count == expandLot, advanceCampaign(ctx, tx, c, l)
}

// recipients is what one lot of an expansion made.
type recipients struct {
	first, last int64 // ids of the messages
	count       int
	parts       int
	maxParts    int
	cost        int64 // micro-units
	lastPhone   string
}

// ranges cuts the lot; their ids begin at id, as insertRecipients was told.
func (c starting) ranges(l recipients, id int64, now time.Time) []rangeRow {
	var all []rangeRow
	for first := l.first; first <= l.last; first += rangeSize {
		all = append(all, rangeRow{id: id, account: c.account, campaign: c.id, route: c.route, lane: c.lane,
			first: first, last: min(first+rangeSize-1, l.last), maxParts: l.maxParts, deadline: now.Add(c.validity)})
		id++
	}
	return all
}
