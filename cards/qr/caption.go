package qr

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"

	"github.com/varsel/varsel/internal/problem"
)

// maxCaption is in characters: more would be too small to be read.
const maxCaption = 40

// caption is a text as outlines, so that it looks the same wherever it is shown, in
// units of the type's size with the baseline at 0.
type caption struct {
	outlines path
	width    float64
	capital  float64 // height of a capital letter
}

// writeCaption refuses characters that the type has no picture of, such as those of
// scripts whose letters join.
func writeCaption(text string) (caption, error) {
	if !utf8.ValidString(text) {
		return caption{}, problem.Invalid("caption", "the caption is not UTF-8")
	}
	text = norm.NFC.String(text)
	if n := utf8.RuneCountInString(text); n > maxCaption {
		return caption{}, problem.Invalid("caption", "the caption has %d characters, and there is room for %d", n, maxCaption)
	}
	var c caption
	var buffer sfnt.Buffer
	for _, r := range text {
		if err := c.add(r, &buffer); err != nil {
			return caption{}, err
		}
	}
	metrics, err := typeface().Metrics(&buffer, em, font.HintingNone)
	if err != nil {
		return caption{}, err
	}
	c.capital = units(metrics.CapHeight)
	return c, nil
}

// typeface is the one that documents are set in, too.
var typeface = sync.OnceValue(func() *sfnt.Font {
	face, err := sfnt.Parse(gobold.TTF)
	if err != nil {
		panic(err) // it is part of the program
	}
	return face
})

// em is the size at which outlines are taken from the type; they are fixed-point
// numbers, so a large one loses less.
const em = fixed.Int26_6(1 << 16)

func units(n fixed.Int26_6) float64 { return float64(n) / float64(em) }

// add sets a character after those that are there.
func (c *caption) add(r rune, buffer *sfnt.Buffer) error {
	face := typeface()
	glyph, err := face.GlyphIndex(buffer, r)
	if err != nil {
		return err
	}
	if glyph == 0 || !unicode.IsPrint(r) {
		return problem.Invalid("caption", "the caption's type has no %q: Latin, Greek and Cyrillic letters can be written", r)
	}
	outline, err := face.LoadGlyph(buffer, glyph, em, nil)
	if err != nil {
		return err
	}
	c.outlines.glyph(outline, c.width)
	advance, err := face.GlyphAdvance(buffer, glyph, em, font.HintingNone)
	c.width += units(advance)
	return err
}

// glyph adds a letter's outlines, which a type closes without saying so.
func (p *path) glyph(outline sfnt.Segments, x float64) {
	point := func(at fixed.Point26_6) [2]float64 { return [2]float64{x + units(at.X), units(at.Y)} }
	var last [2]float64
	for i, s := range outline {
		a, b, c := point(s.Args[0]), point(s.Args[1]), point(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				p.to(closing)
			}
			p.to(move, a)
			last = a
		case sfnt.SegmentOpLineTo:
			p.to(straight, a)
			last = a
		case sfnt.SegmentOpQuadTo:
			// The same curve with two control points in place of one.
			p.to(curve, towards(last, a), towards(b, a), b)
			last = b
		case sfnt.SegmentOpCubeTo:
			p.to(curve, a, b, c)
			last = c
		}
	}
	if len(outline) > 0 {
		p.to(closing)
	}
}

// towards is two thirds of the way.
func towards(from, to [2]float64) [2]float64 {
	return [2]float64{from[0] + (to[0]-from[0])*2/3, from[1] + (to[1]-from[1])*2/3}
}
