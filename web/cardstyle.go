package web

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/colour"
)

// The colours of a card are its template's. A page may hold no style of its own, so they
// are in a style sheet whose address says them: it needs no look-up, is the same for all
// cards of those colours, tells nothing of whose they are, and is good for ever.

const cardStylePath = "/c/style/:build/:colours"

func cardStyleURL(l cards.Looks) string {
	colours := strings.ReplaceAll(l.Primary+l.Background+l.Ink, "#", "")
	return "/c/style/" + build + "/" + colours + ".css"
}

func (w *site) cardStyle(c *fiber.Ctx, _ visit) error {
	text, ok := strings.CutSuffix(c.Params("colours"), ".css")
	l, is := looksOf(text)
	if !ok || !is || c.Params("build") != build {
		return fiber.ErrNotFound
	}
	sheet, err := staticFiles.ReadFile("static/card.css")
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.SendString(l.css() + string(sheet))
}

// shades are the colours of one theme. Texts stand on surface and sunken, and on primary
// in the colour of the surface.
type shades struct{ ground, surface, sunken, ink, quiet, primary, line colour.RGB }

// looksOf reads three colours of six digits each.
func looksOf(text string) (light shades, ok bool) {
	if len(text) != 18 || strings.ToLower(text) != text {
		return shades{}, false
	}
	primary, isPrimary := colour.Parse("#" + text[:6])
	ground, isGround := colour.Parse("#" + text[6:12])
	ink, isInk := colour.Parse("#" + text[12:])
	return shadesOf(ground, ink, primary), isPrimary && isGround && isInk
}

// shadesOf works out the rest. Text that matters less is as far from the ink towards the
// surface as can be read well.
func shadesOf(surface, ink, primary colour.RGB) shades {
	s := shades{surface: surface, ink: ink, primary: primary, line: mix(surface, ink, 0.2), sunken: surface, ground: mix(surface, ink, 0.06), quiet: ink}
	if sunken := mix(surface, ink, 0.07); colour.Contrast(ink, sunken) >= cards.LeastContrast {
		s.sunken = sunken
	}
	for part := 0.5; part < 1; part += 0.1 {
		if quiet := mix(s.sunken, ink, part); colour.Contrast(quiet, s.sunken) >= cards.LeastContrast {
			s.quiet = quiet
			break
		}
	}
	return s
}

var (
	night    = colour.RGB{R: 0x18, G: 0x21, B: 0x2a}
	nightInk = colour.RGB{R: 0xe8, G: 0xed, B: 0xf2}
	white    = colour.RGB{R: 0xff, G: 0xff, B: 0xff}
)

// dark are the shades for those who want a dark page: the card's own where it is dark
// already, else a dark surface with the primary colour as light as it must be there.
func (s shades) dark() shades {
	if s.isDark() {
		return s
	}
	primary := s.primary
	for part := 0.0; colour.Contrast(primary, night) < cards.LeastContrast; part += 0.05 {
		primary = mix(s.primary, white, part)
	}
	return shadesOf(night, nightInk, primary)
}

func (s shades) isDark() bool { return s.surface.Luminance() < s.ink.Luminance() }

// mix is so much of b in a.
func mix(a, b colour.RGB, part float64) colour.RGB {
	of := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*part + 0.5) }
	return colour.RGB{R: of(a.R, b.R), G: of(a.G, b.G), B: of(a.B, b.B)}
}

func (s shades) css() string {
	return s.root() + "@media (prefers-color-scheme: dark) { " + s.dark().root() + "}\n"
}

func (s shades) root() string {
	scheme := "light" // of what the browser draws itself
	if s.isDark() {
		scheme = "dark"
	}
	return fmt.Sprintf(":root { color-scheme: %s; --ground: %s; --surface: %s; --sunken: %s; --ink: %s; --quiet: %s; --primary: %s; --on-primary: %s; --line: %s; }\n",
		scheme, s.ground, s.surface, s.sunken, s.ink, s.quiet, s.primary, s.surface, s.line)
}
