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
	// mostShelved and mostShelvedBytes bound the memory: a card has about 8 kB a language,
	// and a photo, codes and files of some hundred kB once they are asked for.
	mostShelved, mostShelvedBytes = 2000, 64 << 20
)

// cardShelf keeps what cards show, in one process. It is emptied when it is full.
type cardShelf struct {
	mu    sync.RWMutex
	all   map[string]*shelved
	logos map[int64]logo // by image: many cards have the same
	bytes int            // of what was made for those in all, and of logos
}

// shelved is a card as it was at a moment, with what was made of it.
type shelved struct {
	cards.Shown
	stamp   cards.Stamp
	checked atomic.Int64 // Unix ms
	asking  atomic.Bool

	mu    sync.Mutex
	made  map[string]made
	shelf *cardShelf
	bytes int // that the shelf counts for it
}

// made is a page or a file of a card.
type made struct {
	body []byte
	etag string
}

// logo is an image as it is answered.
type logo struct {
	made
	mediaType string
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
		l.empty()
	}
	l.take(slug)
	l.all[slug] = s
}

func (l *cardShelf) drop(slug string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(slug)
}

func (l *cardShelf) take(slug string) {
	if s := l.all[slug]; s != nil {
		l.bytes -= s.bytes
		delete(l.all, slug)
	}
}

func (l *cardShelf) empty() {
	l.all, l.logos, l.bytes = map[string]*shelved{}, map[int64]logo{}, 0
}

// grew counts what was made of a card that is still here.
func (l *cardShelf) grew(s *shelved, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[s.Slug] != s {
		return
	}
	s.bytes += by
	if l.bytes += by; l.bytes > mostShelvedBytes {
		l.empty()
	}
}

// logo is an image that cards show. One that is here needs no asking: images never change.
func (l *cardShelf) logo(id int64, read func() (cards.Image, error)) (logo, error) {
	l.mu.RLock()
	found, ok := l.logos[id]
	l.mu.RUnlock()
	if ok {
		return found, nil
	}
	i, err := read()
	if err != nil {
		return logo{}, err
	}
	found = logo{madeOf(i.Content), i.MediaType}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.logos[id]; ok || l.logos == nil {
		return found, nil
	}
	l.logos[id] = found
	if l.bytes += len(i.Content); l.bytes > mostShelvedBytes {
		l.empty()
	}
	return found, nil
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
	s := &shelved{Shown: shown, stamp: stamp, made: map[string]made{}, shelf: &w.shelf}
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
	m := madeOf(body)
	s.made[what] = m
	s.shelf.grew(s, len(body))
	return m, nil
}

func madeOf(body []byte) made {
	sum := sha256.Sum256(body)
	return made{body, `"` + hex.EncodeToString(sum[:8]) + `"`}
}
