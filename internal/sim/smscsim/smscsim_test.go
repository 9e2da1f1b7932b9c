package smscsim_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"regexp"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

// One session, octet by octet, laid out as SMPP 3.4 4.1.5, 4.1.6, 4.4.1, 4.4.2, 4.6.1, 4.6.2,
// 4.11 and 4.2.
func TestGoldenSession(t *testing.T) {
	s := start(t, smscsim.Options{SystemID: "varsel", Password: "secret"})
	c := dial(t, s)
	c.write(unhex(`00000023 00000009 00000000 00000001
		76617273656c00 73656372657400 00 34 00 00 00`))
	c.wantHex(`0000001d 80000009 00000000 00000001
		736d736373696d00 0210 0001 34`)
	c.write(unhex(`00000036 00000004 00000000 00000002
		00 05 00 56617273656c00 01 01 3437393930303030303100
		00 00 00 00 00 01 00 00 00 05 48656c6c6f`))
	c.wantHex(`0000001a 80000004 00000000 00000002`)
	id := c.octets(9)
	c.wantHex(`00`)
	c.wantGoldenReceipt(string(id))
	c.write(unhex(`00000011 80000005 00000000 00000001 00`))
	c.write(unhex(`00000010 00000015 00000000 00000003`))
	c.wantHex(`00000010 80000015 00000000 00000003`)
	c.write(unhex(`00000010 00000006 00000000 00000004`))
	c.wantHex(`00000010 80000006 00000000 00000004`)
	c.wantClosed()
	want := smscsim.Counts{Binds: 1, Submits: 1, Accepted: 1, Receipts: 1, ReceiptAcks: 1}
	if got := s.Counts(); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func (c *client) octets(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	for i := range b {
		var err error
		if b[i], err = c.in.ReadByte(); err != nil {
			c.t.Fatal(err)
		}
	}
	return b
}

// wantGoldenReceipt takes only the two dates as they come.
func (c *client) wantGoldenReceipt(id string) {
	c.t.Helper()
	c.wantHex(`000000ae 00000005 00000000 00000001
		00 01 01 3437393930303030303100 05 00 56617273656c00
		04 00 00 00 00 00 00 00 00 6a`)
	text := string(c.octets(0x6a))
	dates := regexp.MustCompile(`\d{10}`)
	now := time.Now().UTC()
	for _, d := range dates.FindAllString(text, -1) {
		at, err := time.Parse("0601021504", d)
		if err != nil || now.Sub(at) > 2*time.Minute || at.After(now) {
			c.t.Errorf("date %s at %s: %v", d, now, err)
		}
	}
	want := "id:" + id + " sub:001 dlvrd:001 submit date:# done date:# stat:DELIVRD err:000 text:Hello"
	if got := dates.ReplaceAllString(text, "#"); got != want {
		c.t.Errorf("receipt text %q, want %q", got, want)
	}
	c.wantHex(`001e 000a ` + hex.EncodeToString([]byte(id)) + `00 0427 0001 02`)
}

func TestBindIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		systemID, password string
		forced, status     uint32
	}{
		"welcome":            {"varsel", "secret", 0, 0},
		"wrong system id":    {"someone", "secret", 0, 0x0F},
		"wrong password":     {"varsel", "guess", 0, 0x0E},
		"long system id":     {"sixteen-is-a-lot", "secret", 0, 0x0F},
		"long password":      {"varsel", "nine-char", 0, 0x0E},
		"forced, even right": {"varsel", "secret", 0x0D, 0x0D},
	} {
		for command, refusal := range map[uint32]string{1: "", 2: "", 9: "smscsim\x00"} {
			t.Run(fmt.Sprint(name, " ", command), func(t *testing.T) {
				s := start(t, smscsim.Options{SystemID: "varsel", Password: "secret",
					Faults: smscsim.Faults{BindStatus: c.forced}})
				client := dial(t, s)
				client.write(bindPDU(command, c.systemID, c.password))
				body, want := refusal, smscsim.Counts{RefusedBinds: 1}
				if c.status == 0 {
					body, want = "smscsim\x00\x02\x10\x00\x01\x34", smscsim.Counts{Binds: 1}
				}
				client.want(frame{command | 0x80000000, c.status, 1, body})
				if got := s.Counts(); got != want {
					t.Errorf("counts %+v, want %+v", got, want)
				}
			})
		}
	}
}

