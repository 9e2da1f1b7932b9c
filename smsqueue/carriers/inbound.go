package carriers

import "time"

// Inbound is a message from a handset, or a part of one.
type Inbound struct {
	ID   string // the carrier's, raw; empty when it gives none. The same again is the same message
	From string // the handset, E.164; else as the carrier wrote it
	To   string // our number or short code, E.164 where it is one
	Text string
	// A part carries the concatenation reference that its siblings share; a
	// message that came whole has Parts 1.
	Part, Parts int
	Reference   uint16
	At          time.Time // when it arrived here
}
