package web

import (
	"context"
	"sync"
	"time"
)

// lookEvery is how often something is read at the most, however many pages show it.
const lookEvery = time.Second

// lookout reads each thing once for all who look.
type lookout[T any] struct {
	read func(ctx context.Context, of watchable) (T, error)

	mu  sync.Mutex
	all map[watchable]*lookedAt[T]
}

// lookedAt is the latest of one thing. Who comes while it is read waits for that.
type lookedAt[T any] struct {
	mu   sync.Mutex
	at   time.Time
	what T
}

func newLookout[T any](read func(ctx context.Context, of watchable) (T, error)) *lookout[T] {
	return &lookout[T]{read: read, all: map[watchable]*lookedAt[T]{}}
}

// look is a second old at the most, and says since when it was read.
func (s *lookout[T]) look(ctx context.Context, of watchable) (T, time.Time, error) {
	return s.since(ctx, of, time.Now().Add(-lookEvery))
}

// since is what was read at that time or later.
func (s *lookout[T]) since(ctx context.Context, of watchable, then time.Time) (T, time.Time, error) {
	one := s.one(of)
	one.mu.Lock()
	defer one.mu.Unlock()
	if !one.at.IsZero() && !one.at.Before(then) {
		return one.what, one.at, nil
	}
	now := time.Now()
	what, err := s.read(ctx, of)
	if err == nil {
		one.what, one.at = what, now
	}
	return what, one.at, err
}

func (s *lookout[T]) one(of watchable) *lookedAt[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[of]
	if one == nil {
		s.dropOld()
		one = &lookedAt[T]{}
		s.all[of] = one
	}
	return one
}

// dropOld forgets what nobody has looked at any more. What is being read stays.
func (s *lookout[T]) dropOld() {
	for of, one := range s.all {
		if !one.mu.TryLock() {
			continue
		}
		if time.Since(one.at) > lookEvery {
			delete(s.all, of)
		}
		one.mu.Unlock()
	}
}

// forget has the next look read anew, after something was changed by hand.
func (s *lookout[T]) forget(of watchable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, of)
}