func TestSecondBindIsRefusedAndTheFirstStays(t *testing.T) {
	c := bound(t, start(t, smscsim.Options{}), 9)
	c.write(bindPDU(2, "varsel", ""), sm{to: somebody}.pdu(2))
	c.want(frame{0x80000002, 0x05, 1, ""})
	c.accepted(2)
}

func TestNoMoreAreBoundAtOnceThanMay(t *testing.T) {
	s := start(t, smscsim.Options{Faults: smscsim.Faults{Binds: 2}})
	first := bound(t, s, 9)
	bound(t, s, 9)
	again := dial(t, s)
	again.write(bindPDU(9, "varsel", ""))
	again.want(frame{0x80000009, 0x0D, 1, "smscsim\x00"})
	first.write(pdu(6, 0, 2, ""))
	first.want(frame{0x80000006, 0, 2, ""})
	bound(t, s, 9)
	if got := s.Counts(); got.Binds != 3 || got.RefusedBinds != 1 {
		t.Errorf("counts %+v", got)
	}
}

func TestSubmitNeedsABindThatTransmits(t *testing.T) {
	s := start(t, smscsim.Options{})
	for _, c := range []*client{dial(t, s), bound(t, s, 1)} {
		c.write(sm{to: somebody}.pdu(7))
		c.refused(7, 0x04)
	}
	bound(t, s, 2).write(sm{to: somebody}.pdu(8))
	eventually(t, "the transmitter's submit counts", func() bool { return s.Counts().Accepted == 1 })
	if got := s.Counts(); got.Refused != 2 || got.Submits != 3 {
		t.Errorf("counts %+v", got)
	}
}

func TestUnknownCommandIsNackedAndTheSessionGoesOn(t *testing.T) {
	c := bound(t, start(t, smscsim.Options{}), 9)
	c.write(pdu(0x0000BEEF, 0, 5, "whatever"), pdu(0x80000103, 0, 6, ""), pdu(0x15, 0, 7, ""))
	c.want(frame{0x80000000, 0x03, 5, ""})
	c.want(frame{0x80000015, 0, 7, ""})
}

func TestBadLengthIsNackedAndTheConnectionClosed(t *testing.T) {
	for name, c := range map[string]struct{ octets, nack string }{
		"shorter than a header": {`0000000f 00000015 00000000 00000005`, `00000010 80000000 00000002 00000005`},
		"nothing but a length":  {`00000004`, `00000010 80000000 00000002 00000000`},
		"huge":                  {`7fffffff 00000004 00000000 00000006`, `00000010 80000000 00000002 00000006`},
		"submit ends early":     {`00000012 00000004 00000000 00000007 0005`, `00000010 80000000 00000002 00000007`},
		"bind ends early":       {`00000012 00000009 00000000 00000008 6162`, `00000010 80000000 00000002 00000008`},
		"short_message missing": {
			`00000022 00000004 00000000 00000009 00 0000 00 0000 3100 000000 00 00 00000000 05 41`,
			`00000010 80000000 00000002 00000009`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := dial(t, start(t, smscsim.Options{}))
			client.write(unhex(c.octets))
			client.wantHex(c.nack)
			client.wantClosed()
		})
	}
}

func TestFieldThatBreaksItsRuleIsRefusedByName(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 9)
	cases := []struct {
		m      sm
		status uint32
	}{
		{sm{to: "+" + somebody}, 0x0B},
		{sm{to: ""}, 0x0B},
		{sm{to: strings.Repeat("9", 21)}, 0x0B},
		{sm{to: somebody, from: strings.Repeat("s", 21)}, 0x0A},
		{sm{to: somebody, text: strings.Repeat("x", 255)}, 0x01},
		{sm{to: somebody, text: "short", tlvs: tlv(0x0424, "and long")}, 0xC1},
		{sm{to: somebody, tlvs: tlv(0x020C, "\x01")}, 0xC2},
		{sm{to: somebody, tlvs: tlv(0x020E, "\x01\x02")}, 0xC2},
		{sm{to: somebody, tlvs: "\x04\x24\x00\x09x"}, 0xC0},
		{sm{to: somebody, tlvs: "\x04"}, 0xC0},
		{sm{to: somebody, esm: 0x40, text: ""}, 0x43},
		{sm{to: somebody, esm: 0x40, text: "\x05\x00\x03"}, 0x43},
		{sm{to: somebody, esm: 0x40, text: "\x03\x00\x09\x01text"}, 0x43},
	}
	for i, v := range cases {
		c.write(v.m.pdu(uint32(i + 2)))
		c.refused(uint32(i+2), v.status)
	}
	if got := s.Counts(); got.Refused != len(cases) || len(s.Numbers()) != 0 {
		t.Errorf("counts %+v, numbers %v", got, s.Numbers())
	}
}

