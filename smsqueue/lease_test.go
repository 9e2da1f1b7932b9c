package smsqueue

import (
	"slices"
	"testing"
	"time"
)

// What a watcher sees of two processes, 1 that lives and 2 that does not.
func TestAProcessIsDeadWhenTheWatcherSawItStandStill(t *testing.T) {
	type look struct{ asked, known time.Duration }
	at := func(seconds ...float64) (all []look) {
		for _, s := range seconds {
			d := time.Duration(s * float64(time.Second))
			all = append(all, look{d, d})
		}
		return all
	}
	for name, test := range map[string]struct {
		looks []look
		dead  bool
	}{
		"ten seconds":                 {at(0, 2, 4, 6, 8, 10), true},
		"not quite":                   {at(0, 2, 4, 6, 8, 9.9), false},
		"the watcher stood still":     {at(0, 2, 4, 16), false},
		"and saw it again":            {at(0, 2, 4, 16, 18, 20, 22, 24), false},
		"and again for long enough":   {at(0, 2, 4, 16, 18, 20, 22, 24, 26), true},
		"an answer that took long":    {[]look{{0, 9 * time.Second}, {10 * time.Second, 10 * time.Second}}, false},
		"an answer that is not there": {[]look{{0, 0}, {5 * time.Second, 15 * time.Second}}, false},
	} {
		w := watch{gap: 3 * beatEvery}
		start := time.Now()
		var dead []int64
		for i, l := range test.looks {
			dead = w.look(map[int64]int64{1: int64(i), 2: 7}, start.Add(l.asked), start.Add(l.known))
		}
		if slices.Contains(dead, 1) || slices.Contains(dead, 2) != test.dead {
			t.Errorf("%s: dead are %v", name, dead)
		}
	}
	// Who looks now and then, as a page does, need not look often.
	w, start := watch{}, time.Now()
	w.look(map[int64]int64{2: 7}, start, start)
	if dead := w.look(map[int64]int64{2: 7}, start.Add(time.Hour), start.Add(time.Hour)); !slices.Equal(dead, []int64{2}) {
		t.Errorf("dead are %v", dead)
	}
}
