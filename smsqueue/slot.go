package smsqueue

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// slotsOf is into how many equal shares a carrier is divided.
func slotsOf(f carriers.Features) int { return max(1, f.Slots) }

// fairShare is how many of a carrier's slots the worker gets when the living
// share them; the remainder goes to those that came first. living is in order.
func fairShare(slots int, living []int64, worker int64) int {
	rank, lives := slices.BinarySearch(living, worker)
	if !lives {
		return 0
	}
	share := slots / len(living)
	if rank < slots%len(living) {
		share++
	}
	return share
}

// superviseLinks keeps the worker's part of every carrier: it takes slots that
// are free and gives back those that others are to have.
func (w *Worker) superviseLinks(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := w.shareCarriers(ctx); err != nil && ctx.Err() == nil {
			slog.Error("carriers could not be shared out", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) shareCarriers(ctx context.Context) error {
	living, err := livingWorkers(ctx, w.db)
	if err != nil {
		return err
	}
	routes, err := w.Routes(ctx)
	if err != nil {
		return err
	}
	for _, r := range routes {
		share := 0
		if r.Enabled {
			share = fairShare(slotsOf(r.Features), living, w.lease.id)
		}
		w.onceForRoute(r.ID, func() {
			if err := w.settleShare(ctx, r, share); err != nil && ctx.Err() == nil {
				slog.Error("a carrier's slots could not be settled", "carrier", r.Name, "error", err)
			}
		})
	}
	return nil
}

// onceForRoute runs do beside the others, unless the last one for the carrier
// is not done yet: a link that closes waits for answers, and no other carrier
// waits for it.
func (w *Worker) onceForRoute(route int64, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.settling[route] {
		return
	}
	w.settling[route] = true
	w.spawn(func() {
		do()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.settling, route)
	})
}

// settleShare brings the slots that the worker holds, and its link, to its
// share. A link never stands for more slots than the rows say, so what all
// links of a carrier may do together is never more than the whole.
func (w *Worker) settleShare(ctx context.Context, r Route, share int) error {
	held, err := heldSlots(ctx, w.db, r.ID, w.lease.id)
	if err != nil {
		return err
	}
	if held < share {
		taken, err := takeSlots(ctx, w.db, r, w.lease.id, share-held)
		if err != nil {
			return err
		}
		held += taken
	}
	share = min(share, held)
	l := w.link(r.ID)
	if share == held && l.share() == share && (l == nil || l.route.Version == r.Version) {
		return nil
	}
	if l != nil {
		l.drain(ctx)
		w.closeLink(ctx, l)
	}
	if share < held {
		if err := giveSlotsBack(context.WithoutCancel(ctx), w.db, r.ID, w.lease.id, share); err != nil {
			return err
		}
	}
	if share == 0 || ctx.Err() != nil {
		return nil
	}
	return w.openLink(ctx, r, share)
}

// keepFeatures brings what is stored of every carrier in step with what this
// program makes of its configuration.
func (q *Queue) keepFeatures(ctx context.Context) error {
	routes, err := q.Routes(ctx)
	if err != nil {
		return err
	}
	for _, r := range routes {
		t, config, err := q.configOf(ctx, r)
		if err == nil {
			var now carriers.Features
			if now, err = t.Features(config); err == nil && !reflect.DeepEqual(now, r.Features) {
				r.Features = now
				if err := q.db.InTx(ctx, func(tx *db.Tx) error { return updateFeatures(ctx, tx, r, time.Now()) }); err != nil {
					return err
				}
			}
		}
		if err != nil { // opening the carrier says the same, where it can be seen
			slog.Warn("a carrier's configuration cannot be read", "carrier", r.Name, "error", err)
		}
	}
	return nil
}

// A slot is free when nobody has it, or who had it has ended.
const slotIsFree = `(holder = 0 OR EXISTS (SELECT 1 FROM incarnations i WHERE i.id = holder AND i.ended_at <> 0))`

// keepSlots makes a carrier have as many slots as its features say. One too
// many that is held goes when its holder has given it back and it is kept again.
func keepSlots(ctx context.Context, tx *db.Tx, r Route, now time.Time) error {
	for slot := range slotsOf(r.Features) {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO carrier_slots (carrier_id, slot, status_at) VALUES ($1, $2, $3) ON CONFLICT (carrier_id, slot) DO NOTHING`,
			r.ID, slot, db.Millis(now)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM carrier_slots WHERE carrier_id = $1 AND slot >= $2 AND `+slotIsFree, r.ID, slotsOf(r.Features))
	return err
}

func livingWorkers(ctx context.Context, q db.Querier) ([]int64, error) {
	return db.Column[int64](ctx, q, `SELECT id FROM incarnations WHERE ended_at = 0 AND role <> 'api' ORDER BY id`)
}

func heldSlots(ctx context.Context, q db.Querier, route, incarnation int64) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM carrier_slots WHERE carrier_id = $1 AND holder = $2`, route, incarnation).Scan(&n)
	return n, err
}

// takeSlots takes up to n free slots and says how many. Each row's own
// condition decides, so that two who take at once never take the same.
func takeSlots(ctx context.Context, d *db.DB, r Route, incarnation int64, n int) (int, error) {
	done, err := d.ExecContext(ctx, `
		UPDATE carrier_slots SET holder = $1, status = 'connecting', reason = '', status_at = $2
		WHERE carrier_id = $3 AND `+slotIsFree+` AND slot IN (
			SELECT slot FROM carrier_slots WHERE carrier_id = $3 AND slot < $4 AND `+slotIsFree+` ORDER BY slot LIMIT $5)`,
		incarnation, db.Millis(time.Now()), r.ID, slotsOf(r.Features), n)
	if err != nil {
		return 0, err
	}
	taken, err := done.RowsAffected()
	return int(taken), err
}

// giveSlotsBack keeps the first slots that the worker holds, so many, and frees
// the others.
func giveSlotsBack(ctx context.Context, d *db.DB, route, incarnation int64, keep int) error {
	_, err := d.ExecContext(ctx, `
		UPDATE carrier_slots SET holder = 0, status = 'idle', reason = '', status_at = $1
		WHERE carrier_id = $2 AND holder = $3 AND slot NOT IN (
			SELECT slot FROM carrier_slots WHERE carrier_id = $2 AND holder = $3 ORDER BY slot LIMIT $4)`,
		db.Millis(time.Now()), route, incarnation, keep)
	return err
}

// holdSlots keeps a carrier's slots as they are until the transaction ends, and
// returns how many the worker has.
func holdSlots(ctx context.Context, tx *db.Tx, route, incarnation int64) (held int, err error) {
	holders, err := db.Column[int64](ctx, tx, tx.ForShare(`SELECT holder FROM carrier_slots WHERE carrier_id = $1 ORDER BY slot`), route)
	for _, h := range holders {
		if h == incarnation {
			held++
		}
	}
	return held, err
}

// recordStatus keeps the state of a worker's session with its slots.
func recordStatus(ctx context.Context, d *db.DB, route, incarnation int64, s carriers.State) error {
	if s.Status == carriers.Closed {
		return nil // the slots are given back, or opened anew
	}
	_, err := d.ExecContext(ctx, `
		UPDATE carrier_slots SET status = $1, reason = $2, status_at = $3 WHERE carrier_id = $4 AND holder = $5`,
		string(s.Status), s.Reason, db.Millis(time.Now()), route, incarnation)
	return err
}

// linkState is the state of one holder's session.
type linkState struct {
	carriers.State
	since time.Time
}

// statusOrder ranks what the sessions of a carrier say, the one to be shown
// last: it is bound when any is, and else as the one that most needs a person.
var statusOrder = []carriers.Status{idle, carriers.Connecting, carriers.Down, carriers.Refusing, carriers.Bound}

func shown(all []linkState) linkState {
	return slices.MaxFunc(all, func(a, b linkState) int {
		return slices.Index(statusOrder, a.Status) - slices.Index(statusOrder, b.Status)
	})
}

// linkStates reads the states by carrier. A slot whose holder has ended is idle.
func linkStates(ctx context.Context, q db.Querier) (map[int64][]linkState, error) {
	states := map[int64][]linkState{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var route, since int64
		var s linkState
		err = row.Scan(&route, &s.Status, &s.Reason, &since)
		s.since = db.Time(since)
		states[route] = append(states[route], s)
		return struct{}{}, err
	}, `
		SELECT carrier_id, CASE WHEN free THEN 'idle' ELSE status END, CASE WHEN free THEN '' ELSE reason END, status_at
		FROM (SELECT s.*, `+slotIsFree+` AS free FROM carrier_slots s) AS s ORDER BY carrier_id, status_at, slot`)
	if err != nil {
		return nil, fmt.Errorf("read the carriers' states: %w", err)
	}
	return states, nil
}
