package smsqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// lateAnswer is what a carrier said of a part after its time was over.
type lateAnswer struct {
	route   Route
	message int64
	part    int
	carriers.Answer
}

// late takes an answer that came after its submission had been given up as
// unanswered.
func (l *link) late(message int64, part int, a carriers.Answer) {
	l.w.lates.Add(lateAnswer{l.route, message, part, a})
}

// storeLates commits what carriers said too late. When the database cannot take
// it the message stays as it is, as if no answer had come.
func (q *Queue) storeLates(batch []lateAnswer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := q.tryStoreLates(ctx, batch)
	keys := map[int64][]string{}
	for _, a := range batch {
		if a.Err == nil {
			keys[a.route.ID] = append(keys[a.route.ID], idKey(a.ID))
		}
	}
	for route, known := range keys {
		err = errors.Join(err, q.rematch(ctx, route, known))
	}
	if err != nil {
		slog.Error("late answers cannot be stored", "answers", len(batch), "error", err)
	}
}

func (q *Queue) tryStoreLates(ctx context.Context, batch []lateAnswer) error {
	ids := make([]int64, len(batch))
	for i, a := range batch {
		ids[i] = a.message
	}
	pool, err := poolFor(ctx, q.db, len(batch), len(batch))
	if err != nil {
		return err
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		spare := pool
		rows, err := lockRows(ctx, tx, ids)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			to, err := heardLate(ctx, tx, m, of(batch, m.id))
			if err != nil {
				return err
			}
			moves = append(moves, to...)
		}
		_, err = apply(ctx, tx, moves, &spare, time.Now())
		return err
	})
}

func of(batch []lateAnswer, message int64) (mine []lateAnswer) {
	for _, a := range batch {
		if a.message == message {
			mine = append(mine, a)
		}
	}
	return mine
}

// heardLate keeps the ids and says what becomes of the message. One that is
// unconfirmed is sent when all its parts are accepted, and rejected when the
// carrier has refused one: nothing of it is under way any more. In every other
// status it goes its way; one that is queued or sent again does so.
func heardLate(ctx context.Context, tx *db.Tx, m row, answers []lateAnswer) ([]move, error) {
	var refusal *carriers.Error
	for _, a := range answers {
		if a.Err != nil {
			refusal = a.Err
			continue
		}
		if err := keepLateID(ctx, tx, m, a); err != nil {
			return nil, err
		}
	}
	if m.status != Unconfirmed {
		return nil, nil
	}
	whole, accepted, err := acceptedLate(ctx, tx, m)
	switch {
	case err != nil:
		return nil, err
	case whole:
		return []move{{row: m, to: Sent}}, nil
	case refusal == nil:
		return nil, nil
	}
	reason := "rejected"
	if accepted > 0 {
		reason = fmt.Sprintf("%d_of_%d_parts_sent", accepted, m.parts)
	}
	return []move{{row: m, to: Rejected, reason: reason, code: refusal.Code}}, nil
}

// lateID is the part number under which the id of a part is kept whose own
// number another id has, or may get: the message goes again, perhaps several
// times. A receipt finds it like any other. No message has lateTries parts.
func lateID(part, tries int) int { return -1 - part - lateTries*tries }

// lateTries is written out in SQL below.
const lateTries = 256

func keepLateID(ctx context.Context, tx *db.Tx, m row, a lateAnswer) error {
	part := lateID(a.part, m.tries)
	if m.status == Unconfirmed {
		part = a.part
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO message_parts (message_id, part, carrier_id, carrier_key, carrier_raw)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (message_id, part) DO NOTHING`, m.id, part, a.route.ID, idKey(a.ID), a.ID)
	return err
}

// acceptedLate says how many parts of a message the carrier has accepted, and
// whether that is all of it.
func acceptedLate(ctx context.Context, tx *db.Tx, m row) (whole bool, accepted int, err error) {
	var least sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*), MIN(part) FROM message_parts WHERE message_id = $1 AND part >= 0`, m.id).Scan(&accepted, &least)
	return least.Valid && least.Int64 == carriers.Whole || accepted >= m.parts, accepted, err
}

// settleLates is the sweep: an answer may come late while the other parts are
// still under way, and the message becomes unconfirmed after it. A planner that
// begins with the parts does not walk them while nothing is unconfirmed.
func (w *Worker) settleLates(ctx context.Context) error {
	ids, err := db.Column[int64](ctx, w.db, `
		SELECT DISTINCT u.message_id FROM unconfirmed u
		JOIN message_parts p ON p.message_id = u.message_id AND p.part < 0
		WHERE EXISTS (SELECT 1 FROM unconfirmed)
			AND NOT EXISTS (SELECT 1 FROM message_parts own WHERE own.message_id = p.message_id AND own.part = (-1 - p.part) % 256)
		LIMIT 500`)
	if err != nil || len(ids) == 0 {
		return err
	}
	pool, err := poolFor(ctx, w.db, len(ids), len(ids))
	if err != nil {
		return err
	}
	return w.db.InTx(ctx, func(tx *db.Tx) error {
		spare := pool
		rows, err := lockRows(ctx, tx, ids)
		if err != nil {
			return err
		}
		var moves []move
		for _, m := range rows {
			if m.status != Unconfirmed {
				continue
			}
			if err := ownNumbers(ctx, tx, m); err != nil {
				return err
			}
			whole, _, err := acceptedLate(ctx, tx, m)
			if err != nil {
				return err
			}
			if whole {
				moves = append(moves, move{row: m, to: Sent})
			}
		}
		_, err = apply(ctx, tx, moves, &spare, time.Now())
		return err
	})
}

// ownNumbers gives the parts of an unconfirmed message their own numbers: no
// other answer for them can come. Of several ids of one part the first gets it.
func ownNumbers(ctx context.Context, tx *db.Tx, m row) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE message_parts SET part = (-1 - part) % 256
		WHERE message_id = $1 AND part IN (
			SELECT MAX(late.part) FROM message_parts late WHERE late.message_id = $1 AND late.part < 0
				AND NOT EXISTS (SELECT 1 FROM message_parts own WHERE own.message_id = $1 AND own.part = (-1 - late.part) % 256)
			GROUP BY (-1 - late.part) % 256)`, m.id)
	return err
}
