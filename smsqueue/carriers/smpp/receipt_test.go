package smpp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
)

var noon = time.Date(2026, 8, 24, 12, 0, 0, 0, time.UTC)

// deliver is a deliver_sm built by hand.
type deliver struct {
	from     string // the source address
	ton      byte
	esmClass byte
	coding   byte
	text     string
	fields   []field
}

type field struct {
	tag   uint16
	value string
}

func (d deliver) body() []byte {
	b := []byte{0, d.ton, 1}
	b = append(b, d.from+"\x00"...)
	b = append(b, "\x05\x00ACME\x00"...)
	b = append(b, d.esmClass, 0, 0, 0, 0, 0, 0, d.coding, 0, byte(len(d.text)))
	b = append(b, d.text...)
	for _, f := range d.fields {
		b = binary.BigEndian.AppendUint16(b, f.tag)
		b = binary.BigEndian.AppendUint16(b, uint16(len(f.value)))
		b = append(b, f.value...)
	}
	return b
}

func (d deliver) bytes() []byte {
	return encodePDU(0x05, 0, 7, d.body())
}

func encodePDU(command, status, sequence uint32, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(body)))
	b = binary.BigEndian.AppendUint32(b, command)
	b = binary.BigEndian.AppendUint32(b, status)
	b = binary.BigEndian.AppendUint32(b, sequence)
	return append(b, body...)
}

var errNoReceipt = errors.New("no receipt")

// receiptIn reads a deliver_sm the way a session does.
func receiptIn(bytes []byte, arrived time.Time) (carriers.Receipt, error) {
	in := frames{in: bufio.NewReaderSize(strings.NewReader(string(bytes)), frameMost)}
	f, err := in.next()
	if err != nil {
		return carriers.Receipt{}, err
	}
	d, err := parseDelivery(f)
	switch {
	case err != nil:
		return carriers.Receipt{}, err
	case !d.isReceipt():
		return carriers.Receipt{}, errNoReceipt
	}
	return d.receipt(arrived)
}

