package cards

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/internal/colour"
	"github.com/varsel/varsel/internal/problem"
)

// What a template has at most, and its names in characters.
const (
	MaxSections = 10
	MaxFields   = 40 // in all sections
	MaxName     = 80
	maxID       = 40
)

// LeastContrast is what text needs on its ground (WCAG 2.2, 1.4.3).
const LeastContrast = 4.5

// Languages are those that a card can be held in.
var Languages = []string{"en", "nb", "pl"}

// Layouts and Fonts are all, in the order in which they are offered.
var (
	Layouts = []Layout{Plain, Banner, Side}
	Fonts   = []Font{Sans, Serif, Round}
)

// Checked is the body as it is kept: trimmed, with the usual where nothing is said. A
// refusal names the value by its path in JSON, as in sections[0].fields[2].default. That
// the code can be read is for SaveTemplate to say.
func (b Body) Checked() (Body, error) {
	b = b.withDefaults()
	for _, check := range []func(*Body) error{(*Body).checkSections, (*Body).checkLooks, (*Body).checkCode, (*Body).checkSettings} {
		if err := check(&b); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b Body) withDefaults() Body {
	usual := Usual()
	b.Looks.Layout = or(b.Looks.Layout, usual.Looks.Layout)
	b.Looks.Primary = strings.ToLower(or(b.Looks.Primary, usual.Looks.Primary))
	b.Looks.Background = strings.ToLower(or(b.Looks.Background, usual.Looks.Background))
	b.Looks.Ink = strings.ToLower(or(b.Looks.Ink, usual.Looks.Ink))
	b.Looks.Font = or(b.Looks.Font, usual.Looks.Font)
	b.Code.Foreground = strings.ToLower(or(b.Code.Foreground, usual.Code.Foreground))
	b.Code.Background = strings.ToLower(or(b.Code.Background, usual.Code.Background))
	b.Code.FinderColour = strings.ToLower(b.Code.FinderColour)
	b.Code.Modules = or(b.Code.Modules, usual.Code.Modules)
	b.Code.Finders = or(b.Code.Finders, usual.Code.Finders)
	b.Code.Level = or(b.Code.Level, usual.Code.Level)
	b.Code.Frame = or(b.Code.Frame, usual.Code.Frame)
	b.Code.Caption = strings.TrimSpace(b.Code.Caption)
	if b.Settings.Buttons == nil {
		b.Settings.Buttons = []Button{}
	}
	return b
}

// or is the value, or what stands for its zero.
func or[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}

func refusedAt(path, code, format string, args ...any) error {
	return &problem.Problem{Kind: problem.KindInvalid, Code: code, Field: path, Text: fmt.Sprintf(format, args...)}
}

// under names the value that a refusal is about by where it was given.
func under(path string, err error) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	named := *p
	named.Field = path
	return &named
}

