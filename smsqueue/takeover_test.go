package smsqueue

import (
	"errors"
	"testing"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// Two processes may see a third die. The slower one must not take the range
// from the one that works on it by then.
func TestARangeIsTakenOverOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, insert := range []string{
			`INSERT INTO ranges (id, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, generation, state, due_at, incarnation, deadline)
				VALUES (1, 1, 0, 1, 'bulk', 10, 10, 1, 3, 'running', 0, 5, 0)`,
			`INSERT INTO messages (id, account_id, campaign_id, range_id, contact_id, phone, encoding, parts, price_micro, status, queued_at)
				VALUES (10, 1, 0, 1, 0, '+4741000000', 'gsm7', 1, 1, 'sending', 0)`,
		} {
			if _, err := d.ExecContext(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
		}
		w := &Worker{Queue: &Queue{db: d}}
		held, err := selectHeld(t.Context(), d, `incarnation = $1`, int64(5))
		if err != nil || len(held) != 1 {
			t.Fatalf("%v, %v", held, err)
		}
		status := func() (s Status) {
			if err := d.QueryRowContext(t.Context(), `SELECT status FROM messages WHERE id = 10`).Scan(&s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		late := held[0]
		late.generation, late.incarnation = 2, 4
		if taken, err := w.takeRange(t.Context(), late); taken || err != nil || status() != Sending {
			t.Errorf("from another: taken %v, %v, the message is %s", taken, err, status())
		}
		r := &running{rangeRow: rangeRow{id: 1}, generation: 3}
		claims := func() error {
			return d.InTx(t.Context(), func(tx *db.Tx) error { _, err := lockClaims(t.Context(), tx, r); return err })
		}
		if err := claims(); err != nil {
			t.Errorf("its holder cannot claim: %v", err)
		}
		if taken, err := w.takeRange(t.Context(), held[0]); !taken || err != nil || status() != Unconfirmed {
			t.Errorf("taken %v, %v, the message is %s", taken, err, status())
		}
		if err := claims(); !errors.Is(err, errNotNow) {
			t.Errorf("who has lost it may still claim: %v", err)
		}
		// Nothing is left to send in it, and its campaign may be finished.
		var state string
		if err := d.QueryRowContext(t.Context(), `SELECT state FROM ranges WHERE id = 1`).Scan(&state); err != nil || state != "done" {
			t.Errorf("the range is %s, %v", state, err)
		}
	})
}

// The database may take a batch of answers and not be heard saying so. What was
// throttled has gone to the carrier again by the time the batch is repeated.
func TestARepeatedBatchLeavesAloneWhatWasClaimedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, statement := range []string{
			`INSERT INTO ranges (id, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, generation, state, due_at, claimed_id, deadline)
				VALUES (1, 1, 0, 1, 'bulk', 10, 10, 1, 3, 'running', 0, 10, 0)`,
			`INSERT INTO messages (id, account_id, campaign_id, range_id, contact_id, phone, encoding, parts, price_micro, status, queued_at)
				VALUES (10, 1, 0, 1, 0, '+4741000000', 'gsm7', 1, 1, 'queued', 0)`,
		} {
			if _, err := d.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		l := &link{w: &Worker{Queue: &Queue{db: d}}, route: Route{ID: 1}}
		batch := []*flight{{
			row:         row{id: 10, account: 1, route: 1, lane: Bulk, parts: 1, price: 1, money: Reserved, stored: Queued, status: Sending},
			submissions: make([]carriers.Submission, 1),
			answers:     []carriers.Answer{{Err: &carriers.Error{Kind: carriers.Throttled}}},
		}}
		status := func() (s Status) {
			if err := d.QueryRowContext(t.Context(), `SELECT status FROM messages WHERE id = 10`).Scan(&s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		if _, err := l.tryStoreAnswers(t.Context(), batch); err != nil || status() != Queued {
			t.Fatalf("%v, the message is %s", err, status())
		}
		if _, err := d.ExecContext(t.Context(), `UPDATE messages SET status = 'sending', due_at = 0 WHERE id = 10`); err != nil {
			t.Fatal(err)
		}
		if _, err := l.tryStoreAnswers(t.Context(), batch); err != nil || status() != Sending {
			t.Errorf("%v, the message is %s", err, status())
		}
	})
}
