package pdf_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/pdf"
)

// A drawing is outlines on a page of its own size, and black is grey without a
// colour, for which printers take black ink alone.
func TestADrawingIsOutlines(t *testing.T) {
	d := pdf.NewDrawing("QR", time.Unix(0, 0), 50, 20)
	d.Colour(0, 0, 0)
	d.MoveTo(0, 0)
	d.LineTo(50, 0)
	d.CubeTo(50, 10, 25, 20, 0, 20)
	d.ClosePath()
	d.Fill()
	d.Colour(255, 0, 0)
	d.MoveTo(0, 0)
	d.LineTo(1, 0)
	d.LineTo(1, 1)
	d.ClosePath()
	d.Fill()
	out, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte("/MediaBox [0 0 141.73 56.69]")) {
		t.Error("the page is not 50 by 20 mm")
	}
	_, stream, _ := bytes.Cut(out, []byte("stream\n"))
	inflated, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(inflated)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(string(page)), " ")
	for _, want := range []string{"0.000 g 0.00 56.69 m 141.73 56.69 l", "c h f", "1.000 0.000 0.000 rg"} {
		if !strings.Contains(words, want) {
			t.Errorf("there is no %q in %q", want, words)
		}
	}
}
