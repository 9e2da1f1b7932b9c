package smpp

import (
	"encoding/binary"
	"errors"

	"github.com/linxGnu/gosmpp/data"
)

// errUnreadable is a deliver_sm or data_sm that breaks its own form.
var errUnreadable = errors.New("the delivery cannot be read")

// delivery is what a carrier brings, in a deliver_sm or a data_sm (SMPP 3.4
// 4.6.1, 4.7.1): a receipt, or a message from a handset. Its octets are good
// until the next read.
type delivery struct {
	source, dest address
	esmClass     byte
	coding       byte
	text         []byte // of short_message or message_payload, without its header
	udh          udh    // of the text's header, or of the SAR fields

	receiptedID, state, code []byte
}

func parseDelivery(f frame) (d delivery, err error) {
	in := fields{rest: f.body}
	in.cString() // service_type
	d.source, d.dest = in.address(), in.address()
	d.esmClass = in.octet()
	if f.command == dataSM {
		in.octet() // registered_delivery
		d.coding = in.octet()
	} else {
		in.octets(2) // protocol_id, priority_flag
		in.cString() // schedule_delivery_time
		in.cString() // validity_period
		in.octets(2) // registered_delivery, replace_if_present_flag
		d.coding = in.octet()
		in.octet() // sm_default_msg_id
		d.text = in.octets(int(in.octet()))
	}
	if in.short || !d.options(&in) {
		return d, errUnreadable
	}
	if d.esmClass&udhIndicator != 0 {
		var header udh
		if header, d.text = splitUserData(d.text); header.valid() {
			d.udh = header
		}
		d.udh.shift = header.shift
	}
	return d, nil
}

// options reads the optional parameters; false when they run over the end.
func (d *delivery) options(in *fields) bool {
	var sar udh
	for {
		tag, value, ok := in.option()
		if !ok {
			break
		}
		switch {
		case tag == tagMessagePayload && len(d.text) == 0:
			d.text = value
		case tag == tagReceiptedMessageID:
			d.receiptedID = value
		case tag == tagMessageState:
			d.state = value
		case tag == tagNetworkErrorCode:
			d.code = value
		case tag == tagSarReference && len(value) == 2:
			sar.reference = binary.BigEndian.Uint16(value)
		case tag == tagSarTotal && len(value) == 1:
			sar.total = value[0]
		case tag == tagSarSequence && len(value) == 1:
			sar.part = value[0]
		}
	}
	if sar.valid() {
		d.udh = sar
	}
	return !in.short
}

// deliveryResponse acknowledges a deliver_sm or data_sm, or asks for it again:
// its message_id is unused (SMPP 3.4 4.6.2).
func deliveryResponse(out []byte, request data.CommandIDType, s status, sequence int32) []byte {
	return sealPDU(append(beginPDU(out, request|response, s, sequence), 0))
}
