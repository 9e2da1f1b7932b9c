package pdf

import (
	"bytes"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// Drawing is one page of filled outlines and pictures, as large as it says, for
// print. Lengths are in millimetres from the upper left corner. Greys are written as
// such, so that black is printed with black ink alone.
type Drawing struct{ f *fpdf.Fpdf }

// NewDrawing begins a drawing; at is the date that the file carries.
func NewDrawing(title string, at time.Time, width, height float64) *Drawing {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: width, Ht: height}})
	f.SetCreationDate(at.UTC())
	f.SetModificationDate(at.UTC())
	f.SetTitle(title, true)
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.AddPage()
	return &Drawing{f}
}

// Colour is that of the next outlines. It is said before they begin, because a
// path has no place for it (ISO 32000-1 8.5.2).
func (d *Drawing) Colour(red, green, blue uint8) {
	d.f.SetFillColor(int(red), int(green), int(blue))
}

// MoveTo begins an outline.
func (d *Drawing) MoveTo(x, y float64) { d.f.MoveTo(x, y) }

// LineTo goes on to a point in a straight line.
func (d *Drawing) LineTo(x, y float64) { d.f.LineTo(x, y) }

// CubeTo goes on to d in a Bézier curve with the control points b and c.
func (d *Drawing) CubeTo(bx, by, cx, cy, dx, dy float64) {
	d.f.CurveBezierCubicTo(bx, by, cx, cy, dx, dy)
}

// ClosePath ends an outline where it began.
func (d *Drawing) ClosePath() { d.f.ClosePath() }

// Fill fills the outlines since the last fill. One that runs inside another the
// other way around is a hole in it.
func (d *Drawing) Fill() { d.f.DrawPath("F") }

// Image places a PNG.
func (d *Drawing) Image(png []byte, x, y, width, height float64) {
	kind := fpdf.ImageOptions{ImageType: "PNG"}
	d.f.RegisterImageOptionsReader("image", kind, bytes.NewReader(png))
	d.f.ImageOptions("image", x, y, width, height, false, kind, 0, "")
}

// Bytes ends the drawing.
func (d *Drawing) Bytes() ([]byte, error) {
	var out bytes.Buffer
	err := d.f.Output(&out)
	return out.Bytes(), err
}
