package smpp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

const (
	headerSize   = data.PDU_HEADER_SIZE
	frameMost    = data.MAX_PDU_LEN
	sequenceMost = 0x7FFFFFFF // SMPP 3.4 3.2
	response     = -1 << 31   // the bit of command_id that marks a response
)

var errLength = errors.New("the peer sent a length that no PDU has")

// frame is one PDU as it came: its header and all its bytes, header included.
// The bytes are good until the next read.
type frame struct {
	pdu.Header
	bytes []byte
}

func (f frame) body() []byte { return f.bytes[headerSize:] }

// cString is the body's first field, up to its NUL or, as some peers leave
// that out, to the end.
func (f frame) cString() string {
	body := f.body()
	for i, c := range body {
		if c == 0 {
			return string(body[:i])
		}
	}
	return string(body)
}

// frames reads PDUs off a connection.
type frames struct {
	in     *bufio.Reader
	header [headerSize]byte
	bytes  []byte
}

// next is errLength, with the header read, when the stream cannot be followed
// any further.
func (r *frames) next() (frame, error) {
	if _, err := io.ReadFull(r.in, r.header[:]); err != nil {
		return frame{}, err
	}
	f := frame{Header: pdu.ParseHeader(r.header)}
	if f.CommandLength < headerSize || f.CommandLength > frameMost {
		return f, errLength
	}
	r.bytes = append(r.bytes[:0], r.header[:]...)
	r.bytes = append(r.bytes, make([]byte, f.CommandLength-headerSize)...)
	if _, err := io.ReadFull(r.in, r.bytes[headerSize:]); err != nil {
		return frame{}, err
	}
	f.bytes = r.bytes
	return f, nil
}

func marshal(p interface{ Marshal(*pdu.ByteBuffer) }) []byte {
	out := pdu.NewBuffer(nil)
	p.Marshal(out)
	return out.Bytes()
}

// number gives a marshalled PDU its sequence number.
func number(bytes []byte, sequence int32) {
	binary.BigEndian.PutUint32(bytes[12:], uint32(sequence))
}

// header is a PDU that has no body.
func header(command data.CommandIDType, s status, sequence int32) []byte {
	out := pdu.NewBuffer(make([]byte, 0, headerSize))
	h := pdu.Header{CommandLength: headerSize, CommandID: command, CommandStatus: s, SequenceNumber: sequence}
	h.Marshal(out)
	return out.Bytes()
}

// deliverResponse acknowledges a deliver_sm, or asks for it again.
func deliverResponse(s status, sequence int32) []byte {
	var p pdu.DeliverSMResp
	p.CommandID = data.DELIVER_SM_RESP
	p.CommandStatus = s
	p.SequenceNumber = sequence
	return marshal(&p)
}
