package smsqueue

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// gate hands out a carrier's window and throughput, in parts, to the ranges
// that want to claim messages: urgent first, then normal before bulk without
// starving it, and within a lane in turn by account, then by campaign. So one
// account's million never blocks another's fifty.
type gate struct {
	mu      sync.Mutex
	now     func() time.Time
	window  int
	urgent  int // part of the window that only the urgent lane may use
	pace    pace
	tokens  float64
	filled  time.Time
	paused  time.Time // the carrier is throttling: nothing goes before this
	pause   time.Duration
	open    bool
	flying  int // parts handed out and not yet answered
	storing int // parts answered, their answer not yet committed
	shares  fairness
	normals int // grants of the normal lane since the last bulk one
	waiting []*turn
	timer   *time.Timer
}

// turn is a range that waits for parts.
type turn struct {
	lane     Lane
	account  int64
	campaign int64
	need     int // parts of the largest message: fewer are of no use
	since    time.Time
	got      chan int
}

const (
	// A claim waits until a quarter of the window is free, so that commits are
	// large, but no longer than this.
	claimPatience = 20 * time.Millisecond
	// largestClaim bounds one transaction.
	largestClaim = 500
	// largestStored bounds a transaction of answers or receipts.
	largestStored = 2000
	// storeGather makes such transactions larger when many answers come.
	storeGather = 20 * time.Millisecond
	// storingLimit holds submitting back while storing answers falls behind.
	storingLimit = 4000
	// Bounds of the pause after a throttled answer; it doubles while they go on.
	shortestPause  = 50 * time.Millisecond
	longestPause   = 2 * time.Second
	normalsPerBulk = 3
)

func newGate(window, throughput int) *gate {
	g := &gate{now: time.Now}
	g.limit(carriers.Limits{Window: window, Throughput: throughput})
	return g
}

func (g *gate) limit(l carriers.Limits) {
	g.change(func() {
		g.window, g.pace.configured, g.filled = max(1, l.Window), float64(l.Throughput), g.now()
		g.urgent = 0
		if g.window > 1 {
			g.urgent = max(1, g.window/10)
		}
	})
}

// take waits for parts of the window: at least need (or the whole window,
// where that is smaller) and at most largestClaim. It returns 0 when the gate
// is shut.
func (g *gate) take(ctx context.Context, t turn) int {
	g.mu.Lock()
	t.got, t.since = make(chan int, 1), g.now()
	t.need = min(max(1, t.need), g.window)
	g.waiting = append(g.waiting, &t)
	g.grant()
	g.mu.Unlock()
	select {
	case n := <-t.got:
		return n
	case <-ctx.Done():
		return g.leave(&t)
	}
}

func (g *gate) leave(t *turn) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *turn) bool { return w == t })
	select {
	case n := <-t.got: // granted at the same moment
		g.flying -= n
		g.grant()
	default:
	}
	return 0
}

// unused gives back parts that were taken and not claimed.
func (g *gate) unused(parts int) {
	g.change(func() { g.flying -= parts; g.tokens += float64(parts) })
}

// answered frees the window of a part that the carrier has answered.
func (g *gate) answered(throttled bool) {
	g.change(func() {
		g.flying--
		g.storing++
		now := g.now()
		switch {
		case !throttled:
			g.pause = 0
			g.pace.accept(now)
		case !now.Before(g.paused): // one pause for all that are refused together
			g.pause = min(max(2*g.pause, shortestPause), longestPause)
			g.paused = now.Add(g.pause)
			g.pace.throttle(now)
			g.tokens = 0
		}
	})
}

// stored says that the answers of parts are committed.
func (g *gate) stored(parts int) { g.change(func() { g.storing -= parts }) }

// setOpen opens the gate, or shuts it and sends everybody away with nothing.
func (g *gate) setOpen(open bool) {
	g.change(func() {
		g.open = open
		if open {
			return
		}
		for _, t := range g.waiting {
			t.got <- 0
		}
		g.waiting = nil
	})
}

func (g *gate) change(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	do()
	g.grant()
}

// grant serves waiting ranges while it can and else sets a timer for the
// moment when time alone will let one pass.
func (g *gate) grant() {
	for len(g.waiting) > 0 {
		if !g.open {
			for _, t := range g.waiting {
				t.got <- 0
			}
			g.waiting = nil
			return
		}
		now := g.now()
		g.refill(now)
		t := g.next()
		n, again := g.room(t, now)
		if n == 0 {
			g.wakeIn(again)
			return
		}
		g.serve(t, n)
	}
}

// room is how many parts t may have now; with 0 comes the time after which to
// look again, or 0 when an answer has to come first.
func (g *gate) room(t *turn, now time.Time) (parts int, again time.Duration) {
	if wait := g.paused.Sub(now); wait > 0 {
		return 0, wait
	}
	if g.storing > storingLimit && t.lane != Urgent {
		return 0, 0
	}
	// What is answered and not stored is in doubt after a crash as well: a
	// window in all, or more than that would be repeated.
	free := g.window - g.flying - g.storing
	if t.lane != Urgent && g.window-g.urgent >= t.need {
		free -= g.urgent
	}
	n := min(free, largestClaim)
	rate := g.pace.rate()
	if rate > 0 {
		n = min(n, int(g.tokens))
	}
	if n < t.need {
		if rate > 0 && free >= t.need {
			lacking := (float64(t.need) - g.tokens) / rate
			return 0, max(time.Millisecond, time.Duration(lacking*float64(time.Second)))
		}
		return 0, 0
	}
	if wait := claimPatience - now.Sub(t.since); wait > 0 && n < min(g.window/4, largestClaim) && t.lane != Urgent {
		return 0, wait
	}
	return n, 0
}

func (g *gate) refill(now time.Time) {
	rate, since := g.pace.rate(), now.Sub(g.filled).Seconds()
	g.filled = now
	if rate == 0 {
		return
	}
	// A tenth of a second's worth may be saved up: carriers count over short times.
	most := max(1, rate/10, float64(g.largestNeed()))
	g.tokens = min(most, g.tokens+since*rate)
}

func (g *gate) largestNeed() (need int) {
	for _, t := range g.waiting {
		need = max(need, t.need)
	}
	return need
}

func (g *gate) serve(t *turn, n int) {
	g.waiting = slices.DeleteFunc(g.waiting, func(w *turn) bool { return w == t })
	g.flying += n
	g.tokens -= float64(n)
	if t.lane == Normal {
		g.normals++
	} else if t.lane == Bulk {
		g.normals = 0
	}
	g.shares.add(t, n)
	t.got <- n
}

func (g *gate) next() *turn {
	return slices.MinFunc(g.waiting, func(a, b *turn) int {
		return cmp.Or(
			cmp.Compare(g.rank(a.lane), g.rank(b.lane)),
			g.shares.compare(a, b),
			a.since.Compare(b.since),
		)
	})
}

func (g *gate) rank(l Lane) int {
	switch {
	case l == Urgent:
		return 0
	case l == Bulk && g.normals < normalsPerBulk:
		return 2
	case l == Bulk:
		return 1
	case g.normals >= normalsPerBulk:
		return 2
	}
	return 1
}

func (g *gate) wakeIn(d time.Duration) {
	if d <= 0 {
		return
	}
	if g.timer != nil {
		g.timer.Stop()
	}
	g.timer = time.AfterFunc(d, func() { g.change(func() {}) })
}
