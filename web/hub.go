package web

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue"
)

// hub reads what is watched: one reader a campaign, however many watch it. A
// reader begins with the first viewer and ends with the last, or on stop.
type hub struct {
	queue *smsqueue.Queue
	stop  <-chan struct{}

	mu      sync.Mutex
	readers map[watchable]*reader
	viewers int
	running sync.WaitGroup
}

type watchable struct{ account, campaign int64 }

// reader is guarded by its hub's mutex, but for pace, which is its goroutine's.
type reader struct {
	of      watchable
	viewers map[*viewer]bool
	last    *snapshot
	pace    pace
	carrier smsqueue.Route
}

// viewer is told the newest snapshot; one that it was too slow for is lost.
type viewer struct {
	reader *reader
	news   chan snapshot
}

const (
	// A campaign is read every 600 ms and its carrier every fifth time: two
	// reads a second, whoever watches.
	readEvery      = 600 * time.Millisecond
	readsOfCarrier = 5
	// mostViewers bounds the connections that open pages hold.
	mostViewers = 1000
)

var errCrowded = problem.New(problem.KindUnavailable, "too_many_viewers", "too many pages are open: this one does not move by itself")

func newHub(q *smsqueue.Queue, stop <-chan struct{}) *hub {
	return &hub{queue: q, stop: stop, readers: map[watchable]*reader{}}
}

// watch begins to tell of a campaign; leave ends it.
func (h *hub) watch(of watchable) (*viewer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.viewers >= mostViewers {
		return nil, errCrowded
	}
	h.viewers++
	r := h.readers[of]
	if r == nil {
		r = &reader{of: of, viewers: map[*viewer]bool{}}
		h.readers[of] = r
		h.running.Add(1)
		go func() { defer h.running.Done(); h.read(r) }()
	}
	v := &viewer{reader: r, news: make(chan snapshot, 1)}
	r.viewers[v] = true
	if r.last != nil {
		v.news <- *r.last
	}
	return v, nil
}

func (h *hub) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(v.reader.viewers, v)
	h.viewers--
}

// wait waits until the readers have ended, which they do when the stop signal
// comes or the last page closes.
func (h *hub) wait() error {
	h.running.Wait()
	return nil
}

func (h *hub) read(r *reader) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	failing := false
	for n := 0; h.wanted(r); n++ {
		s, err := h.look(r, n%readsOfCarrier == 0)
		if err == nil {
			h.tell(r, s)
		} else if !failing { // once, not at every reading
			slog.Error("a campaign that is watched cannot be read", "campaign", r.of.campaign, "error", err)
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
func (h *hub) wanted(r *reader) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(r.viewers) == 0 {
		delete(h.readers, r.of)
		return false
	}
	return true
}

func (h *hub) forget(r *reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, r.of)
}

// look reads once. A database that takes longer than a few readings fails it.
func (h *hub) look(r *reader, alsoCarrier bool) (s snapshot, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*readEvery)
	defer cancel()
	if s.campaign, err = h.queue.Campaign(ctx, r.of.account, r.of.campaign); err != nil {
		return s, err
	}
	if alsoCarrier {
		if r.carrier, err = carrierOf(ctx, h.queue, s.campaign); err != nil {
			return s, err
		}
	}
	s.at, s.carrier = time.Now(), r.carrier
	r.pace.add(s.at, s.campaign.Counts.Total()-s.campaign.Counts.Unsent())
	s.rate, s.paced = r.pace.rate()
	return s, nil
}

func (h *hub) tell(r *reader, s snapshot) {
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

func carrierOf(ctx context.Context, q *smsqueue.Queue, c smsqueue.Campaign) (smsqueue.Route, error) {
	all, err := q.Routes(ctx)
	for _, r := range all {
		if r.ID == c.Route {
			return r, err
		}
	}
	return smsqueue.Route{}, err
}