func TestTextsAreReadable(t *testing.T) {
	for name, c := range map[string]struct {
		parts []sm
		want  string
	}{
		"GSM-7":          {[]sm{{text: "bl\x0fb\x0cr @\x00 \x02 \x1b\x65"}}, "blåbør ¡@ $ €"},
		"GSM-7 flash":    {[]sm{{coding: 240, text: "\x1b\x3c\x1b\x3e"}}, "[]"},
		"ASCII":          {[]sm{{coding: 1, text: "@$_"}}, "@$_"},
		"Latin-1":        {[]sm{{coding: 3, text: "bl\xe5b\xe6r"}}, "blåbær"},
		"UTF-16":         {[]sm{{coding: 8, text: "\x04\x2f\xd8\x3d\xde\x00"}}, "Я😀"},
		"binary":         {[]sm{{coding: 4, text: "\x00\xff"}}, "00ff"},
		"payload":        {[]sm{{tlvs: tlv(0x0424, strings.Repeat("long ", 200))}}, strings.Repeat("long ", 200)},
		"8-bit parts":    {[]sm{{esm: 0x40, text: "\x05\x00\x03\x07\x02\x01one "}, {esm: 0x40, text: "\x05\x00\x03\x07\x02\x02two"}}, "one two"},
		"16-bit, turned": {[]sm{{esm: 0x40, text: "\x06\x08\x04\x01\x07\x02\x02two"}, {esm: 0x40, text: "\x06\x08\x04\x01\x07\x02\x01one "}}, "one two"},
		"SAR": {[]sm{
			{text: "one ", tlvs: tlv(0x020C, "\x00\x07") + tlv(0x020E, "\x02") + tlv(0x020F, "\x01")},
			{text: "two", tlvs: tlv(0x020C, "\x00\x07") + tlv(0x020E, "\x02") + tlv(0x020F, "\x02")},
		}, "one two"},
		"a part again": {[]sm{
			{esm: 0x40, text: "\x05\x00\x03\x07\x02\x02two"}, {esm: 0x40, text: "\x05\x00\x03\x07\x02\x02TWO"},
			{esm: 0x40, text: "\x05\x00\x03\x07\x02\x01one "},
		}, "one TWO"},
		"other header":         {[]sm{{esm: 0x40, text: "\x03\x24\x01\x01turkish"}}, "turkish"},
		"part 3 of 2 is whole": {[]sm{{esm: 0x40, text: "\x05\x00\x03\x07\x02\x03odd"}}, "odd"},
		"header in a payload":  {[]sm{{esm: 0x40, tlvs: tlv(0x0424, "\x05\x00\x03\x07\x01\x01whole")}}, "whole"},
		"split surrogate shows": {[]sm{
			{esm: 0x40, coding: 8, text: "\x05\x00\x03\x07\x02\x01\xd8\x3d"}, {esm: 0x40, coding: 8, text: "\x05\x00\x03\x07\x02\x02\xde\x00"},
		}, "\uFFFD\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, smscsim.Options{})
			client := bound(t, s, 2)
			for i, m := range c.parts {
				m.to = somebody
				client.write(m.pdu(uint32(i + 2)))
				client.accepted(uint32(i + 2))
			}
			if got := s.Texts(somebody); !reflect.DeepEqual(got, []string{c.want}) {
				t.Errorf("texts %q, want %q", got, c.want)
			}
			if got := s.Numbers(); !reflect.DeepEqual(got, map[string]int{somebody: 1}) {
				t.Errorf("numbers %v", got)
			}
		})
	}
}

