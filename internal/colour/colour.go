// Package colour reads colours and tells how well one is seen on another.
package colour

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
)

// RGB is an opaque colour of the sRGB space.
type RGB struct{ R, G, B uint8 }

// Parse reads "#rrggbb", the one form that is kept.
func Parse(text string) (RGB, bool) {
	digits, ok := strings.CutPrefix(text, "#")
	if !ok || len(digits) != 6 {
		return RGB{}, false
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return RGB{}, false
	}
	return RGB{b[0], b[1], b[2]}, true
}

func (c RGB) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Luminance is the relative luminance, 0 for black and 1 for white (WCAG 2.2).
func (c RGB) Luminance() float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func linear(part uint8) float64 {
	c := float64(part) / 255
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

// Contrast is the ratio of two luminances, 1 to 21 (WCAG 2.2, 1.4.3).
func Contrast(a, b RGB) float64 {
	la, lb := a.Luminance(), b.Luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}
