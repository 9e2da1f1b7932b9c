package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// receipt is a delivery receipt on its way into the database.
type receipt struct {
	carriers.Receipt
	key     string
	waiting int64       // its row in waiting_receipts, when it has waited
	stored  func(error) // acknowledges it to the carrier
}

// receiptStatus is what a receipt makes of a message with one part.
var receiptStatus = map[carriers.ReceiptState]Status{
	carriers.Delivered:   Delivered,
	carriers.Undelivered: Undelivered,
	carriers.Expired:     Undelivered,
	carriers.Refused:     Undelivered,
}

// storeReceipts commits a batch and only then has it acknowledged.
func (l *link) storeReceipts(batch []*receipt) {
	if batch = l.recent.park(batch); len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := l.w.keepReceipts(ctx, l.route.ID, batch, &l.recent)
	if err != nil {
		slog.Error("receipts cannot be stored; the carrier sends them again", "carrier", l.route.Name, "error", err)
	}
	for _, r := range batch {
		r.stored(err)
	}
}

// keepReceipts commits what is final; that a message is on its way is nothing to
// keep. Receipts whose part nobody knows yet wait; after the commit they are
// looked for once more, because an answer may have been committed meanwhile.
func (q *Queue) keepReceipts(ctx context.Context, route int64, batch []*receipt, known *recent) error {
	final := make([]*receipt, 0, len(batch))
	for _, r := range batch {
		if _, ok := receiptStatus[r.State]; ok {
			final = append(final, r)
		}
	}
	unknown, err := q.tryStoreReceipts(ctx, route, final, known)
	if err != nil || len(unknown) == 0 {
		return err
	}
	if err := q.rematch(ctx, route, unknown); err != nil {
		slog.Error("early receipts could not be matched; the sweep will", "carrier", route, "error", err)
	}
	return nil
}

// tryStoreReceipts returns the keys of those that now wait.
func (q *Queue) tryStoreReceipts(ctx context.Context, route int64, batch []*receipt, known *recent) (unknown []string, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	fresh, others := known.split(batch)
	first, err := q.db.NewIDs(ctx, len(batch))
	if err != nil {
		return nil, err
	}
	campaigns := map[int64]bool{}
	for _, r := range fresh {
		campaigns[r.campaign] = true
	}
	pool, err := poolFor(ctx, q.db, 2*len(campaigns)+len(others), len(batch))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		spare := pool
		moved, err := moveRecent(ctx, tx, fresh, &spare, now)
		if err != nil {
			return err
		}
		left, err := matchReceipts(ctx, tx, route, append(moved, others...), &spare, now)
		if err != nil {
			return err
		}
		unknown = nil
		var rows [][]any
		for i, r := range left {
			unknown = append(unknown, r.key)
			rows = append(rows, []any{first + int64(i), route, r.key, r.ID, r.Phone, string(r.State), r.Code, db.Millis(r.At), db.Millis(now)})
		}
		return tx.Bulk(ctx, "waiting_receipts", []string{"id", "carrier_id", "carrier_key", "carrier_raw", "phone", "state", "code", "at", "received_at"}, rows)
	})
	if err == nil {
		known.forget(fresh)
	}
	return unknown, err
}

// receipted is a recent message and what a receipt says of it.
type receipted struct {
	row
	*receipt
}

// moveRecent moves the recent messages that are still where they were left, and
// returns the receipts of the others.
func moveRecent(ctx context.Context, tx *db.Tx, fresh map[int64]receipted, ids *idPool, now time.Time) (left []*receipt, err error) {
	moves := make([]move, 0, len(fresh))
	for _, r := range fresh {
		moves = append(moves, move{row: r.row, to: receiptStatus[r.State], code: r.Code})
	}
	made, err := apply(ctx, tx, moves, ids, now)
	if err != nil || len(made) == len(fresh) {
		return nil, err
	}
	done := make(map[int64]bool, len(made))
	for _, m := range made {
		done[m.id] = true
	}
	for id, r := range fresh {
		if !done[id] {
			left = append(left, r.receipt)
		}
	}
	return left, nil
}

