package smscsim

import (
	"sync"
	"time"
)

// throttle is a token bucket; a changed rate starts it full.
type throttle struct {
	mu     sync.Mutex
	rate   int // tokens per second
	tokens float64
	at     time.Time
}

// take says whether one more fits at rate tokens per second, 0 meaning no limit.
func (t *throttle) take(rate int, now time.Time) bool {
	if rate <= 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fill(rate, now)
	if t.tokens < 1 {
		return false
	}
	t.tokens--
	return true
}

func (t *throttle) fill(rate int, now time.Time) {
	burst := float64(max(1, rate/10))
	if rate != t.rate {
		t.rate, t.tokens, t.at = rate, burst, now
		return
	}
	// Two connections may come here in the other order than they looked at the clock.
	if passed := now.Sub(t.at); passed > 0 {
		t.tokens = min(burst, t.tokens+passed.Seconds()*float64(rate))
		t.at = now
	}
}
