package smsqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// link is a carrier whose slot this worker holds: its session, its gate, the
// writers of its answers and receipts, and one task server a lane.
type link struct {
	w        *Worker
	route    Route
	carrier  carriers.Carrier
	gate     *gate
	answers  *batcher[*flight]
	receipts *batcher[*receipt]
	recent   recent
	servers  []*laneServer

	mu    sync.Mutex
	state carriers.State
	alive bool
	quit  chan struct{} // closed when no more is to be claimed
}

// openLink takes the carrier's slot and starts its session.
func (w *Worker) openLink(ctx context.Context, r Route) error {
	mine, err := takeSlot(ctx, w.db, r.ID, w.lease.id)
	if err != nil || !mine {
		return err
	}
	if err := forgetDispatched(ctx, w.db, r.ID); err != nil {
		return err
	}
	l := &link{w: w, route: r, alive: true, quit: make(chan struct{}), gate: newGate(1, 0)}
	l.answers = newBatcher(bounds{max: largestStored, gather: storeGather}, l.storeAnswers)
	l.receipts = newBatcher(bounds{max: largestStored, limit: 4 * largestStored, gather: storeGather}, l.storeReceipts)
	l.carrier, err = w.openCarrier(ctx, r, carriers.Events{Receipt: l.receive, Inbound: l.inbound, Late: l.late, State: l.changed})
	if err != nil {
		slog.Error("a carrier cannot be opened", "carrier", r.Name, "error", err)
		w.mu.Lock()
		w.links[r.ID] = l
		w.mu.Unlock()
		return recordStatus(ctx, w.db, r.ID, carriers.State{Status: carriers.Refusing, Reason: err.Error()})
	}
	l.gate.limit(l.carrier.Limits())
	for _, lane := range Lanes {
		s, err := w.serveLane(l, lane)
		if err != nil {
			return errors.Join(fmt.Errorf("serve the %s lane of %s: %w", lane, r.Name, err), w.closeLink(ctx, l))
		}
		l.servers = append(l.servers, s)
	}
	w.mu.Lock()
	w.links[r.ID] = l
	w.mu.Unlock()
	w.nudge()
	return nil
}

// closeLink ends in the order of the data: no more claims, then the answers of
// what is under way, then the session, then what it still said.
func (w *Worker) closeLink(ctx context.Context, l *link) error {
	w.mu.Lock()
	delete(w.links, l.route.ID)
	w.mu.Unlock()
	close(l.quit)
	l.gate.setOpen(false)
	for _, s := range l.servers {
		s.stop()
	}
	var err error
	if l.carrier != nil {
		err = l.carrier.Close()
	}
	l.answers.Close()
	l.receipts.Close()
	for _, r := range l.recent.close() {
		r.stored(errNotStored)
	}
	if err != nil {
		slog.Warn("a carrier did not close in order", "carrier", l.route.Name, "error", err)
	}
	return giveSlotBack(ctx, w.db, l.route.ID, w.lease.id)
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
	if err := recordStatus(ctx, l.w.db, l.route.ID, s); err != nil {
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
	select {
	case <-l.quit:
	default:
		l.gate.setOpen(l.alive && l.state.Status == carriers.Bound)
	}
}

// ready says whether ranges can be dispatched to this link.
func (l *link) ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.alive && l.state.Status == carriers.Bound
}

func takeSlot(ctx context.Context, d *db.DB, route, incarnation int64) (bool, error) {
	done, err := d.ExecContext(ctx, `
		UPDATE carriers SET holder = $1, status = 'connecting', reason = '', status_at = $2
		WHERE id = $3 AND holder = 0 AND enabled = TRUE`, incarnation, db.Millis(time.Now()), route)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func giveSlotBack(ctx context.Context, d *db.DB, route, incarnation int64) error {
	_, err := d.ExecContext(ctx, `
		UPDATE carriers SET holder = 0, status = 'idle', reason = '', status_at = $1 WHERE id = $2 AND holder = $3`,
		db.Millis(time.Now()), route, incarnation)
	return err
}

func recordStatus(ctx context.Context, d *db.DB, route int64, s carriers.State) error {
	if s.Status == carriers.Closed {
		return nil // giveSlotBack says so
	}
	_, err := d.ExecContext(ctx, `UPDATE carriers SET status = $1, reason = $2, status_at = $3 WHERE id = $4`,
		string(s.Status), s.Reason, db.Millis(time.Now()), route)
	return err
}

// forgetDispatched puts back what an earlier holder of the slot had given to
// Redis: this one dispatches it anew, and the old tasks carry an old generation.
func forgetDispatched(ctx context.Context, d *db.DB, route int64) error {
	_, err := d.ExecContext(ctx, `
		UPDATE ranges SET state = 'waiting', generation = generation + 1 WHERE carrier_id = $1 AND state = 'dispatched'`, route)
	return err
}
