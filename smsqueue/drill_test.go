package smsqueue_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// movesEnv is how many messages TestMoneyMovesOnceUnderCrashesAndDoubleDelivery moves.
const movesEnv = "VARSEL_MOVES"

// Issue 7, of the path of messages: their entries have no reference that the ledger
// refuses a second time. An update that asks where the message stands is what charges
// or releases it once.
func TestMoneyMovesOnceUnderCrashesAndDoubleDelivery(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		n := 1500
		if more, err := strconv.Atoi(os.Getenv(movesEnv)); err == nil {
			n = more
		}
		h.deliverMany(h.accept(n))

		var charged, released, open int
		must(t, h.db.QueryRowContext(t.Context(), `
			SELECT CAST(SUM(CASE money WHEN 'charged' THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE money WHEN 'released' THEN 1 ELSE 0 END) AS BIGINT),
				CAST(SUM(CASE money WHEN 'reserved' THEN 1 ELSE 0 END) AS BIGINT) FROM messages`).Scan(&charged, &released, &open))
		if charged == 0 || released == 0 || open != 0 || charged+released != n {
			t.Errorf("of %d messages %d are charged, %d released, %d open", n, charged, released, open)
		}
		_, found, err := billing.NewInvoices(h.db).Reconcile(t.Context(), nil, time.Now())
		if err != nil || len(found) != 0 {
			t.Errorf("the books differ: %+v (%v)", found, err)
		}
	})
}

// accept reserves single messages, with nobody at work on them.
func (h *house) accept(n int) (ids []int64) {
	h.t.Helper()
	all, work := make(chan int64, n), make(chan int)
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			for i := range work {
				m, err := h.queue.Send(h.t.Context(), h.account.ID, smsqueue.Single{To: number(i), Text: "Hi"})
				if err != nil {
					h.t.Error(err)
					continue
				}
				all <- m.ID
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	senders.Wait()
	close(all)
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// answered is what a carrier says of a message: the same each time, but for one in
// seven that it rejects when it is asked again.
func answered(id int64, again bool) smsqueue.Status {
	if id%5 == 0 || again && id%7 == 0 {
		return smsqueue.Rejected
	}
	return smsqueue.Sent
}

// deliverMany has answers and receipts of lots delivered several times, by many at once,
// of which a third crashes; and in the end all answers once more.
func (h *house) deliverMany(ids []int64) {
	h.t.Helper()
	const aLot = 50
	type lot struct {
		ids  []int64
		rows smsqueue.Remembered
	}
	var lots []lot
	for chunk := range slices.Chunk(ids, aLot) {
		rows, err := smsqueue.Remember(h.t.Context(), h.db, chunk)
		must(h.t, err)
		lots = append(lots, lot{chunk, rows})
	}
	var all sync.WaitGroup
	for poster := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(poster)))
			for _, i := range random.Perm(len(lots)) {
				answer := func(id int64) smsqueue.Status { return answered(id, poster%2 == 1) }
				if err := smsqueue.Answer(h.t.Context(), h.db, lots[i].rows, answer, random.IntN(3) == 0); err != nil {
					h.t.Error(err)
				}
				receipt := func(int64) smsqueue.Status { return smsqueue.Delivered }
				if err := smsqueue.Receipt(h.t.Context(), h.db, lots[random.IntN(len(lots))].ids, receipt, random.IntN(3) == 0); err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, l := range lots {
		must(h.t, smsqueue.Answer(h.t.Context(), h.db, l.rows, func(id int64) smsqueue.Status { return answered(id, false) }, false))
	}
}
