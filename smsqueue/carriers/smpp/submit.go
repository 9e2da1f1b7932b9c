package smpp

import (
	"fmt"
	"time"

	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/smsqueue/carriers"
)

const (
	udhIndicator     = 0x40 // esm_class: the text begins with a user data header
	receiptRequested = 0x01 // registered_delivery: a receipt for every outcome
	addressMost      = 20   // octets, without the closing NUL
	validityMost     = 30 * 24 * time.Hour
)

// Types of number and numbering plans (SMPP 3.4 5.2.5, 5.2.6).
const (
	tonUnknown       = 0
	tonInternational = 1
	tonNetwork       = 3
	tonAlphanumeric  = 5
	npiUnknown       = 0
	npiISDN          = 1
)

// Optional parameters (SMPP 3.4 5.3.2).
const (
	tagReceiptedMessageID = 0x001E
	tagSarReference       = 0x020C
	tagSarTotal           = 0x020E
	tagSarSequence        = 0x020F
	tagNetworkErrorCode   = 0x0423
	tagMessagePayload     = 0x0424
	tagMessageState       = 0x0427
)

// submitSM appends the bytes of a part, all but its sequence number, to an
// empty out. An error means that the part can never be sent as it is; it holds
// neither text nor number.
func (c *config) submitSM(out []byte, s carriers.Submission) ([]byte, error) {
	source, err := c.sender(s.From)
	if err != nil {
		return out, err
	}
	dest, err := c.receiver(s.To)
	if err != nil {
		return out, err
	}
	how, err := c.joining(s)
	if err != nil {
		return out, err
	}
	text, coding, err := c.encode(s, how)
	if err != nil {
		return out, err
	}
	out = beginPDU(out, data.SUBMIT_SM, 0, 0)
	out = appendCString(out, c.ServiceType)
	out = dest.appendTo(source.appendTo(out))
	out = append(out, how.esmClass, 0, 0, 0) // protocol_id, priority_flag, schedule_delivery_time
	out = append(appendRelativeTime(out, s.Validity), 0)
	out = append(out, receiptRequested, 0, coding, 0) // replace_if_present_flag, sm_default_msg_id
	if how.payload {
		return sealPDU(appendTLV(append(out, 0), tagMessagePayload, text...)), nil
	}
	header := how.header[:how.headerSize]
	out = append(out, byte(len(header)+len(text)))
	out = append(append(out, header...), text...)
	if how.sar {
		out = appendTLV(out, tagSarReference, byte(s.Reference>>8), byte(s.Reference))
		out = appendTLV(out, tagSarTotal, byte(s.Parts))
		out = appendTLV(out, tagSarSequence, byte(s.Part))
	}
	return sealPDU(out), nil
}

func (c *config) sender(from string) (address, error) {
	a := senderKind(from)
	if len(a.text) > addressMost || !printable(a.text) {
		return a, fmt.Errorf("a sender is at most %d characters of ASCII", addressMost)
	}
	a.override(c.SourceTON, c.SourceNPI)
	return a, nil
}

func senderKind(from string) address {
	switch number, international := digitsAfterPlus(from); {
	case from == "":
		return address{tonUnknown, npiUnknown, ""}
	case international:
		return address{tonInternational, npiISDN, number}
	case !isDigits(from):
		return address{tonAlphanumeric, npiUnknown, from}
	case len(from) <= 8:
		return address{tonNetwork, npiUnknown, from}
	}
	// Too long for a short code: a number whose + was lost.
	return address{tonInternational, npiISDN, from}
}

func (c *config) receiver(to string) (address, error) {
	number, international := digitsAfterPlus(to)
	if !international || len(number) > addressMost {
		return address{}, fmt.Errorf("a receiver is a + and at most %d digits", addressMost)
	}
	a := address{tonInternational, npiISDN, number}
	a.override(c.DestTON, c.DestNPI)
	return a, nil
}

func (a *address) override(ton, npi *int) {
	if ton != nil {
		a.ton = byte(*ton)
	}
	if npi != nil {
		a.npi = byte(*npi)
	}
}

func digitsAfterPlus(s string) (string, bool) {
	if len(s) < 2 || s[0] != '+' || !isDigits(s[1:]) {
		return "", false
	}
	return s[1:], true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// joining is how a part tells which message it belongs to.
type joining struct {
	payload    bool // whole, in message_payload
	sar        bool
	esmClass   byte
	header     [headerMost]byte // user data header
	headerSize int
	taken      int // octets that the handset's header takes of the room for text
}

// joining numbers a part in the way of the configuration. A part that has a
// number always gets it, also where messages usually go whole.
func (c *config) joining(s carriers.Submission) (how joining, err error) {
	shift := s.Shift.Header()
	switch {
	case s.Parts <= 1 && len(shift) == 0:
	case s.Parts <= 1:
		how.write(shift)
	case s.Part == carriers.Whole && c.LongMessages == payloadWhole:
		how.payload = true
	case s.Parts > 255 || s.Part < 1 || s.Part > s.Parts:
		err = fmt.Errorf("part %d of %d cannot be numbered", s.Part, s.Parts)
	case c.LongMessages == sarParts:
		how.sar, how.taken = true, longHeader // the carrier writes the header
	default:
		how.write(c.concatenation(s), shift)
	}
	return how, err
}

// write makes a user data header of elements (3GPP TS 23.040 9.2.3.24).
func (j *joining) write(elements ...[]byte) {
	j.esmClass, j.headerSize = udhIndicator, 1
	for _, e := range elements {
		j.headerSize += copy(j.header[j.headerSize:], e)
	}
	j.header[0] = byte(j.headerSize - 1)
	j.taken = j.headerSize
}

const (
	longHeader = 7              // octets, with the 16-bit reference
	headerMost = longHeader + 6 // with two national tables
)

// concatenation is the element that joins the parts of a message, with
// the 16-bit reference (3GPP TS 23.040 9.2.3.24.8) or the 8-bit one (9.2.3.24.1).
func (c *config) concatenation(s carriers.Submission) []byte {
	if c.ShortReference {
		return []byte{0, 3, byte(s.Reference), byte(s.Parts), byte(s.Part)}
	}
	return []byte{8, 4, byte(s.Reference >> 8), byte(s.Reference), byte(s.Parts), byte(s.Part)}
}

// appendRelativeTime writes a validity as YYMMDDhhmmss000R (SMPP 3.4 7.1.1.2),
// in whole seconds, of at most 30 days: months have no fixed length. None is
// nothing.
func appendRelativeTime(out []byte, d time.Duration) []byte {
	if d <= 0 {
		return out
	}
	s := int((min(d, validityMost) + time.Second - 1) / time.Second)
	out = append(out, "0000"...)
	for _, n := range [...]int{s / 86400, s / 3600 % 24, s / 60 % 60, s % 60} {
		out = append(out, byte('0'+n/10), byte('0'+n%10))
	}
	return append(out, "000R"...)
}
