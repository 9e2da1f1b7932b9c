package smsqueue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/varsel/varsel/internal/db"
)

// Worker sends what the queue has accepted. It owns the slots of carriers that
// it holds, and every goroutine that it starts.
type Worker struct {
	*Queue
	redis      redis.UniversalClient
	jobs       []Job
	lease      *lease
	watch      watch
	mu         sync.Mutex
	links      map[int64]*link     // by carrier
	settling   map[int64]bool      // carriers whose share is being settled
	expansions map[int64]expansion // of campaigns; expandLoop's own
	stop       context.CancelFunc
	tasks      sync.WaitGroup
	late       atomic.Bool // stopping takes too long
	lost       chan struct{}
}

// stopPatience is how long Stop lets a database that does not answer hold up
// the answers of carriers; after it they are in doubt, as after a crash.
const stopPatience = 20 * time.Second

// StartWorker begins to work. role is how the process was started: all, worker.
// jobs are the other rooms' periodic work, for the incarnation this becomes.
func StartWorker(ctx context.Context, q *Queue, client redis.UniversalClient, role string, jobs func(incarnation int64) []Job) (*Worker, error) {
	l, err := takeLease(ctx, q.db, role)
	if err != nil {
		return nil, err
	}
	w := &Worker{Queue: q, redis: client, lease: l, watch: watch{gap: 3 * beatEvery}, links: map[int64]*link{}, settling: map[int64]bool{}, expansions: map[int64]expansion{}, lost: make(chan struct{})}
	w.jobs = append(jobs(l.id), w.ownJobs()...)
	if err := q.keepFeatures(ctx); err != nil {
		return nil, err
	}
	if q.db.Dialect() == db.SQLite {
		// Having taken the lock, every earlier incarnation is dead.
		if err := w.takeOverAll(ctx); err != nil {
			return nil, err
		}
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.spawn(func() {
		if err := l.keep(run, w.setAlive); err != nil {
			slog.Error("this process has to be started again", "reason", err)
			close(w.lost)
			stop()
		}
	})
	w.spawn(func() { w.superviseLinks(run) })
	w.spawn(func() { w.expandLoop(run) })
	w.spawn(func() { w.dispatchLoop(run, false, w.wake) })
	w.spawn(func() { w.dispatchLoop(run, true, w.urgent) })
	w.spawn(func() { w.db.Listen(run, w.hear) })
	w.spawn(func() { w.foldLoop(run) })
	w.spawn(func() { w.clearLoop(run) })
	w.spawn(func() { w.tellPaces(run) })
	w.spawn(func() { w.watchCarriers(run) })
	w.spawn(func() { w.runJobs(run) })
	return w, nil
}

// Lost is closed when others have taken this process's work over, because it
// did not show that it lives: it has stopped and the process should end.
func (w *Worker) Lost() <-chan struct{} { return w.lost }

func (w *Worker) spawn(do func()) {
	w.tasks.Add(1)
	go func() { defer w.tasks.Done(); do() }()
}

// Stop claims nothing more, lets what is under way be answered, gives the
// carriers back and ends.
func (w *Worker) Stop(ctx context.Context) error {
	defer time.AfterFunc(stopPatience, func() { w.late.Store(true) }).Stop()
	w.stop()
	w.tasks.Wait()
	for _, l := range w.allLinks() {
		w.closeLink(ctx, l)
	}
	return errors.Join(w.foldAll(ctx), w.lease.end(ctx))
}

// link is the worker's link to a carrier, nil when it has none.
func (w *Worker) link(route int64) *link {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links[route]
}

func (w *Worker) allLinks() []*link {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*link
	for _, l := range w.links {
		all = append(all, l)
	}
	return all
}

func (w *Worker) setAlive(alive bool) {
	for _, l := range w.allLinks() {
		l.setAlive(alive)
	}
}
