package slug

import (
	"math"
	"strings"
	"testing"
)

func TestAGuessFindsNobody(t *testing.T) {
	if bits := math.Log2(float64(len(Letters))) * Length; bits < 80 {
		t.Errorf("a slug has %.0f bits", bits)
	}
	seen, counts := map[string]bool{}, map[rune]int{}
	const many = 20_000
	for range many {
		s := New()
		if seen[s] {
			t.Fatalf("%s came twice", s)
		}
		seen[s] = true
		for _, r := range s {
			counts[r]++
		}
	}
	// Each of the 32 letters is expected 10,000 times; the deviation is 98.
	for _, r := range Letters {
		if n := counts[r]; math.Abs(float64(n)-many*Length/32) > 700 {
			t.Errorf("%c came %d times", r, n)
		}
	}
}

func TestASlugIsReadAsItWasMade(t *testing.T) {
	for range 1000 {
		s := New()
		for _, typed := range []string{s, strings.ToUpper(s), strings.ReplaceAll(s, "0", "O"), strings.ReplaceAll(s, "1", "l"), strings.ReplaceAll(s, "1", "I")} {
			if got, ok := Parse(typed); !ok || got != s {
				t.Errorf("%q is read as %q, %t", typed, got, ok)
			}
		}
	}
}

func TestWhatWasNeverASlugIsRefused(t *testing.T) {
	for _, text := range []string{"", "abc", "0123456789abcdef0", "0123456789abcde", "0123456789abcdeu", "0123456789abcde-", "0123456789abcde ", "../../etc/passwd", "0123456789abcdé", "0123456789ab\x00cde", "0123456789abc\u212a"} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("7h2kx09qmz4bd8ra")
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := Parse(text)
		if !ok {
			return
		}
		if again, ok := Parse(s); !ok || again != s || len(s) != Length {
			t.Errorf("%q is read as %q and that as %q", text, s, again)
		}
	})
}