func TestReceiptTextAsCarriersWriteIt(t *testing.T) {
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 8, 24, hour, minute, second, 0, time.UTC)
	}
	tests := []struct {
		name string
		text string
		want carriers.Receipt
	}{
		{
			name: "as in appendix B",
			text: "id:0123456789 sub:001 dlvrd:001 submit date:2608241001 done date:2608241002 stat:DELIVRD err:000 text:Hello",
			want: carriers.Receipt{ID: "0123456789", State: carriers.Delivered, Code: "000", At: at(10, 2, 0)},
		},
		{
			name: "seconds in the dates, capital Text",
			text: "id:64567564356765435676 sub:001 dlvrd:000 submit date:260824100152 done date:260824100157 stat:UNDELIV err:069 Text:Hello",
			want: carriers.Receipt{ID: "64567564356765435676", State: carriers.Undelivered, Code: "069", At: at(10, 1, 57)},
		},
		{
			name: "whole years in the dates",
			text: "id:1 submit date:20260824100152 done date:20260824100157 stat:EXPIRED err:1",
			want: carriers.Receipt{ID: "1", State: carriers.Expired, Code: "1", At: at(10, 1, 57)},
		},
		{
			name: "a whole year and no seconds",
			text: "id:1 done date:202608241001 stat:EXPIRED",
			want: carriers.Receipt{ID: "1", State: carriers.Expired, At: at(10, 1, 0)},
		},
		{
			name: "another order, hex error",
			text: "stat:REJECTD err:21b id:AbC-1 done date:2608241002",
			want: carriers.Receipt{ID: "AbC-1", State: carriers.Refused, Code: "21b", At: at(10, 2, 0)},
		},
		{
			name: "only the needful",
			text: "id:c449ab9744f47b6af1879e49e75e4f40 stat:ENROUTE",
			want: carriers.Receipt{ID: "c449ab9744f47b6af1879e49e75e4f40", State: carriers.Enroute, At: noon},
		},
		{
			name: "a UUID, commas, capitals, underscores",
			text: "ID:6a1f7c02-1a2b-4c3d-8e9f-001122334455,SUB:001,DONE_DATE:2608241002,STAT:delivered,ERR:000",
			want: carriers.Receipt{ID: "6a1f7c02-1a2b-4c3d-8e9f-001122334455", State: carriers.Delivered, Code: "000", At: at(10, 2, 0)},
		},
		{
			name: "empty fields and spaces behind the colon",
			text: "id: 77 sub: dlvrd: submit date: done date: stat: ACCEPTD err: text:",
			want: carriers.Receipt{ID: "77", State: carriers.Enroute, At: noon},
		},
		{
			name: "the sender's words look like fields",
			text: "id:1 stat:UNDELIV text:id:2 stat:DELIVRD err:000 done date:2608241002",
			want: carriers.Receipt{ID: "1", State: carriers.Undelivered, At: noon},
		},
		{
			name: "the text comes first",
			text: "text:Hello id:1 stat:DELETED err:005",
			want: carriers.Receipt{ID: "1", State: carriers.Undelivered, Code: "005", At: noon},
		},
		{
			name: "a clock ahead of ours",
			text: "id:1 done date:2608241402 stat:UNKNOWN",
			want: carriers.Receipt{ID: "1", State: carriers.Undelivered, At: noon},
		},
		{
			name: "a date that is none",
			text: "id:1 done date:9999999999 stat:SKIPPED",
			want: carriers.Receipt{ID: "1", State: carriers.Undelivered, At: noon},
		},
		{
			name: "a word that ends like a field",
			text: "grid:9 id:1 restat:X stat:DELIVRD",
			want: carriers.Receipt{ID: "1", State: carriers.Delivered, At: noon},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Phone = "+4791234567"
			got, err := receiptIn(deliver{from: "4791234567", ton: 1, esmClass: 4, text: tt.text}.bytes(), noon)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReceiptFieldsGoBeforeTheText(t *testing.T) {
	const text = "id:55 done date:2608241002 stat:UNDELIV err:011"
	done := time.Date(2026, 8, 24, 10, 2, 0, 0, time.UTC)
	tests := []struct {
		name string
		pdu  deliver
		want carriers.Receipt
	}{
		{
			name: "all fields and a text",
			pdu:  deliver{esmClass: 4, text: text, fields: []field{{0x1E, "37\x00"}, {0x427, "\x02"}, {0x423, "\x03\x00\x15"}}},
			want: carriers.Receipt{ID: "37", State: carriers.Delivered, Code: "021", At: done},
		},
		{
			name: "fields fill in what the text says",
			pdu:  deliver{esmClass: 4, text: text, fields: []field{{0x427, "\x03"}, {0x423, "\x03\x00\x00"}}},
			want: carriers.Receipt{ID: "55", State: carriers.Expired, Code: "011", At: done},
		},
		{
			name: "fields alone, without the receipt bit",
			pdu:  deliver{fields: []field{{0x1E, "37\x00"}, {0x427, "\x08"}}},
			want: carriers.Receipt{ID: "37", State: carriers.Refused, At: noon},
		},
		{
			name: "an id without its NUL, a state of SMPP 5.0",
			pdu:  deliver{fields: []field{{0x1E, "37"}, {0x427, "\x09"}}},
			want: carriers.Receipt{ID: "37", State: carriers.Undelivered, At: noon},
		},
		{
			name: "the text in message_payload",
			pdu:  deliver{esmClass: 4, fields: []field{{0x424, text}}},
			want: carriers.Receipt{ID: "55", State: carriers.Undelivered, Code: "011", At: done},
		},
		{
			name: "the text in UCS-2",
			pdu:  deliver{esmClass: 4, coding: 8, text: string(smstext.EncodeUCS2(text))},
			want: carriers.Receipt{ID: "55", State: carriers.Undelivered, Code: "011", At: done},
		},
		{
			name: "an unknown state falls back to the text",
			pdu:  deliver{esmClass: 4, text: text, fields: []field{{0x427, "\x63"}}},
			want: carriers.Receipt{ID: "55", State: carriers.Undelivered, Code: "011", At: done},
		},
		{
			name: "the id in its field, the rest in a text with commas and Text:",
			pdu:  deliver{esmClass: 4, text: "sub:001,dlvrd:001,stat:UNDELIV,err:21b,Text:id:9 stat:DELIVRD", fields: []field{{0x1E, "c0ffee\x00"}}},
			want: carriers.Receipt{ID: "c0ffee", State: carriers.Undelivered, Code: "21b", At: noon},
		},
		{
			name: "the state in its field, the id in the text",
			pdu:  deliver{esmClass: 4, text: "id:55", fields: []field{{0x427, "\x05"}}},
			want: carriers.Receipt{ID: "55", State: carriers.Undelivered, At: noon},
		},
		{
			name: "fields beside a text of no known form",
			pdu:  deliver{esmClass: 4, text: "55;20260824;OK", fields: []field{{0x1E, "55\x00"}, {0x427, "\x02"}}},
			want: carriers.Receipt{ID: "55", State: carriers.Delivered, At: noon},
		},
		{
			name: "news on the way",
			pdu:  deliver{esmClass: 0x20, text: "id:55 stat:ENROUTE"},
			want: carriers.Receipt{ID: "55", State: carriers.Enroute, At: noon},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := receiptIn(tt.pdu.bytes(), noon)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryMessageState(t *testing.T) {
	want := []carriers.ReceiptState{
		carriers.Enroute, carriers.Enroute, carriers.Delivered, carriers.Expired, carriers.Undelivered,
		carriers.Undelivered, carriers.Enroute, carriers.Undelivered, carriers.Refused, carriers.Undelivered, "",
	}
	var got []carriers.ReceiptState
	for value := range byte(11) {
		got = append(got, messageState([]byte{value}))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if messageState(nil) != "" || messageState([]byte{0, 2}) != "" {
		t.Error("a state of the wrong length was read")
	}
}

func TestWhatIsNoReceipt(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"a message", deliver{from: "4791234567", ton: 1, text: "id:1 stat:DELIVRD"}.bytes(), errNoReceipt},
		{"a message with an id only", deliver{text: "hi", fields: []field{{0x1E, "1"}}}.bytes(), errNoReceipt},
		{"a part of a long message", deliver{esmClass: 0x40, text: "\x05\x00\x03\x01\x02\x01hi"}.bytes(), errNoReceipt},
		{"no id", deliver{esmClass: 4, text: "stat:DELIVRD"}.bytes(), errNoID},
		{"no state", deliver{esmClass: 4, text: "id:1 err:000"}.bytes(), errNoState},
		{"a state nobody knows", deliver{esmClass: 4, text: "id:1 stat:MAYBE"}.bytes(), errNoState},
		{"a text longer than the PDU", encodePDU(5, 0, 1, deliver{text: "hello"}.body()[:20]), errUnreadable},
		{"a field longer than the PDU", encodePDU(5, 0, 1, append(deliver{}.body(), 0, 0x1E, 0, 9, 'x')), errUnreadable},
		{"nothing", encodePDU(5, 0, 1, nil), errUnreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := receiptIn(tt.bytes, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestPhoneInAReceipt(t *testing.T) {
	for from, want := range map[string]string{
		"4791234567":   "+4791234567",
		"+4791234567":  "+4791234567",
		"004791234567": "+4791234567",
		"091234567":    "",
		"ACME":         "",
		"":             "",
	} {
		r, err := receiptIn(deliver{from: from, esmClass: 4, text: "id:1 stat:DELIVRD"}.bytes(), noon)
		if err != nil || r.Phone != want {
			t.Errorf("%q is %q, %v; want %q", from, r.Phone, err, want)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add(deliver{from: "47912", esmClass: 4, text: "id:1 stat:DELIVRD"}.body())
	f.Add(deliver{esmClass: 0x44, text: "\x06\x08\x04\x00\x01\x02\x01id:1 stat:DELIVRD"}.body())
	f.Add(deliver{esmClass: 0x44, text: "\x01\x00"}.body())
	f.Add(deliver{fields: []field{{0x1E, "1\x00"}, {0x427, "\x02"}, {0x423, "\x03\x01\x02"}, {0x424, "x"}}}.body())
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := receiptIn(encodePDU(5, 0, 1, body), noon)
		if err == nil && (r.ID == "" || r.State == "" || r.At.After(noon)) {
			t.Errorf("accepted %+v", r)
		}
		if r.Phone != "" && strings.TrimLeft(r.Phone, "+0123456789") != "" {
			t.Errorf("phone %q", r.Phone)
		}
	})
}
