package smsqueue

import (
	"context"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// AtCeiling says that it is held because the rest of it would cost more than its ceiling
// leaves: it asks up to what it may go on.
func (c Campaign) AtCeiling() bool {
	return c.State == CampaignHeld && c.Reason == aboveCeiling
}

const aboveCeiling = "cost_above_ceiling"

// underCeiling refuses when a campaign that is held at its ceiling would cost more than
// most all the same.
func (q *Queue) underCeiling(ctx context.Context, c Campaign, most int64) error {
	if !c.AtCeiling() {
		return nil
	}
	cost, err := q.CostNow(ctx, c.Account, c.ID)
	if err == nil && cost > most {
		err = problem.Conflict(aboveCeiling, "the campaign costs %s %s now, and may cost %s: say up to what it may go on",
			billing.Money(cost), c.Currency, billing.Money(most))
	}
	return err
}

// CostNow is what a campaign costs in all, in micro-units, if it goes on now: what its
// messages cost, and what those will that are still to be made.
func (q *Queue) CostNow(ctx context.Context, account, id int64) (micro int64, err error) {
	p, err := readPlan(ctx, q.db)
	if err != nil {
		return 0, err
	}
	err = q.db.Snapshot(ctx, func(tx *db.Tx) error {
		all, err := selectExpanding(ctx, tx, `account_id = $1 AND id = $2`, account, id)
		if err != nil || len(all) == 0 {
			return err
		}
		c := all[0]
		c.plan, c.house, c.previewed = p, q, true
		micro = c.reserved
		if c.expanded {
			return nil
		}
		rest, err := c.costOfRest(ctx, tx)
		micro += rest
		return err
	})
	return micro, err
}

// costOfRest goes through the recipients who have no message yet, as an expansion does.
func (c starting) costOfRest(ctx context.Context, tx *db.Tx) (micro int64, err error) {
	prices, err := billing.PricesOf(ctx, tx, c.book)
	if err != nil {
		return 0, err
	}
	if c.merged {
		if c.words, err = c.knownWords(ctx, tx); err != nil {
			return 0, err
		}
	}
	if err := c.survey(ctx, tx); err != nil {
		return 0, err
	}
	c.asked = largestLot
	for {
		l, err := c.nextLot(ctx, tx, prices, lotIDs{}, time.Now())
		if err != nil || l.found == 0 {
			return micro, err
		}
		micro, c.after = micro+l.cost, l.lastPlace
	}
}
