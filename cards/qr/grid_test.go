package qr

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

const address = "https://kort.example.no/c/7h2kx09qmz4bd8ra"

// everySo many styles one is drawn and read; 13 goes round all shapes and levels.
var everySo = 1

// grid is every shape of modules and finders at every level, without a logo, with a
// small one and with the largest that the level takes; colours, frames, captions and
// quiet zones go round beside them.
func grid(t *testing.T) (all []Style) {
	colours := [][3]string{
		{}, {"#1a2b6b", "#fff4d6", ""}, {"#0b5d1e", "#ffffff", "#7a0000"}, {"#767676", "#ffffff", ""},
		{"#000000", "#ffd400", ""}, {"#c4001a", "#ffffff", "#000000"}, {"#5b1a8b", "#d9f7ff", ""},
	}
	captions := []string{"", "Skann meg", "Łukasz Żółć – Ødegård & sønn <AS>", "Σάρωσέ με", ""}
	quiet := []int{4, 5, 6, 8}
	largest := map[Level]int{L: 15, M: 24, Q: 33, H: 35}
	for _, modules := range ModuleShapes {
		for _, finders := range FinderShapes {
			for _, level := range Levels {
				for _, percent := range []int{0, 12, largest[level]} {
					i := len(all)
					c := colours[i%len(colours)]
					s := Style{
						Foreground: c[0], Background: c[1], FinderColour: c[2], Modules: modules, Finders: finders, Level: level,
						QuietZone: quiet[i/3%len(quiet)], Frame: Frames[i/5%len(Frames)], Caption: captions[i%len(captions)],
					}
					if percent > 0 {
						s.Logo, s.LogoPercent = logoPicture(t, i), percent
					}
					all = append(all, s)
				}
			}
		}
	}
	return all
}

// logoPicture is a disc of some colour on nothing, or a dark picture to the edges.
func logoPicture(t *testing.T, i int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, 120+i%3*60, 120))
	middle := picture.Rect.Max.Div(2)
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			if away := image.Pt(x, y).Sub(middle); i%2 == 0 || away.X*away.X+away.Y*away.Y < 3600 {
				picture.Set(x, y, color.NRGBA{uint8(i * 37), uint8(i * 11), uint8(y), 255})
			}
		}
	}
	return asPNG(t, picture)
}

func asPNG(t *testing.T, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func codeOf(t *testing.T, s Style, content string) *Code {
	t.Helper()
	look, err := NewLook(s)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	code, err := look.Code(content)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return code
}

func TestEveryStyleCanBeReadBack(t *testing.T) { // Q38
	styles := grid(t)
	if len(styles) < 200 {
		t.Fatalf("%d styles", len(styles))
	}
	for i := 0; i < len(styles); i += everySo {
		s := styles[i]
		if err := codeOf(t, s, address).Verify(); err != nil {
			t.Errorf("%s: %v", name(i, s), err)
		}
	}
}

func TestAnotherReaderReadsEveryStyleInEveryForm(t *testing.T) { // Q38
	for _, tool := range []string{"zbarimg", "rsvg-convert", "pdftoppm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir, styles := t.TempDir(), grid(t)
	for i := 0; i < len(styles); i += everySo {
		forms(t, dir, fmt.Sprintf("%03d", i), codeOf(t, styles[i], address))
	}
	forEach(t, dir, "*.svg", func(file string) *exec.Cmd {
		return exec.Command("rsvg-convert", "-w", "400", "-o", file+".png", file)
	})
	forEach(t, dir, "*.pdf", func(file string) *exec.Cmd {
		return exec.Command("pdftoppm", "-r", "300", "-png", "-singlefile", file, file)
	})
	read := zbar(t, dir)
	for i := 0; i < len(styles); i += everySo {
		for _, form := range []string{"png", "blurred.png", "tilted.png", "svg.png", "pdf.png"} {
			if got := read[fmt.Sprintf("%03d.%s", i, form)]; got != address {
				t.Errorf("%s: the %s is read as %q", name(i, styles[i]), form, got)
			}
		}
	}
}

func name(i int, s Style) string {
	s.Logo = nil
	return fmt.Sprintf("style %d %+v", i, s)
}

// forms writes a code in its three forms, and what a camera may make of the first.
func forms(t *testing.T, dir, name string, code *Code) {
	t.Helper()
	picture, err := code.PNG(400)
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := code.PDF(30, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	pixels := code.drawing.image(8)
	for form, data := range map[string][]byte{
		"png": picture, "svg": code.SVG(), "pdf": sheet,
		"blurred.png": asPNG(t, blurred(pixels)), "tilted.png": asPNG(t, tilted(pixels)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name+"."+form), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// blurred is out of focus by three pixels, of the eight that a module has.
func blurred(picture image.Image) image.Image {
	small := image.NewRGBA(image.Rect(0, 0, picture.Bounds().Dx()/3, picture.Bounds().Dy()/3))
	draw.Draw(small, small.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(small, small.Rect, picture, picture.Bounds(), draw.Over, nil)
	large := image.NewRGBA(picture.Bounds())
	draw.BiLinear.Scale(large, large.Rect, small, small.Rect, draw.Src, nil)
	return large
}

// tilted is turned by eleven degrees and seen from the side, on a grey table.
func tilted(picture image.Image) image.Image {
	sin, cos := math.Sincos(11 * math.Pi / 180)
	size := picture.Bounds().Size()
	table := image.NewRGBA(image.Rect(0, 0, size.X*3/2, size.Y*3/2))
	draw.Draw(table, table.Rect, image.NewUniform(color.Gray{0xc8}), image.Point{}, draw.Src)
	draw.BiLinear.Transform(table, f64.Aff3{0.9 * cos, -sin, float64(size.X) / 3, 0.9 * sin, cos, float64(size.Y) / 12}, picture, picture.Bounds(), draw.Over, nil)
	return table
}

// forEach runs a tool on each file, two at a time.
func forEach(t *testing.T, dir, pattern string, tool func(file string) *exec.Cmd) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	turns, failed := make(chan struct{}, 2), make(chan error, len(files))
	for _, file := range files {
		turns <- struct{}{}
		go func() {
			out, err := tool(file).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%s: %w: %s", file, err, out)
			}
			failed <- err
			<-turns
		}()
	}
	for range files {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// zbar reads all pictures of a folder in one process, and says by the file's name
// what it found; two codes in one picture are none.
func zbar(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	// It ends with 4 where one of the pictures held no code.
	out, err := exec.Command("zbarimg", append([]string{"--nodbus", "--quiet", "--xml"}, files...)...).Output()
	if len(out) == 0 {
		t.Fatal(err)
	}
	var report struct {
		Sources []struct {
			File    string   `xml:"href,attr"`
			Symbols []string `xml:"index>symbol>data"`
		} `xml:"source"`
	}
	if err := xml.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	read := map[string]string{}
	for _, s := range report.Sources {
		if len(s.Symbols) == 1 {
			read[filepath.Base(s.File)] = s.Symbols[0]
		}
	}
	return read
}
