package qr

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/vector"

	"github.com/varsel/varsel/internal/colour"
	"github.com/varsel/varsel/internal/problem"
)

const (
	leastPixels = 4    // a module, so that its edges are made out
	maxPixels   = 2048 // of the width; for print there are SVG and PDF
)

// PNG draws the code as wide as goes into that many pixels with a whole number of
// them a module, so that edges are sharp; with a caption it is higher than wide. It
// refuses a width that leaves a module fewer than 4 pixels, and more than 2048.
func (c *Code) PNG(width int) ([]byte, error) {
	if least := c.leastPixels(); width < least || width > maxPixels {
		return nil, problem.Invalid("width", "this code is drawn %d to %d pixels wide", least, maxPixels)
	}
	var out bytes.Buffer
	err := png.Encode(&out, c.drawing.image(math.Floor(float64(width)/c.drawing.width)))
	return out.Bytes(), err
}

// leastPixels is the least width; a drawing is a whole number of modules wide.
func (c *Code) leastPixels() int { return int(c.drawing.width) * leastPixels }

// image has so many pixels a module.
func (d drawing) image(scale float64) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, pixel(d.width*scale), pixel(d.height*scale)))
	raster := vector.NewRasterizer(picture.Rect.Dx(), picture.Rect.Dy())
	for _, f := range d.figures {
		raster.Reset(picture.Rect.Dx(), picture.Rect.Dy())
		f.path.draw(scaled{rasterPen{raster}, scale})
		raster.Draw(picture, picture.Rect, image.NewUniform(opaque(f.colour)), image.Point{})
	}
	if d.logo != nil {
		at := d.logoAt
		place := image.Rect(pixel(at.x*scale), pixel(at.y*scale), pixel((at.x+at.width)*scale), pixel((at.y+at.height)*scale))
		draw.CatmullRom.Scale(picture, place, d.logo.picture, d.logo.picture.Bounds(), draw.Over, nil)
	}
	return picture
}

func pixel(x float64) int { return int(math.Round(x)) }

func opaque(c colour.RGB) color.RGBA { return color.RGBA{c.R, c.G, c.B, 0xff} }

// rasterPen draws into a rasterizer, which counts in float32.
type rasterPen struct{ r *vector.Rasterizer }

func (p rasterPen) MoveTo(x, y float64) { p.r.MoveTo(float32(x), float32(y)) }
func (p rasterPen) LineTo(x, y float64) { p.r.LineTo(float32(x), float32(y)) }
func (p rasterPen) ClosePath()          { p.r.ClosePath() }
func (p rasterPen) CubeTo(bx, by, cx, cy, dx, dy float64) {
	p.r.CubeTo(float32(bx), float32(by), float32(cx), float32(cy), float32(dx), float32(dy))
}
