package qr

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

func TestColoursThatCamerasConfuseAreRefusedWithTheNumber(t *testing.T) { // Q37 Q38
	for _, c := range []struct {
		style Style
		code  string
		says  string
	}{
		{Style{Foreground: "#777777"}, "qr_contrast", "4.48"},
		{Style{Foreground: "#000000", FinderColour: "#ff0000"}, "qr_contrast", "4.00"},
		{Style{Foreground: "#ffffff", Background: "#000000"}, "qr_inverted", "light on dark"},
		{Style{Background: "#333333", FinderColour: "#eeeeee"}, "qr_contrast", "1.66"},
		{Style{Foreground: "red"}, "invalid_foreground", "#1a2b3c"},
		{Style{Background: "#fff\"/><script>"}, "invalid_background", ""},
		{Style{FinderColour: "none"}, "invalid_finder_colour", ""},
	} {
		_, err := NewLook(c.style)
		if !problem.Has(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.style, err)
		}
	}
	if _, err := NewLook(Style{Foreground: "#767676"}); err != nil {
		t.Error(err)
	}
}

func TestAStyleOfUnknownValuesIsRefused(t *testing.T) {
	dot := asPNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	for code, s := range map[string]Style{
		"invalid_modules":      {Modules: "star"},
		"invalid_finders":      {Finders: "star"},
		"invalid_frame":        {Frame: "gold"},
		"invalid_level":        {Level: "X"},
		"invalid_quiet_zone":   {QuietZone: 3},
		"invalid_logo_percent": {Logo: dot, LogoPercent: 4},
		"invalid_caption":      {Caption: strings.Repeat("x", 41)},
		"invalid_logo":         {Logo: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
	} {
		if _, err := NewLook(s); !problem.Has(err, code) {
			t.Errorf("%s: %v", code, err)
		}
	}
	for _, caption := range []string{"مرحبا", "李", "a\nb", "a\x00b", "a\xab", "😀"} {
		if _, err := NewLook(Style{Caption: caption}); !problem.Has(err, "invalid_caption") {
			t.Errorf("%q: %v", caption, err)
		}
	}
}

func TestALogoIsAPictureOfModestSize(t *testing.T) {
	var moving bytes.Buffer
	if err := gif.Encode(&moving, image.NewPaletted(image.Rect(0, 0, 9, 9), color.Palette{color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	small := asPNG(t, image.NewGray(image.Rect(0, 0, 300, 300)))
	for what, data := range map[string][]byte{
		"gif":    moving.Bytes(),
		"broken": small[:len(small)/2],
		"wide":   asPNG(t, image.NewGray(image.Rect(0, 0, maxLogoSide+1, 1))),
		"heavy":  make([]byte, maxLogoBytes+1),
	} {
		if _, err := NewLook(Style{Logo: data}); !problem.Has(err, "invalid_logo") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestALogoLeavesHalfOfWhatTheLevelRecovers(t *testing.T) {
	picture := asPNG(t, image.NewGray(image.Rect(0, 0, 9, 9)))
	for _, level := range Levels {
		for percent := leastLogo; percent <= 60; percent++ {
			look, err := NewLook(Style{Level: level, Logo: picture, LogoPercent: percent})
			if err != nil {
				t.Fatal(err)
			}
			for _, content := range []string{"1", address, strings.Repeat("a", 150)} {
				whole, err := encode(content, level)
				if err != nil {
					t.Fatal(err)
				}
				n := len(whole)
				side, err := look.cleared(n)
				if problem.Has(err, "qr_logo_too_large") {
					continue
				}
				asked := float64(n*percent) / 100
				if err != nil || side*side*200 > n*n*levels[level].recovers || (n+side)/2 > n-9 || side != leastCleared && math.Abs(float64(side)-asked) > 1 {
					t.Errorf("level %s, %d percent of %d: %d, %v", level, percent, n, side, err)
				}
			}
		}
	}
	look, err := NewLook(Style{Level: L, Logo: picture, LogoPercent: 30})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := look.Code(address); !problem.Has(err, "qr_logo_too_large") || !strings.Contains(err.Error(), "20 percent") {
		t.Error(err)
	}
}

// A logo that is itself a code leads a reader astray.
func TestAStyleThatCannotBeReadBackIsRefused(t *testing.T) { // Q38
	other, err := codeOf(t, Style{}, "HTTPS://OTHER.EXAMPLE").PNG(400)
	if err != nil {
		t.Fatal(err)
	}
	style := Style{Level: H, Logo: other, LogoPercent: 35}
	if err := codeOf(t, style, address).Verify(); !problem.Has(err, "qr_unreadable") {
		t.Error(err)
	}
	style.Logo = logoPicture(t, 0)
	if err := codeOf(t, style, address).Verify(); err != nil {
		t.Error(err)
	}
}

func TestAnyContentIsReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(18004, 2015))
	kinds := []string{"0123456789", "ABCDEFGHIJ $%*+-./:", "abcdefgæøåłß", "😀محمد李", "12AB", "\r\n;:"}
	look, err := NewLook(Style{Level: Q})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 / everySo {
		var content strings.Builder
		for range 1 + random.IntN(8) {
			kind := []rune(kinds[random.IntN(len(kinds))])
			for range 1 + random.IntN(12) {
				content.WriteRune(kind[random.IntN(len(kind))])
			}
		}
		code, err := look.Code(content.String())
		if err != nil {
			t.Fatalf("%q: %v", content.String(), err)
		}
		if err := code.Verify(); err != nil {
			t.Errorf("%q: %v", content.String(), err)
		}
	}
}

// offline is a card as a phone takes it without a network.
const offline = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Åse Ødegård 😀\r\nN:Ødegård;Åse;;;\r\nORG:Fjord & Fjell AS;Kommunikasjon\r\n" +
	"TITLE:Rådgiver\r\nTEL;TYPE=cell:+47 900 12 345\r\nEMAIL;TYPE=internet:ase@example.no\r\n" +
	"ADR;TYPE=work:;;Storgata 1;Tromsø;;9008;Norge\r\nURL:https://example.no\r\nNOTE:Łukasz\r\nEND:VCARD\r\n"

func TestALongContentIsPossibleAndWarnedOf(t *testing.T) {
	for _, level := range Levels {
		code := codeOf(t, Style{Level: level}, offline)
		if err := code.Verify(); err != nil {
			t.Errorf("level %s: %v", level, err)
		}
		if w := code.Warnings(); len(w) != 2 || w[0] != Dense || w[1] != Fixed {
			t.Errorf("level %s, %d modules: %v", level, code.Modules(), w)
		}
	}
	for _, short := range []string{address, "HTTPS://KORT.EXAMPLE.NO/C/7H2KX09QMZ4BD8RA"} {
		if w := codeOf(t, Style{Level: H}, short).Warnings(); len(w) != 0 {
			t.Errorf("%s: %v", short, w)
		}
	}
}

func TestAContentThatCannotBePrintedSmallIsRefused(t *testing.T) {
	for _, c := range []struct {
		content string
		level   Level
		code    string
	}{
		{"", L, "invalid_content"},
		{"\xff", L, "invalid_content"},
		{strings.Repeat("x", MaxContent+1), L, "qr_content_too_long"},
		{strings.Repeat("x", MaxContent), H, "qr_content_too_long"},
	} {
		look, err := NewLook(Style{Level: c.level})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := look.Code(c.content); !problem.Has(err, c.code) {
			t.Errorf("%d bytes at level %s: %v", len(c.content), c.level, err)
		}
	}
	if code := codeOf(t, Style{Level: L}, strings.Repeat("x", MaxContent)); code.Modules() != maxModules {
		t.Errorf("the longest content has %d modules", code.Modules())
	}
}

func TestCapitalsNeedFewerModules(t *testing.T) {
	small, capital := codeOf(t, Style{Level: H}, address), codeOf(t, Style{Level: H}, strings.ToUpper(address))
	if capital.Modules() >= small.Modules() {
		t.Errorf("%d and %d modules", small.Modules(), capital.Modules())
	}
}

func TestModulesAreNeverTooSmallToBeSeen(t *testing.T) {
	code := codeOf(t, Style{}, address)
	for _, width := range []int{-1, 0, 37*4 - 1, maxPixels + 1} {
		if _, err := code.PNG(width); !problem.Has(err, "invalid_width") {
			t.Errorf("%d pixels: %v", width, err)
		}
	}
	for _, width := range []float64{0, -5, 14.7, maxPrint + 1, math.NaN(), math.Inf(1)} {
		if _, err := code.PDF(width, time.Unix(0, 0)); !problem.Has(err, "invalid_width") {
			t.Errorf("%g mm: %v", width, err)
		}
	}
	for asked, want := range map[int]int{148: 148, 400: 370, 2048: 2035} { // 37 modules with the quiet zone
		picture, err := code.PNG(asked)
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(bytes.NewReader(picture))
		if err != nil || config.Width != want || config.Height != want {
			t.Errorf("%d pixels were asked for: %d x %d, %v", asked, config.Width, config.Height, err)
		}
	}
}

func TestAnSVGHoldsNothingThatRunsOrLoads(t *testing.T) {
	s := Style{Caption: `<script>"&'`, Frame: RoundedFrame, Level: H, Logo: logoPicture(t, 1), Modules: DotModules}
	decoder := xml.NewDecoder(bytes.NewReader(codeOf(t, s, address).SVG()))
	for elements := 0; ; elements++ {
		token, err := decoder.Token()
		if err == io.EOF && elements > 10 {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if name := start.Name.Local; name != "svg" && name != "title" && name != "path" && name != "image" {
			t.Errorf("there is an element %s", name)
		}
		for _, a := range start.Attr {
			switch a.Name.Local {
			case "xmlns", "viewBox", "role", "fill", "d", "x", "y", "width", "height":
			case "href":
				if !strings.HasPrefix(a.Value, "data:image/png;base64,") {
					t.Errorf("%.60s", a.Value)
				}
			default:
				t.Errorf("there is an attribute %s", a.Name.Local)
			}
		}
	}
}

// What a picture's file says beside its pixels stays out of every form.
func TestALogosFileIsNotPassedOn(t *testing.T) {
	logo := logoPicture(t, 1)
	secret := "tEXtComment\x00taken at home"
	chunk := append([]byte{0, 0, 0, byte(len(secret) - 4)}, secret...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE([]byte(secret)))
	const header = 8 + 25 // the signature and the first chunk
	tagged := slices.Concat(logo[:header], chunk, logo[header:])
	code := codeOf(t, Style{Level: H, Logo: tagged}, address)
	if bytes.Contains(code.drawing.logo.png, []byte("taken at home")) || !bytes.Contains(tagged, []byte("taken at home")) {
		t.Error("the file's comment is still there")
	}
}

func FuzzNewLook(f *testing.F) {
	f.Add("#000000", "Skann meg", "dot", address)
	f.Add("#1a2b3c", "\u0301\u200f", "rounded", "x")
	f.Fuzz(func(t *testing.T, foreground, caption, modules, content string) {
		look, err := NewLook(Style{Foreground: foreground, Caption: caption, Modules: ModuleShape(modules)})
		if err != nil {
			if problem.As(err) == nil {
				t.Fatalf("%v is not for people", err)
			}
			return
		}
		code, err := look.Code(content)
		if err != nil {
			if problem.As(err) == nil {
				t.Fatalf("%v is not for people", err)
			}
			return
		}
		if err := xml.Unmarshal(code.SVG(), new(struct{})); err != nil {
			t.Fatalf("caption %q: %v", caption, err)
		}
		if _, err := code.PDF(100, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkLook(b *testing.B) {
	for b.Loop() {
		if _, err := NewLook(Style{Level: H, Caption: "Skann meg"}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarked(b *testing.B, draw func(*Code) error) {
	look, err := NewLook(Style{Modules: RoundedModules, Finders: RoundFinders, Level: H, Frame: RoundedFrame, Caption: "Skann meg"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		code, err := look.Code(address)
		if err != nil {
			b.Fatal(err)
		}
		if err := draw(code); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCode(b *testing.B) { benchmarked(b, func(*Code) error { return nil }) }
func BenchmarkPNG(b *testing.B) {
	benchmarked(b, func(c *Code) error { _, err := c.PNG(400); return err })
}
func BenchmarkSVG(b *testing.B) { benchmarked(b, func(c *Code) error { c.SVG(); return nil }) }
func BenchmarkPDF(b *testing.B) {
	benchmarked(b, func(c *Code) error { _, err := c.PDF(30, time.Unix(0, 0)); return err })
}
func BenchmarkVerify(b *testing.B) { benchmarked(b, (*Code).Verify) }
