package smsqueue

import (
	"context"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// order lets nobody be texted in another order than was asked, where a carrier
// throttles: of two messages of a lane to one recipient the second waits until the
// carrier has taken the first. It remembers those that are on their way over a link,
// and those that were throttled.
type order struct {
	mu    sync.Mutex
	under map[recipientLane][]underWay
}

type recipientLane struct {
	phone string
	lane  Lane
}

type underWay struct {
	id    int64
	until time.Time // then it is not waited for any more
}

const (
	// inTurnAgain is when a message that waits for another looks again.
	inTurnAgain = 250 * time.Millisecond
	// A message that the carrier has is answered by then.
	underWayMost = 10 * time.Minute
	// inTurnMost is how long a throttled message is waited for: another worker may
	// have sent it.
	inTurnMost = 15 * time.Second
)

// admit separates those that are the first to their recipient, and are under way
// from now on, from the others.
func (o *order) admit(all []candidate, now time.Time) (first, behind []candidate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.under == nil {
		o.under = map[recipientLane][]underWay{}
	}
	for _, c := range all {
		if o.enter(c, now) {
			first = append(first, c)
		} else {
			behind = append(behind, c)
		}
	}
	return first, behind
}

func (o *order) enter(c candidate, now time.Time) bool {
	k := recipientLane{c.phone, c.lane}
	kept := []underWay{{c.id, now.Add(underWayMost)}}
	for _, u := range o.under[k] {
		switch {
		case u.id == c.id || now.After(u.until):
		case u.id < c.id:
			return false
		default:
			kept = append(kept, u)
		}
	}
	o.under[k] = kept
	return true
}

// leave is for a message that is not under way any more.
func (o *order) leave(m row) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(m)
}

func (o *order) drop(m row) {
	k := recipientLane{m.phone, m.lane}
	var left []underWay
	for _, u := range o.under[k] {
		if u.id != m.id {
			left = append(left, u)
		}
	}
	if len(left) == 0 {
		delete(o.under, k)
		return
	}
	o.under[k] = left
}

// answered is told the carrier's verdict: what it throttled is still the first.
func (o *order) answered(f *flight, now time.Time) {
	if worst := f.worst(); worst == nil || worst.Kind != carriers.Throttled {
		o.leave(f.row)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	under := o.under[recipientLane{f.phone, f.lane}]
	for i := range under {
		if under[i].id == f.id {
			under[i].until = now.Add(inTurnMost)
		}
	}
}

// inTurn leaves out those that have to wait for another message to their recipient.
// They come back a little later.
func (l *link) inTurn(ctx context.Context, tx *db.Tx, r *running, all []candidate, now time.Time) ([]candidate, error) {
	first, behind := l.order.admit(all, now)
	if r.campaign == 0 && l.gate.throttled() {
		waits, err := overtaking(ctx, tx, r, first, now)
		if err != nil {
			return nil, err
		}
		var ahead []candidate
		for _, c := range first {
			if waits[c.id] {
				behind = append(behind, c)
				l.order.leave(c.row)
			} else {
				ahead = append(ahead, c)
			}
		}
		first = ahead
	}
	if len(behind) == 0 {
		return first, nil
	}
	return first, postpone(ctx, tx, behind, now.Add(inTurnAgain))
}

// overtaking finds those single messages before which another of the account to the
// same recipient is still to go, or on its way.
func overtaking(ctx context.Context, tx *db.Tx, r *running, all []candidate, now time.Time) (map[int64]bool, error) {
	list, err := idList(candidateIDs(all))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	found, err := db.Column[int64](ctx, tx, `
		SELECT m.id FROM (SELECT CAST(key AS BIGINT) AS id FROM json_each($1)) AS k JOIN messages m ON m.id = k.id
		WHERE EXISTS (
			SELECT 1 FROM messages e JOIN ranges r ON r.id = e.range_id
			WHERE e.phone = m.phone AND e.campaign_id = 0 AND e.account_id = m.account_id AND e.id < m.id
				AND e.status IN ('queued', 'sending') AND e.due_at <= $2 AND r.lane = $3 AND r.carrier_id = $4)`,
		list, db.Millis(now.Add(inTurnAgain)), string(r.lane), r.route)
	waits := map[int64]bool{}
	for _, id := range found {
		waits[id] = true
	}
	return waits, err
}

// postpone lets queued messages wait. With a due time they are not taken for claimed.
func postpone(ctx context.Context, tx *db.Tx, all []candidate, until time.Time) error {
	list, err := idList(candidateIDs(all))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE messages SET due_at = $2 WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) AND status = 'queued'`, list, db.Millis(until))
	return err
}

func candidateIDs(all []candidate) (ids []int64) {
	for _, c := range all {
		ids = append(ids, c.id)
	}
	return ids
}

// throttled says whether the carrier holds us to a rate.
func (g *gate) throttled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pace.learned > 0
}
