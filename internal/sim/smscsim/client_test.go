package smscsim_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

// The client of these tests writes its bytes by itself, from the tables of SMPP 3.4 chapter 4.
// What takes longer than patience has failed.
const patience = 2 * time.Minute

func start(t testing.TB, o smscsim.Options) *smscsim.Server {
	t.Helper()
	s, err := smscsim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func startWith(t testing.TB, f smscsim.Faults) *smscsim.Server {
	t.Helper()
	return start(t, smscsim.Options{Faults: f})
}

// eventually waits for what happens on the server's side of the socket.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		<-again.C
	}
}

type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

type frame struct {
	command, status, sequence uint32
	body                      string
}

func dial(t testing.TB, s *smscsim.Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

// bound connects and binds with a command: 1 receiver, 2 transmitter, 9 transceiver.
func bound(t testing.TB, s *smscsim.Server, command uint32) *client {
	t.Helper()
	c := dial(t, s)
	c.write(bindPDU(command, "varsel", "secret"))
	c.want(frame{command | 0x80000000, 0, 1, "smscsim\x00\x02\x10\x00\x01\x34"})
	return c
}

func (c *client) write(pdus ...[]byte) {
	c.t.Helper()
	if _, err := c.conn.Write(bytes.Join(pdus, nil)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() (frame, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	header := make([]byte, 16)
	if _, err := io.ReadFull(c.in, header); err != nil {
		return frame{}, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header)-16)
	_, err := io.ReadFull(c.in, body)
	return frame{
		binary.BigEndian.Uint32(header[4:]),
		binary.BigEndian.Uint32(header[8:]),
		binary.BigEndian.Uint32(header[12:]),
		string(body),
	}, err
}

func (c *client) read() frame {
	c.t.Helper()
	f, err := c.next()
	if err != nil {
		c.t.Fatalf("no PDU: %v", err)
	}
	return f
}

func (c *client) want(want frame) {
	c.t.Helper()
	if got := c.read(); got != want {
		c.t.Fatalf("got %x %q\nwant %x %q", got, got.body, want, want.body)
	}
}

// wantHex compares the next octets as they are; blanks in want are for the reader.
func (c *client) wantHex(want string) {
	c.t.Helper()
	octets := unhex(want)
	got := make([]byte, len(octets))
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c.in, got); err != nil {
		c.t.Fatal(err)
	}
	if !bytes.Equal(got, octets) {
		c.t.Fatalf("got  %x\nwant %x", got, octets)
	}
}

func (c *client) wantClosed() {
	c.t.Helper()
	f, err := c.next()
	if err == nil {
		c.t.Fatalf("got %x %q, want a closed connection", f, f.body)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("connection stays open")
	}
}

// accepted reads an answer and returns its message id.
func (c *client) accepted(sequence uint32) string {
	c.t.Helper()
	f := c.read()
	if f.command != 0x80000004 || f.status != 0 || f.sequence != sequence {
		c.t.Fatalf("got %x, want an accepting answer to %d", f, sequence)
	}
	id, found := strings.CutSuffix(f.body, "\x00")
	if !found {
		c.t.Fatalf("message id %q does not end", f.body)
	}
	return id
}

func (c *client) refused(sequence, status uint32) {
	c.t.Helper()
	c.want(frame{0x80000004, status, sequence, ""})
}

type receipt struct {
	sequence uint32
	from, to string
	id, stat string // of the text
	tlvID    string
	state    byte
}

var receiptText = regexp.MustCompile(`^id:(\S+) sub:001 dlvrd:00[01] submit date:\d{10} done date:\d{10} stat:(\S+) err:00[01] text:`)

// receipt reads a deliver_sm and takes it apart.
func (c *client) receipt() receipt {
	c.t.Helper()
	f := c.read()
	if f.command != 5 || f.status != 0 {
		c.t.Fatalf("got %x %q, want deliver_sm", f, f.body)
	}
	r, err := parseReceipt(f)
	if err != nil {
		c.t.Fatalf("%v: %q", err, f.body)
	}
	return r
}

func parseReceipt(f frame) (receipt, error) {
	from, rest, _ := strings.Cut(f.body[3:], "\x00")
	to, rest, _ := strings.Cut(rest[2:], "\x00")
	if rest[:9] != "\x04\x00\x00\x00\x00\x00\x00\x00\x00" {
		return receipt{}, fmt.Errorf("not a receipt")
	}
	end := 10 + int(rest[9])
	text := receiptText.FindStringSubmatch(rest[10:end])
	if text == nil {
		return receipt{}, fmt.Errorf("not the text of a receipt")
	}
	tlvs := rest[end:]
	length := int(tlvs[3])
	return receipt{
		sequence: f.sequence, from: from, to: to, id: text[1], stat: text[2],
		tlvID: strings.TrimSuffix(tlvs[4:4+length], "\x00"),
		state: tlvs[len(tlvs)-1],
	}, nil
}

func (c *client) acknowledge(r receipt) {
	c.t.Helper()
	c.write(pdu(0x80000005, 0, r.sequence, "\x00"))
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func pdu(command, status, sequence uint32, body string) []byte {
	var b []byte
	for _, n := range []uint32{uint32(16 + len(body)), command, status, sequence} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return append(b, body...)
}

func bindPDU(command uint32, systemID, password string) []byte {
	return pdu(command, 0, 1, systemID+"\x00"+password+"\x00"+"\x00"+"\x34\x00\x00"+"\x00")
}

// sm is a submit_sm; its zero value but for to is a text without a receipt.
type sm struct {
	from, to                string
	esm, registered, coding byte
	text                    string
	tlvs                    string
}

func (m sm) pdu(sequence uint32) []byte {
	return pdu(4, 0, sequence, "\x00"+
		"\x05\x00"+m.from+"\x00"+
		"\x01\x01"+m.to+"\x00"+
		string([]byte{m.esm, 0, 0, 0, 0, m.registered, 0, m.coding, 0, byte(len(m.text))})+
		m.text+m.tlvs)
}

func tlv(tag uint16, value string) string {
	b := binary.BigEndian.AppendUint16(nil, tag)
	return string(binary.BigEndian.AppendUint16(b, uint16(len(value)))) + value
}

const somebody = "4799000001"
