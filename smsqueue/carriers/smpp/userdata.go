package smpp

import (
	"encoding/binary"

	"github.com/varsel/varsel/smsqueue/smstext"
)

// udh is what a user data header says about the parts of a message, and the
// national tables that its text is written with.
type udh struct {
	reference   uint16
	total, part byte
	shift       smstext.Shift
}

func (u udh) valid() bool { return u.total > 0 && u.part > 0 && u.part <= u.total }

// splitUserData takes the header off a text that begins with one. Elements other
// than concatenation and national tables are passed over; a header whose lengths do not add up is
// none (3GPP TS 23.040 9.2.3.24).
func splitUserData(octets []byte) (u udh, text []byte) {
	if len(octets) == 0 || int(octets[0]) >= len(octets) {
		return udh{}, octets
	}
	f := fields{rest: octets[1 : 1+int(octets[0])]}
	for len(f.rest) > 0 {
		id, size := f.octet(), f.octet()
		value := f.octets(int(size))
		switch {
		case f.short:
			return udh{}, octets
		case id == 0x00 && size == 3:
			u.reference, u.total, u.part = uint16(value[0]), value[1], value[2]
		case id == 0x08 && size == 4:
			u.reference, u.total, u.part = binary.BigEndian.Uint16(value), value[2], value[3]
		case id == 0x24 && size == 1:
			u.shift.Single = smstext.Language(value[0])
		case id == 0x25 && size == 1:
			u.shift.Locking = smstext.Language(value[0])
		}
	}
	return u, octets[1+int(octets[0]):]
}
