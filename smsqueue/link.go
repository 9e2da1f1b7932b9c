package smsqueue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// link is a carrier of which this worker holds slots: its session, its gate, the
// writers of its answers and receipts, and one task server for each lane that
// goes through Redis.
type link struct {
	w        *Worker
	route    Route
	slots    int // for how many the session was opened
	carrier  carriers.Carrier
	gate     *gate
	vitals   *vitals
	answers  *batcher[*flight]
	receipts *batcher[*receipt]
	recent   recent
	order    order
	servers  []*laneServer
	handlers sync.WaitGroup

	mu      sync.Mutex
	state   carriers.State
	alive   bool
	working map[int64]int64 // ranges that handlers have now, with their generation
	quit    chan struct{}   // closed when no more is to be claimed
}

// openLink starts a session for so many of the carrier's slots. A carrier that
// cannot be opened keeps its slots and says why: another process could not
// open it either.
func (w *Worker) openLink(ctx context.Context, r Route, slots int) error {
	if err := forgetDispatched(ctx, w.db, r.ID, w.lease.id); err != nil {
		return err
	}
	l := &link{w: w, route: r, slots: slots, alive: true, working: map[int64]int64{}, quit: make(chan struct{}), gate: newGate(1, 0), vitals: newVitals()}
	l.answers = newBatcher(bounds{max: largestStored, gather: storeGather}, l.storeAnswers)
	l.receipts = newBatcher(bounds{max: largestStored, limit: 4 * largestStored, gather: storeGather}, l.storeReceipts)
	var err error
	l.carrier, err = w.openCarrier(ctx, r, carriers.Setting{
		Events: carriers.Events{Receipt: l.receive, Inbound: l.inbound, Late: l.late, State: l.changed}, CallbackURL: r.CallbackURL, Share: slots})
	if err != nil {
		slog.Error("a carrier cannot be opened", "carrier", r.Name, "error", err)
		w.keepLink(l)
		return recordStatus(ctx, w.db, r.ID, w.lease.id, carriers.State{Status: carriers.Refusing, Reason: err.Error()})
	}
	l.gate.limit(l.carrier.Limits())
	for _, lane := range throughRedis {
		s, err := w.serveLane(l, lane)
		if err != nil {
			w.closeLink(ctx, l)
			return fmt.Errorf("serve the %s lane of %s: %w", lane, r.Name, err)
		}
		l.servers = append(l.servers, s)
	}
	w.keepLink(l)
	w.nudge()
	return nil
}

func (w *Worker) keepLink(l *link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links[l.route.ID] = l
}

// shut ends the claiming.
func (l *link) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closing() {
		close(l.quit)
		l.gate.setOpen(false)
	}
}

// drain claims nothing more and waits for the answers of what is under way, as
// long as the carrier takes: a link that only gives a part of its slots away is
// in no hurry.
func (l *link) drain(ctx context.Context) {
	l.shut()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !l.idle() {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

func (l *link) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.working) == 0
}

// closeLink ends in the order of the data: no more claims, then the answers of
// what is under way, then the session, then what it still said. The slots stay
// the worker's.
func (w *Worker) closeLink(ctx context.Context, l *link) {
	l.shut()
	var stopping sync.WaitGroup
	for _, s := range l.servers {
		stopping.Go(s.stop)
	}
	stopping.Wait()
	if l.carrier != nil {
		if err := l.carrier.Close(); err != nil {
			slog.Warn("a carrier did not close in order", "carrier", l.route.Name, "error", err)
		}
	}
	l.handlers.Wait() // those that Asynq no longer waited for
	l.answers.Close()
	l.receipts.Close()
	for _, r := range l.recent.close() {
		r.stored(errNotStored)
	}
	if err := forgetDispatched(context.WithoutCancel(ctx), w.db, l.route.ID, w.lease.id); err != nil {
		slog.Warn("ranges that were not begun wait until they are missed", "carrier", l.route.Name, "error", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.links, l.route.ID)
}

// share is for how many slots the link stands; no link stands for none.
func (l *link) share() int {
	if l == nil {
		return 0
	}
	return l.slots
}

// begin registers that a range is being worked on here; it says false when the
// link closes and it must not be.
func (l *link) begin(t task) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing() {
		return false
	}
	l.handlers.Add(1)
	l.working[t.Range] = t.Generation
	return true
}

func (l *link) done(t task) {
	l.mu.Lock()
	if l.working[t.Range] == t.Generation {
		delete(l.working, t.Range)
	}
	l.mu.Unlock()
	l.handlers.Done()
}

// works says whether a range is being worked on here.
func (l *link) works(t task) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	generation, known := l.working[t.Range]
	return known && generation == t.Generation
}

// receive takes a receipt from the carrier. It blocks while storing is behind,
// which slows the carrier down.
func (l *link) receive(r carriers.Receipt, stored func(error)) {
	if !l.receipts.Add(&receipt{Receipt: r, key: idKey(r.ID), stored: stored}) {
		stored(fmt.Errorf("the link is closing"))
	}
}

func (l *link) changed(s carriers.State) {
	l.mu.Lock()
	l.state = s
	l.steer()
	l.mu.Unlock()
	log := slog.With("carrier", l.route.Name, "status", s.Status)
	if s.Status == carriers.Refusing || s.Status == carriers.Down {
		log.Warn("carrier", "reason", s.Reason)
	} else {
		log.Info("carrier")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := recordStatus(ctx, l.w.db, l.route.ID, l.w.lease.id, s); err != nil {
		slog.Error("a carrier's status could not be kept", "carrier", l.route.Name, "error", err)
	}
	l.w.nudge()
}

func (l *link) setAlive(alive bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alive = alive
	l.steer()
}

// steer opens the gate while there is a bind and the lease is held.
func (l *link) steer() {
	if !l.closing() {
		l.gate.setOpen(l.alive && l.state.Status == carriers.Bound)
	}
}

// ready says whether ranges can be dispatched to this link.
func (l *link) ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.alive && l.state.Status == carriers.Bound && !l.closing()
}

func (l *link) closing() bool {
	select {
	case <-l.quit:
		return true
	default:
		return false
	}
}

// forgetDispatched puts back what the worker has given to its own queues and
// not begun: the old tasks carry an old generation.
func forgetDispatched(ctx context.Context, d *db.DB, route, incarnation int64) error {
	_, err := d.ExecContext(ctx, `
		UPDATE ranges SET state = 'waiting', generation = generation + 1, incarnation = 0
		WHERE carrier_id = $1 AND state = 'dispatched' AND incarnation = $2`, route, incarnation)
	return err
}
