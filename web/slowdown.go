package web

import (
	"crypto/sha256"
	"sync"
	"time"
)

// slowdown lets a key pass so many times at once and then once in a while. It
// lives in memory, and forgets a key that has rested. The zero value is ready.
type slowdown struct {
	atOnce float64       // 0: passesAtOnce
	every  time.Duration // 0: passEvery

	mu   sync.Mutex
	seen map[[sha256.Size]byte]passes
}

func (s *slowdown) limits() (atOnce float64, every time.Duration) {
	if s.every == 0 {
		return passesAtOnce, passEvery
	}
	return s.atOnce, s.every
}

type passes struct {
	used float64
	at   time.Time
}

const (
	passesAtOnce = 6
	passEvery    = 10 * time.Second
	// mostKeys bounds the memory an attack can take: about 10 MB.
	mostKeys = 100_000
)

// pass counts an attempt under every key and says how long to wait when one of
// them has had too many; then nothing is counted.
func (s *slowdown) pass(now time.Time, keys ...string) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	atOnce, every := s.limits()
	for _, k := range keys {
		over := s.used(k, now) + 1 - atOnce
		wait = max(wait, time.Duration(over*float64(every)))
	}
	if wait > 0 {
		return wait
	}
	for _, k := range keys {
		s.seen[sha256.Sum256([]byte(k))] = passes{used: s.used(k, now) + 1, at: now}
	}
	return 0
}

// giveBack takes one attempt off every key: it was a good one.
func (s *slowdown) giveBack(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		id := sha256.Sum256([]byte(k))
		p := s.seen[id]
		p.used = max(0, p.used-1)
		s.seen[id] = p
	}
}

func (s *slowdown) used(key string, now time.Time) float64 {
	p := s.seen[sha256.Sum256([]byte(key))]
	_, every := s.limits()
	return max(0, p.used-now.Sub(p.at).Seconds()/every.Seconds())
}

func (s *slowdown) forget(now time.Time) {
	if s.seen == nil {
		s.seen = map[[sha256.Size]byte]passes{}
	}
	if len(s.seen) < mostKeys {
		return
	}
	atOnce, every := s.limits()
	for k, p := range s.seen {
		if now.Sub(p.at) > time.Duration(atOnce*float64(every)) {
			delete(s.seen, k)
		}
	}
	if len(s.seen) >= mostKeys {
		clear(s.seen)
	}
}
