package smsqueue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/db"
)

const (
	// unfinishedPerCampaign is how many ranges of a campaign that are not claimed
	// to their end are in Redis at most; one that comes to its end calls the next.
	unfinishedPerCampaign = 4
	// lookEvery is how often rows are looked for that another process wrote.
	lookEvery = 250 * time.Millisecond
	// missingAfter is how long a range may be dispatched and not begun before
	// Redis is asked whether it still knows of it.
	missingAfter = 2 * time.Second
)

// dispatchLoop starts campaigns and gives ranges to Redis.
func (w *Worker) dispatchLoop(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	swept := time.Now()
	for {
		more, err := w.expandSome(ctx)
		err = errors.Join(err, w.dispatchAll(ctx))
		if time.Since(swept) > missingAfter {
			swept = time.Now()
			err = errors.Join(err, w.sweepMissing(ctx))
		}
		if err != nil && ctx.Err() == nil {
			slog.Error("dispatch", "error", err)
			more = false
		}
		if more {
			w.nudge()
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-tick.C:
		}
	}
}

func (w *Worker) dispatchAll(ctx context.Context) error {
	for _, l := range w.allLinks() {
		if !l.ready() {
			continue
		}
		if err := l.dispatch(ctx); err != nil {
			return fmt.Errorf("carrier %s: %w", l.route.Name, err)
		}
	}
	return nil
}

// waitingRange is a range that may go now.
type waitingRange struct {
	id, account, campaign int64
	lane                  Lane
	unfinished            int // ranges of its campaign in the lane that are in Redis
	ofAccount             int // ranges of its account in the lane that are
}

// dispatch gives ranges to Redis: at most unfinishedPerCampaign of a campaign,
// in turn over accounts, then campaigns.
func (l *link) dispatch(ctx context.Context) error {
	waiting, inLane, err := selectWaiting(ctx, l.w.db, l.route.ID, time.Now())
	if err != nil {
		return err
	}
	slices.SortStableFunc(waiting, func(a, b waitingRange) int {
		return cmp.Or(cmp.Compare(a.ofAccount, b.ofAccount), cmp.Compare(a.unfinished, b.unfinished), cmp.Compare(a.id, b.id))
	})
	for _, r := range waiting {
		if inLane[r.lane] >= laneConcurrency {
			continue
		}
		inLane[r.lane]++
		if err := l.give(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// give commits the dispatch before Redis hears of it: a task that comes back
// after a crash then carries an old generation.
func (l *link) give(ctx context.Context, r waitingRange) error {
	generation, err := markDispatched(ctx, l.w.db, r.id, time.Now())
	if err != nil || generation == 0 {
		return err
	}
	err = l.server(r.lane).enqueue(ctx, task{r.id, generation})
	if err == nil {
		return nil
	}
	_, undo := putBack(ctx, l.w.db, r.id, generation)
	if undo != nil {
		return undo
	}
	return fmt.Errorf("give a range to Redis: %w", err)
}

func (l *link) server(lane Lane) *laneServer { return l.servers[slices.Index(Lanes, lane)] }

// sweepMissing puts back what Redis has forgotten.
func (w *Worker) sweepMissing(ctx context.Context) error {
	for _, l := range w.allLinks() {
		given, err := selectDispatched(ctx, w.db, l.route.ID, time.Now().Add(-missingAfter))
		if err != nil {
			return err
		}
		for _, g := range given {
			known, err := l.server(g.lane).knows(g.task)
			if err != nil {
				return err
			}
			if known {
				continue
			}
			if back, err := putBack(ctx, w.db, g.Range, g.Generation); err != nil {
				return err
			} else if back {
				slog.Warn("a range that Redis had forgotten goes again", "range", g.Range)
			}
		}
	}
	return nil
}

type givenRange struct {
	task
	lane Lane
}

func selectWaiting(ctx context.Context, q db.Querier, route int64, now time.Time) ([]waitingRange, map[Lane]int, error) {
	type unfinished struct {
		account, campaign int64
		lane              Lane
		n                 int
	}
	busy, err := db.Collect(ctx, q, func(row *sql.Rows) (u unfinished, err error) {
		return u, row.Scan(&u.account, &u.campaign, &u.lane, &u.n)
	}, `
		SELECT account_id, campaign_id, lane, COUNT(*) FROM ranges
		WHERE carrier_id = $1 AND state IN ('dispatched', 'running') AND claimed_id < last_id GROUP BY account_id, campaign_id, lane`, route)
	if err != nil {
		return nil, nil, err
	}
	type key struct {
		account, campaign int64
		lane              Lane
	}
	ofCampaign, ofAccount, inLane := map[key]int{}, map[key]int{}, map[Lane]int{}
	for _, u := range busy {
		ofCampaign[key{u.account, u.campaign, u.lane}] += u.n
		ofAccount[key{account: u.account, lane: u.lane}] += u.n
		inLane[u.lane] += u.n
	}
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (r waitingRange, err error) {
		return r, row.Scan(&r.id, &r.account, &r.campaign, &r.lane)
	}, `
		SELECT id, account_id, campaign_id, lane FROM (
			SELECT r.id, r.account_id, r.campaign_id, r.lane,
				ROW_NUMBER() OVER (PARTITION BY r.account_id, r.campaign_id, r.lane ORDER BY r.id) AS place
			FROM ranges r LEFT JOIN campaigns c ON c.id = r.campaign_id
			WHERE r.carrier_id = $1 AND r.state = 'waiting' AND r.due_at <= $2
				AND (r.campaign_id = 0 OR c.state IN ('running', 'sent'))
		) AS w WHERE place <= $3 ORDER BY id`, route, db.Millis(now), int64(unfinishedPerCampaign))
	var waiting []waitingRange
	for _, r := range all {
		k, a := key{r.account, r.campaign, r.lane}, key{account: r.account, lane: r.lane}
		if ofCampaign[k] >= unfinishedPerCampaign {
			continue
		}
		r.unfinished, r.ofAccount = ofCampaign[k], ofAccount[a]
		ofCampaign[k]++
		ofAccount[a]++
		waiting = append(waiting, r)
	}
	return waiting, inLane, err
}

// markDispatched returns the generation to give, 0 when the range went already.
func markDispatched(ctx context.Context, d *db.DB, id int64, now time.Time) (generation int64, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `
			UPDATE ranges SET state = 'dispatched', generation = generation + 1, dispatched_at = $1
			WHERE id = $2 AND state = 'waiting' RETURNING generation`, db.Millis(now), id).Scan(&generation)
	})
	if db.IsNone(err) {
		return 0, nil
	}
	return generation, err
}

func putBack(ctx context.Context, d *db.DB, id, generation int64) (bool, error) {
	done, err := d.ExecContext(ctx, `
		UPDATE ranges SET state = 'waiting', generation = generation + 1
		WHERE id = $1 AND generation = $2 AND state = 'dispatched'`, id, generation)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func selectDispatched(ctx context.Context, q db.Querier, route int64, before time.Time) ([]givenRange, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (g givenRange, err error) {
		return g, row.Scan(&g.Range, &g.Generation, &g.lane)
	}, `SELECT id, generation, lane FROM ranges WHERE carrier_id = $1 AND state = 'dispatched' AND dispatched_at < $2`,
		route, db.Millis(before))
}
