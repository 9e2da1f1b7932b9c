// Package httpcarrier is what providers over HTTP have in common: requests in
// flight, what a fault means for a message, the state of the link, and closing.
// A provider adds how a message is written and how an answer is read.
package httpcarrier

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// Provider is one provider's dialect.
type Provider struct {
	Name string // as people know it
	Link
	// Request writes a message. An error is why it can never be sent.
	Request func(s carriers.Submission) (*http.Request, error)
	// Answer reads the provider's answer to it.
	Answer func(s carriers.Submission, r Response) carriers.Answer
}

// carrier keeps a provider's requests and what they tell of its state.
type carrier struct {
	Provider
	pace    pace
	client  *http.Client
	events  carriers.Events
	ctx     context.Context // of the requests
	abandon context.CancelFunc
	closing chan struct{}
	flights sync.WaitGroup // requests, and the rest between two attempts

	mu     sync.Mutex
	room   *sync.Cond // a request ended, or the state changed
	flying int
	closed bool
	state  carriers.State
	trial  bool // since a fault nothing was answered: one request at a time
	silent int  // requests in a row that got no answer
	rests  int  // rests in a row without an answer between them

	telling sync.Mutex
	told    carriers.State
}

// pace is how long things may take that no operator needs to set.
type pace struct {
	first      time.Duration // before the first attempt after a fault
	most       time.Duration // before the later ones
	refused    time.Duration // after a refusal, which somebody may mend
	asked      time.Duration // the longest that a provider may ask us to wait
	lastAnswer time.Duration // for answers still owed when the carrier is closed
}

var normalPace = pace{
	first:      200 * time.Millisecond,
	most:       30 * time.Second,
	refused:    30 * time.Second,
	asked:      5 * time.Minute,
	lastAnswer: 5 * time.Second,
}

// silenceLimit is how many requests in a row may stay without an answer before
// the provider counts as down: each of them may be a message in doubt.
const silenceLimit = 5

// Open starts a carrier that speaks to the provider; it runs until Close.
func Open(p Provider, setting carriers.Setting) carriers.Carrier {
	return open(p, setting.Events, normalPace)
}

func open(p Provider, events carriers.Events, pace pace) *carrier {
	c := &carrier{
		Provider: p,
		pace:     pace,
		client:   newClient(p.Window),
		events:   events,
		closing:  make(chan struct{}),
		// HTTP has no session that could be up or not. Only messages show how the
		// provider is, and none come while the link is not bound.
		state: carriers.State{Status: carriers.Bound},
	}
	c.room = sync.NewCond(&c.mu)
	c.ctx, c.abandon = context.WithCancel(context.Background())
	c.changed()
	return c
}

// Limits are those of the configuration; keeping to the throughput is the
// caller's part.
func (c *carrier) Limits() carriers.Limits {
	return carriers.Limits{Window: c.Window, Throughput: c.Throughput}
}

// Submit blocks while the window is full and answers with Retry at once while
// the provider counts as away.
func (c *carrier) Submit(s carriers.Submission, answered func(carriers.Answer)) {
	if why := c.enter(); why != "" {
		answered(Refused(carriers.Retry, "", why))
		return
	}
	go func() {
		defer c.flights.Done()
		a, wait := c.send(s)
		c.leave(a.Err, wait)
		answered(a)
	}()
}

// enter takes a place in the window, or says why there is none.
func (c *carrier) enter() (why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return "the carrier is closed"
		case c.state.Status != carriers.Bound:
			return c.state.Reason
		case c.flying < c.places():
			c.flying++
			c.flights.Add(1)
			return ""
		}
		c.room.Wait()
	}
}

func (c *carrier) places() int {
	if c.trial {
		return 1
	}
	return c.Window
}

// leave gives the place back and learns from the answer how the provider is.
// wait is how long the provider asks to be left alone.
func (c *carrier) leave(err *carriers.Error, wait time.Duration) {
	c.mu.Lock()
	c.flying--
	switch {
	case c.closed:
	case err == nil, err.Kind == carriers.Rejected, err.Kind == carriers.Throttled, err.Kind == carriers.Retry && err.Code != "":
		c.trial, c.silent, c.rests = false, 0, 0
		if wait > 0 {
			c.rest(carriers.State{Status: carriers.Connecting, Reason: fmt.Sprintf("%s asks to wait for %v", c.Name, wait)}, min(wait, c.pace.asked))
		}
	case err.Kind == carriers.Misconfigured:
		c.rest(carriers.State{Status: carriers.Refusing, Reason: err.Text}, c.pace.refused)
	case err.Kind == carriers.Retry:
		c.rest(carriers.State{Status: carriers.Down, Reason: err.Text}, c.backoff())
	default: // no answer
		if c.silent++; c.trial || c.silent >= silenceLimit {
			c.rest(carriers.State{Status: carriers.Down, Reason: err.Text}, c.backoff())
		}
	}
	c.room.Broadcast()
	c.mu.Unlock()
	c.changed()
}

// backoff is the time before the next attempt, with jitter.
func (c *carrier) backoff() time.Duration {
	d := min(c.pace.first<<min(c.rests, 20), c.pace.most)
	return d/2 + rand.N(d/2+1)
}

// rest lets nothing through for a while; then one message finds out. c.mu is held.
func (c *carrier) rest(s carriers.State, wait time.Duration) {
	if c.state.Status != carriers.Bound {
		return // others that were under way met the same
	}
	c.state, c.trial = s, true
	c.rests++
	c.flights.Add(1)
	go func() {
		defer c.flights.Done()
		select {
		case <-c.closing:
			return
		case <-time.After(wait):
		}
		c.mu.Lock()
		c.state = carriers.State{Status: carriers.Bound}
		c.room.Broadcast()
		c.mu.Unlock()
		c.changed()
	}()
}

// Close waits a few seconds for answers still owed. What is unanswered then is
// answered with NoAnswer if it was written.
func (c *carrier) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.room.Broadcast()
	c.mu.Unlock()
	if first {
		close(c.closing)
	}
	defer time.AfterFunc(c.pace.lastAnswer, c.abandon).Stop()
	c.flights.Wait()
	c.abandon()
	c.client.CloseIdleConnections()
	c.tell(carriers.State{Status: carriers.Closed, Reason: "closed here"})
	return nil
}

// changed reports the state anew; while closing, only the end is told.
func (c *carrier) changed() {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.mu.Lock()
	s, closed := c.state, c.closed
	c.mu.Unlock()
	if !closed {
		c.report(s)
	}
}

func (c *carrier) tell(s carriers.State) {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.report(s)
}

// report keeps quiet about a state it has told already.
func (c *carrier) report(s carriers.State) {
	if s != c.told {
		c.told = s
		c.events.State(s)
	}
}
