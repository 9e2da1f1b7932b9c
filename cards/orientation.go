package cards

import (
	"bytes"
	"encoding/binary"
	"image"
	"iter"
)

// orientation is how a camera was held: 1 to 8 as Exif 2.32 (4.6.4, tag 0x0112) counts
// them, and 1 (upright) where a file does not say.
func orientation(file []byte) int {
	tiff := exif(file)
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			if n := int(order.Uint16(entries[8:])); n >= 1 && n <= 8 {
				return n
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// exif is the TIFF within a JPEG's APP1 segment, or nil.
func exif(file []byte) []byte {
	for marker, content := range segments(file) {
		if tiff, ok := bytes.CutPrefix(content, []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return tiff
		}
	}
	return nil
}

// segments are those of a JPEG before its first scan, by marker; none from the first on
// that is broken.
func segments(file []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		if len(file) < 2 || file[0] != 0xff || file[1] != 0xd8 {
			return
		}
		for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff && rest[1] != 0xda; {
			length := 2 + int(binary.BigEndian.Uint16(rest[2:]))
			if length < 4 || length > len(rest) || !yield(rest[1], rest[4:length]) {
				return
			}
			rest = rest[length:]
		}
	}
}

// upright turns and mirrors a square as its orientation asks for.
func upright(from *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return from
	}
	last := from.Rect.Dx() - 1
	to := image.NewRGBA(from.Rect)
	for y := range from.Rect.Dy() {
		for x := range from.Rect.Dx() {
			fromX, fromY := x, y
			switch orientation {
			case 2:
				fromX = last - x
			case 3:
				fromX, fromY = last-x, last-y
			case 4:
				fromY = last - y
			case 5:
				fromX, fromY = y, x
			case 6:
				fromX, fromY = y, last-x
			case 7:
				fromX, fromY = last-y, last-x
			case 8:
				fromX, fromY = last-y, x
			}
			to.SetRGBA(x, y, from.RGBAAt(fromX, fromY))
		}
	}
	return to
}
