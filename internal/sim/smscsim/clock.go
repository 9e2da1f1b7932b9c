package smscsim

import (
	"cmp"
	"container/heap"
	"sync"
	"time"
)

// clock runs what is due later, all in one goroutine: a timer for each of 20,000 answers a
// second would cost more than the answers.
type clock struct {
	mu     sync.Mutex
	events events
	count  uint64
	wake   chan struct{}
	start  time.Time
}

type event struct {
	due   time.Duration // since the clock's start
	order uint64        // equal due times run in the order they were asked for
	run   func()
}

// tick is the grain of due times: events of one tick run together, so their bytes leave in one
// write.
const tick = time.Millisecond

func newClock() *clock {
	return &clock{wake: make(chan struct{}, 1), start: time.Now()}
}

// after runs f on the clock's goroutine when d has passed; f must not block.
func (c *clock) after(d time.Duration, f func()) {
	due := (time.Since(c.start) + d + tick - 1).Truncate(tick)
	c.mu.Lock()
	c.count++
	heap.Push(&c.events, event{due, c.count, f})
	first := c.events[0].order == c.count
	c.mu.Unlock()
	if first {
		signal(c.wake)
	}
}

func (c *clock) run(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var due []event
	for {
		var wait time.Duration
		due, wait = c.take(due[:0])
		for _, e := range due {
			e.run()
		}
		clear(due)
		timer.Reset(wait)
		select {
		case <-stop:
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// take returns what is due now and how long the next event is away.
func (c *clock) take(due []event) ([]event, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.start)
	for len(c.events) > 0 {
		if wait := c.events[0].due - now; wait > 0 {
			return due, wait
		}
		due = append(due, heap.Pop(&c.events).(event))
	}
	return due, time.Hour
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

type events []event

func (e events) Len() int      { return len(e) }
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }

func (e events) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].due, e[j].due), cmp.Compare(e[i].order, e[j].order)) < 0
}

func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}
