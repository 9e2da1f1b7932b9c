package smsqueue

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// running is a range that a handler works on.
type running struct {
	rangeRow
	generation int64
	out        sync.WaitGroup // messages claimed, their answer not yet committed
	hold       hold           // what keeps the rest of it
	doubt      bool           // a claim failed, and may have been committed all the same
}

func (r *running) task() task { return task{r.id, r.generation} }

// work begins a range and sends it.
func (l *link) work(ctx context.Context, t task) {
	r, err := beginRange(ctx, l.w.db, t, l.w.lease.id)
	if err != nil {
		slog.Error("a range cannot be begun", "range", t.Range, "error", err)
		return
	}
	if r != nil { // else it is an old generation
		l.send(ctx, r)
	}
}

// send sends what is queued in a range: claim, submit, until nothing is left
// that could go now. It never returns an error and never sleeps for a due
// time: what is left is a row with a due time.
func (l *link) send(ctx context.Context, r *running) {
	again := l.sendAll(ctx, r)
	// The answers are committed whatever ends this handler.
	r.out.Wait()
	l.end(ctx, r, again)
	l.w.nudgeLane(r.lane)
}

func (l *link) end(ctx context.Context, r *running, again time.Time) {
	ctx = context.WithoutCancel(ctx)
	l.untilStored(ctx, "the end of a range", func() ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if err := returnUnflown(ctx, l.w.db, r); err != nil {
			return nil, err
		}
		return nil, endRange(ctx, l.w.db, r, again, time.Now())
	})
}

// sendAll returns the earliest time at which the range should be looked at
// again if anything is left in it.
func (l *link) sendAll(ctx context.Context, r *running) time.Time {
	for {
		parts := l.gate.take(ctx, turn{lane: r.lane, account: r.account, campaign: r.campaign, need: r.maxParts})
		if parts == 0 {
			return time.Now().Add(time.Second) // the carrier is away
		}
		batch, more, err := l.claim(ctx, r, parts)
		if err != nil {
			l.gate.unused(parts)
			if !errors.Is(err, errNotNow) {
				slog.Error("messages cannot be claimed", "range", r.id, "error", err)
				r.doubt = true
			}
			if errors.Is(err, errPaused) {
				return time.Time{}
			}
			return time.Now().Add(time.Second)
		}
		used := 0
		for _, f := range batch {
			used += len(f.submissions)
		}
		l.gate.unused(parts - used)
		l.submit(r, batch)
		if !r.hold.until.IsZero() {
			return r.hold.until
		}
		if !more {
			return time.Time{}
		}
	}
}

// submit hands the parts to the carrier after their claim was committed.
func (l *link) submit(r *running, batch []*flight) {
	r.out.Add(len(batch))
	for _, f := range batch {
		for i, s := range f.submissions {
			at := l.vitals.submit()
			l.carrier.Submit(s, func(a carriers.Answer) {
				l.vitals.answered(at, a.Err)
				l.answer(f, i, a)
			})
		}
	}
}

func (l *link) answer(f *flight, i int, a carriers.Answer) {
	l.gate.answered(a.Err != nil && a.Err.Kind == carriers.Throttled)
	if f.answer(i, a) {
		l.order.answered(f, time.Now())
		l.recent.expect(f)
		l.answers.Add(f)
	}
}

// returnUnflown puts back what a failed claim may have committed: nothing of it
// was given to the carrier.
func returnUnflown(ctx context.Context, d *db.DB, r *running) error {
	if !r.doubt {
		return nil
	}
	pool, err := poolFor(ctx, d, 1, r.size())
	if err != nil {
		return err
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		ids := pool
		if _, err := lockClaims(ctx, tx, r); err != nil {
			return unlessLost(err)
		}
		rows, err := lockRange(ctx, tx, r.rangeRow, Sending)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			moves = append(moves, move{row: m, to: Queued})
		}
		_, err = apply(ctx, tx, moves, &ids, time.Now())
		return err
	})
}

// unlessLost is for what has nothing to do in a range that was taken over.
func unlessLost(err error) error {
	if errors.Is(err, errNotNow) {
		return nil
	}
	return err
}

// beginRange makes the range this handler's, or returns nil when the task's
// generation is not the range's.
func beginRange(ctx context.Context, d *db.DB, t task, incarnation int64) (r *running, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.NeedNotLast(ctx); err != nil {
			return err
		}
		r, err = scanRunning(tx.QueryRowContext(ctx, `
			UPDATE ranges SET state = 'running', incarnation = $1
			WHERE id = $2 AND generation = $3 AND state = 'dispatched' RETURNING `+runningColumns, incarnation, t.Range, t.Generation))
		return err
	})
	return r, err
}

const runningColumns = `id, generation, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, deadline, reservation_id`

// scanRunning is nil for no row.
func scanRunning(row *sql.Row) (*running, error) {
	r := &running{}
	var deadline int64
	err := row.Scan(&r.id, &r.generation, &r.account, &r.campaign, &r.route, &r.lane, &r.first, &r.last, &r.maxParts, &deadline, &r.reservation)
	if db.IsNone(err) {
		return nil, nil
	}
	r.deadline = db.Time(deadline)
	return r, err
}

// endRange is done when nothing is queued in it, and else waits for the
// earliest due time, but not before again. A range with messages whose answer
// could not be stored stays running: they are in doubt, and whoever takes this
// process over decides. One that a rule kept, and whose reason is gone, is looked at
// at once: the rule has changed meanwhile.
func endRange(ctx context.Context, d *db.DB, r *running, again, now time.Time) error {
	if again.IsZero() {
		again = now
	}
	_, err := d.ExecContext(ctx, `
		UPDATE ranges SET incarnation = 0,
			state = CASE WHEN q.queued = 0 THEN 'done' ELSE 'waiting' END,
			due_at = CASE WHEN reason = '' AND CAST($4 AS BIGINT) = 1 THEN 0 WHEN q.due > $1 THEN q.due ELSE $1 END
		FROM (
			SELECT COUNT(CASE status WHEN 'queued' THEN 1 END) AS queued, COUNT(CASE status WHEN 'sending' THEN 1 END) AS sending,
				COALESCE(MIN(CASE status WHEN 'queued' THEN due_at END), 0) AS due
			FROM (
				SELECT `+shownStatus+` AS status, m.due_at FROM messages m JOIN ranges r ON r.id = $2
				WHERE m.id BETWEEN r.first_id AND r.last_id AND m.status IN ('queued', 'sending')
			) AS m
		) AS q WHERE q.sending = 0 AND ranges.id = $2 AND generation = $3 AND state = 'running'`,
		db.Millis(again), r.id, r.generation, bit(r.hold.reason != ""))
	return err
}
