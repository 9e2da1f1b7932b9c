package smscsim

import (
	"bytes"
	"encoding/binary"
)

// Command ids, SMPP 3.4 5.1.2.1. A response is its request with the top bit set.
const (
	bindReceiver    = 0x00000001
	bindTransmitter = 0x00000002
	submitSM        = 0x00000004
	deliverSM       = 0x00000005
	unbind          = 0x00000006
	bindTransceiver = 0x00000009
	enquireLink     = 0x00000015
	responseBit     = 0x80000000
	genericNack     = 0x80000000
)

// Command statuses, SMPP 3.4 5.1.3.
const (
	statusOK              = 0x00000000
	statusMessageLength   = 0x00000001
	statusCommandLength   = 0x00000002
	statusCommandID       = 0x00000003
	statusBindState       = 0x00000004
	statusAlreadyBound    = 0x00000005
	statusSystemError     = 0x00000008
	statusSource          = 0x0000000A
	statusDestination     = 0x0000000B
	statusBindFailed      = 0x0000000D
	statusPassword        = 0x0000000E
	statusSystemID        = 0x0000000F
	statusQueueFull       = 0x00000014
	statusServiceType     = 0x00000015
	statusEsmClass        = 0x00000043
	statusSystemType      = 0x00000053
	statusThrottled       = 0x00000058
	statusSchedule        = 0x00000061
	statusExpiry          = 0x00000062
	statusReceiverTrouble = 0x00000064
	statusOptionalPart    = 0x000000C0
	statusTagNotAllowed   = 0x000000C1
	statusTagLength       = 0x000000C2
)

// Optional parameter tags, SMPP 3.4 5.3.2.
const (
	tagReceiptedMessageID = 0x001E
	tagSarReference       = 0x020C
	tagSarTotal           = 0x020E
	tagSarSequence        = 0x020F
	tagInterfaceVersion   = 0x0210
	tagMessagePayload     = 0x0424
	tagMessageState       = 0x0427
)

const (
	headerSize = 16
	// The longest lawful PDU is a submit_sm with a 64 KiB message_payload and every other
	// field full; the rest leaves room for tags this server does not know.
	maxPDU = 64<<10 + 4<<10
)

// pdu is one unit as read; body is valid until the next one is read.
type pdu struct {
	command, status, sequence uint32
	body                      []byte
}

func parsePDU(raw []byte) pdu {
	return pdu{
		command:  binary.BigEndian.Uint32(raw[4:]),
		status:   binary.BigEndian.Uint32(raw[8:]),
		sequence: binary.BigEndian.Uint32(raw[12:]),
		body:     raw[headerSize:],
	}
}

func appendPDU(b []byte, command, status, sequence uint32, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(headerSize+len(body)))
	b = binary.BigEndian.AppendUint32(b, command)
	b = binary.BigEndian.AppendUint32(b, status)
	b = binary.BigEndian.AppendUint32(b, sequence)
	return append(b, body...)
}

func appendCString(b []byte, s string) []byte {
	return append(append(b, s...), 0)
}

func appendTLV(b []byte, tag uint16, value []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, tag)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// fields reads a body in order. The first field that breaks its rule leaves its status behind;
// a body that ends inside a mandatory field is short, which no status of that field describes.
type fields struct {
	rest   []byte
	status uint32
	short  bool
}

func (f *fields) fault(status uint32) {
	if f.status == statusOK {
		f.status = status
	}
}

func (f *fields) octet() byte {
	b := f.octets(1)
	if b == nil {
		return 0
	}
	return b[0]
}

func (f *fields) octets(n int) []byte {
	if len(f.rest) < n {
		f.short, f.rest = true, nil
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

// cstring reads a C-Octet String; size counts its NUL, as the tables of the specification do.
func (f *fields) cstring(size int, status uint32) []byte {
	end := bytes.IndexByte(f.rest, 0)
	if end < 0 {
		f.short, f.rest = true, nil
		return nil
	}
	if end+1 > size {
		f.fault(status)
	}
	b := f.rest[:end]
	f.rest = f.rest[end+1:]
	return b
}

// tlv reads the next optional parameter; false when there is none left.
func (f *fields) tlv() (tag uint16, value []byte, ok bool) {
	if len(f.rest) == 0 {
		return 0, nil, false
	}
	if len(f.rest) < 4 {
		f.fault(statusOptionalPart)
		return 0, nil, false
	}
	tag = binary.BigEndian.Uint16(f.rest)
	end := 4 + int(binary.BigEndian.Uint16(f.rest[2:]))
	if end > len(f.rest) {
		f.fault(statusOptionalPart)
		return 0, nil, false
	}
	value, f.rest = f.rest[4:end], f.rest[end:]
	return tag, value, true
}
