// Package simulator is a carrier without a network, for tests and try-outs: it
// accepts every part and sends a receipt for it.
package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

type config struct {
	Window       int                   `json:"window"`     // parts submitted and not answered
	Throughput   int                   `json:"throughput"` // parts a second; 0 is no limit
	ReceiptDelay carriers.Duration     `json:"receipt_delay"`
	Slots        int                   `json:"slots"`   // into how many shares window and throughput can be divided
	Outcome      carriers.ReceiptState `json:"outcome"` // what every receipt says
}

// Type is the simulator as the queue knows it.
var Type = carriers.Type{Features: features, Open: Open, Hear: hear}

func features(raw json.RawMessage) (carriers.Features, error) {
	c, err := parseConfig(raw)
	return carriers.Features{Slots: c.Slots}, err
}

func parseConfig(raw json.RawMessage) (config, error) {
	c := config{Window: 100, Slots: 1, Outcome: carriers.Delivered}
	err := carriers.ReadConfig(raw, &c)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return config{}, fmt.Errorf("simulator: configuration: %w", err)
	}
	return c, nil
}

var outcomes = []carriers.ReceiptState{carriers.Delivered, carriers.Undelivered, carriers.Expired, carriers.Refused}

const windowMost = 100_000

func (c config) check() error {
	switch {
	case c.Window < 1 || c.Window > windowMost:
		return fmt.Errorf("window: 1 to %d is expected", windowMost)
	case c.Slots < 1 || c.Slots > c.Window:
		return errors.New("slots: 1 to window is expected")
	case c.Throughput < 0 || c.Throughput > 0 && c.Throughput < c.Slots:
		return errors.New("throughput: 0 or at least slots is expected")
	case c.ReceiptDelay < 0:
		return errors.New("receipt_delay: a delay cannot be negative")
	case !slices.Contains(outcomes, c.Outcome):
		return fmt.Errorf("outcome: one of %q is expected", outcomes)
	}
	return nil
}

// share is what a process with so many of the slots has; 0 is all of them.
func (c config) share(slots int) config {
	if slots > 0 && slots < c.Slots {
		c.Window, c.Throughput = c.Window*slots/c.Slots, c.Throughput*slots/c.Slots
	}
	return c
}

// A receipt that could not be stored comes again after this.
const receiptRetry = time.Second

// carrier has two goroutines: one answers submissions in turn, one sends the
// receipts when they are due.
type carrier struct {
	config   config
	events   carriers.Events
	run      uint32 // sets the ids apart from those of an earlier run
	stop     chan struct{}
	closing  sync.Once
	running  sync.WaitGroup
	entering sync.RWMutex // held for reading while a submission enters
	entered  chan entry

	mu           sync.Mutex
	due          []receipt // by due time
	news         chan struct{}
	acknowledged int
}

type entry struct {
	submission carriers.Submission
	answered   func(carriers.Answer)
}

type receipt struct {
	carriers.Receipt
	due time.Time
}

// Open starts a simulator; it is a carriers.Opener. It runs until Close.
func Open(_ context.Context, raw json.RawMessage, setting carriers.Setting) (carriers.Carrier, error) {
	config, err := parseConfig(raw)
	if err != nil {
		return nil, err
	}
	return start(config.share(setting.Share), setting.Events), nil
}

func start(config config, events carriers.Events) *carrier {
	c := &carrier{
		config:  config,
		events:  events,
		run:     rand.Uint32(),
		stop:    make(chan struct{}),
		entered: make(chan entry, config.Window),
		news:    make(chan struct{}, 1),
	}
	events.State(carriers.State{Status: carriers.Bound})
	c.running.Go(c.answer)
	c.running.Go(c.deliver)
	return c
}

// Limits are those of the configuration; keeping to the throughput is the
// caller's part.
func (c *carrier) Limits() carriers.Limits {
	return carriers.Limits{Window: c.config.Window, Throughput: c.config.Throughput}
}

// Submit blocks while the window is full. answered may be called before it
// returns.
func (c *carrier) Submit(s carriers.Submission, answered func(carriers.Answer)) {
	if !c.enter(entry{s, answered}) {
		answered(carriers.Answer{Err: &carriers.Error{Kind: carriers.Retry, Text: "the carrier is closed"}})
	}
}

func (c *carrier) enter(e entry) bool {
	c.entering.RLock()
	defer c.entering.RUnlock()
	select {
	case <-c.stop:
		return false
	default:
	}
	select {
	case c.entered <- e:
		return true
	case <-c.stop:
		return false
	}
}

// Close answers what has entered and drops the receipts not sent yet.
func (c *carrier) Close() error {
	c.closing.Do(func() {
		close(c.stop)
		c.entering.Lock() // the last submission has entered or turned away
		close(c.entered)
		c.entering.Unlock()
		c.running.Wait()
		c.events.State(carriers.State{Status: carriers.Closed, Reason: "closed here"})
	})
	return nil
}

func (c *carrier) answer() {
	n := 0
	for e := range c.entered {
		n++
		id := fmt.Sprintf("%08x-%d", c.run, n)
		e.answered(carriers.Answer{ID: id})
		c.schedule(c.receiptFor(id, e.submission.To), time.Duration(c.config.ReceiptDelay))
	}
}

func (c *carrier) receiptFor(id, phone string) carriers.Receipt {
	code := "001"
	if c.config.Outcome == carriers.Delivered {
		code = "000"
	}
	return carriers.Receipt{ID: id, Phone: phone, State: c.config.Outcome, Code: code}
}

func (c *carrier) schedule(r carriers.Receipt, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := time.Now().Add(wait)
	at, _ := slices.BinarySearchFunc(c.due, due, func(r receipt, due time.Time) int {
		if r.due.After(due) {
			return 1
		}
		return -1 // equal ones keep their order
	})
	c.due = slices.Insert(c.due, at, receipt{r, due})
	select {
	case c.news <- struct{}{}:
	default:
	}
}

func (c *carrier) deliver() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-c.news:
		case <-timer.C:
		}
		timer.Reset(c.sendDue())
	}
}

// sendDue sends all receipts that are due and returns the wait for the next.
func (c *carrier) sendDue() time.Duration {
	for {
		r, wait := c.next()
		if wait > 0 || c.stopped() {
			return wait
		}
		r.At = r.due.UTC()
		c.events.Receipt(r.Receipt, c.settle(r.Receipt))
	}
}

func (c *carrier) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// next takes the first receipt if it is due, else it says how long to wait.
func (c *carrier) next() (receipt, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.due) == 0 {
		return receipt{}, time.Hour
	}
	first := c.due[0]
	if wait := time.Until(first.due); wait > 0 {
		return receipt{}, wait
	}
	c.due = c.due[1:]
	return first, 0
}

// settle is told once what became of a receipt.
func (c *carrier) settle(r carriers.Receipt) func(error) {
	var once sync.Once
	return func(err error) {
		once.Do(func() {
			if err != nil {
				c.schedule(r, receiptRetry)
				return
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.acknowledged++
		})
	}
}
