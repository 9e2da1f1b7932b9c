package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

const (
	// earlyReceipt is how long a receipt waits for the answer that it outran
	// before the one unconfirmed message to its number is taken for it.
	earlyReceipt = 5 * time.Second
	// waitingLife is how long a receipt waits at all: as long as carriers keep
	// theirs, and messages stay open.
	waitingLife = validity
	rematchLot  = 500
)

// rematch looks for waiting receipts under keys that became known.
func (q *Queue) rematch(ctx context.Context, route int64, keys []string) error {
	waits, err := anyWaiting(ctx, q.db, route)
	if err != nil || !waits {
		return err
	}
	forms := map[string]int{}
	for _, key := range keys {
		for _, form := range idForms(key) {
			forms[form] = 1
		}
	}
	list, err := json.Marshal(forms)
	if err != nil || len(forms) == 0 {
		return err
	}
	waiting, err := selectReceipts(ctx, q.db, `
		JOIN (SELECT key, CAST($1 AS BIGINT) AS carrier FROM json_each($2) LIMIT 100000) AS r ON carrier_key = r.key AND carrier_id = r.carrier
		ORDER BY id`, route, string(list))
	if err != nil || len(waiting) == 0 {
		return err
	}
	return rematchLots(ctx, q.db, route, waiting, byID)
}

// anyWaiting spares most batches the search for their ids.
func anyWaiting(ctx context.Context, q db.Querier, route int64) (are bool, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT CASE WHEN EXISTS (SELECT 1 FROM waiting_receipts WHERE carrier_id = $1) THEN 1 ELSE 0 END`, route).Scan(&are)
	return are, err
}

// rematchWaiting is the sweep: it matches what still waits, by its id or by
// its number, and forgets what waited too long.
func (w *Worker) rematchWaiting(ctx context.Context) error {
	now := time.Now()
	routes, err := w.Routes(ctx)
	if err != nil {
		return err
	}
	for _, r := range routes {
		waiting, err := selectReceipts(ctx, w.db, `
			WHERE carrier_id = $1 AND received_at < $2 ORDER BY id LIMIT 5000`, r.ID, db.Millis(now.Add(-earlyReceipt)))
		if err != nil {
			return err
		}
		if err := rematchLots(ctx, w.db, r.ID, waiting, searchFor(r)); err != nil {
			return err
		}
	}
	_, err = w.db.ExecContext(ctx, `DELETE FROM waiting_receipts WHERE received_at < $1`, db.Millis(now.Add(-waitingLife)))
	return err
}

// search is how a message is looked for.
type search int

const (
	byID          search = iota
	byNumber             // else it may be the unconfirmed one of one part to the number
	byNumberOfAny        // of any length
)

// searchFor: a carrier that cuts messages itself has one receipt for each.
func searchFor(r Route) search {
	if r.Features.Whole {
		return byNumberOfAny
	}
	return byNumber
}

func rematchLots(ctx context.Context, d *db.DB, route int64, waiting []*receipt, how search) error {
	for len(waiting) > 0 {
		n := min(rematchLot, len(waiting))
		if err := rematchOne(ctx, d, route, waiting[:n], how); err != nil {
			return err
		}
		waiting = waiting[n:]
	}
	return nil
}

func rematchOne(ctx context.Context, d *db.DB, route int64, lot []*receipt, how search) error {
	pool, err := poolFor(ctx, d, len(lot), 2*len(lot))
	if err != nil {
		return err
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		now, ids := time.Now(), pool
		left, err := matchReceipts(ctx, tx, route, lot, &ids, now)
		if err != nil {
			return err
		}
		if how != byID {
			if left, err = matchNumbers(ctx, tx, route, left, how, &ids, now); err != nil {
				return err
			}
		}
		return forgetMatched(ctx, tx, lot, left)
	})
}

func forgetMatched(ctx context.Context, tx *db.Tx, lot, left []*receipt) error {
	still := map[int64]bool{}
	for _, r := range left {
		still[r.waiting] = true
	}
	var matched []int64
	for _, r := range lot {
		if !still[r.waiting] {
			matched = append(matched, r.waiting)
		}
	}
	if len(matched) == 0 {
		return nil
	}
	list, err := idList(matched)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM waiting_receipts WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, list)
	return err
}

// matchNumbers gives a receipt whose id nobody knows to the one unconfirmed
// message to its number on the route that has a single receipt. If two fit,
// neither gets it.
func matchNumbers(ctx context.Context, tx *db.Tx, route int64, batch []*receipt, how search, ids *idPool, now time.Time) (left []*receipt, err error) {
	said := map[int64]map[int]*receipt{}
	for _, r := range batch {
		var fit []int64
		if r.Phone != "" {
			if fit, err = db.Column[int64](ctx, tx, `
				SELECT u.message_id FROM unconfirmed u JOIN messages m ON m.id = u.message_id
				WHERE u.carrier_id = $1 AND u.phone = $2 AND (m.parts = 1 OR CAST($3 AS BIGINT) = 1) LIMIT 2`,
				route, r.Phone, bit(how == byNumberOfAny)); err != nil {
				return nil, err
			}
		}
		if len(fit) != 1 || said[fit[0]] != nil {
			left = append(left, r)
			continue
		}
		said[fit[0]] = map[int]*receipt{carriers.Whole: r}
	}
	return left, moveReceipted(ctx, tx, said, ids, now)
}

func selectReceipts(ctx context.Context, q db.Querier, where string, args ...any) ([]*receipt, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (*receipt, error) {
		r := &receipt{}
		var state string
		var at int64
		err := row.Scan(&r.waiting, &r.key, &r.ID, &r.Phone, &state, &r.Code, &at)
		r.State, r.At = carriers.ReceiptState(state), db.Time(at)
		return r, err
	}, `SELECT id, carrier_key, carrier_raw, phone, state, code, at FROM waiting_receipts `+where, args...)
}
