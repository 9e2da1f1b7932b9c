// Package qr draws QR codes (ISO/IEC 18004) in the style of an organisation, as PNG,
// SVG and PDF, and reads them back before a style is kept.
package qr

import (
	"strings"

	"github.com/varsel/varsel/internal/colour"
	"github.com/varsel/varsel/internal/problem"
)

// Style is how a code looks. The zero value is black squares on white at level M.
type Style struct {
	Foreground   string // "#rrggbb"
	Background   string // "#rrggbb"
	FinderColour string // "#rrggbb"; empty: as the foreground
	Modules      ModuleShape
	Finders      FinderShape
	QuietZone    int // modules around the code, 4 to 16
	Level        Level
	Logo         []byte // PNG or JPEG, or none
	LogoPercent  int    // of the code's width; 20 if not said
	Frame        Frame
	Caption      string // under the code, 40 characters at most
}

// Level is how much of a code may be lost (ISO/IEC 18004 6.5.1).
type Level string

// About 7, 15, 25 and 30 percent of the codewords.
const (
	L Level = "L"
	M Level = "M"
	Q Level = "Q"
	H Level = "H"
)

// Levels are all, the weakest first.
var Levels = []Level{L, M, Q, H}

// ModuleShape is the shape of the modules outside the finder patterns.
type ModuleShape string

const (
	SquareModules  ModuleShape = "square"
	RoundedModules ModuleShape = "rounded" // neighbours run into each other
	DotModules     ModuleShape = "dot"
	DiamondModules ModuleShape = "diamond"
	BarModules     ModuleShape = "bar"    // neighbours in a row are one bar
	ColumnModules  ModuleShape = "column" // neighbours in a column are one
)

// ModuleShapes are all, in the order in which they are offered.
var ModuleShapes = []ModuleShape{SquareModules, RoundedModules, DotModules, DiamondModules, BarModules, ColumnModules}

// FinderShape is that of the three large patterns in the corners.
type FinderShape string

const (
	SquareFinders  FinderShape = "square"
	RoundedFinders FinderShape = "rounded"
	RoundFinders   FinderShape = "round" // the eye is a circle
)

// FinderShapes are all, in the order in which they are offered.
var FinderShapes = []FinderShape{SquareFinders, RoundedFinders, RoundFinders}

// Frame is the line around a code and its quiet zone.
type Frame string

const (
	NoFrame      Frame = "none"
	SquareFrame  Frame = "square"
	RoundedFrame Frame = "rounded"
)

// Frames are all, in the order in which they are offered.
var Frames = []Frame{NoFrame, SquareFrame, RoundedFrame}

const (
	// leastContrast is what text needs (WCAG 2.2, 1.4.3); cameras do with a little less.
	leastContrast = 4.5
	// leastQuiet is in modules (ISO/IEC 18004 5.3.8).
	leastQuiet, mostQuiet  = 4, 16
	leastLogo, defaultLogo = 5, 20 // percent
)

func (s Style) withDefaults() Style {
	s.Foreground = or(s.Foreground, "#000000")
	s.Background = or(s.Background, "#ffffff")
	s.FinderColour = or(s.FinderColour, s.Foreground)
	s.Modules = or(s.Modules, SquareModules)
	s.Finders = or(s.Finders, SquareFinders)
	s.QuietZone = or(s.QuietZone, leastQuiet)
	s.Level = or(s.Level, M)
	s.LogoPercent = or(s.LogoPercent, defaultLogo)
	s.Frame = or(s.Frame, NoFrame)
	s.Caption = strings.TrimSpace(s.Caption)
	return s
}

// or is the value, or what stands for its zero.
func or[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}

// palette is a style's colours, read.
type palette struct{ foreground, background, finders colour.RGB }

// colours reads the colours and refuses those that cameras cannot tell apart.
func (s Style) colours() (palette, error) {
	var p palette
	for _, c := range []struct {
		field, text string
		into        *colour.RGB
	}{
		{"foreground", s.Foreground, &p.foreground},
		{"background", s.Background, &p.background},
		{"finder_colour", s.FinderColour, &p.finders},
	} {
		read, ok := colour.Parse(c.text)
		if !ok {
			return p, problem.Invalid(c.field, "%q is no colour: six digits are wanted, as in #1a2b3c", c.text)
		}
		*c.into = read
	}
	for _, dark := range []colour.RGB{p.foreground, p.finders} {
		if err := seen(dark, p.background); err != nil {
			return p, err
		}
	}
	return p, nil
}

func seen(dark, light colour.RGB) error {
	if dark.Luminance() > light.Luminance() {
		return problem.New(problem.KindInvalid, "qr_inverted", "%s on %s is light on dark, which many cameras do not read: turn the colours around", dark, light)
	}
	if contrast := colour.Contrast(dark, light); contrast < leastContrast {
		return problem.New(problem.KindInvalid, "qr_contrast", "%s on %s has a contrast of %.2f, and a code needs %.1f", dark, light, contrast, leastContrast)
	}
	return nil
}
