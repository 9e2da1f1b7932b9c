package smscsim

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"
)

// receipt is one delivery receipt on its way. Its mailbox guards it once it is due.
type receipt struct {
	from, to       string // the number texted, and the sender who gets the receipt
	fromTON, toTON byte
	fromNPI, toNPI byte
	id, stat, text string
	submitted      time.Time
	done           time.Time
	repeat         bool // the second of a pair of duplicates
	sent           bool
}

const delivered = "DELIVRD"

// messageStates maps stat to the message_state parameter (SMPP 3.4 5.2.28).
var messageStates = map[string]byte{
	"ENROUTE": 1, delivered: 2, "EXPIRED": 3, "DELETED": 4,
	"UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8,
}

// receiptFor begins the receipt of an accepted submit; nil when there is to be none.
func receiptFor(f *Faults, m submit, destination string) *receipt {
	stat, failed := f.Fail[destination]
	if !failed {
		stat = delivered
	}
	if f.NoReceipts || !wantsReceipt(m.registered, stat) {
		return nil
	}
	return &receipt{
		from: destination, fromTON: m.destination.ton, fromNPI: m.destination.npi,
		toTON: m.source.ton, toNPI: m.source.npi,
		stat: stat,
	}
}

func (r *receipt) duplicate() *receipt {
	d := *r
	d.repeat, d.sent = true, false
	return &d
}

// counts says whether this receipt is one of Counts: final, and not a duplicate.
func (r *receipt) counts() bool {
	return !r.repeat && r.stat != "ENROUTE"
}

func (r *receipt) state() byte {
	if state, ok := messageStates[r.stat]; ok {
		return state
	}
	return messageStates["UNKNOWN"]
}

// wantsReceipt reads registered_delivery bits 1 and 0 (SMPP 3.4 5.2.17): 01 asks for a receipt
// whatever happens, 10 only for a failure.
func wantsReceipt(registered byte, stat string) bool {
	return registered&0x01 != 0 || registered&0x02 != 0 && stat != delivered
}

// message appends the text of SMPP 3.4 appendix B. Its dates have no zone; these are UTC.
func (r *receipt) message(b []byte) []byte {
	const minutes = "0601021504"
	reached, code := "000", "001"
	if r.stat == delivered {
		reached, code = "001", "000"
	}
	b = append(append(b, "id:"...), r.id...)
	b = append(append(b, " sub:001 dlvrd:"...), reached...)
	b = r.submitted.UTC().AppendFormat(append(b, " submit date:"...), minutes)
	b = r.done.UTC().AppendFormat(append(b, " done date:"...), minutes)
	b = append(append(b, " stat:"...), r.stat...)
	b = append(append(b, " err:"...), code...)
	return append(append(b, " text:"...), r.text...)
}

// body appends the deliver_sm that carries the receipt (SMPP 3.4 4.6.1).
func (r *receipt) body(b []byte) []byte {
	const esmReceipt = 0x04 // SMPP 3.4 5.2.12
	b = append(b, 0)        // service_type
	b = appendCString(append(b, r.fromTON, r.fromNPI), r.from)
	b = appendCString(append(b, r.toTON, r.toNPI), r.to)
	b = append(b, esmReceipt, 0, 0) // protocol_id, priority_flag
	b = append(b, 0, 0)             // schedule_delivery_time, validity_period
	b = append(b, 0, 0, 0, 0)       // registered_delivery, replace, data_coding, sm_default_msg_id
	length := len(b)
	b = r.message(append(b, 0))
	b[length] = byte(len(b) - length - 1)
	b = appendCString(appendTLV(b, tagReceiptedMessageID, nil), r.id)
	binary.BigEndian.PutUint16(b[len(b)-len(r.id)-3:], uint16(len(r.id)+1))
	return appendTLV(b, tagMessageState, []byte{r.state()})
}

// leaves counts a receipt when it is sent for the first time.
func (r *receipt) leaves(c *counters) {
	if !r.sent && r.counts() {
		c.receipts.Add(1)
	}
	r.sent = true
}

func (r *receipt) arrives(c *counters) {
	if r.counts() {
		c.receiptAcks.Add(1)
	}
}

// excerpt is the beginning of a text as a receipt quotes it: 20 characters at most, and only
// those that are the same octet in GSM-7, Latin-1 and ASCII, whatever the reader takes it for.
func excerpt(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > 20 {
			break
		}
		if r < ' ' || r > 'z' || strings.ContainsRune("$@[\\]^_`", r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// spread returns between half and one and a half of mean.
func spread(mean time.Duration) time.Duration {
	if mean <= 0 {
		return 0
	}
	return mean/2 + rand.N(mean)
}
