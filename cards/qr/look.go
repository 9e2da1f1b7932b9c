package qr

import (
	"slices"

	"github.com/varsel/varsel/internal/problem"
)

// Look is a style that was checked, with its logo and caption read, so that many
// codes can be made of it.
type Look struct {
	style   Style
	palette palette
	logo    *logo
	caption caption
}

// NewLook checks a style. Refusals: qr_contrast, qr_inverted, and invalid_... with
// the name of the field.
func NewLook(s Style) (*Look, error) {
	s = s.withDefaults()
	if err := s.known(); err != nil {
		return nil, err
	}
	l := &Look{style: s}
	var err error
	if l.palette, err = s.colours(); err != nil {
		return nil, err
	}
	if l.caption, err = writeCaption(s.Caption); err != nil {
		return nil, err
	}
	if len(s.Logo) > 0 {
		if l.logo, err = readLogo(s.Logo); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// known refuses what is none of the values that exist.
func (s Style) known() error {
	if !slices.Contains(ModuleShapes, s.Modules) {
		return problem.Invalid("modules", "%q is no shape of modules", s.Modules)
	}
	if !slices.Contains(FinderShapes, s.Finders) {
		return problem.Invalid("finders", "%q is no shape of finder patterns", s.Finders)
	}
	if !slices.Contains(Frames, s.Frame) {
		return problem.Invalid("frame", "%q is no frame", s.Frame)
	}
	if !slices.Contains(Levels, s.Level) {
		return problem.Invalid("level", "%q is no level of error correction: L, M, Q or H", s.Level)
	}
	if s.QuietZone < leastQuiet || s.QuietZone > mostQuiet {
		return problem.Invalid("quiet_zone", "a code needs %d to %d modules around it", leastQuiet, mostQuiet)
	}
	if s.LogoPercent < leastLogo || s.LogoPercent > 100 {
		return problem.Invalid("logo_percent", "a logo has %d percent of the code's width at least", leastLogo)
	}
	return nil
}
