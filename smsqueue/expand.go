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
	"github.com/varsel/varsel/smsqueue/smstext"
)

const (
	// The first lot of a campaign is small, so that sending begins at once; the
	// largest bounds how long expansion holds the one writer of SQLite.
	smallestLot, largestLot = 500, 2000
	// rangeSize is how many messages one task names at the most. One task per
	// message would cap a worker at what Redis can do.
	rangeSize = 500
)

// starting is a campaign whose recipients are not all known.
type starting struct {
	id, account, group, route, book int64
	lane                            Lane
	encoding                        smstext.Encoding
	parts                           int // of each message
	state                           CampaignState
	after                           string
	ceiling, reserved               int64
	start                           time.Time
	validity                        time.Duration // 0: nobody said any
	currency                        string
	source                          int64 // the campaign whose recipients are its own, or 0
	filter                          AudienceFilter
	expansion
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
	x, known := w.expansions[c.id]
	var left *LeftOut
	if known && x.found < x.asked {
		if left, err = countLeftOut(ctx, w.db, c); err != nil {
			return false, err
		}
	}
	x.asked = min(max(2*x.asked, smallestLot), largestLot)
	err = w.db.InTx(ctx, func(tx *db.Tx) error {
		if !known {
			if x.large, err = isLarge(ctx, tx, c.group); err != nil {
				return err
			}
		}
		c.expansion = x
		more, x.found, err = c.expandLot(ctx, tx, ids, left, time.Now())
		return err
	})
	delete(w.expansions, c.id)
	if err == nil && more {
		w.expansions[c.id] = x
	}
	return more && err == nil, err
}

// expansion is what is known of a campaign whose recipients are being resolved.
type expansion struct {
	large        bool // its group has as many members as the largest lot
	asked, found int  // numbers of the last lot
}

// lotIDs are what one lot may need.
type lotIDs struct{ message, rng, ledger int64 }

func (w *Worker) lotIDs(ctx context.Context) (ids lotIDs, err error) {
	ids.message, err = w.db.NewIDs(ctx, largestLot)
	if err == nil {
		ids.rng, err = w.db.NewIDs(ctx, largestLot/rangeSize)
	}
	if err == nil {
		ids.ledger, err = w.db.NewIDs(ctx, 3)
	}
	return ids, err
}

// expandLot says whether the campaign goes on, and how many numbers it found. The
// campaign's row, which everybody wants, is locked after the long readings.
func (c starting) expandLot(ctx context.Context, tx *db.Tx, ids lotIDs, left *LeftOut, now time.Time) (more bool, n int, err error) {
	gone := c.groupExists(ctx, tx)
	if gone != nil && problem.As(gone) == nil {
		return false, 0, gone
	}
	prices, err := billing.PricesOf(ctx, tx, c.book)
	if err != nil {
		return false, 0, err
	}
	found, err := c.recipients(ctx, tx)
	if err != nil {
		return false, 0, err
	}
	l, err := c.lot(found, prices, ids, now)
	if err != nil {
		return false, 0, err
	}
	mine, err := takeCampaign(ctx, tx, c, now)
	pool := idPool{ids.ledger}
	switch {
	case err != nil || !mine:
		return false, 0, err
	case gone != nil:
		return false, 0, holdCampaign(ctx, tx, c, "group_gone")
	case len(l.messages) == 0 && left != nil:
		return false, 0, finishExpansion(ctx, tx, c, *left, &pool, now)
	case len(l.messages) == 0:
		return true, 0, nil
	case c.ceiling > 0 && c.reserved+l.cost > c.ceiling:
		return false, 0, holdCampaign(ctx, tx, c, "cost_above_ceiling")
	}
	return true, len(found), c.insertLot(ctx, tx, l, &pool, now)
}

func (c starting) groupExists(ctx context.Context, tx *db.Tx) error {
	if c.source != 0 {
		return nil
	}
	return groupExists(ctx, tx, c.account, c.group)
}

func (c starting) recipients(ctx context.Context, tx *db.Tx) ([]recipient, error) {
	if c.source != 0 {
		return selectEarlier(ctx, tx, c)
	}
	return selectRecipients(ctx, tx, c)
}

// recipient is a number of a group, or of an earlier campaign.
type recipient struct {
	contact        int64 // the one with the lowest id of those who have it
	phone, country string
	members        int    // how many have it
	place          string // where the next lot goes on
}

// campaignLot is what one lot of an expansion makes.
type campaignLot struct {
	messages  []Message
	ranges    []rangeRow
	cost      int64 // micro-units
	parts     int
	shared    int // members who get no message, because another with their number does
	lastPlace string
}

// lot prices the messages and cuts them into ranges.
func (c starting) lot(found []recipient, prices billing.Prices, ids lotIDs, now time.Time) (l campaignLot, err error) {
	l.messages = make([]Message, 0, len(found))
	for i, r := range found {
		price, err := prices.PerPart(r.country)
		if err != nil {
			return l, err
		}
		m := Message{ID: ids.message + int64(i), Account: c.account, Campaign: c.id, Contact: r.contact, Phone: r.phone,
			Encoding: c.encoding, Parts: c.parts, PriceMicro: price * int64(c.parts), Status: Queued, QueuedAt: now}
		if i%rangeSize == 0 {
			l.ranges = append(l.ranges, rangeRow{id: ids.rng + int64(i/rangeSize), account: c.account, campaign: c.id, route: c.route,
				lane: c.lane, first: m.ID, deadline: c.deadline(now)})
		}
		rng := &l.ranges[len(l.ranges)-1]
		rng.last, rng.maxParts = m.ID, max(rng.maxParts, m.Parts)
		l.messages = append(l.messages, m)
		l.cost, l.parts, l.shared, l.lastPlace = l.cost+m.PriceMicro, l.parts+m.Parts, l.shared+r.members-1, r.place
	}
	return l, nil
}

// deadline is when nothing more is heard of its messages: a validity that somebody
// said counts from the start, the usual one from when they may go.
func (c starting) deadline(now time.Time) time.Time {
	if c.validity > 0 {
		return c.start.Add(c.validity + receiptTime)
	}
	return now.Add(validity)
}

func (c starting) insertLot(ctx context.Context, tx *db.Tx, l campaignLot, ids *idPool, now time.Time) error {
	if err := insertMessages(ctx, tx, l.ranges, l.messages); err != nil {
		return err
	}
	if err := insertRanges(ctx, tx, l.ranges); err != nil {
		return err
	}
	entry := billing.Entry{ID: ids.take(), Account: c.account, Campaign: c.id, Kind: billing.Reserve,
		Micro: l.cost, Currency: c.currency, Messages: len(l.messages), Parts: l.parts}
	if err := billing.Post(ctx, tx, entry, now); err != nil {
		return err
	}
	return advanceCampaign(ctx, tx, c, l)
}
