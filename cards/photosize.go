package cards

import "image/color"

const (
	// readingMemory is what the pixels of a photo may take while it is read, in bytes.
	// With what scaling it down takes, the process grew to 300 MB at the most.
	readingMemory = 200_000_000
	mostPixels    = 50_000_000
)

// readablePixels is how many pixels of a picture like this one can be read at once.
func readablePixels(file []byte, kind string, model color.Model) int {
	bytes := pixelBytes(model)
	if kind == "jpeg" && model == color.RGBAModel {
		bytes += 3 // its planes, before they are put together
	}
	if kind == "jpeg" && !isBaseline(file) {
		bytes += coefficientBytes(model)
	}
	if kind == "png" && isInterlaced(file) {
		bytes *= 2 // each pass is a picture of its own
	}
	return min(mostPixels, readingMemory/bytes)
}

// pixelBytes is what a pixel takes while it is read, without saved coefficients.
func pixelBytes(model color.Model) int {
	switch model {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.CMYKModel, color.RGBA64Model, color.NRGBA64Model:
		return 8 // of CMYK the parts, and then the whole
	}
	return 4
}

// coefficientBytes is what a progressive JPEG keeps of a pixel until its last scan: four
// bytes for each of its components.
func coefficientBytes(model color.Model) int {
	switch model {
	case color.GrayModel:
		return 4
	case color.CMYKModel:
		return 16
	}
	return 12
}

// isBaseline says whether a JPEG is read in one pass (its frame is SOF0 or SOF1, ITU-T
// T.81 B.1.1.3). One whose segments do not follow each other as they should is taken for
// another.
func isBaseline(file []byte) bool {
	for marker := range segments(file) {
		if marker >= 0xc0 && marker <= 0xc2 {
			return marker != 0xc2
		}
	}
	return false
}

// isInterlaced reads the last byte of a PNG's header (PNG 1.2, 4.1.1).
func isInterlaced(file []byte) bool { return len(file) > 28 && file[28] != 0 }