func TestConcatenatedMessageCountsWithItsFirstPart(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 2)
	c.write(sm{to: somebody, esm: 0x40, text: "\x05\x00\x03\x07\x02\x02two"}.pdu(2))
	c.accepted(2)
	if got := s.Numbers(); len(got) != 0 {
		t.Errorf("after part 2: %v", got)
	}
	c.write(sm{to: somebody, esm: 0x40, text: "\x05\x00\x03\x07\x02\x01one "}.pdu(3))
	c.accepted(3)
	if got := s.Numbers()[somebody]; got != 1 {
		t.Errorf("after part 1: %d", got)
	}
}

func TestLastEightTextsAndFirstAndLastTimeAreKept(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 2)
	before := time.Now()
	var want []string
	for i := range 11 {
		c.write(sm{to: somebody, text: fmt.Sprint("text ", i)}.pdu(uint32(i)))
		c.accepted(uint32(i))
		want = append(want, fmt.Sprint("text ", i))
	}
	if got := s.Texts(somebody); !reflect.DeepEqual(got, want[3:]) {
		t.Errorf("texts %q", got)
	}
	first, last := s.Times(somebody)
	if first.Before(before.Round(0)) || !last.After(first) || last.After(time.Now()) {
		t.Errorf("times %s and %s", first, last)
	}
	s.Reset()
	first, last = s.Times(somebody)
	if len(s.Numbers()) != 0 || s.Texts(somebody) != nil || !first.IsZero() || !last.IsZero() || s.Counts() != (smscsim.Counts{}) {
		t.Error("reset left something behind")
	}
}

func TestPDUsMayComeInAnyPieces(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := dial(t, s)
	octets := append(bindPDU(9, "varsel", ""), sm{to: somebody, text: "bit by bit"}.pdu(2)...)
	for _, b := range octets {
		c.write([]byte{b})
	}
	c.read()
	c.accepted(2)
	if got := s.Texts(somebody); !reflect.DeepEqual(got, []string{"bit by bit"}) {
		t.Errorf("texts %q", got)
	}
}

// The answers to what came before half a PDU do not wait for its other half.
func TestAnswersDoNotWaitForTheNextPDU(t *testing.T) {
	c := bound(t, start(t, smscsim.Options{}), 9)
	whole, half := sm{to: somebody}.pdu(2), sm{to: somebody}.pdu(3)
	c.write(whole, half[:20])
	c.accepted(2)
	c.write(half[20:])
	c.accepted(3)
}

func TestServerEnquiresAndClosesTheSilent(t *testing.T) {
	s := start(t, smscsim.Options{EnquireEvery: 2 * time.Second})
	c := bound(t, s, 9)
	for n := uint32(1); n <= 3; n++ {
		c.want(frame{0x15, 0, n, ""})
		c.write(pdu(0x80000015, 0, n, ""))
	}
	c.want(frame{0x15, 0, 4, ""})
	c.wantClosed()
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	s := startWith(t, smscsim.Faults{AnswerDelay: time.Hour, ReceiptDelay: time.Hour})
	clients := []*client{dial(t, s), bound(t, s, 1), bound(t, s, 2), bound(t, s, 9)}
	clients[3].write(sm{to: somebody, registered: 1}.pdu(2))
	eventually(t, "a submit is accepted", func() bool { return s.Counts().Accepted == 1 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range clients {
		c.wantClosed()
	}
	var stacks bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stacks.String(), "smscsim.(*") {
		t.Errorf("still running:\n%s", stacks.String())
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if s.Numbers()[somebody] != 1 {
		t.Error("the record went with the server")
	}
}

func TestClientThatNeverReadsIsHeldBack(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 9)
	asking := bytes.Repeat(pdu(0x15, 0, 1, ""), 4096)
	for total := 0; ; total += len(asking) {
		_ = c.conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
		if _, err := c.conn.Write(asking); err != nil {
			break
		}
		if total > 64<<20 { // more than the sockets keep
			t.Fatal("the server reads on without end")
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStartRefusesWhatCannotBe(t *testing.T) {
	for _, o := range []smscsim.Options{
		{Addr: "nowhere"},
		{Faults: smscsim.Faults{IDForm: "roman"}},
		{Faults: smscsim.Faults{AnswerDelay: -1}},
	} {
		if s, err := smscsim.Start(o); err == nil {
			s.Close()
			t.Errorf("started with %+v", o)
		}
	}
}
