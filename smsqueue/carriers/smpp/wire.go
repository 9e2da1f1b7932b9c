package smpp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/linxGnu/gosmpp/data"
)

const (
	headerSize   = data.PDU_HEADER_SIZE
	frameMost    = data.MAX_PDU_LEN
	sequenceMost = 0x7FFFFFFF // SMPP 3.4 3.2
	response     = -1 << 31   // the bit of command_id that marks a response

	dataSM = data.CommandIDType(0x103) // SMPP 3.4 5.1.2.1
)

var errLength = errors.New("the peer sent a length that no PDU has")

// frame is one PDU as it came. Its body is good until the next read.
type frame struct {
	command  data.CommandIDType
	status   status
	sequence int32
	body     []byte
}

// cString is the body's first field, up to its NUL or, as some peers leave
// that out, to the end.
func (f frame) cString() string {
	if end := bytes.IndexByte(f.body, 0); end >= 0 {
		return string(f.body[:end])
	}
	return string(f.body)
}

// frames reads PDUs off a connection. The buffer of in holds the longest PDU.
type frames struct {
	in   *bufio.Reader
	last int // octets of the frame that next gave out
}

// next is errLength, with the header read, when the stream cannot be followed
// any further.
func (r *frames) next() (frame, error) {
	_, _ = r.in.Discard(r.last) // they are in the buffer
	r.last = 0
	head, err := r.in.Peek(headerSize)
	if err != nil {
		return frame{}, err
	}
	f := frame{
		command:  data.CommandIDType(int32(binary.BigEndian.Uint32(head[4:]))),
		status:   status(int32(binary.BigEndian.Uint32(head[8:]))),
		sequence: int32(binary.BigEndian.Uint32(head[12:])),
	}
	length := binary.BigEndian.Uint32(head)
	if length < headerSize || length > frameMost {
		return f, errLength
	}
	whole, err := r.in.Peek(int(length))
	if err != nil {
		return frame{}, err
	}
	f.body, r.last = whole[headerSize:], int(length)
	return f, nil
}

// more says whether another PDU can be read without waiting for the peer.
func (r *frames) more() bool {
	left := r.in.Buffered() - r.last
	if left < headerSize {
		return false
	}
	ahead, _ := r.in.Peek(r.last + 4)
	return uint64(left) >= uint64(binary.BigEndian.Uint32(ahead[r.last:]))
}

// beginPDU appends a header; sealPDU writes its length when the body is there.
func beginPDU(out []byte, command data.CommandIDType, s status, sequence int32) []byte {
	out = append(out, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(command))
	out = binary.BigEndian.AppendUint32(out, uint32(s))
	return binary.BigEndian.AppendUint32(out, uint32(sequence))
}

func sealPDU(out []byte) []byte {
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

// number gives a PDU its sequence number.
func number(bytes []byte, sequence int32) {
	binary.BigEndian.PutUint32(bytes[12:], uint32(sequence))
}

func appendCString(out []byte, s string) []byte {
	return append(append(out, s...), 0)
}

func appendTLV(out []byte, tag uint16, value ...byte) []byte {
	out = binary.BigEndian.AppendUint16(out, tag)
	out = binary.BigEndian.AppendUint16(out, uint16(len(value)))
	return append(out, value...)
}

// fields reads a body in order; short says that it ended too early.
type fields struct {
	rest  []byte
	short bool
}

func (f *fields) octets(n int) []byte {
	if len(f.rest) < n {
		f.short, f.rest = true, nil
		return nil
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

func (f *fields) octet() byte {
	if one := f.octets(1); one != nil {
		return one[0]
	}
	return 0
}

func (f *fields) cString() []byte {
	end := bytes.IndexByte(f.rest, 0)
	if end < 0 {
		f.short, f.rest = true, nil
		return nil
	}
	text := f.rest[:end]
	f.rest = f.rest[end+1:]
	return text
}

// option is the next optional parameter; false when there is none left.
func (f *fields) option() (tag uint16, value []byte, ok bool) {
	if len(f.rest) == 0 {
		return 0, nil, false
	}
	head := f.octets(4)
	if f.short {
		return 0, nil, false
	}
	value = f.octets(int(binary.BigEndian.Uint16(head[2:])))
	return binary.BigEndian.Uint16(head), value, !f.short
}

// address is a number or a name with its type and numbering plan (SMPP 3.4
// 5.2.5, 5.2.6).
type address struct {
	ton, npi byte
	text     string
}

func (a address) appendTo(out []byte) []byte {
	return appendCString(append(out, a.ton, a.npi), a.text)
}

func (f *fields) address() address {
	kind := f.octets(2)
	text := f.cString()
	if f.short {
		return address{}
	}
	return address{kind[0], kind[1], string(text)}
}

func code(s status) string {
	return fmt.Sprintf("0x%02X", uint32(s))
}
