package smpp

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// handset is a deliver_sm from a phone to a short code.
type handset struct {
	fromTON, toTON byte
	from, to       string
	esmClass       byte
	coding         byte
	text           string
	fields         []field
}

func (h handset) body() []byte {
	d := deliver{esmClass: h.esmClass, coding: h.coding, text: h.text, fields: h.fields}
	b := append([]byte{0, h.fromTON, 1}, h.from+"\x00"...)
	b = append(append(b, h.toTON, 1), h.to+"\x00"...)
	return append(b, d.body()[len("\x00\x00\x01\x00\x05\x00ACME\x00"):]...)
}

// dataBody is the same in a data_sm, which has the text in a field.
func (h handset) dataBody() []byte {
	b := append([]byte{0, h.fromTON, 1}, h.from+"\x00"...)
	b = append(append(b, h.toTON, 1), h.to+"\x00"...)
	b = append(b, h.esmClass, 0, h.coding)
	return append(b, deliver{fields: append(h.fields, field{0x424, h.text})}.body()[len("\x00\x00\x01\x00\x05\x00ACME\x00")+10:]...)
}

func TestMessagesFromHandsets(t *testing.T) {
	phone := handset{fromTON: 1, from: "4791234567", toTON: 3, to: "26112"}
	with := func(change func(*handset)) handset { h := phone; change(&h); return h }
	want := func(text string) carriers.Inbound {
		return carriers.Inbound{From: "+4791234567", To: "26112", Text: text, Part: 1, Parts: 1, At: noon}
	}
	part := func(text string, n, of int, reference uint16) carriers.Inbound {
		m := want(text)
		m.Part, m.Parts, m.Reference = n, of, reference
		return m
	}
	tests := []struct {
		name   string
		fields string
		says   handset
		want   carriers.Inbound
	}{
		{"a national table", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x03\x24\x01\x01\x1bs" }), want("ş")},
		{"GSM-7", "", with(func(h *handset) { h.text = "bl\x0fb\x0cr \x1b\x65 \x00" }), want("blåbør € @")},
		{"GSM-7 with a message class", "", with(func(h *handset) { h.coding, h.text = 0xF1, "\x00" }), want("@")},
		{"octets that no septet has", "", with(func(h *handset) { h.text = "bl\xe5b\xe6r" }), want("blåbær")},
		{"Latin-1 as the carrier's alphabet", `,"default_alphabet":"latin1"`, with(func(h *handset) { h.text = "@ bl\xe5" }), want("@ blå")},
		{"another number for the carrier's alphabet", `,"gsm7_coding":241`, with(func(h *handset) { h.coding, h.text = 241, "\x00" }), want("@")},
		{"ASCII", "", with(func(h *handset) { h.coding, h.text = 1, "@$" }), want("@$")},
		{"Latin-1", "", with(func(h *handset) { h.coding, h.text = 3, "\xe6\xf8\xe5" }), want("æøå")},
		{"binary", "", with(func(h *handset) { h.coding, h.text = 4, "\x00\xff" }), want("00ff")},
		{"binary of the other kind", "", with(func(h *handset) { h.coding, h.text = 2, "\x01" }), want("01")},
		{"binary with a message class", "", with(func(h *handset) { h.coding, h.text = 0xF5, "\x01" }), want("01")},
		{"an alphabet nobody knows", "", with(func(h *handset) { h.coding, h.text = 0x0E, "ab" }), want("6162")},
		{"UCS-2", "", with(func(h *handset) { h.coding, h.text = 8, "\x04\x2f\xd8\x3d\xde\x00" }), want("Я😀")},
		{"UCS-2 with a message class", "", with(func(h *handset) { h.coding, h.text = 0x18, "\x04\x2f" }), want("Я")},
		{"UCS-2 cut in a unit", "", with(func(h *handset) { h.coding, h.text = 8, "\x04\x2f\x04" }), want("Я\uFFFD")},
		{"another number for UCS-2", `,"ucs2_coding":25`, with(func(h *handset) { h.coding, h.text = 25, "\x04\x2f" }), want("Я")},
		{"nothing", "", phone, want("")},
		{"a payload", "", with(func(h *handset) { h.fields = []field{{0x424, strings.Repeat("long ", 100)}} }), want(strings.Repeat("long ", 100))},
		{"8-bit reference", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x05\x00\x03\x07\x02\x01one" }), part("one", 1, 2, 7)},
		{"16-bit reference", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x06\x08\x04\x01\x07\x03\x02two" }), part("two", 2, 3, 0x107)},
		{"a header in a payload", "", with(func(h *handset) { h.esmClass, h.fields = 0x40, []field{{0x424, "\x05\x00\x03\x07\x02\x02two"}} }), part("two", 2, 2, 7)},
		{"SAR", "", with(func(h *handset) {
			h.text, h.fields = "two", []field{{0x20C, "\x01\x07"}, {0x20E, "\x02"}, {0x20F, "\x02"}}
		}), part("two", 2, 2, 0x107)},
		{"SAR of a single part", "", with(func(h *handset) {
			h.text, h.fields = "one", []field{{0x20C, "\x01\x07"}, {0x20E, "\x01"}, {0x20F, "\x01"}}
		}), want("one")},
		{"half of SAR", "", with(func(h *handset) { h.text, h.fields = "one", []field{{0x20C, "\x01\x07"}, {0x20E, "\x02"}} }), want("one")},
		{"SAR of the wrong length", "", with(func(h *handset) {
			h.text, h.fields = "one", []field{{0x20C, "\x07"}, {0x20E, "\x00\x02"}, {0x20F, ""}}
		}), want("one")},
		{"other elements before the reference", "", with(func(h *handset) {
			h.esmClass, h.text = 0x40, "\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x01one"
		}), part("one", 1, 2, 7)},
		{"an element nobody knows", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x03\x70\x01\xffone" }), want("one")},
		{"part 3 of 2", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x05\x00\x03\x07\x02\x03odd" }), want("odd")},
		{"a header longer than the text", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x20abc" }), want(" abc")},
		{"an element longer than the header", "", with(func(h *handset) { h.esmClass, h.text = 0x40, "\x03\x00\x09\x01abc" }), want("¥@Ç£abc")},
		{"an empty text with a header", "", with(func(h *handset) { h.esmClass = 0x40 }), want("")},
		{"a number with a plus", "", with(func(h *handset) { h.fromTON, h.from = 0, "+4791234567" }), want("")},
		{"a number with two zeros", "", with(func(h *handset) { h.fromTON, h.from = 0, "004791234567" }), want("")},
		{"a long number of ours", "", with(func(h *handset) { h.toTON, h.to = 1, "4799999999" }),
			carriers.Inbound{From: "+4791234567", To: "+4799999999", Part: 1, Parts: 1, At: noon}},
		{"a national number", "", with(func(h *handset) { h.fromTON, h.from = 2, "91234567" }),
			carriers.Inbound{From: "91234567", To: "26112", Part: 1, Parts: 1, At: noon}},
		{"a name", "", with(func(h *handset) { h.fromTON, h.from = 5, "Telenor" }),
			carriers.Inbound{From: "Telenor", To: "26112", Part: 1, Parts: 1, At: noon}},
	}
	for _, tt := range tests {
		for kind, bytes := range map[string][]byte{
			"deliver_sm": encodePDU(deliverSM, 0, 7, tt.says.body()),
			"data_sm":    encodePDU(dataSMCommand, 0, 7, tt.says.dataBody()),
		} {
			if kind == "data_sm" && len(tt.says.fields) > 0 && tt.says.fields[0].tag == 0x424 {
				continue // it is the same there
			}
			t.Run(tt.name+" in "+kind, func(t *testing.T) {
				in := frames{in: bufio.NewReaderSize(strings.NewReader(string(bytes)), frameMost)}
				f, err := in.next()
				if err != nil {
					t.Fatal(err)
				}
				d, err := parseDelivery(f)
				if err != nil || d.isReceipt() {
					t.Fatal(err, d.isReceipt())
				}
				if diff := cmp.Diff(tt.want, d.inbound(settings(t, tt.fields), noon)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// hears writes down what handsets say, and answers with store.
func (r *rig) hears(store func(m carriers.Inbound, stored func(error))) func() []carriers.Inbound {
	var mu sync.Mutex
	var all []carriers.Inbound
	r.events.Inbound = func(m carriers.Inbound, stored func(error)) {
		mu.Lock()
		all = append(all, m)
		mu.Unlock()
		store(m, stored)
	}
	return func() []carriers.Inbound {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestMessagesAreAcknowledgedWhenTheyAreStored(t *testing.T) {
	r := newTCPRig(t, "")
	heard := r.hears(func(m carriers.Inbound, stored func(error)) {
		if m.Text == "unlucky" {
			stored(errors.New("no disk"))
			stored(nil) // changes nothing
			return
		}
		go stored(nil)
	})
	r.run()
	p := r.bound()
	for _, tt := range []struct {
		name    string
		command uint32
		body    []byte
		status  uint32
	}{
		{"stored", deliverSM, handset{from: "47912", to: "1", text: "yes"}.body(), 0},
		{"not stored", deliverSM, handset{from: "47912", to: "1", text: "unlucky"}.body(), 0x64},
		{"stored, of a data_sm", dataSMCommand, handset{from: "47912", to: "1", text: "well"}.dataBody(), 0},
		{"cut short", deliverSM, handset{from: "47912", to: "1", text: "yes"}.body()[:12], 0x65},
		{"cut short, of a data_sm", dataSMCommand, handset{from: "47912", to: "1", text: "yes"}.dataBody()[:9], 0x65},
		{"a field beyond the end", dataSMCommand, append(handset{from: "47912"}.dataBody(), 4, 0x24, 0, 9), 0x65},
	} {
		p.send(tt.command, 0, 42, string(tt.body))
		if got := p.expect(tt.command | resp); got.status != tt.status || got.sequence != 42 || string(got.body) != "\x00" {
			t.Errorf("%s: %+v, want status %#x", tt.name, got, tt.status)
		}
	}
	if n := len(heard()); n != 3 {
		t.Errorf("%d messages were handed over, want 3", n)
	}
}

// U15: what a person says twice are two messages, what the carrier delivers
// twice is one.
func TestRedeliveryIsTheSameMessageAndARepeatIsNot(t *testing.T) {
	yes := string(handset{from: "47912", to: "1", text: "yes"}.body())
	for _, tt := range []struct {
		name string
		same bool
		play func(r *rig, p peer) // deliver twice
	}{
		{"a second later", false, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, yes)
			p.expect(deliverSM | resp)
			time.Sleep(time.Second)
			p.send(deliverSM, 0, 2, yes)
		}},
		{"a minute later", false, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, yes)
			p.expect(deliverSM | resp)
			go p.answerEnquiries()
			time.Sleep(time.Minute)
			p.send(deliverSM, 0, 2, yes)
		}},
		{"at once, on another session, after an acknowledgement that may be lost", true, func(r *rig, p peer) {
			p.send(deliverSM, 0, 1, yes)
			p.expect(deliverSM | resp)
			_ = p.conn.Close()
			r.bound().send(deliverSM, 0, 1, yes)
		}},
		{"on another session, after an acknowledgement that is not", false, func(r *rig, p peer) {
			p.send(deliverSM, 0, 1, yes)
			p.expect(deliverSM | resp)
			time.Sleep(10 * time.Second)
			_ = p.conn.Close()
			r.bound().send(deliverSM, 0, 1, yes)
		}},
		{"asked for again", true, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, strings.ReplaceAll(yes, "yes", "not"))
			if got := p.expect(deliverSM | resp); got.status != 0x64 {
				p.t.Errorf("status %#x", got.status)
			}
			time.Sleep(20 * time.Second)
			p.send(deliverSM, 0, 2, strings.ReplaceAll(yes, "yes", "not"))
		}},
		{"unanswered for long", true, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, strings.ReplaceAll(yes, "yes", "..."))
			time.Sleep(10 * time.Second)
			p.send(deliverSM, 0, 2, strings.ReplaceAll(yes, "yes", "..."))
		}},
		{"unanswered for a moment", false, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, strings.ReplaceAll(yes, "yes", "..."))
			time.Sleep(time.Second)
			p.send(deliverSM, 0, 2, strings.ReplaceAll(yes, "yes", "..."))
		}},
		{"with the same sequence number, unanswered", true, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, strings.ReplaceAll(yes, "yes", "..."))
			p.send(deliverSM, 0, 1, strings.ReplaceAll(yes, "yes", "..."))
		}},
		{"of another part", false, func(_ *rig, p peer) {
			p.send(deliverSM, 0, 1, string(handset{esmClass: 0x40, text: "\x05\x00\x03\x07\x02\x01..."}.body()))
			p.send(deliverSM, 0, 1, string(handset{esmClass: 0x40, text: "\x05\x00\x03\x07\x02\x02..."}.body()))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, normalPace, "", net.Pipe)
				heard := r.hears(func(m carriers.Inbound, stored func(error)) {
					switch m.Text {
					case "...": // never
					case "not":
						stored(errors.New("no disk"))
					default:
						stored(nil)
					}
				})
				r.run()
				p := r.bound()
				tt.play(r, p)
				synctest.Wait()
				all := heard()
				if len(all) != 2 || all[0].ID == "" {
					t.Fatalf("heard %+v", all)
				}
				if same := all[0].ID == all[1].ID; same != tt.same {
					t.Errorf("the same: %t, want %t", same, tt.same)
				}
			})
		})
	}
}