// matchReceipts moves the messages that the receipts are for and returns the
// receipts that are for none.
func matchReceipts(ctx context.Context, tx *db.Tx, route int64, batch []*receipt, ids *idPool, now time.Time) (left []*receipt, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	known, err := knownParts(ctx, tx, route, batch)
	if err != nil {
		return nil, err
	}
	said := map[int64]map[int]*receipt{} // message, part
	for _, r := range batch {
		p, found := choose(r, known)
		if !found {
			left = append(left, r)
			continue
		}
		if said[p.message] == nil {
			said[p.message] = map[int]*receipt{}
		}
		if before := said[p.message][p.part]; before == nil || r.State == carriers.Delivered {
			said[p.message][p.part] = r
		}
	}
	return left, moveReceipted(ctx, tx, said, ids, now)
}

func moveReceipted(ctx context.Context, tx *db.Tx, said map[int64]map[int]*receipt, pool *idPool, now time.Time) error {
	var ids []int64
	for id := range said {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := lockRows(ctx, tx, ids)
	if err != nil {
		return err
	}
	var moves []move
	for _, m := range rows {
		to, code := receiptStatus[onlyState(said[m.id])], ""
		if m.parts > 1 {
			if to, err = derive(ctx, tx, m, said[m.id]); err != nil {
				return err
			}
		}
		for _, r := range said[m.id] {
			code = r.Code
		}
		if to != "" {
			moves = append(moves, move{row: m, to: to, code: code})
		}
	}
	_, err = apply(ctx, tx, moves, pool, now)
	return err
}

func onlyState(parts map[int]*receipt) carriers.ReceiptState {
	for _, r := range parts {
		return r.State
	}
	return ""
}

// derive keeps what the receipts say of the parts of a long message and what
// follows for the whole: delivered when every part is, undelivered when one is
// not, else nothing yet. A carrier that cuts messages itself has one receipt.
func derive(ctx context.Context, tx *db.Tx, m row, parts map[int]*receipt) (Status, error) {
	if whole := parts[carriers.Whole]; whole != nil {
		return receiptStatus[whole.State], nil
	}
	for part, r := range parts {
		if _, err := tx.ExecContext(ctx, `
			UPDATE message_parts SET state = $1 WHERE message_id = $2 AND part = $3 AND state <> 'delivered'`,
			string(r.State), m.id, part); err != nil {
			return "", err
		}
	}
	var delivered, lost int
	err := tx.QueryRowContext(ctx, `
		SELECT COUNT(CASE state WHEN 'delivered' THEN 1 END), COUNT(CASE WHEN state NOT IN ('sent', 'delivered') THEN 1 END)
		FROM message_parts WHERE message_id = $1`, m.id).Scan(&delivered, &lost)
	switch {
	case err != nil:
		return "", err
	case lost > 0:
		return Undelivered, nil
	case delivered == m.parts:
		return Delivered, nil
	}
	return "", nil
}

// knownParts finds the parts that the receipts' ids name: as they came, and in
// their other forms for those that are not found so.
func knownParts(ctx context.Context, tx *db.Tx, route int64, batch []*receipt) (map[string][]knownPart, error) {
	known, keys := map[string][]knownPart{}, map[string]int{}
	for _, r := range batch {
		keys[r.key] = 1
	}
	if err := addKnown(ctx, tx, route, keys, known); err != nil {
		return nil, err
	}
	forms := map[string]int{}
	for _, r := range batch {
		if _, found := choose(r, known); found {
			continue
		}
		for _, form := range idForms(r.key)[1:] {
			forms[form] = 1
		}
	}
	return known, addKnown(ctx, tx, route, forms, known)
}

func addKnown(ctx context.Context, tx *db.Tx, route int64, keys map[string]int, known map[string][]knownPart) error {
	if len(keys) == 0 {
		return nil
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	_, err = db.Collect(ctx, tx, func(row *sql.Rows) (p knownPart, err error) {
		err = row.Scan(&p.message, &p.part, &p.key, &p.raw, &p.phone)
		known[p.key] = append(known[p.key], p)
		return p, err
	}, `
		SELECT p.message_id, CASE WHEN p.part < 0 THEN (-1 - p.part) % 256 ELSE p.part END, p.carrier_key, p.carrier_raw, m.phone
		FROM (SELECT key, CAST($1 AS BIGINT) AS carrier FROM json_each($2) LIMIT 100000) AS r
		JOIN message_parts p ON p.carrier_key = r.key AND p.carrier_id = r.carrier
		JOIN messages m ON m.id = p.message_id`, route, string(list))
	return err
}
