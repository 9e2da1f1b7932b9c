package smsqueue

import (
	"fmt"
	"testing"
)

func TestTheLivingShareAllSlots(t *testing.T) {
	for slots := 1; slots <= 7; slots++ {
		var living []int64
		for worker := int64(10); worker < 20; worker++ {
			living = append(living, worker)
			sum, before := 0, slots
			for _, w := range living {
				n := fairShare(slots, living, w)
				if n > before || n < slots/len(living) {
					t.Errorf("%s: worker %d has %d", fmt.Sprint(slots, living), w, n)
				}
				sum, before = sum+n, n
			}
			if sum != slots {
				t.Errorf("%d of %d slots are had by %v", sum, slots, living)
			}
		}
		if n := fairShare(slots, living, 3); n != 0 {
			t.Errorf("who does not live has %d", n)
		}
	}
}
