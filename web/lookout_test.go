package web

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatManyLookAtIsReadOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := map[watchable]int{}
		var broken error
		s := newLookout(func(_ context.Context, of watchable) (int, error) {
			reads[of]++
			return reads[of], broken
		})
		one, other := watchable{1, 1}, watchable{1, 2}
		crowd := func(of watchable, want int) {
			t.Helper()
			var viewers sync.WaitGroup
			for range 100 {
				viewers.Go(func() {
					if got, at, err := s.look(t.Context(), of); got != want || time.Since(at) > lookEvery || err != nil {
						t.Errorf("%d of %s, want %d: %v", got, at, want, err)
					}
				})
			}
			viewers.Wait()
		}
		crowd(one, 1)
		crowd(other, 1)
		time.Sleep(lookEvery + 1)
		crowd(one, 2)
		s.forget(one)
		crowd(one, 3)
		if reads[one] != 3 || reads[other] != 1 {
			t.Errorf("%v", reads)
		}
		time.Sleep(lookEvery + 1)
		broken = errors.New("no database")
		if _, _, err := s.look(t.Context(), one); err == nil {
			t.Error("an old count is shown as if it were new")
		}
		broken = nil
		crowd(one, 5)
		time.Sleep(time.Nanosecond)
		if got, _, err := s.since(t.Context(), one, time.Now()); got != 6 || err != nil {
			t.Errorf("what was read before is taken for new: %d %v", got, err)
		}
		time.Sleep(2 * lookEvery)
		crowd(watchable{1, 3}, 1)
		if len(s.all) != 1 {
			t.Errorf("%d are kept", len(s.all))
		}
	})
}