// What is remembered of messages goes when it is certain.
func TestArrivalsAreForgotten(t *testing.T) {
	a := arrivals{open: map[content]*arrival{}}
	s := &session{}
	certain := a.take(content{text: "certain"}, s, 1, noon)
	a.settle(certain, nil, noon)
	fresh := a.take(content{text: "fresh"}, s, 2, noon)
	a.settle(fresh, nil, noon.Add(time.Minute))
	a.take(content{text: "open"}, s, 3, noon)
	a.forget(noon.Add(time.Minute))
	if len(a.open) != 2 {
		t.Errorf("%d are kept, want 2", len(a.open))
	}
	a.left(s, noon.Add(time.Minute))
	a.forget(noon.Add(47 * time.Hour))
	if len(a.open) != 2 {
		t.Errorf("%d are kept for a new session, want 2", len(a.open))
	}
	a.forget(noon.Add(49 * time.Hour))
	if len(a.open) != 0 {
		t.Errorf("%d are kept for ever", len(a.open))
	}
}

func FuzzDelivery(f *testing.F) {
	f.Add(byte(0), handset{from: "47912", to: "1", text: "yes"}.body())
	f.Add(byte(1), handset{from: "47912", to: "1", text: "yes"}.dataBody())
	f.Add(byte(0), handset{esmClass: 0x40, coding: 8, text: "\x06\x08\x04\x00\x01\x02\x01\xd8"}.body())
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		command := uint32(deliverSM)
		if kind&1 == 1 {
			command = dataSMCommand
		}
		in := frames{in: bufio.NewReaderSize(strings.NewReader(string(encodePDU(command, 0, 1, body))), frameMost)}
		frame, err := in.next()
		if err != nil {
			return
		}
		d, err := parseDelivery(frame)
		if err != nil {
			return
		}
		m := d.inbound(settings(t, ""), noon)
		if m.Part < 1 || m.Part > m.Parts {
			t.Errorf("part %d of %d", m.Part, m.Parts)
		}
	})
}
