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
	// Redis is asked for work a few times a second only, so it has some in store;
	// in which order accounts and campaigns send is decided at the gate.
	unfinishedPerCampaign = 8
	// lookEvery is how often rows are looked for that another process wrote.
	lookEvery = 100 * time.Millisecond
	// missingAfter is how long a range may be dispatched and not begun before
	// Redis is asked whether it still knows of it.
	missingAfter = 2 * time.Second
)

// hurry is which lanes a dispatch is for. The urgent one does not wait for the
// others' turn, nor for Redis: its ranges are begun where they are chosen.
type hurry bool

// dispatchLoop gives ranges to Redis, or begins them.
func (w *Worker) dispatchLoop(ctx context.Context, h hurry, wake <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	swept := time.Now()
	for {
		err := w.dispatchAll(ctx, h)
		if !h && time.Since(swept) > missingAfter {
			swept = time.Now()
			err = errors.Join(err, w.sweepMissing(ctx))
		}
		if err != nil && ctx.Err() == nil {
			slog.Error("dispatch", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
	}
}

func (w *Worker) dispatchAll(ctx context.Context, h hurry) error {
	for _, l := range w.allLinks() {
		if !l.ready() {
			continue
		}
		if err := l.dispatch(ctx, h); err != nil {
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

// dispatch gives ranges to Redis, or begins those that hurry. Their dispatch is
// committed before Redis hears of it: a task that comes back after a crash then
// carries an old generation.
func (l *link) dispatch(ctx context.Context, h hurry) error {
	waits, err := anythingWaits(ctx, l.w.db, l.route.ID, h, time.Now())
	if err != nil || !waits {
		return err
	}
	given, err := l.choose(ctx, h)
	if err != nil {
		return err
	}
	for i, r := range given {
		if h {
			l.workOn(ctx, r)
			continue
		}
		if err := l.server(r.lane).enqueue(ctx, r.task()); err != nil {
			return errors.Join(fmt.Errorf("give a range to Redis: %w", err), l.putAllBack(ctx, given[i:]))
		}
	}
	return nil
}

// workOn sends a range that was begun when it was chosen.
func (l *link) workOn(ctx context.Context, r *running) {
	if !l.begin(r.task()) {
		l.end(ctx, r, time.Now()) // the link closes
		return
	}
	go func() {
		defer l.done(r.task())
		l.send(context.WithoutCancel(ctx), r)
	}()
}

func (l *link) putAllBack(ctx context.Context, given []*running) (errs error) {
	for _, r := range given {
		_, err := putBack(ctx, l.w.db, r.task())
		errs = errors.Join(errs, err)
	}
	return errs
}

// choose takes the next ranges for this link: in turn over accounts, then
// campaigns. A carrier's holders count what all of them have, so the limits are
// the installation's; of each, a holder has no more than the part that its slots
// are of all, or one would leave the others nothing to do.
func (l *link) choose(ctx context.Context, h hurry) (given []*running, err error) {
	err = l.w.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.NeedNotLast(ctx); err != nil {
			return err
		}
		held, err := holdSlots(ctx, tx, l.route.ID, l.w.lease.id)
		if err != nil || held == 0 {
			return err
		}
		now, total := time.Now(), max(held, slotsOf(l.route.Features))
		part := func(limit int) int { return (limit*held + total - 1) / total }
		busy, err := selectBusy(ctx, tx, l.route.ID, l.w.lease.id)
		if err != nil {
			return err
		}
		waiting, err := selectWaiting(ctx, tx, l.route.ID, h, now)
		if err != nil {
			return err
		}
		given, err = markDispatched(ctx, tx, l.route.ID, busy.next(waiting, part), h, l.w.lease.id, now)
		return err
	})
	return given, err
}

func (l *link) server(lane Lane) *laneServer { return l.servers[slices.Index(throughRedis, lane)] }

// sweepMissing puts back what this worker has, by the rows, and nobody works
// on: Redis has forgotten it, or the range was begun in a transaction whose
// end the worker did not hear of.
func (w *Worker) sweepMissing(ctx context.Context) error {
	held, err := selectHeld(ctx, w.db, `incarnation = $1 AND dispatched_at < $2`, w.lease.id, db.Millis(time.Now().Add(-missingAfter)))
	if err != nil {
		return err
	}
	for _, h := range held {
		if l := w.link(h.route); l != nil {
			here, err := l.has(h)
			if err != nil {
				return err
			}
			if here {
				continue
			}
		}
		back, err := w.takeRange(ctx, h)
		if err != nil {
			return err
		}
		if back {
			slog.Warn("a range that nobody worked on goes again", "range", h.id, "state", h.state)
		}
	}
	return nil
}

// has says whether a range that the worker holds is in a handler's hands or
// will be.
func (l *link) has(h heldRange) (bool, error) {
	t := task{h.id, h.generation}
	if h.state == "running" || h.lane == Urgent || l.works(t) || l.carrier == nil {
		return l.works(t), nil
	}
	return l.server(h.lane).knows(t)
}

// laneKey counts ranges of a campaign, or with no campaign of an account.
type laneKey struct {
	account, campaign int64
	lane              Lane
}

// tally is how many ranges all have, and how many of them this worker has.
type tally struct{ all, mine int }

func (t tally) plus(more tally) tally { return tally{t.all + more.all, t.mine + more.mine} }

// one is a range more, for this worker.
var one = tally{1, 1}

// busyRanges counts the ranges of a carrier that are in Redis.
type busyRanges struct {
	campaigns map[laneKey]tally
	accounts  map[laneKey]tally
	lanes     map[Lane]tally
}

func (b busyRanges) add(r waitingRange, more tally) {
	campaign, account := laneKey{r.account, r.campaign, r.lane}, laneKey{account: r.account, lane: r.lane}
	b.campaigns[campaign] = b.campaigns[campaign].plus(more)
	b.accounts[account] = b.accounts[account].plus(more)
}

// next are the waiting ranges that may go to this worker, in turn; part is what
// of a limit the worker may have.
func (b busyRanges) next(waiting []waitingRange, part func(limit int) int) []waitingRange {
	fits := func(t tally, limit int) bool { return t.all < limit && t.mine < part(limit) }
	var may []waitingRange
	for _, r := range waiting {
		campaign := b.campaigns[laneKey{r.account, r.campaign, r.lane}]
		if !fits(campaign, unfinishedPerCampaign) {
			continue
		}
		r.unfinished, r.ofAccount = campaign.all, b.accounts[laneKey{account: r.account, lane: r.lane}].all
		b.add(r, one)
		may = append(may, r)
	}
	slices.SortStableFunc(may, func(a, b waitingRange) int {
		return cmp.Or(cmp.Compare(a.ofAccount, b.ofAccount), cmp.Compare(a.unfinished, b.unfinished), cmp.Compare(a.id, b.id))
	})
	return slices.DeleteFunc(may, func(r waitingRange) bool {
		t := b.lanes[r.lane]
		b.lanes[r.lane] = t.plus(one)
		return !fits(t, laneConcurrency)
	})
}

func selectBusy(ctx context.Context, q db.Querier, route, incarnation int64) (busyRanges, error) {
	b := busyRanges{map[laneKey]tally{}, map[laneKey]tally{}, map[Lane]tally{}}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var r waitingRange
		var t tally
		var open tally // those that are not claimed to their end
		err = row.Scan(&r.account, &r.campaign, &r.lane, &t.all, &t.mine, &open.all, &open.mine)
		b.add(r, open)
		b.lanes[r.lane] = b.lanes[r.lane].plus(t)
		return struct{}{}, err
	}, `
		SELECT account_id, campaign_id, lane, COUNT(*), COUNT(CASE incarnation WHEN $1 THEN 1 END),
			COUNT(CASE WHEN claimed_id < last_id THEN 1 END), COUNT(CASE WHEN claimed_id < last_id AND incarnation = $1 THEN 1 END)
		FROM ranges
		WHERE carrier_id = $2 AND state <> 'done' AND state IN ('dispatched', 'running') GROUP BY account_id, campaign_id, lane`, incarnation, route)
	return b, err
}

// mayGo is a condition on ranges r and their campaigns c, for a carrier, a time
// and a hurry. SQLite takes a partial index only where its own condition is repeated.
const mayGo = `r.carrier_id = $1 AND r.state <> 'done' AND r.state = 'waiting' AND r.due_at <= $2 AND (r.campaign_id = 0 OR c.state IN ('running', 'sent'))
	AND CASE r.lane WHEN 'urgent' THEN 1 ELSE 0 END = $3`

func anythingWaits(ctx context.Context, q db.Querier, route int64, h hurry, now time.Time) (waits bool, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM ranges r LEFT JOIN campaigns c ON c.id = r.campaign_id WHERE `+mayGo+`)`,
		route, db.Millis(now), bit(bool(h))).Scan(&waits)
	return waits, err
}

// selectWaiting finds the next ranges of every campaign, in the order of ids.
func selectWaiting(ctx context.Context, q db.Querier, route int64, h hurry, now time.Time) ([]waitingRange, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r waitingRange, err error) {
		return r, row.Scan(&r.id, &r.account, &r.campaign, &r.lane)
	}, `
		SELECT id, account_id, campaign_id, lane FROM (
			SELECT r.id, r.account_id, r.campaign_id, r.lane,
				ROW_NUMBER() OVER (PARTITION BY r.account_id, r.campaign_id, r.lane ORDER BY r.id) AS place
			FROM ranges r LEFT JOIN campaigns c ON c.id = r.campaign_id WHERE `+mayGo+`
		) AS w WHERE place <= $4 ORDER BY id`, route, db.Millis(now), bit(bool(h)), int64(unfinishedPerCampaign))
}

// markDispatched returns the ranges with the generations they now have; those that
// hurry are begun.
func markDispatched(ctx context.Context, tx *db.Tx, route int64, chosen []waitingRange, h hurry, incarnation int64, now time.Time) ([]*running, error) {
	state := "dispatched"
	if h {
		state = "running"
	}
	var given []*running
	for _, w := range chosen {
		r, err := scanRunning(tx.QueryRowContext(ctx, `
			UPDATE ranges SET state = $1, generation = generation + 1, incarnation = $2, dispatched_at = $3, reason = ''
			WHERE id = $4 AND state = 'waiting' AND carrier_id = $5 RETURNING `+runningColumns, state, incarnation, db.Millis(now), w.id, route))
		if err != nil {
			return nil, err
		}
		if r != nil { // else its deadline has passed meanwhile, or another carrier has it
			given = append(given, r)
		}
	}
	return given, nil
}

func putBack(ctx context.Context, d *db.DB, t task) (bool, error) {
	done, err := d.ExecContext(ctx, `
		UPDATE ranges SET state = 'waiting', generation = generation + 1, incarnation = 0
		WHERE id = $1 AND generation = $2 AND state = 'dispatched'`, t.Range, t.Generation)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}
