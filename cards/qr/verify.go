package qr

import (
	"bytes"
	"image/png"

	"github.com/makiuchi-d/gozxing"
	multi "github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/varsel/varsel/internal/problem"
)

// Verify reads the code back with a reader that has nothing in common with the
// encoder, at the least size and at one that is good to see. A code that it cannot
// read, or in which it reads something else too, is refused with qr_unreadable, and
// its style is not to be kept.
func (c *Code) Verify() error {
	for _, width := range []int{c.leastPixels(), 2 * c.leastPixels()} {
		picture, err := c.PNG(width)
		if err != nil {
			return err
		}
		if found, err := read(picture); err != nil || len(found) != 1 || !found[c.content] {
			return problem.New(problem.KindInvalid, "qr_unreadable", "a code in this style could not be read back at %d pixels: take other colours or shapes, a higher level, or another logo", width)
		}
	}
	return nil
}

var hints = map[gozxing.DecodeHintType]any{
	gozxing.DecodeHintType_TRY_HARDER:    true,
	gozxing.DecodeHintType_CHARACTER_SET: "UTF-8",
}

// read finds the contents of all codes in a PNG. The reader of one code takes the
// three best finder patterns, and one content in a hundred happens to look like a
// fourth somewhere; the reader of many codes tries the others, too.
func read(picture []byte) (found map[string]bool, err error) {
	pixels, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(pixels)
	if err != nil {
		return nil, err
	}
	found = map[string]bool{}
	if one, err := qrcode.NewQRCodeReader().Decode(bits, hints); err == nil {
		found[one.GetText()] = true
	}
	// That there is none is an error of the reader, and an empty answer here.
	many, _ := multi.NewQRCodeMultiReader().DecodeMultiple(bits, hints)
	for _, r := range many {
		found[r.GetText()] = true
	}
	return found, nil
}
