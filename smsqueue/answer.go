package smsqueue

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

const (
	// mostTries bounds tries that the carrier answered with "later".
	mostTries = 8
	// mostRepeats bounds how often a message in a lane that sends again does so
	// when nobody answers.
	mostRepeats = 4
)

// answer takes the carrier's verdict on submission i and says whether it was
// the last one.
func (f *flight) answer(i int, a carriers.Answer) bool {
	f.answers[i] = a
	return f.pending.Add(-1) == 0
}

// verdict is what the answers on a message's parts make of it together.
func (f *flight) verdict(now time.Time) move {
	m := move{row: f.row}
	worst := f.worst()
	if worst == nil {
		m.to = Sent
		return m
	}
	m.code = worst.Code
	switch worst.Kind {
	case carriers.NoAnswer:
		m.to, m.reason, m.tried = f.lane.unanswered(), "no_answer", true
		m.duplicate = m.to == Queued
		if m.duplicate && f.tries >= mostRepeats {
			m.to = Unconfirmed
		}
		m.due = now.Add(backoff(f.tries))
	case carriers.Throttled:
		m.to, m.reason = Queued, "throttled" // the gate slows the whole route; this is no failure
	case carriers.Misconfigured:
		m.to, m.reason, m.due = Queued, "carrier_refuses", now.Add(30*time.Second)
	case carriers.Retry:
		m.to, m.reason = Queued, "carrier_away"
		if worst.Code != "" { // the carrier spoke; a lost connection is not the message's fault
			m.reason, m.tried, m.due = "carrier_busy", true, now.Add(backoff(f.tries))
			if f.tries >= mostTries {
				m.to = f.given()
			}
		}
	default:
		m.to, m.reason = f.given(), "rejected"
	}
	// With a try counted, the next claim looks for the parts that went.
	m.tried = m.tried || f.accepted() > 0
	if m.to == Failed {
		m.reason = fmt.Sprintf("%d_of_%d_parts_sent", f.accepted(), f.parts)
	}
	return m
}

// given is how a message ends that the carrier will not take: rejected, or
// failed when some of its parts are out already.
func (f *flight) given() Status {
	if f.accepted() > 0 {
		return Failed
	}
	return Rejected
}

func (f *flight) accepted() int {
	n := f.before
	for _, a := range f.answers {
		if a.Err == nil {
			n++
		}
	}
	return n
}

// severity orders verdicts: the doubtful one decides, then the final one.
var severity = []carriers.Kind{carriers.Throttled, carriers.Retry, carriers.Misconfigured, carriers.Rejected, carriers.NoAnswer}

func (f *flight) worst() (worst *carriers.Error) {
	for _, a := range f.answers {
		if a.Err != nil && (worst == nil || slices.Index(severity, a.Err.Kind) > slices.Index(severity, worst.Kind)) {
			worst = a.Err
		}
	}
	return worst
}

// backoff is how long to wait after so many tries.
func backoff(tries int) time.Duration {
	return min(time.Second<<min(tries, 10), 5*time.Minute)
}

// storeAnswers commits the verdicts of a batch, and then looks for receipts
// that came before it.
func (l *link) storeAnswers(batch []*flight) {
	ctx := context.Background()
	keys := l.untilStored(ctx, "answers", func() ([]string, error) { return l.tryStoreAnswers(ctx, batch) })
	parts := 0
	for _, f := range batch {
		parts += len(f.submissions)
		f.r.out.Done()
	}
	l.gate.stored(parts)
	if err := l.w.rematch(ctx, l.route.ID, keys); err != nil {
		slog.Error("early receipts could not be matched; the sweep will", "carrier", l.route.Name, "error", err)
	}
}

// untilStored repeats do until the database takes it: an answer of a carrier is
// not had again. While it fails the gate fills and nothing more is sent.
func (l *link) untilStored(ctx context.Context, what string, do func() ([]string, error)) []string {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		keys, err := do()
		if err == nil {
			return keys
		}
		slog.Error("cannot be stored, tried again", "what", what, "carrier", l.route.Name, "error", err)
		if l.w.late.Load() {
			return nil // the rows are in doubt and the next incarnation decides
		}
		time.Sleep(wait)
	}
}

// tryStoreAnswers returns the carrier's ids that became known.
func (l *link) tryStoreAnswers(ctx context.Context, batch []*flight) ([]string, error) {
	campaigns := map[int64]bool{}
	for _, f := range batch {
		campaigns[f.campaign] = true
	}
	// Once for those that are where they were left, once for the others.
	pool, err := poolFor(ctx, l.w.db, 2*len(campaigns), len(batch))
	if err != nil {
		return nil, err
	}
	var known accepted
	var moved map[int64]*flight // those that are not where the claim left them
	now := time.Now()
	err = l.w.db.InTx(ctx, func(tx *db.Tx) error {
		spare := pool
		known = accepted{route: l.route.ID}
		moves := make([]move, len(batch))
		moved = make(map[int64]*flight, len(batch))
		for i, f := range batch {
			moves[i], moved[f.id] = f.verdict(now), f
		}
		made, err := apply(ctx, tx, moves, &spare, now)
		if err != nil {
			return err
		}
		for _, m := range made {
			known.add(moved[m.id])
			delete(moved, m.id)
		}
		if err := l.answerMoved(ctx, tx, moved, &known, &spare, now); err != nil {
			return err
		}
		return tx.Bulk(ctx, "message_parts", partColumns, known.rows)
	})
	if err != nil {
		return nil, err
	}
	for _, f := range batch {
		l.again(l.recent.settle(f, moved[f.id] == nil))
	}
	return known.keys, nil
}

// again takes up receipts that have waited for an answer.
func (l *link) again(waited []*receipt) {
	for _, r := range waited {
		if !l.receipts.Add(r) {
			r.stored(errNotStored)
		}
	}
}

// answerMoved is for messages that are not where the claim left them: another
// process has decided about them, or this batch is stored already.
func (l *link) answerMoved(ctx context.Context, tx *db.Tx, flights map[int64]*flight, known *accepted, ids *idPool, now time.Time) error {
	if len(flights) == 0 {
		return nil
	}
	locked, err := lockRows(ctx, tx, slices.Collect(maps.Keys(flights)))
	if err != nil {
		return err
	}
	var moves []move
	for _, current := range locked {
		f := flights[current.id]
		if current.status == Sending {
			continue // it was claimed again: this batch is stored already
		}
		if current.status == Unconfirmed {
			known.add(f)
		}
		m := f.verdict(now)
		m.row = current
		moves = append(moves, m)
	}
	_, err = apply(ctx, tx, moves, ids, now)
	return err
}

var partColumns = []string{"message_id", "part", "carrier_id", "carrier_key", "carrier_raw"}

// accepted are the parts that a carrier has taken.
type accepted struct {
	route int64
	keys  []string
	rows  [][]any // of message_parts
}

func (k *accepted) add(f *flight) {
	for i, a := range f.answers {
		if a.Err != nil {
			continue
		}
		key := idKey(a.ID)
		k.keys = append(k.keys, key)
		k.rows = append(k.rows, []any{f.id, int64(f.submissions[i].Part), k.route, key, a.ID})
	}
}

// idList is ids as the keys of a JSON object, which is how a batch goes into a
// statement that both databases read.
func idList(ids []int64) (string, error) {
	text := make([]byte, 0, 24*len(ids)+2)
	text = append(text, '{')
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, '"')
		text = strconv.AppendInt(text, id, 10)
		text = append(text, `":1`...)
	}
	return string(append(text, '}')), nil
}
