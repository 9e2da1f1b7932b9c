package smsqueue

import (
	"slices"
	"strings"
	"time"
)

const (
	// siblingsWithin is how far apart in time the parts of one message may come.
	// A reference says little: handsets count them in 8 bits (3GPP TS 23.040
	// 9.2.3.24.1), so the same one comes back with the 257th message.
	siblingsWithin = time.Hour
	// waitForParts is how long a message waits for parts that are missing.
	waitForParts = 24 * time.Hour
)

// inboundPart is a part of a long message from a handset.
type inboundPart struct {
	id, message int64 // message is 0 while it waits
	part, parts int
	key, body   string
	at          time.Time
}

// partSet is parts that belong together.
type partSet struct {
	message int64
	parts   []inboundPart
}

// assemble sorts parts that share carrier, numbers, reference and count, in the
// order they came, into messages, and names those that came twice. A part joins
// the one message that waits near it and lacks it. When two wait, or the one has
// another part in its place, nobody can tell: it joins none, for no two messages
// may be mixed.
func assemble(all []inboundPart) (sets []*partSet, twice []int64) {
	for _, p := range all {
		if p.message == 0 && slices.ContainsFunc(sets, func(s *partSet) bool { return s.holds(p) }) {
			twice = append(twice, p.id)
			continue
		}
		sets = place(sets, p)
	}
	return sets, twice
}

func place(sets []*partSet, p inboundPart) []*partSet {
	var fitting []*partSet
	for _, s := range sets {
		if p.message != 0 && s.message == p.message || p.message == 0 && s.waitsNear(p.at) {
			fitting = append(fitting, s)
		}
	}
	if len(fitting) == 1 && fitting[0].at(p.part) == nil {
		fitting[0].parts = append(fitting[0].parts, p)
		return sets
	}
	return append(sets, &partSet{message: p.message, parts: []inboundPart{p}})
}

// holds says whether the part is here already. A message that waits takes the
// same words in the same place for the same part; of one that is all there, a
// part with another id of the carrier's is of another message.
func (s *partSet) holds(p inboundPart) bool {
	was := s.at(p.part)
	switch {
	case was == nil:
		return false
	case was.key != "" && was.key == p.key:
		return true
	case was.key != "" && p.key != "" && s.missing() == 0:
		return false
	}
	return was.body == p.body && p.at.Sub(was.at) <= siblingsWithin
}

func (s *partSet) at(part int) *inboundPart {
	for i := range s.parts {
		if s.parts[i].part == part {
			return &s.parts[i]
		}
	}
	return nil
}

func (s *partSet) waitsNear(at time.Time) bool {
	return s.message == 0 && s.missing() > 0 && at.Sub(s.parts[len(s.parts)-1].at) <= siblingsWithin
}

func (s *partSet) missing() int { return s.parts[0].parts - len(s.parts) }

// began is when the first part came.
func (s *partSet) began() time.Time { return s.parts[0].at }

// gap stands in a text for parts that never came.
const gap = "[…]"

func (s *partSet) text() string {
	parts := slices.Clone(s.parts)
	slices.SortFunc(parts, func(a, b inboundPart) int { return a.part - b.part })
	var text strings.Builder
	last := 0
	for _, p := range parts {
		if p.part > last+1 {
			text.WriteString(gap)
		}
		text.WriteString(p.body)
		last = p.part
	}
	if last < parts[0].parts {
		text.WriteString(gap)
	}
	return text.String()
}
