package qr

import (
	"strings"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"

	"github.com/varsel/varsel/internal/problem"
)

// Code is a code that can be drawn.
type Code struct {
	content string
	modules int // a side, without the quiet zone
	drawing drawing
}

const (
	// MaxContent is in bytes of UTF-8: a card with all of its fields but the photo.
	MaxContent = 800
	// maxModules is version 20, 42 mm wide where a module has 0.4 mm.
	maxModules = 97
	// denseModules is version 7: from there on a phone has to come close.
	denseModules = 45
	// leastCleared is in modules a side, so that there is something to see.
	leastCleared = 5
	// leastModule is in millimetres of print, so that a phone's camera makes it out.
	leastModule = 0.4
)

// Warning is what whoever prints a code should know.
type Warning string

const (
	// Dense is a code of so many modules that it has to be printed large.
	Dense Warning = "dense"
	// Fixed is a code that says its content itself instead of an address where it
	// can be found: once printed it can neither be changed nor be revoked.
	Fixed Warning = "fixed"
)

// level says what the encoder calls a level, and the share of codewords in percent
// that it can lose.
type level struct {
	name     qrcode.RecoveryLevel
	recovers int
}

var levels = map[Level]level{L: {qrcode.Low, 7}, M: {qrcode.Medium, 15}, Q: {qrcode.High, 25}, H: {qrcode.Highest, 30}}

// Code encodes a content, which as a rule is a short address: in capitals it needs
// fewer modules. Refusals: invalid_content for none or no text, qr_content_too_long,
// qr_logo_too_large for the level and the number of modules. The code was not read
// back yet: see Verify.
func (l *Look) Code(content string) (*Code, error) {
	if content == "" || !utf8.ValidString(content) {
		return nil, problem.Invalid("content", "a code needs a content, in UTF-8")
	}
	if len(content) > MaxContent {
		return nil, problem.New(problem.KindInvalid, "qr_content_too_long", "the content has %d bytes, and a code takes %d", len(content), MaxContent)
	}
	matrix, err := encode(content, l.style.Level)
	if err != nil {
		return nil, err
	}
	cleared, err := l.cleared(len(matrix))
	if err != nil {
		return nil, err
	}
	matrix.clear(cleared)
	return &Code{content: content, modules: len(matrix), drawing: l.draw(matrix, cleared)}, nil
}

// matrix says of each module, by row and column, whether it is dark.
type matrix [][]bool

func encode(content string, of Level) (matrix, error) {
	code, err := qrcode.New(content, levels[of].name)
	if err != nil {
		return nil, problem.New(problem.KindInvalid, "qr_content_too_long", "the content does not fit into a code")
	}
	code.DisableBorder = true
	m := matrix(code.Bitmap())
	if len(m) > maxModules {
		return nil, problem.New(problem.KindInvalid, "qr_content_too_long", "at level %s the content needs %d modules a side, and more than %d cannot be printed small: take a lower level or a shorter content", of, len(m), maxModules)
	}
	return m, nil
}

// cleared is how many modules a side make room for the logo. At most half of what
// the level can recover is given away, so that the rest is there for dirt and light;
// and the patterns that cameras find a code by stay whole: finders, format and
// timing, and the alignment pattern of the small versions, which all lie in the
// outer nine modules (ISO/IEC 18004 5.3).
func (l *Look) cleared(modules int) (int, error) {
	if l.logo == nil {
		return 0, nil
	}
	most := min(oddRoot(modules*modules*levels[l.style.Level].recovers/200), modules-18)
	if most < leastCleared {
		return 0, problem.New(problem.KindInvalid, "qr_logo_too_large", "at level %s this code has no room for a logo: take a higher level", l.style.Level)
	}
	// As odd as the code's side, so that it is in the middle.
	wanted := max(2*(modules*l.style.LogoPercent/200)+1, leastCleared)
	if wanted > most {
		return 0, problem.New(problem.KindInvalid, "qr_logo_too_large", "at level %s a logo can have %d percent of this code's width, and not %d: take a higher level or a smaller logo", l.style.Level, (100*(most+1)-1)/modules, l.style.LogoPercent)
	}
	return wanted, nil
}

// oddRoot is the largest odd number whose square is not above n.
func oddRoot(n int) int {
	odd := 1
	for (odd+2)*(odd+2) <= n {
		odd += 2
	}
	return odd
}

// clear makes a square in the middle light.
func (m matrix) clear(side int) {
	first := (len(m) - side) / 2
	for y := range side {
		for x := range side {
			m[first+y][first+x] = false
		}
	}
}

// dark is false outside the code.
func (m matrix) dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < len(m) && y < len(m) && m[y][x]
}

// Modules is the number a side, without the quiet zone.
func (c *Code) Modules() int { return c.modules }

// LeastWidth is in millimetres of print, with quiet zone and frame.
func (c *Code) LeastWidth() float64 { return c.drawing.width * leastModule }

// Warnings are those that apply to this code.
func (c *Code) Warnings() (all []Warning) {
	if c.modules >= denseModules {
		all = append(all, Dense)
	}
	if scheme := strings.ToLower(c.content); !strings.HasPrefix(scheme, "https://") && !strings.HasPrefix(scheme, "http://") {
		all = append(all, Fixed)
	}
	return all
}
