package colour

import (
	"math"
	"testing"
)

func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, c := range []struct {
		over, under string
		want        float64
	}{
		{"#000000", "#ffffff", 21},
		{"#ffffff", "#000000", 21},
		{"#777777", "#ffffff", 4.48}, // the grey that just misses 4.5
		{"#767676", "#ffffff", 4.54},
		{"#ff0000", "#ffffff", 4.00},
		{"#0000ff", "#ffffff", 8.59},
		{"#123456", "#123456", 1},
	} {
		over, ok1 := Parse(c.over)
		under, ok2 := Parse(c.under)
		if got := Contrast(over, under); !ok1 || !ok2 || math.Abs(got-c.want) > 0.005 {
			t.Errorf("%s on %s has %.3f, want %.2f", c.over, c.under, got, c.want)
		}
	}
}

func TestOnlySixDigitsAreAColour(t *testing.T) {
	for _, text := range []string{"", "#", "#fff", "000000", "#0000000", "#gggggg", "#-10000", "red", "#00000", "#0000 0", "url(#a)"} {
		if c, ok := Parse(text); ok {
			t.Errorf("%q is read as %s", text, c)
		}
	}
	if c, ok := Parse("#1A2b3C"); !ok || c.String() != "#1a2b3c" {
		t.Errorf("#1A2b3C is read as %s, %t", c, ok)
	}
}
