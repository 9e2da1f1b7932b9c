package smsqueue

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func openGate(window, throughput int) *gate {
	g := newGate(window, throughput)
	g.setOpen(true)
	return g
}

func TestTheGateNeverHandsOutMoreThanTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(40, 0)
		var mu sync.Mutex
		flying, most := 0, 0
		var all sync.WaitGroup
		for account := range int64(5) {
			all.Add(1)
			go func() {
				defer all.Done()
				for range 50 {
					n := g.take(t.Context(), turn{lane: Bulk, account: account, need: 3})
					mu.Lock()
					flying += n
					most = max(most, flying)
					mu.Unlock()
					time.Sleep(10 * time.Millisecond)
					mu.Lock()
					flying -= n
					mu.Unlock()
					for range n {
						g.answered(false)
					}
					g.stored(n)
				}
			}()
		}
		all.Wait()
		if most > 40-4 { // a tenth is kept free for urgent
			t.Errorf("%d parts were out at once", most)
		}
	})
}

// After a crash all of this is in doubt, and sent again in two of the lanes.
func TestNoMoreThanTheWindowIsSubmittedAndNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(40, 0)
		first := g.take(t.Context(), turn{lane: Normal, need: 1})
		for range first {
			g.answered(false)
		}
		got := make(chan int)
		go func() { got <- g.take(t.Context(), turn{lane: Normal, need: 10}) }()
		time.Sleep(time.Minute)
		select {
		case n := <-got:
			t.Fatalf("%d more while %d of 40 were not stored", n, first)
		default:
		}
		g.stored(first)
		if n := <-got; n != 36 {
			t.Errorf("%d when all was stored", n)
		}
	})
}

func TestUrgentFindsRoomWhenBulkHasFilledTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(40, 0)
		if n := g.take(t.Context(), turn{lane: Bulk, need: 1}); n != 36 {
			t.Fatalf("bulk has %d of 40", n)
		}
		if n := g.take(t.Context(), turn{lane: Urgent, need: 1}); n != 4 {
			t.Errorf("urgent has %d of the 4 that are kept for it", n)
		}
	})
}

func TestTurnsGoByAccountAndThenByCampaign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(100, 100)
		var mu sync.Mutex
		had := map[[2]int64]int{}
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		// One account has four ranges of one campaign and one of another, the
		// other account has a single range.
		for _, who := range [][2]int64{{1, 10}, {1, 10}, {1, 10}, {1, 10}, {1, 11}, {2, 20}} {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					n := g.take(ctx, turn{lane: Bulk, account: who[0], campaign: who[1], need: 1})
					if n == 0 {
						return
					}
					mu.Lock()
					had[who] += n
					mu.Unlock()
					for range n {
						g.answered(false)
					}
					g.stored(n)
				}
			}()
		}
		time.Sleep(60 * time.Second)
		stop()
		all.Wait()
		total := had[[2]int64{1, 10}] + had[[2]int64{1, 11}] + had[[2]int64{2, 20}]
		if total < 5900 || total > 6100 {
			t.Errorf("%d parts went in 60 s at 100 a second", total)
		}
		for who, want := range map[[2]int64]int{{1, 10}: total / 4, {1, 11}: total / 4, {2, 20}: total / 2} {
			if got := had[who]; got < want*9/10 || got > want*11/10 {
				t.Errorf("%v had %d, a fair share is %d", who, got, want)
			}
		}
	})
}

func TestAShutGateSendsEverybodyAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(10, 0)
		g.take(t.Context(), turn{lane: Bulk, need: 1})
		got := make(chan int)
		go func() { got <- g.take(t.Context(), turn{lane: Bulk, need: 1}) }()
		synctest.Wait()
		g.setOpen(false)
		if n := <-got; n != 0 {
			t.Errorf("%d parts", n)
		}
	})
}

func TestAfterThrottlingTheRateIsLearnedAndGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate(50, 0)
		send := func(d time.Duration, carrier int) (accepted, throttled int) {
			var second int64
			inSecond := 0
			for end := time.Now().Add(d); time.Now().Before(end); {
				n := g.take(t.Context(), turn{lane: Bulk, need: 1})
				for range n {
					if s := time.Now().Unix(); s != second {
						second, inSecond = s, 0
					}
					inSecond++
					if inSecond > carrier {
						throttled++
					} else {
						accepted++
					}
					g.answered(inSecond > carrier)
				}
				g.stored(n)
				time.Sleep(5 * time.Millisecond)
			}
			return accepted, throttled
		}
		accepted, throttled := send(30*time.Second, 100)
		if accepted < 30*60 || throttled > accepted/4 {
			t.Errorf("at a carrier of 100 a second: %d accepted, %d throttled in 30 s", accepted, throttled)
		}
		if accepted, _ = send(30*time.Second, 400); accepted < 30*200 {
			t.Errorf("when the carrier took 400 a second only %d went in 30 s", accepted)
		}
	})
}
