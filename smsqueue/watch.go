package smsqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// watchEvery is how often a worker looks how the carriers are.
const watchEvery = 500 * time.Millisecond

// lateAfter is how long after a look the next one judges when the worker stood still
// itself: it took no answers meanwhile, so their absence says nothing of a carrier.
const lateAfter = 4 * watchEvery

// watchCarriers finds carriers that are ill, moves what waits for them to others,
// and tries them again.
func (w *Worker) watchCarriers(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	watch := carrierWatch{Worker: w, away: map[int64]time.Time{}, seen: map[int64]time.Time{}}
	for {
		if err := watch.look(ctx); err != nil && ctx.Err() == nil {
			slog.Error("carriers cannot be watched", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// carrierWatch is what a worker remembers between two looks.
type carrierWatch struct {
	*Worker
	away map[int64]time.Time // since when a carrier has no link, by its id
	seen map[int64]time.Time // since when it has had the health that was seen last
	last time.Time           // when the last look ended
}

func (w *carrierWatch) look(ctx context.Context) error {
	defer func() { w.last = time.Now() }()
	p, err := readPlan(ctx, w.db)
	if err != nil || len(p.routes) == 0 {
		return err
	}
	states, err := linkStates(ctx, w.db)
	if err != nil {
		return err
	}
	late := !w.last.IsZero() && time.Since(w.last) > lateAfter // also when it stood still in this look
	for i := range p.routes {
		r := &p.routes[i]
		before := r.Health.Since
		if late {
			delete(w.away, r.ID)
			w.listenAnew(r.ID)
		}
		if !w.judge(r, shown(states[r.ID]), db.Time(db.Millis(time.Now()))) {
			continue
		}
		if err := setHealth(ctx, w.db, r.ID, r.Health, before); err != nil {
			return err
		}
		slog.Warn("a carrier's health", "carrier", r.Name, "state", r.Health.State, "reason", r.Health.Reason)
	}
	for _, r := range p.routes {
		if failure := w.attend(ctx, p, r); failure != nil { // the others go on
			err = errors.Join(err, fmt.Errorf("carrier %s: %w", r.Name, failure))
		}
	}
	return err
}

// judge says whether the carrier's health is another now, and makes it so.
func (w *carrierWatch) judge(r *Route, link linkState, now time.Time) bool {
	w.observe(r)
	defer w.observe(r)
	linked, away := w.linked(r.ID, link.Status, now)
	ill, well := w.heardOf(r)
	switch {
	case away && r.Health.State != Unhealthy:
		r.Health = r.Health.worse(illness(link.Status), now)
	case r.Health.State != Unhealthy && ill != "":
		r.Health = r.Health.worse(ill, now)
	case linked && r.Health.State == Unhealthy && (r.Health.Reason == IllDown || r.Health.Reason == IllRefused),
		linked && r.Health.State == Probing && well:
		r.Health = Health{State: Healthy, Since: now, failures: r.Health.failures}
	case linked && r.Health.State == Unhealthy && now.After(r.Health.probeAt):
		r.Health.State, r.Health.Since = Probing, now
	default:
		return false
	}
	return true
}

// observe begins to look anew at what the link sees when the health is another.
func (w *carrierWatch) observe(r *Route) {
	if w.seen[r.ID].Equal(r.Health.Since) {
		return
	}
	w.seen[r.ID] = r.Health.Since
	w.listenAnew(r.ID)
}

// listenAnew forgets the answers of before.
func (w *carrierWatch) listenAnew(route int64) {
	if l := w.link(route); l != nil {
		l.vitals.begin()
	}
}

// linked says whether any worker has a link, and whether none has had one for too
// long. While one is being opened nothing new is known.
func (w *carrierWatch) linked(route int64, status carriers.Status, now time.Time) (linked, away bool) {
	since, gone := w.away[route]
	switch {
	case status == carriers.Bound:
		delete(w.away, route)
		return true, false
	case gone:
		return false, now.Sub(since) > awayFor
	case status != carriers.Connecting:
		w.away[route] = now
	}
	return false, false
}

// heardOf is what this worker's own link says.
func (w *carrierWatch) heardOf(r *Route) (ill string, well bool) {
	l := w.link(r.ID)
	switch {
	case l == nil:
		return "", false
	case r.Health.State == Probing:
		return l.vitals.probed()
	}
	return l.vitals.ill(), false
}

// illness is what it is called that a carrier has no link.
func illness(s carriers.Status) string {
	if s == carriers.Refusing {
		return IllRefused
	}
	return IllDown
}

func (h Health) worse(reason string, now time.Time) Health {
	failures := h.failures + 1
	return Health{State: Unhealthy, Reason: reason, Since: now, failures: failures, probeAt: now.Add(rest(failures))}
}

// attend does what a carrier's health asks for.
func (w *carrierWatch) attend(ctx context.Context, p plan, r Route) error {
	switch {
	case r.Health.State == Unhealthy:
		return w.moveAway(ctx, p, r)
	case r.Health.State == Probing && time.Now().After(r.Health.probeAt):
		return w.sendProbe(ctx, p, r)
	case r.Health.State == Healthy && r.Health.failures > 0:
		return w.bringHome(ctx, r)
	}
	return nil
}
