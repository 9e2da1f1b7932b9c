package qr

import (
	"bytes"
	"image"
	_ "image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"github.com/varsel/varsel/internal/problem"
)

const (
	maxLogoBytes = 1 << 20
	maxLogoSide  = 2048 // pixels, so that a small file cannot fill the memory
	logoPixels   = 384  // kept of the longer side: 20 mm of print at 480 dpi
)

// logo is a picture, made anew from what was uploaded: nothing else that the file
// held, such as where a photo was taken, comes into a code.
type logo struct {
	picture image.Image
	png     []byte
}

func readLogo(data []byte) (*logo, error) {
	if len(data) > maxLogoBytes {
		return nil, problem.Invalid("logo", "a logo has %d kB at most", maxLogoBytes>>10)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || format != "png" && format != "jpeg" {
		return nil, problem.Invalid("logo", "a logo is a PNG or JPEG picture")
	}
	if least, most := min(config.Width, config.Height), max(config.Width, config.Height); least < 1 || most > maxLogoSide {
		return nil, problem.Invalid("logo", "a logo has %d pixels a side at most", maxLogoSide)
	}
	full, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, problem.Invalid("logo", "the picture is broken")
	}
	picture := shrunk(full)
	var out bytes.Buffer
	err = png.Encode(&out, picture)
	return &logo{picture, out.Bytes()}, err
}

// shrunk has at most logoPixels on its longer side.
func shrunk(full image.Image) image.Image {
	width, height := full.Bounds().Dx(), full.Bounds().Dy()
	if longer := max(width, height); longer > logoPixels {
		width, height = max(width*logoPixels/longer, 1), max(height*logoPixels/longer, 1)
	}
	small := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(small, small.Bounds(), full, full.Bounds(), draw.Src, nil)
	return small
}

// fit is where the logo goes: in the middle of a square of that side.
func (l *logo) fit(middle, side float64) rectangle {
	width, height := float64(l.picture.Bounds().Dx()), float64(l.picture.Bounds().Dy())
	scale := side / max(width, height)
	width, height = width*scale, height*scale
	return rectangle{middle - width/2, middle - height/2, width, height}
}
