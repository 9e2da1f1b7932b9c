package smscsim

import (
	"hash/maphash"
	"strings"
	"sync"
	"time"
)

// record is what was accepted, by destination. Shards keep connections out of each other's way.
type record struct {
	seed   maphash.Seed
	shards [16]shard
}

type shard struct {
	mu      sync.Mutex
	numbers map[string]*number
	partial map[partKey]*partial
}

// number costs about 100 bytes and its last texts; a load test has 400,000 of them.
type number struct {
	first, last int64 // unix nanoseconds
	messages    int
	texts       []string
}

const keptTexts = 8

// partKey tells concatenated messages apart as a phone does (3GPP TS 23.040 9.2.3.24.1).
type partKey struct {
	source, destination string
	reference           uint16
	total               byte
}

// partial is a concatenated message of which parts are missing.
type partial struct {
	parts []string
	got   []bool
	left  int
}

// maxPartial bounds messages whose rest never comes; beyond it one of them is forgotten.
const maxPartial = 4096

func newRecord() *record {
	r := &record{seed: maphash.MakeSeed()}
	r.reset()
	return r
}

func (r *record) reset() {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.numbers, s.partial = map[string]*number{}, map[partKey]*partial{}
		s.mu.Unlock()
	}
}

func (r *record) shard(destination string) *shard {
	return &r.shards[maphash.String(r.seed, destination)%uint64(len(r.shards))]
}

// add records an accepted submit whose text is already readable.
func (r *record) add(source, destination, text string, p part, now time.Time) {
	s := r.shard(destination)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[destination]
	if n == nil {
		n = &number{first: now.UnixNano()}
		s.numbers[destination] = n
	}
	n.last = now.UnixNano()
	if !p.valid() {
		n.messages++
		n.keep(text)
		return
	}
	if p.index == 1 {
		n.messages++
	}
	if whole, ok := s.join(partKey{source, destination, p.reference, p.total}, p.index, text); ok {
		n.keep(whole)
	}
}

func (n *number) keep(text string) {
	if len(n.texts) == keptTexts {
		copy(n.texts, n.texts[1:])
		n.texts[keptTexts-1] = text
		return
	}
	n.texts = append(n.texts, text)
}

// join adds a part and returns the whole text when none is missing. A part that comes again
// replaces the first.
func (s *shard) join(key partKey, index byte, text string) (string, bool) {
	m := s.partial[key]
	if m == nil {
		s.forgetOne()
		m = &partial{make([]string, key.total), make([]bool, key.total), int(key.total)}
		s.partial[key] = m
	}
	if !m.got[index-1] {
		m.got[index-1] = true
		m.left--
	}
	m.parts[index-1] = text
	if m.left > 0 {
		return "", false
	}
	delete(s.partial, key)
	return strings.Join(m.parts, ""), true
}

func (s *shard) forgetOne() {
	if len(s.partial) < maxPartial {
		return
	}
	for key := range s.partial {
		delete(s.partial, key)
		return
	}
}

// messages leaves out numbers that got only later parts.
func (r *record) messages() map[string]int {
	all := map[string]int{}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for destination, n := range s.numbers {
			if n.messages > 0 {
				all[destination] = n.messages
			}
		}
		s.mu.Unlock()
	}
	return all
}

// find returns a copy of what is known of a number.
func (r *record) find(destination string) (number, bool) {
	s := r.shard(destination)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[destination]
	if n == nil {
		return number{}, false
	}
	found := *n
	found.texts = append([]string(nil), n.texts...)
	return found, true
}
