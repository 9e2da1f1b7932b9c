package smscsim

import (
	"net"
	"sync"
)

// outbox gathers a session's outgoing bytes, so that one write carries all that came up during
// the write before it.
type outbox struct {
	conn net.Conn

	mu         sync.Mutex
	work, room sync.Cond
	bytes      []byte
	spare      []byte
	flushed    bool // bytes may go
	unanswered int  // accepted submits whose answer is not on its way to the socket
	answers    int  // how many of those answers are in bytes
	finishing  bool
	muted      bool
}

// maxOutgoing bytes may wait before reading stops: a client that does not read its answers has
// to wait for them.
const maxOutgoing = 256 << 10

func newOutbox(conn net.Conn) *outbox {
	o := &outbox{conn: conn}
	o.work.L, o.room.L = &o.mu, &o.mu
	return o
}

// send queues a PDU and lets it go.
func (o *outbox) send(command, status, sequence uint32, body []byte) {
	o.queue(command, status, sequence, body, false)
	o.flush()
}

// queue adds a PDU that may wait for flush. answers tells that it settles an accepted submit.
func (o *outbox) queue(command, status, sequence uint32, body []byte, answers bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.muted || o.finishing {
		return
	}
	o.bytes = appendPDU(o.bytes, command, status, sequence, body)
	if answers {
		o.answers++
	}
}

func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.release()
}

// release asks for a write, if there is anything to write.
func (o *outbox) release() {
	if len(o.bytes) > 0 {
		o.flushed = true
		o.work.Signal()
	}
}

// owe counts one more accepted submit, until its answer leaves.
func (o *outbox) owe() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unanswered++
}

func (o *outbox) owed() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.unanswered
}

// waitForRoom holds the reader back while too much waits to be written.
func (o *outbox) waitForRoom() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.bytes) > maxOutgoing && !o.muted {
		o.release()
		o.room.Wait()
	}
}

// finish lets what is queued go and ends write; nothing can be queued after it.
func (o *outbox) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finishing = true
	o.work.Signal()
}

// mute throws away what is queued and ends write.
func (o *outbox) mute() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.muted = true
	o.bytes = nil
	o.work.Signal()
	o.room.Signal()
}

// write runs until finish or mute, or until the connection fails.
func (o *outbox) write() {
	for {
		b, ok := o.take()
		if !ok {
			return
		}
		if _, err := o.conn.Write(b); err != nil {
			o.mute()
			_ = o.conn.Close() // wakes the reader
			return
		}
	}
}

// take waits for bytes that may go. The window opens here and not after the write, or a client
// that answers an answer quickly would be told that it overran.
func (o *outbox) take() ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.muted && !o.finishing && (len(o.bytes) == 0 || !o.flushed) {
		o.work.Wait()
	}
	if o.muted || len(o.bytes) == 0 {
		return nil, false
	}
	b := o.bytes
	o.bytes, o.spare = o.spare[:0], b
	o.unanswered -= o.answers
	o.answers, o.flushed = 0, false
	o.room.Signal()
	return b, true
}