func (b *Body) checkSections() error {
	if len(b.Sections) == 0 || len(b.Sections) > MaxSections {
		return refusedAt("sections", "invalid_sections", "a template has 1 to %d sections", MaxSections)
	}
	// The body that was given is left as it is.
	b.Sections = slices.Clone(b.Sections)
	ids, names := map[string]bool{}, 0
	for i := range b.Sections {
		s := &b.Sections[i]
		s.Title, s.Fields = oneLine(s.Title), slices.Clone(s.Fields)
		if s.Fields == nil {
			s.Fields = []Field{}
		}
		path := fmt.Sprintf("sections[%d]", i)
		if !isName(s.Title, 0) {
			return refusedAt(path+".title", "invalid_title", "a heading has %d characters at most", MaxName)
		}
		for j := range s.Fields {
			f, at := &s.Fields[j], fmt.Sprintf("%s.fields[%d]", path, j)
			if err := f.check(at); err != nil {
				return err
			}
			if ids[f.ID] {
				return refusedAt(at+".id", "card_field_twice", "there are two fields with the id %q", f.ID)
			}
			if ids[f.ID] = true; f.Kind == FullName && !f.Hidden {
				names++
			}
		}
	}
	if len(ids) > MaxFields {
		return refusedAt("sections", "invalid_sections", "a template has %d fields at most", MaxFields)
	}
	if names != 1 {
		return refusedAt("sections", "card_full_name", "a card needs one field for the full name that is shown, and no second one")
	}
	return nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func isName(text string, least int) bool {
	n := utf8.RuneCountInString(text)
	return utf8.ValidString(text) && n >= least && n <= MaxName && !strings.ContainsFunc(text, unicode.IsControl)
}

const idLetters = "abcdefghijklmnopqrstuvwxyz0123456789_"

func (f *Field) check(path string) error {
	if f.ID == "" || len(f.ID) > maxID || strings.Trim(f.ID, idLetters) != "" {
		return refusedAt(path+".id", "invalid_id", "a field's id has 1 to %d letters a-z, digits and _", maxID)
	}
	if !slices.Contains(Kinds, f.Kind) {
		return refusedAt(path+".kind", "invalid_kind", "%q is no kind of field", f.Kind)
	}
	f.Label, f.Sync = oneLine(f.Label), or(f.Sync, Never)
	if !isName(f.Label, 0) {
		return refusedAt(path+".label", "invalid_label", "a label has %d characters at most", MaxName)
	}
	if f.From != "" && !slices.Contains(Properties, f.From) {
		return refusedAt(path+".from", "invalid_from", "%q is no property of a person in the directory that a card can take", f.From)
	}
	switch f.Sync {
	case Never, Once, Always:
	default:
		return refusedAt(path+".sync", "invalid_sync", "a field is taken never, once or always, and not %q", f.Sync)
	}
	if (f.Sync == Never) != (f.From == "") {
		return refusedAt(path+".sync", "invalid_sync", "a field that is taken from the directory names a property, and one that is never taken names none")
	}
	value, err := f.Kind.Read(f.Default)
	if err != nil {
		return under(path+".default", err)
	}
	f.Default = value
	return nil
}

// checkLooks refuses colours in which text is hard to read: that of the text, and the
// primary colour, which headings have on the background, and which has the background's
// colour as that of its own text.
func (b *Body) checkLooks() error {
	if !slices.Contains(Layouts, b.Looks.Layout) {
		return refusedAt("looks.layout", "invalid_layout", "%q is no layout", b.Looks.Layout)
	}
	if !slices.Contains(Fonts, b.Looks.Font) {
		return refusedAt("looks.font", "invalid_font", "%q is no font", b.Looks.Font)
	}
	ground, err := colourAt("looks.background", b.Looks.Background)
	if err != nil {
		return err
	}
	for _, text := range []struct{ path, colour string }{{"looks.ink", b.Looks.Ink}, {"looks.primary", b.Looks.Primary}} {
		over, err := colourAt(text.path, text.colour)
		if err != nil {
			return err
		}
		if got := colour.Contrast(over, ground); got < LeastContrast {
			// Rounded down, so that 4.49 is not told as 4.5.
			return refusedAt(text.path, "card_contrast", "%s on %s has a contrast of %.2f:1, and text needs %.1f:1", over, ground, math.Floor(got*100)/100, LeastContrast)
		}
	}
	return nil
}

func colourAt(path, text string) (colour.RGB, error) {
	c, ok := colour.Parse(text)
	if !ok {
		return c, refusedAt(path, "invalid_colour", "%q is no colour: six digits are wanted, as in #1a2b3c", text)
	}
	return c, nil
}

func (b *Body) checkCode() error {
	if b.Code.Logo && b.Looks.Logo == 0 {
		return refusedAt("code.logo", "invalid_logo", "the code can have the logo of the card when the card has one")
	}
	_, err := qr.NewLook(b.Code.style(nil))
	return underCode(err)
}

func underCode(err error) error {
	if p := problem.As(err); p != nil {
		return under(strings.TrimSuffix("code."+p.Field, "."), err)
	}
	return err
}

func (c Code) style(logo []byte) qr.Style {
	return qr.Style{Foreground: c.Foreground, Background: c.Background, FinderColour: c.FinderColour, Modules: c.Modules,
		Finders: c.Finders, Level: c.Level, Frame: c.Frame, Caption: c.Caption, Logo: logo, LogoPercent: c.LogoPercent}
}

func (b *Body) checkSettings() error {
	if b.Settings.Language != "" && !slices.Contains(Languages, b.Settings.Language) {
		return refusedAt("settings.language", "invalid_language", "cards speak %s, and not %q", strings.Join(Languages, ", "), b.Settings.Language)
	}
	for i, button := range b.Settings.Buttons {
		if !slices.Contains(Buttons, button) {
			return refusedAt("settings.buttons", "invalid_buttons", "%q is no button", button)
		}
		if slices.Contains(b.Settings.Buttons[:i], button) {
			return refusedAt("settings.buttons", "invalid_buttons", "the button %q is there twice", button)
		}
	}
	return nil
}
