package smscsim

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestGSM7TableHasItsCorners(t *testing.T) {
	if len(gsmBasic) != 128 {
		t.Fatalf("%d codes, want 128", len(gsmBasic))
	}
	// From the columns of 3GPP TS 23.038 6.2.1, picked where a slip of one would show.
	for code, want := range map[byte]rune{
		0x00: '@', 0x09: 'Ç', 0x0A: '\n', 0x0D: '\r', 0x0F: 'å', 0x10: 'Δ', 0x1A: 'Ξ', 0x1E: 'ß', 0x1F: 'É',
		0x20: ' ', 0x24: '¤', 0x2F: '/', 0x30: '0', 0x3F: '?', 0x40: '¡', 0x41: 'A', 0x5A: 'Z', 0x5B: 'Ä',
		0x5F: '§', 0x60: '¿', 0x61: 'a', 0x7A: 'z', 0x7B: 'ä', 0x7F: 'à',
	} {
		if gsmBasic[code] != want {
			t.Errorf("code %#x is %q, want %q", code, gsmBasic[code], want)
		}
	}
}

func TestGSM7Escapes(t *testing.T) {
	for octets, want := range map[string]string{
		"\x1b\x0a\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40\x1b\x65": "\f^{}\\[~]|€",
		"\x1b\x1bA": " A",
		"\x1b\x41":  "A",
		"A\x1b":     "A\uFFFD",
		"\x80":      "\uFFFD",
		"\x1b\x80":  "\uFFFD",
		"":          "",
	} {
		if got := decodeGSM7([]byte(octets)); got != want {
			t.Errorf("%x is %q, want %q", octets, got, want)
		}
	}
}

func TestHalfACodeUnitShows(t *testing.T) {
	if got := decodeText(8, []byte{0, 'A', 0}); got != "A\uFFFD" {
		t.Errorf("got %q", got)
	}
}

func TestUUIDsAreVersion4AndDiffer(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for n := range uint64(10_000) {
		id := uuid(n)
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("uuid of %d: %s", n, id)
		}
		seen[id] = true
	}
}

func TestExcerptIsTheSameInEveryAlphabet(t *testing.T) {
	for text, want := range map[string]string{
		"Hello":                    "Hello",
		"blåbær [10$] @ home":      "bl?b?r ?10?? ? home",
		strings.Repeat("я", 30):    strings.Repeat("?", 20),
		"twenty characters + more": "twenty characters + ",
	} {
		if got := excerpt(text); got != want {
			t.Errorf("excerpt of %q is %q, want %q", text, got, want)
		}
	}
}

func TestUnfinishedMessagesAreBounded(t *testing.T) {
	r := newRecord()
	for n := range len(r.shards) * maxPartial * 2 {
		r.add("Varsel", fmt.Sprint(n), "one", part{1, 2, 1}, time.Now())
	}
	for i := range r.shards {
		if n := len(r.shards[i].partial); n > maxPartial {
			t.Errorf("shard %d keeps %d", i, n)
		}
	}
}

func TestClockRunsInOrder(t *testing.T) {
	c, stop, done := newClock(), make(chan struct{}), make(chan struct{})
	go func() { defer close(done); c.run(stop) }()
	order := make(chan int, 3)
	c.after(40*time.Millisecond, func() { order <- 3 })
	c.after(time.Millisecond, func() { order <- 1 })
	c.after(20*time.Millisecond, func() { order <- 2 })
	for want := 1; want <= 3; want++ {
		if got := <-order; got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	close(stop)
	<-done
}

// What one recorded message costs, with a text of its own.
func BenchmarkRecord(b *testing.B) {
	const numbers = 400_000
	destinations := make([]string, numbers)
	for i := range destinations {
		destinations[i] = fmt.Sprintf("4790%06d", i)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		r := newRecord()
		for i, d := range destinations {
			r.add("Varsel", d, decodeGSM7(fmt.Appendf(nil, "Hello number %06d, the office is closed.", i)), part{}, time.Now())
		}
		b.ReportMetric(float64(heap()-before)/numbers, "B/number")
		runtime.KeepAlive(r)
	}
}
