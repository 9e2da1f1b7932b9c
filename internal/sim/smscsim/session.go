package smscsim

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// session is one connection. One goroutine reads and decides, one writes.
type session struct {
	server *Server
	conn   *net.TCPConn
	in     *bufio.Reader
	out    *outbox
	buffer []byte // the PDU being handled

	mode     uint32   // the bind command that succeeded; 0 before
	box      *mailbox // of its system_id, once bound
	seated   bool     // counts among those that are bound
	dropping bool     // reads what is in flight, answers nothing
	decoded  memo

	sequence       atomic.Uint32 // of requests from this side
	enquiring      atomic.Bool   // an enquire_link of this side is unanswered
	over           atomic.Bool
	unacknowledged map[uint32]delivery // by sequence; guarded by box
}

const (
	// What a client had written when its connection is dropped is read for this long: enough for
	// bytes on a loopback, and for the client to fill its window and stop.
	lastCall = 20 * time.Millisecond
	// A client that stopped reading holds up the end of its session no longer than this.
	lastWords = time.Second
)

var errLength = errors.New("command_length is out of bounds")

func newSession(server *Server, conn *net.TCPConn) *session {
	return &session{
		server:         server,
		conn:           conn,
		in:             bufio.NewReaderSize(conn, 64<<10),
		out:            newOutbox(conn),
		unacknowledged: map[uint32]delivery{},
	}
}

func (s *session) run() {
	var writing sync.WaitGroup
	writing.Go(s.out.write)
	s.read()
	s.leave()
	_ = s.conn.SetWriteDeadline(time.Now().Add(lastWords))
	s.out.finish()
	writing.Wait()
	if s.dropping {
		s.reset()
	}
	s.close()
	s.server.forget(s)
}

// read handles PDUs until the connection ends or must end.
func (s *session) read() {
	for !s.over.Load() {
		if !s.buffered() {
			s.out.flush()
		}
		s.out.waitForRoom()
		p, err := s.next()
		if errors.Is(err, errLength) {
			s.nackLength(s.guessSequence())
			return
		}
		if err != nil || !s.handle(p) {
			return
		}
	}
}

// buffered says whether the next PDU can be read without waiting for the client.
func (s *session) buffered() bool {
	if s.in.Buffered() < headerSize {
		return false
	}
	lead, _ := s.in.Peek(4)
	return uint64(s.in.Buffered()) >= uint64(binary.BigEndian.Uint32(lead))
}

func (s *session) next() (pdu, error) {
	lead, err := s.in.Peek(4)
	if err != nil {
		return pdu{}, err
	}
	length := binary.BigEndian.Uint32(lead)
	if length < headerSize || length > maxPDU {
		return pdu{}, errLength
	}
	s.buffer = slices.Grow(s.buffer[:0], int(length))[:length]
	if _, err := io.ReadFull(s.in, s.buffer); err != nil {
		return pdu{}, err
	}
	return parsePDU(s.buffer), nil
}

// guessSequence reads the sequence number behind a wrong length, if it is there.
func (s *session) guessSequence() uint32 {
	if s.in.Buffered() < headerSize {
		return 0
	}
	header, _ := s.in.Peek(headerSize)
	return parsePDU(header).sequence
}

// handle returns false when the session has to end.
func (s *session) handle(p pdu) bool {
	switch p.command {
	case bindReceiver, bindTransmitter, bindTransceiver:
		return s.bind(p)
	case submitSM:
		return s.submit(p)
	case enquireLink:
		s.reply(p, statusOK, nil)
	case unbind:
		s.leave()
		s.reply(p, statusOK, nil)
		return false
	case enquireLink | responseBit:
		s.enquiring.Store(false)
	case deliverSM | responseBit, genericNack:
		s.acknowledge(p)
	default:
		s.nackCommand(p)
	}
	return true
}

// reply answers a request at the next flush.
func (s *session) reply(p pdu, status uint32, body []byte) {
	s.out.queue(p.command|responseBit, status, p.sequence, body, false)
}

// nackCommand is silent on a response: two sides could nack each other for ever.
func (s *session) nackCommand(p pdu) {
	if p.command&responseBit == 0 {
		s.out.queue(genericNack, statusCommandID, p.sequence, nil, false)
	}
}

// nackLength ends the session: after a wrong length nobody knows where the next PDU begins.
func (s *session) nackLength(sequence uint32) bool {
	s.out.queue(genericNack, statusCommandLength, sequence, nil, false)
	return false
}

func (s *session) acknowledge(p pdu) {
	if s.box != nil {
		s.box.acknowledge(s, p.sequence, p.status)
	}
}

func (s *session) leave() {
	if s.box != nil {
		s.box.leave(s)
	}
	if s.seated {
		s.seated = false
		s.server.bound.Add(-1)
	}
}

// enquire checks that the client is there, and again after every; one that left the last
// enquire_link unanswered is closed.
func (s *session) enquire(every time.Duration) {
	if s.over.Load() {
		return
	}
	if s.enquiring.Swap(true) {
		s.close()
		return
	}
	s.out.send(enquireLink, statusOK, s.sequence.Add(1), nil)
	s.server.clock.after(every, func() { s.enquire(every) })
}

// drop begins an abrupt end: no byte leaves any more, what is in flight is still read.
func (s *session) drop() {
	if s.dropping {
		return
	}
	s.dropping = true
	s.out.mute()
	s.leave()
	_ = s.conn.SetReadDeadline(time.Now().Add(lastCall))
}

// reset closes the connection without a farewell: the client sees a reset.
func (s *session) reset() {
	if s.over.CompareAndSwap(false, true) {
		_ = s.conn.SetLinger(0)
		s.hangUp()
		s.server.counts.drops.Add(1)
	}
}

func (s *session) close() {
	if s.over.CompareAndSwap(false, true) {
		s.hangUp()
	}
}

func (s *session) hangUp() {
	s.out.mute()
	_ = s.conn.Close()
}

// memo spares decoding a text that is the same as the one before, and storing it twice: most
// of a campaign is.
type memo struct {
	coding byte
	octets []byte
	text   string
}

func (m *memo) read(coding byte, octets []byte) string {
	if m.coding != coding || !bytes.Equal(m.octets, octets) {
		m.coding, m.octets = coding, append(m.octets[:0], octets...)
		m.text = decodeText(coding, octets)
	}
	return m.text
}
