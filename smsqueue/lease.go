package smsqueue

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/varsel/varsel/internal/db"
)

const (
	beatEvery = 2 * time.Second
	// deadAfter is how long another process must see a counter stand still, on
	// its own clock, before it takes over.
	deadAfter = 10 * time.Second
	// silentAfter is when a worker that could not raise its counter stops
	// writing to carriers: well before anybody takes over.
	silentAfter = 7 * time.Second
)

// lease is one row per process that works. It raises a counter while it lives.
type lease struct {
	db   *db.DB
	id   int64
	beat atomic.Int64 // nanoseconds on the monotonic clock since start
	born time.Time
}

func takeLease(ctx context.Context, d *db.DB, role string) (*lease, error) {
	id, err := d.NewIDs(ctx, 1)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	now := time.Now()
	_, err = d.ExecContext(ctx, `
		INSERT INTO incarnations (id, host, pid, role, counter, started_at) VALUES ($1, $2, $3, $4, 1, $5)`,
		id, host, os.Getpid(), role, db.Millis(now))
	return &lease{db: d, id: id, born: now}, err
}

// errTakenOver says that others have decided that this process is dead.
var errTakenOver = errors.New("another process has taken this one's work over")

// keep raises the counter until ctx ends. alive is told whenever the process
// may, or may no longer, write to carriers. Once taken over, it never may again.
func (l *lease) keep(ctx context.Context, alive func(bool)) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.raise(ctx)
		if errors.Is(err, errTakenOver) {
			alive(false)
			return err
		}
		if err != nil && ctx.Err() == nil {
			slog.Error("the lease could not be raised", "error", err)
		}
		alive(time.Since(l.born)-time.Duration(l.beat.Load()) < silentAfter)
	}
}

func (l *lease) raise(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	began := time.Since(l.born)
	done, err := l.db.ExecContext(ctx, `UPDATE incarnations SET counter = counter + 1 WHERE id = $1 AND ended_at = 0`, l.id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errTakenOver)
	}
	l.beat.Store(int64(began))
	return nil
}

func (l *lease) end(ctx context.Context) error {
	_, err := l.db.ExecContext(ctx, `UPDATE incarnations SET ended_at = $1 WHERE id = $2`, db.Millis(time.Now()), l.id)
	return err
}

// watch sees the counters of the others and finds those that stand still.
type watch struct {
	// gap is the longest time between two looks: after a longer one the watcher stood
	// still itself, and cannot tell who else did. 0: it looks when it is asked.
	gap  time.Duration
	last time.Time // when it looked last
	seen map[int64]sighting
}

type sighting struct {
	counter int64
	since   time.Time
}

// dead reads the counters once and returns whose has stood still for deadAfter.
// A failed reading begins all observations anew: an outage of the database
// stops every counter.
func (w *watch) dead(ctx context.Context, q db.Querier, self int64) ([]int64, error) {
	asked := time.Now()
	counters, err := selectCounters(ctx, q, `id <> $1`, self)
	if err != nil {
		w.seen = nil
		return nil, err
	}
	return w.look(counters, asked, time.Now()), nil
}

// look takes counters that were asked for at one time and known at another, and returns
// whose stood still for deadAfter: from when it was known to when it was asked for.
func (w *watch) look(counters map[int64]int64, asked, known time.Time) (dead []int64) {
	if w.gap > 0 && asked.Sub(w.last) > w.gap {
		w.seen = nil
	}
	next := make(map[int64]sighting, len(counters))
	for id, counter := range counters {
		s, before := w.seen[id]
		if !before || s.counter != counter {
			s = sighting{counter, known}
		}
		next[id] = s
		if asked.Sub(s.since) >= deadAfter {
			dead = append(dead, id)
		}
	}
	w.seen, w.last = next, known
	return dead
}

// Alive says whether any process with a worker is raising its counter. It
// takes a little longer than beatEvery to tell.
func (q *Queue) Alive(ctx context.Context) (bool, error) {
	before, err := workerCounters(ctx, q.db)
	if err != nil || len(before) == 0 {
		return false, err
	}
	for range 10 {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(beatEvery / 4):
		}
		now, err := workerCounters(ctx, q.db)
		if err != nil {
			return false, err
		}
		for id, counter := range now {
			if counter != before[id] {
				return true, nil
			}
		}
	}
	return false, nil
}

func workerCounters(ctx context.Context, q db.Querier) (map[int64]int64, error) {
	return selectCounters(ctx, q, `role <> 'api'`)
}

// selectCounters are those of the processes that have not ended.
func selectCounters(ctx context.Context, q db.Querier, where string, args ...any) (map[int64]int64, error) {
	counters := map[int64]int64{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var id, counter int64
		err = row.Scan(&id, &counter)
		counters[id] = counter
		return struct{}{}, err
	}, `SELECT id, counter FROM incarnations WHERE ended_at = 0 AND `+where, args...)
	return counters, err
}
