package smsqueue

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// routeDown is why a range waits whose carrier is unhealthy while there is no other.
const routeDown = "route_down"

// moveLot is how many ranges are moved in one transaction.
const moveLot = 500

// moveAway gives what waits for an unhealthy carrier to others of its rules, and
// says of the rest why it waits.
func (w *carrierWatch) moveAway(ctx context.Context, p plan, r Route) error {
	stuck, err := w.moveFreshRanges(ctx, p, r)
	if err != nil {
		return err
	}
	more, err := w.moveBegunRanges(ctx, p, r)
	if err != nil {
		return err
	}
	w.nudge()
	if stuck || more {
		return sayDown(ctx, w.db, r.ID)
	}
	return nil
}

func (w *carrierWatch) moveFreshRanges(ctx context.Context, p plan, r Route) (stuck bool, err error) {
	for after := int64(0); ; {
		lot, err := selectFresh(ctx, w.db, r.ID, after, moveLot)
		if err != nil || len(lot) == 0 {
			return stuck, err
		}
		to := map[int64]int64{}
		for i, one := range lot {
			if carrier, found := p.ruleOf(one.rule).Place(int64(i), p.healthy); found {
				to[one.id] = carrier
			} else {
				stuck = true
			}
			after = one.id
		}
		if len(to) > 0 {
			if err := moveFresh(ctx, w.db, r.ID, to); err != nil {
				return stuck, err
			}
		}
	}
}

func (w *carrierWatch) moveBegunRanges(ctx context.Context, p plan, r Route) (stuck bool, err error) {
	for after := int64(0); ; {
		lot, err := selectBegun(ctx, w.db, r.ID, after, moveLot)
		if err != nil || len(lot) == 0 {
			return stuck, err
		}
		for i, one := range lot {
			after = one.id
			carrier, found := p.ruleOf(one.rule).Place(int64(i), p.healthy)
			if !found {
				stuck = true
				continue
			}
			if err := w.moveLoose(ctx, one.id, r.ID, carrier); err != nil {
				return stuck, err
			}
		}
	}
}

// moving is a range that is cut: what may go another way does.
type moving struct {
	rangeRow
	until, from int64
	state       string
}

// looseness is whether a message may go another way.
type looseness struct {
	id            int64
	queued, loose bool
}

// piece is messages of a range that follow each other and go the same way.
type piece struct {
	first, last          int64
	loose                bool
	queued               bool // something of it is still to be sent
	route, from, claimed int64
	state                string
}

// pieces cuts a range's messages. From one that a handler works on only its end can
// be taken: the handler has to find all that is on its way in one range.
func pieces(all []looseness, running bool) (cut []piece) {
	tail := len(all)
	for tail > 0 && all[tail-1].loose {
		tail--
	}
	for i, m := range all {
		loose := m.loose && (!running || i >= tail)
		if n := len(cut); n > 0 && cut[n-1].loose == loose {
			cut[n-1].last, cut[n-1].queued = m.id, cut[n-1].queued || m.queued
			continue
		}
		cut = append(cut, piece{first: m.id, last: m.id, loose: loose, queued: m.queued})
	}
	return cut
}

// moveLoose gives the carrier to what may go another way: in ranges of their own,
// because the carrier of all that was sent stays the same for its receipts. The
// row of the range is locked, as by a claim.
func (w *carrierWatch) moveLoose(ctx context.Context, id, from, to int64) error {
	first, err := w.db.NewIDs(ctx, rangeSize)
	if err != nil {
		return err
	}
	return w.db.InTx(ctx, func(tx *db.Tx) error {
		m, err := lockMoving(ctx, tx, id, from)
		if err != nil || m == nil {
			return err
		}
		all, err := m.loose(ctx, tx)
		if err != nil {
			return err
		}
		return m.cut(ctx, tx, pieces(all, m.state == "running"), to, first)
	})
}

// cut keeps the first piece that stays in the range's own row, or moves the row
// when none does.
func (m *moving) cut(ctx context.Context, tx *db.Tx, all []piece, to, ids int64) error {
	own, moves := 0, false
	for i := len(all) - 1; i >= 0; i-- {
		m.place(&all[i], to)
		if !all[i].loose {
			own = i
		}
		moves = moves || all[i].loose
	}
	if !moves {
		return nil
	}
	for i, p := range all {
		if p.loose {
			if err := hurryPiece(ctx, tx, p); err != nil {
				return err
			}
		}
		if i == own {
			if err := updatePiece(ctx, tx, m, p, m.state != "running" || p.loose); err != nil {
				return err
			}
			continue
		}
		if err := insertPiece(ctx, tx, m, p, ids+int64(i)); err != nil {
			return err
		}
	}
	return nil
}

func (m *moving) place(p *piece, to int64) {
	p.route, p.from, p.claimed, p.state = m.route, m.from, m.claimed, "done"
	if p.queued {
		p.state = "waiting"
	}
	if !p.loose {
		return
	}
	p.route, p.claimed = to, 0
	switch m.from {
	case 0:
		p.from = m.route
	case to:
		p.from = 0
	}
}

// sendProbe gives a carrier that may be well again a few messages that wait for
// another. Where none wait, the next single ones try it.
func (w *carrierWatch) sendProbe(ctx context.Context, p plan, r Route) error {
	mine, err := keepProbe(ctx, w.db, r.ID, r.Health, time.Now().Add(shortestRest))
	if err != nil || !mine {
		return err
	}
	var named []int64
	for _, rule := range p.table {
		for _, s := range rule.Shares {
			if s.Carrier == r.ID && s.Weight > 0 {
				named = append(named, rule.ID)
			}
		}
	}
	rules, err := idList(named)
	if err != nil {
		return err
	}
	id, err := probeable(ctx, w.db, r.ID, rules, time.Now())
	if err != nil || id == 0 {
		return err
	}
	return w.takeProbe(ctx, id, r.ID)
}

// takeProbe cuts the last messages off a range, as far as they may go another way.
func (w *carrierWatch) takeProbe(ctx context.Context, id, to int64) error {
	own, err := w.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	err = w.db.InTx(ctx, func(tx *db.Tx) error {
		m, err := lockElsewhere(ctx, tx, id, to)
		if err != nil || m == nil {
			return err
		}
		all, err := m.loose(ctx, tx)
		if err != nil {
			return err
		}
		cut := pieces(all, true)
		probe := cut[len(cut)-1]
		if !probe.loose {
			return nil
		}
		probe.first = max(probe.first, probe.last-probeSize+1)
		left := piece{first: m.first, last: probe.first - 1}
		m.place(&probe, to)
		if err := hurryPiece(ctx, tx, probe); err != nil {
			return err
		}
		if left.last < left.first {
			return updatePiece(ctx, tx, m, probe, true)
		}
		m.place(&left, m.route)
		if err := updatePiece(ctx, tx, m, left, false); err != nil {
			return err
		}
		return insertPiece(ctx, tx, m, probe, own)
	})
	w.nudge()
	return err
}

// bringHome ends what a carrier's illness began.
func (w *carrierWatch) bringHome(ctx context.Context, r Route) error {
	if err := sayUp(ctx, w.db, r.ID); err != nil {
		return err
	}
	if err := moveHome(ctx, w.db, r.ID); err != nil {
		return err
	}
	w.nudge()
	return forgetFailures(ctx, w.db, r.ID)
}
