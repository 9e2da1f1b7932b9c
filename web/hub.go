package web

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// hub reads what is watched: one reader for each thing, however many watch it. A
// reader begins with the first viewer and ends with the last, or on stop.
type hub[S any] struct {
	eyes func(of watchable) eye[S]
	stop <-chan struct{}

	mu      sync.Mutex
	readers map[watchable]*reader[S]
	viewers int
	running sync.WaitGroup
}

// watchable is a campaign or a connection of an account.
type watchable struct{ account, id int64 }

// eye looks once. A reader has its own, which may remember what it has seen.
type eye[S any] func(ctx context.Context) (S, error)

// reader is guarded by its hub's mutex, but for look, which is its goroutine's.
type reader[S any] struct {
	of      watchable
	viewers map[*viewer[S]]bool
	last    *S
	look    eye[S]
}

// viewer is told the newest snapshot; one that it was too slow for is lost.
type viewer[S any] struct {
	reader *reader[S]
	news   chan S
}

const (
	// What is watched is read every 600 ms, and a campaign's carrier every fifth
	// time: two reads a second, whoever watches.
	readEvery      = 600 * time.Millisecond
	readsOfCarrier = 5
	// mostViewers bounds the connections that open pages hold.
	mostViewers = 1000
)

var errCrowded = problem.New(problem.KindUnavailable, "too_many_viewers", "too many pages are open: this one does not move by itself")

func newHub[S any](eyes func(of watchable) eye[S], stop <-chan struct{}) *hub[S] {
	return &hub[S]{eyes: eyes, stop: stop, readers: map[watchable]*reader[S]{}}
}

// watch begins to tell of a thing; leave ends it.
func (h *hub[S]) watch(of watchable) (*viewer[S], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.viewers >= mostViewers {
		return nil, errCrowded
	}
	h.viewers++
	r := h.readers[of]
	if r == nil {
		r = &reader[S]{of: of, viewers: map[*viewer[S]]bool{}, look: h.eyes(of)}
		h.readers[of] = r
		h.running.Add(1)
		go func() { defer h.running.Done(); h.read(r) }()
	}
	v := &viewer[S]{reader: r, news: make(chan S, 1)}
	r.viewers[v] = true
	if r.last != nil {
		v.news <- *r.last
	}
	return v, nil
}

func (h *hub[S]) leave(v *viewer[S]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(v.reader.viewers, v)
	h.viewers--
}

// wait waits until the readers have ended, which they do when the stop signal
// comes or the last page closes.
func (h *hub[S]) wait() error {
	h.running.Wait()
	return nil
}

func (h *hub[S]) read(r *reader[S]) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	failing := false
	for h.wanted(r) {
		s, err := h.look(r)
		if err == nil {
			h.tell(r, s)
		} else if !failing { // once, not at every reading
			slog.Error("what is watched cannot be read", "id", r.of.id, "error", err)
		}
		failing = err != nil
		select {
		case <-h.stop:
			h.forget(r)
			return
		case <-tick.C:
		}
	}
}

// wanted says whether anybody watches, and forgets the reader otherwise.
func (h *hub[S]) wanted(r *reader[S]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(r.viewers) == 0 {
		delete(h.readers, r.of)
		return false
	}
	return true
}

func (h *hub[S]) forget(r *reader[S]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, r.of)
}

// look reads once. A database that takes longer than a few readings fails it.
func (h *hub[S]) look(r *reader[S]) (S, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*readEvery)
	defer cancel()
	return r.look(ctx)
}

func (h *hub[S]) tell(r *reader[S], s S) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.last = &s
	for v := range r.viewers {
		select {
		case <-v.news:
		default:
		}
		v.news <- s
	}
}
