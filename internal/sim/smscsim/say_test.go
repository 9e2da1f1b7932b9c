package smscsim_test

import (
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

func TestWhatAHandsetSaysIsDelivered(t *testing.T) {
	s := start(t, smscsim.Options{})
	if err := s.Say(somebody, "26112", "too early"); err == nil {
		t.Error("it was taken for nobody")
	}
	c := bound(t, s, 1)
	head := "\x00\x01\x01" + somebody + "\x00\x03\x0126112\x00"
	for n, want := range []struct{ text, rest string }{
		{"STOP €", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07STOP \x1b\x65"},
		{"Да", "\x00\x00\x00\x00\x00\x00\x00\x08\x00\x04\x04\x14\x04\x30"},
	} {
		if err := s.Say(somebody, "26112", want.text); err != nil {
			t.Fatal(err)
		}
		c.want(frame{5, 0, uint32(n + 1), head + want.rest})
		c.write(pdu(0x80000005, 0, uint32(n+1), "\x00"))
	}
	eventually(t, "both are acknowledged", func() bool { return s.Counts().SaidAcks == 2 })
	if err := s.Say(somebody, "26112", strings.Repeat("a", 152)+"€ and more"); err != nil {
		t.Fatal(err)
	}
	first, second := c.read().body, c.read().body
	if !strings.HasSuffix(first, "\x9e\x05\x00\x03\x01\x02\x01"+strings.Repeat("a", 152)) {
		t.Errorf("part 1 is %q", first)
	}
	if !strings.HasSuffix(second, "\x05\x00\x03\x01\x02\x02\x1b\x65 and more") {
		t.Errorf("part 2 is %q", second)
	}
}

func TestWhatWasNotAcknowledgedIsSaidAgain(t *testing.T) {
	s := start(t, smscsim.Options{})
	c := bound(t, s, 9)
	if err := s.Say(somebody, "26112", "STOP"); err != nil {
		t.Fatal(err)
	}
	before := c.read()
	_ = c.conn.Close()
	after := bound(t, s, 9).read()
	if before.body != after.body {
		t.Errorf("%q came instead of %q", after.body, before.body)
	}
	if got := s.Counts(); got.Said != 2 || got.SaidAcks != 0 {
		t.Errorf("counts %+v", got)
	}
}
