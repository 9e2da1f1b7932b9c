package smsqueue

import (
	"sync"
	"time"
)

// batcher gathers what many produce for one that commits. It works at once when
// it is idle, and else takes all that arrived meanwhile, and what keeps coming.
type batcher[T any] struct {
	bounds
	mu      sync.Mutex
	changed sync.Cond
	pending []T
	closed  bool
	done    chan struct{}
}

type bounds struct {
	max   int // of one batch
	limit int // Add blocks while more than this is pending; 0: never
	// gather bounds how long the next batch may grow behind one that was just
	// worked off; it ends when nothing more comes, as at a peer that has sent all
	// that it may have unacknowledged.
	gather time.Duration
}

func newBatcher[T any](limits bounds, work func([]T)) *batcher[T] {
	b := &batcher[T]{bounds: limits, done: make(chan struct{})}
	b.changed.L = &b.mu
	go b.run(work)
	return b
}

// Add hands over one item. It says false when the batcher was closed.
func (b *batcher[T]) Add(item T) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.limit > 0 && len(b.pending) >= b.limit && !b.closed {
		b.changed.Wait()
	}
	if b.closed {
		return false
	}
	b.pending = append(b.pending, item)
	b.changed.Broadcast()
	return true
}

// Close takes no more, works off what is pending, and returns when that is done.
func (b *batcher[T]) Close() {
	b.mu.Lock()
	b.closed = true
	b.changed.Broadcast()
	b.mu.Unlock()
	<-b.done
}

func (b *batcher[T]) run(work func([]T)) {
	defer close(b.done)
	for {
		batch := b.take()
		if batch == nil {
			return
		}
		work(batch)
		b.grow()
	}
}

// lull is how long nothing has to come for a batch to be complete.
const lull = 2 * time.Millisecond

func (b *batcher[T]) grow() {
	for waited, before := time.Duration(0), 0; waited < b.gather; waited += lull {
		b.mu.Lock()
		n := len(b.pending)
		b.mu.Unlock()
		if n == before || n >= b.max {
			return
		}
		before = n
		time.Sleep(lull)
	}
}

func (b *batcher[T]) take() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) == 0 {
		if b.closed {
			return nil
		}
		b.changed.Wait()
	}
	n := min(b.max, len(b.pending))
	batch := append([]T(nil), b.pending[:n]...)
	b.pending = append(b.pending[:0], b.pending[n:]...)
	b.changed.Broadcast()
	return batch
}
