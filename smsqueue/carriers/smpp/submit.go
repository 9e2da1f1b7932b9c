package smpp

import (
	"fmt"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
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

// submitSM is the bytes of a part, all but its sequence number. An error means
// that the part can never be sent as it is; it holds neither text nor number.
func submitSM(s carriers.Submission) ([]byte, error) {
	var p pdu.SubmitSM
	p.CommandID = data.SUBMIT_SM
	p.RegisteredDelivery = receiptRequested
	p.ValidityPeriod = relativeTime(s.Validity)
	if s.Parts > 1 {
		p.EsmClass = udhIndicator
	}
	var err error
	if p.SourceAddr, err = sender(s.From); err != nil {
		return nil, err
	}
	if p.DestAddr, err = receiver(s.To); err != nil {
		return nil, err
	}
	if err := setText(&p.Message, s); err != nil {
		return nil, err
	}
	return marshal(&p), nil
}

func sender(from string) (pdu.Address, error) {
	if len(from) > addressMost || !printable(from) {
		return pdu.Address{}, fmt.Errorf("a sender is at most %d characters of ASCII", addressMost)
	}
	switch number, international := digitsAfterPlus(from); {
	case from == "":
		return pdu.NewAddressWithTonNpiAddr(tonUnknown, npiUnknown, "")
	case international:
		return pdu.NewAddressWithTonNpiAddr(tonInternational, npiISDN, number)
	case !isDigits(from):
		return pdu.NewAddressWithTonNpiAddr(tonAlphanumeric, npiUnknown, from)
	case len(from) <= 8:
		return pdu.NewAddressWithTonNpiAddr(tonNetwork, npiUnknown, from)
	}
	// Too long for a short code: a number whose + was lost.
	return pdu.NewAddressWithTonNpiAddr(tonInternational, npiISDN, from)
}

func receiver(to string) (pdu.Address, error) {
	number, international := digitsAfterPlus(to)
	if !international || len(number) > addressMost {
		return pdu.Address{}, fmt.Errorf("a receiver is a + and at most %d digits", addressMost)
	}
	return pdu.NewAddressWithTonNpiAddr(tonInternational, npiISDN, number)
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

// setText puts header and text in as they shall be on the wire: the codec
// would otherwise choose an encoding of its own.
func setText(m *pdu.ShortMessage, s carriers.Submission) error {
	header, err := concatenation(s)
	if err != nil {
		return err
	}
	text, coding, err := encodeText(s, len(header))
	if err != nil {
		return err
	}
	return m.SetMessageDataWithEncoding(append(header, text...), coding)
}

// concatenation is the user data header that joins the parts of a message,
// with the 16-bit reference (3GPP TS 23.040 9.2.3.24.8); empty for one part.
func concatenation(s carriers.Submission) ([]byte, error) {
	if s.Parts <= 1 {
		return nil, nil
	}
	if s.Parts > 255 || s.Part < 1 || s.Part > s.Parts {
		return nil, fmt.Errorf("part %d of %d cannot be numbered", s.Part, s.Parts)
	}
	header := make([]byte, 0, 7+152) // room for the text that follows
	return append(header, 6, 8, 4, byte(s.Reference>>8), byte(s.Reference), byte(s.Parts), byte(s.Part)), nil
}

const userData = 140 // octets in a short message, packed

func encodeText(s carriers.Submission, header int) (text []byte, coding data.Encoding, err error) {
	free := userData - header
	switch s.Encoding {
	case smstext.GSM7:
		coding = data.GSM7BIT // data_coding 0, one septet to an octet
		free = free * 8 / 7
		text, err = smstext.EncodeGSM7(s.Text)
	case smstext.UCS2:
		coding = data.UCS2 // data_coding 8
		text = smstext.EncodeUCS2(s.Text)
	default:
		err = fmt.Errorf("encoding %q is not known", s.Encoding)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(text) > free {
		return nil, nil, fmt.Errorf("a text of %d octets is more than the %d of one part", len(text), free)
	}
	return text, coding, nil
}

// relativeTime writes a validity as YYMMDDhhmmss000R (SMPP 3.4 7.1.1.2), in
// whole seconds, of at most 30 days: months have no fixed length.
func relativeTime(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	s := int((min(d, validityMost) + time.Second - 1) / time.Second)
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", s/86400, s/3600%24, s/60%60, s%60)
}
