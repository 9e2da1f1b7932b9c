// Package pdf writes documents for people: headings, paragraphs and tables over
// pages with a number each. The same content may give other bytes: who promises a
// checksum keeps the file.
package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

const (
	family   = "go"
	mono     = "gomono"
	margin   = 20.0 // mm
	lineHigh = 5.0  // mm
	size     = 10.0 // points
)

// Document is a document on A4 that is being written.
type Document struct{ f *fpdf.Fpdf }

// New begins a document. The footer of each page says the title and the page's
// number; at is the date that the file carries.
func New(title, language string, at time.Time) *Document {
	f := fpdf.New("P", "mm", "A4", "")
	// The library writes into the fonts that it is given.
	f.AddUTF8FontFromBytes(family, "", slices.Clone(goregular.TTF))
	f.AddUTF8FontFromBytes(family, "B", slices.Clone(gobold.TTF))
	f.AddUTF8FontFromBytes(mono, "", slices.Clone(gomono.TTF))
	f.SetCreationDate(at.UTC())
	f.SetModificationDate(at.UTC())
	f.SetTitle(title, true)
	f.SetLang(language)
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(true, margin)
	f.AliasNbPages("")
	f.SetFooterFunc(func() {
		f.SetY(-margin + lineHigh)
		f.SetFont(family, "", 8)
		f.CellFormat(0, lineHigh, title, "", 0, "L", false, 0, "")
		f.SetX(margin)
		f.CellFormat(0, lineHigh, fmt.Sprintf("%d / {nb}", f.PageNo()), "", 0, "R", false, 0, "")
	})
	f.AddPage()
	return &Document{f}
}

// Heading writes a heading; level 1 is the largest, 3 the smallest.
func (d *Document) Heading(level int, text string) {
	d.f.Ln(lineHigh / 2)
	d.f.SetFont(family, "B", size+2*float64(4-min(max(level, 1), 3)))
	d.f.MultiCell(0, lineHigh*1.5, text, "", "L", false)
	d.f.Ln(lineHigh / 4)
}

// Paragraph writes a text; line breaks in it stay.
func (d *Document) Paragraph(text string) {
	d.f.SetFont(family, "", size)
	d.f.MultiCell(0, lineHigh, text, "", "L", false)
	d.f.Ln(lineHigh / 2)
}

// Code writes a text in which every character is as wide, as a checksum is.
func (d *Document) Code(text string) {
	d.f.SetFont(mono, "", size-1)
	d.f.MultiCell(0, lineHigh, text, "", "L", false)
	d.f.Ln(lineHigh / 2)
}

// Fields writes pairs of a name and a value, a line each.
func (d *Document) Fields(pairs ...[2]string) {
	for _, p := range pairs {
		d.row([]string{p[0], p[1]}, []float64{1, 2}, "B", "")
	}
	d.f.Ln(lineHigh / 2)
}

// Table writes rows under a line of headings. shares says how wide the columns are
// against each other; a cell breaks where it is too long.
func (d *Document) Table(headings []string, shares []float64, rows [][]string) {
	d.row(headings, shares, "B", "B")
	for _, r := range rows {
		d.row(r, shares, "", "B")
	}
	d.f.Ln(lineHigh / 2)
}

// row writes cells beside each other, as high as the highest of them. style is that
// of the first cell, and of all in a line of headings.
func (d *Document) row(cells []string, shares []float64, style, border string) {
	width, _ := d.f.GetPageSize()
	total := 0.0
	for _, s := range shares {
		total += s
	}
	wide := func(i int) float64 { return (width - 2*margin) * shares[i] / total }
	styleOf := func(i int) string {
		if border == "" && i > 0 {
			return ""
		}
		return style
	}
	lines := 1
	for i, text := range cells {
		d.f.SetFont(family, styleOf(i), size-1)
		lines = max(lines, len(d.f.SplitText(text, wide(i))))
	}
	_, high := d.f.GetPageSize()
	if d.f.GetY()+float64(lines)*lineHigh > high-margin && d.f.GetY() > margin {
		d.f.AddPage()
	}
	x, y := margin, d.f.GetY()
	for i, text := range cells {
		d.f.SetFont(family, styleOf(i), size-1)
		d.f.SetXY(x, y)
		d.f.MultiCell(wide(i), lineHigh, text, "", "L", false)
		x += wide(i)
	}
	bottom := y + float64(lines)*lineHigh
	if border != "" {
		d.f.Line(margin, bottom, width-margin, bottom)
	}
	d.f.SetXY(margin, bottom)
}

// Bytes ends the document.
func (d *Document) Bytes() ([]byte, error) {
	var out bytes.Buffer
	err := d.f.Output(&out)
	return out.Bytes(), err
}
