package directory

import (
	"maps"
	"sync"
)

// tally counts what was asked of a directory. Its zero value is ready.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (t *tally) add(e Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[string]int{}
	}
	t.count[e.String()]++
}

// with answers the counts so far, added to others.
func (t *tally) with(others map[string]int) map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := maps.Clone(t.count)
	if sum == nil {
		sum = map[string]int{}
	}
	for name, n := range others {
		sum[name] += n
	}
	return sum
}
