package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/varsel/varsel/cards"
)

const (
	// cardFresh is how long a card is shown without asking whether it is as it was. Once
	// it is over, one request asks while the others go on; after cardStale all wait.
	cardFresh, cardStale = time.Second, 2 * time.Second
	// mostShelved bounds the memory: a card has about 8 kB a language, and its codes.
	mostShelved = 2000
)

// cardShelf keeps what cards show, in one process.
type cardShelf struct {
	mu  sync.RWMutex
	all map[string]*shelved
}

// shelved is a card as it was at a moment, with what was made of it.
type shelved struct {
	cards.Shown
	stamp   cards.Stamp
	checked atomic.Int64 // Unix ms
	asking  atomic.Bool

	mu   sync.Mutex
	made map[string]made
}

// made is a page or a file of a card.
type made struct {
	body []byte
	etag string
}

func (l *cardShelf) find(slug string) *shelved {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.all[slug]
}

func (l *cardShelf) keep(slug string, s *shelved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil || len(l.all) >= mostShelved {
		l.all = map[string]*shelved{}
	}
	l.all[slug] = s
}

func (l *cardShelf) drop(slug string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, slug)
}

// card is what a slug shows, at most two seconds ago.
func (w *site) card(ctx context.Context, slug string) (*shelved, error) {
	found := w.shelf.find(slug)
	if found != nil {
		switch age := time.Since(time.UnixMilli(found.checked.Load())); {
		case age < cardFresh:
			return found, nil
		case age < cardStale && !found.asking.CompareAndSwap(false, true):
			return found, nil
		}
		defer found.asking.Store(false)
	}
	now := time.Now()
	stamp, err := w.Cards.Stamp(ctx, slug)
	if err != nil {
		w.shelf.drop(slug)
		return nil, err
	}
	if found != nil && stamp == found.stamp {
		found.checked.Store(now.UnixMilli())
		return found, nil
	}
	// The stamp was read first: what changes meanwhile is found out the next time.
	shown, err := w.Cards.Show(ctx, slug)
	if err != nil {
		w.shelf.drop(slug)
		return nil, err
	}
	s := &shelved{Shown: shown, stamp: stamp, made: map[string]made{}}
	s.checked.Store(now.UnixMilli())
	w.shelf.keep(slug, s)
	return s, nil
}

// once makes something of the card unless it was made.
func (s *shelved) once(what string, do func() ([]byte, error)) (made, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.made[what]; ok {
		return m, nil
	}
	body, err := do()
	if err != nil {
		return made{}, err
	}
	sum := sha256.Sum256(body)
	m := made{body, `"` + hex.EncodeToString(sum[:8]) + `"`}
	s.made[what] = m
	return m, nil
}
