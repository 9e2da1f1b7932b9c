package smsqueue

import (
	"context"
	"errors"
	"fmt"
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
func (w *Worker) expand(ctx context.Context, c starting) (more bool, err error) {
	first, err := w.db.NewIDs(ctx, expandLot)
	if err != nil {
		return false, err
	}
	rangeIDs, err := w.db.NewIDs(ctx, expandLot/rangeSize)
	if err != nil {
		return false, err
	}
	pool, err := poolFor(ctx, w.db, 1)
	if err != nil {
		return false, err
	}
	now := time.Now()
	err = w.db.InTx(ctx, func(tx *db.Tx) error {
		more = false
		ids := pool
		mine, err := takeCampaign(ctx, tx, c, now)
		if err != nil || !mine {
			return err
		}
		if err := groupExists(ctx, tx, c.account, c.group); problem.As(err) != nil {
			return holdCampaign(ctx, tx, c, "group_gone")
		} else if err != nil {
			return err
		}
		l, err := insertRecipients(ctx, tx, c, first, rangeIDs, now)
		if err != nil {
			return err
		}
		if c.ceiling > 0 && c.reserved+l.cost > c.ceiling {
			if err := dropRecipients(ctx, tx, l); err != nil {
				return err
			}
			return holdCampaign(ctx, tx, c, "cost_above_ceiling")
		}
		more = l.count == expandLot
		if l.count > 0 {
			if err := insertRanges(ctx, tx, c.ranges(l, rangeIDs, now)); err != nil {
				return err
			}
			entry := billing.Entry{ID: ids.take(), Account: c.account, Campaign: c.id, Kind: billing.Reserve,
				Micro: l.cost, Currency: c.currency, Messages: l.count, Parts: l.parts}
			if err := billing.Post(ctx, tx, entry, now); err != nil {
				return err
			}
		}
		return advanceCampaign(ctx, tx, c, l, !more, &ids, now)
	})
	return more, err
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
