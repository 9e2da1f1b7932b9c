// Package smpp carries messages over SMPP 3.4. It takes the names of commands and
// statuses from gosmpp; how PDUs are read and written, binds, windows and
// reconnecting are its own.
package smpp

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// carrier is the links to one SMSC.
type carrier struct {
	config   config // of this process's share
	statuses map[status]carriers.Kind
	pace     pace
	dial     func(ctx context.Context, addr string) (net.Conn, error)
	events   carriers.Events
	arrivals arrivals
	log      *slog.Logger
	stop     context.CancelFunc
	keep     sync.WaitGroup // one for each link

	mu       sync.Mutex
	room     *sync.Cond // a place came free in a window, or a session came or went
	sessions []*session // those that take submissions
	links    []*link
	closed   bool

	telling sync.Mutex
	told    carriers.State
}

// pace is how long things may take that no operator needs to set.
type pace struct {
	connect    time.Duration // until the connection stands, TLS included
	first      time.Duration // before the first attempt to connect again
	most       time.Duration // between attempts, when sessions are of no use
	refused    time.Duration // between attempts while the bind is refused
	lastAnswer time.Duration // for the answers still owed when a session ends in order
	goodbye    time.Duration // for the last bytes and the answer to unbind
}

var normalPace = pace{
	connect:    10 * time.Second,
	first:      200 * time.Millisecond,
	most:       30 * time.Second,
	refused:    30 * time.Second,
	lastAnswer: 5 * time.Second,
	goodbye:    time.Second,
}

// Open starts a carrier; it is a carriers.Opener. The context governs only the
// opening: the carrier runs until Close.
func Open(_ context.Context, raw json.RawMessage, setting carriers.Setting) (carriers.Carrier, error) {
	config, err := parseConfig(raw)
	if err != nil {
		return nil, err
	}
	c := newCarrier(config.share(setting.Share), setting.Events)
	c.start()
	return c, nil
}

func newCarrier(config config, events carriers.Events) *carrier {
	c := &carrier{
		config:   config,
		statuses: statusKinds(config.Statuses),
		pace:     normalPace,
		dial:     dialer(config),
		events:   events,
		arrivals: arrivals{open: map[content]*arrival{}},
		log:      slog.With("carrier", "smpp", "addr", strings.Join(config.hosts(), ","), "system_id", config.SystemID),
	}
	c.room = sync.NewCond(&c.mu)
	c.links = newLinks(c)
	return c
}

func (c *carrier) start() {
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	c.changed()
	for _, l := range c.links {
		c.keep.Go(func() { l.keep(ctx) })
	}
}

// Submit answers with Retry at once when no bind is up, and blocks while the
// windows of all binds are full. A part that can never be sent is answered
// with Rejected and no code. answered may be called before Submit returns.
func (c *carrier) Submit(s carriers.Submission, answered func(carriers.Answer)) {
	if c.config.Bind == receiverBind {
		answered(refused(carriers.Misconfigured, "this carrier only receives: bind is "+receiverBind))
		return
	}
	p := newPacket()
	var err error
	if p.bytes, err = c.config.submitSM(p.bytes, s); err != nil {
		p.recycle()
		answered(refused(carriers.Rejected, err.Error()))
		return
	}
	p.answered, p.message, p.part = answered, s.MessageID, s.Part
	if why := c.enqueue(p); why != "" {
		p.answer(refused(carriers.Retry, why))
	}
}

func refused(kind carriers.Kind, text string) carriers.Answer {
	return carriers.Answer{Err: &carriers.Error{Kind: kind, Text: text}}
}

// enqueue gives a submission to the session with the most room, or says why not.
func (c *carrier) enqueue(p *packet) (why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.closed {
			return "the carrier is closed"
		}
		s := c.roomiest()
		if s == nil {
			return "not connected"
		}
		if s.free > 0 {
			s.put(p)
			return ""
		}
		c.room.Wait()
	}
}

func (c *carrier) roomiest() *session {
	var best *session
	for _, s := range c.sessions {
		if best == nil || s.free > best.free {
			best = s
		}
	}
	return best
}

// Limits are those of this process's share; keeping to the throughput is the
// caller's part.
func (c *carrier) Limits() carriers.Limits {
	return carriers.Limits{Window: c.config.Window, Throughput: c.config.Throughput}
}

// Close waits a few seconds for answers still owed, then unbinds. What was
// never written is answered with Retry, what stays unanswered with NoAnswer.
func (c *carrier) Close() error {
	c.mu.Lock()
	c.closed = true
	c.room.Broadcast()
	c.mu.Unlock()
	c.stop()
	c.keep.Wait()
	c.tell(carriers.State{Status: carriers.Closed, Reason: "closed here"})
	return nil
}

// changed reports the state anew; while closing, only the end is told.
func (c *carrier) changed() {
	c.telling.Lock()
	defer c.telling.Unlock()
	if s, closing := c.state(); !closing {
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

// state is Bound while anything can be submitted; else it is that of the link
// that most needs a person.
func (c *carrier) state() (s carriers.State, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sessions) > 0 || c.config.Bind == receiverBind && slices.ContainsFunc(c.links, (*link).up) {
		return carriers.State{Status: carriers.Bound}, c.closed
	}
	worst := c.links[0].state
	for _, l := range c.links {
		if urgency[l.state.Status] > urgency[worst.Status] {
			worst = l.state
		}
	}
	return worst, c.closed
}

var urgency = map[carriers.Status]int{carriers.Down: 1, carriers.Refusing: 2}
