package qr

import (
	"math"
	"time"

	"github.com/varsel/varsel/internal/pdf"
	"github.com/varsel/varsel/internal/problem"
)

// maxPrint is in millimetres.
const maxPrint = 1000

// PDF draws the code for print, as outlines on a page of that many millimetres'
// width; at is the date that the file carries. It refuses a width that leaves a
// module fewer than 0.4 mm, and more than a metre.
func (c *Code) PDF(width float64, at time.Time) ([]byte, error) {
	if !(width >= c.LeastWidth() && width <= maxPrint) {
		return nil, problem.Invalid("width", "this code is printed %.0f to %d mm wide", math.Ceil(c.LeastWidth()), maxPrint)
	}
	d := c.drawing
	scale := width / d.width
	page := pdf.NewDrawing(or(d.title, "QR code"), at, width, d.height*scale)
	for _, f := range d.figures {
		page.Colour(f.colour.R, f.colour.G, f.colour.B)
		f.path.draw(scaled{page, scale})
		page.Fill()
	}
	if d.logo != nil {
		place := d.logoAt
		page.Image(d.logo.png, place.x*scale, place.y*scale, place.width*scale, place.height*scale)
	}
	return page.Bytes()
}
