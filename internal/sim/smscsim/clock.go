package smscsim

import (
	"container/heap"
	"sync"
	"time"
)

// clock runs what is due later, all in one goroutine: a timer for each of 20,000 answers a
// second would cost more than the answers. What is due in one tick waits in one slice, so that
// only ticks have to be put in order.
type clock struct {
	mu    sync.Mutex
	ticks ticks
	due   map[int64][]func()
	spare [][]func()
	wake  chan struct{}
	start time.Time
}

// tick is the grain of due times: events of one tick run together, so their bytes leave in one
// write.
const tick = time.Millisecond

func newClock() *clock {
	return &clock{due: map[int64][]func(){}, wake: make(chan struct{}, 1), start: time.Now()}
}

// after runs f on the clock's goroutine when d has passed; f must not block. What is due in the
// same tick runs in the order it was asked for.
func (c *clock) after(d time.Duration, f func()) {
	due := int64((time.Since(c.start) + d + tick - 1) / tick)
	c.mu.Lock()
	waiting, known := c.due[due]
	if !known {
		heap.Push(&c.ticks, due)
		if n := len(c.spare); n > 0 {
			waiting, c.spare = c.spare[n-1], c.spare[:n-1]
		}
	}
	c.due[due] = append(waiting, f)
	first := !known && c.ticks[0] == due
	c.mu.Unlock()
	if first {
		signal(c.wake)
	}
}

func (c *clock) run(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, wait := c.take()
		for _, run := range due {
			run()
		}
		if due != nil {
			c.giveBack(due)
		}
		timer.Reset(wait)
		select {
		case <-stop:
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// take returns what is due first, if it is due now, or how long that is away.
func (c *clock) take() ([]func(), time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ticks) == 0 {
		return nil, time.Hour
	}
	if wait := time.Duration(c.ticks[0])*tick - time.Since(c.start); wait > 0 {
		return nil, wait
	}
	first := heap.Pop(&c.ticks).(int64)
	due := c.due[first]
	delete(c.due, first)
	return due, 0
}

// giveBack keeps a slice for the ticks to come.
func (c *clock) giveBack(due []func()) {
	clear(due)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spare) < 64 {
		c.spare = append(c.spare, due[:0])
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// ticks is a heap of due times, in ticks since the clock's start.
type ticks []int64

func (t ticks) Len() int           { return len(t) }
func (t ticks) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t ticks) Less(i, j int) bool { return t[i] < t[j] }
func (t *ticks) Push(x any)        { *t = append(*t, x.(int64)) }

func (t *ticks) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	*t = (*t)[:last]
	return x
}
