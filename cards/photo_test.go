package cards_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/problem"
)

// noise does not compress.
func noise(width, height int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		picture.Pix[i] = byte(random.Uint32()) | 0x0f
	}
	return picture
}

func encoded(t *testing.T, picture image.Image, kind string) []byte {
	t.Helper()
	var out bytes.Buffer
	err := png.Encode(&out, picture)
	if kind == "jpeg" {
		out.Reset()
		err = jpeg.Encode(&out, picture, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// held is a JPEG that says how the camera was held, and where.
func held(t *testing.T, picture image.Image, orientation uint16) []byte {
	t.Helper()
	file := encoded(t, picture, "jpeg")
	tiff := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = append(binary.BigEndian.AppendUint16(tiff, orientation), "\x00\x00\x00\x00\x00\x00GPS 59.91 10.75"...)
	segment := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(tiff)+2))...)
	return slices.Concat(file[:2], segment, tiff, file[2:])
}

// grey is a JPEG of one colour, read in one pass or progressive, whose file is tiny: one
// bit for each block of 64 pixels and component.
func grey(width, height, components int, progressive bool) []byte {
	frame, last := byte(0xc0), byte(63)
	bits := 2 // a difference of none, and the end of the block
	if progressive {
		frame, last, bits = 0xc2, 0, 1
	}
	segment := func(marker byte, content ...byte) []byte {
		return append([]byte{0xff, marker, byte((len(content) + 2) >> 8), byte(len(content) + 2)}, content...)
	}
	table := func(class byte) []byte { // one code, 0, for the value 0
		return segment(0xc4, append([]byte{class, 1}, make([]byte, 16)...)...)
	}
	sof := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), byte(components)}
	sos := []byte{byte(components)}
	for i := range byte(components) {
		sof, sos = append(sof, i+1, 0x11, 0), append(sos, i+1, 0)
	}
	adobe := segment(0xee, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, 0)...)
	if components == 3 {
		adobe = nil
	}
	blocks := (width + 7) / 8 * ((height + 7) / 8) * components
	return slices.Concat([]byte{0xff, 0xd8}, adobe, segment(0xdb, append([]byte{0}, slices.Repeat([]byte{1}, 64)...)...), segment(frame, sof...),
		table(0), table(0x10), segment(0xda, append(sos, 0, last, 0)...), make([]byte, (blocks*bits+7)/8), []byte{0xff, 0xd9})
}

// sized is a PNG whose header says another size, and whether it is interlaced.
func sized(file []byte, width, height uint32, interlaced byte) []byte {
	file = slices.Clone(file)
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	file[28] = interlaced
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// What the pixels take while they are read is bounded, whatever the format: a file of
// 400 kB can be a picture of a gigabyte.
func TestAPhotoThatTakesTooMuchMemoryIsNotRead(t *testing.T) {
	deep, flat := encoded(t, image.NewNRGBA64(image.Rect(0, 0, 1, 1)), "png"), encoded(t, image.NewNRGBA(image.Rect(0, 0, 1, 1)), "png")
	outOfStep := slices.Concat([]byte{0xff, 0xd8, 0xff}, grey(4200, 4000, 3, false)[2:])
	for name, file := range map[string][]byte{"a progressive JPEG": grey(4200, 4000, 3, true), "a progressive CMYK": grey(3000, 3000, 4, true),
		"a CMYK": grey(5100, 5000, 4, false), "a JPEG of 51 million pixels": grey(7000, 7300, 3, false), "segments that are out of step": outOfStep,
		"16 bits": sized(deep, 5100, 5000, 0), "interlaced": sized(flat, 5100, 5000, 1)} {
		err := cards.New(nil).SetPhoto(t.Context(), acme, 1, file)
		if p := problem.As(err); p == nil || p.Code != "invalid_photo" || !strings.Contains(p.Text, "million pixels") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPhotoIsSquareSmallAndTellsNothingElse(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("kari", "Ward"))
		c := d.cards()["kari"]
		for name, file := range map[string][]byte{"a wide JPEG": held(t, noise(1400, 600), 1), "a high PNG": encoded(t, noise(300, 900), "png"), "a dot": encoded(t, noise(1, 1), "png"),
			"a phone's progressive JPEG": grey(4000, 3000, 3, true), "a CMYK": grey(900, 900, 4, false)} {
			d.equal(nil, d.SetPhoto(d.Context(), acme, c.ID, file))
			got, err := d.Photo(d.Context(), acme, c.ID)
			d.equal(nil, err)
			size, kind, err := image.DecodeConfig(bytes.NewReader(got))
			if err != nil || kind != "jpeg" || size.Width != 512 || size.Height != 512 || len(got) > cards.MaxPhoto {
				d.Errorf("%s: %v %s %v, %d bytes", name, size, kind, err, len(got))
			}
			if bytes.Contains(got, []byte("GPS")) || bytes.Contains(got, []byte("Exif")) {
				d.Errorf("%s: what the camera wrote is still there", name)
			}
		}
		changed, err := d.Card(d.Context(), acme, c.ID)
		d.equal(nil, err)
		d.equal(c.Revision+5, changed.Revision)
		theirs, err := d.Photo(d.Context(), other, c.ID)
		d.equal([]any{nil, 0}, []any{err, len(theirs)})
		d.refused("card_not_found", d.SetPhoto(d.Context(), other, c.ID, encoded(t, noise(9, 9), "png")))
		for name, file := range map[string][]byte{"nothing": nil, "a text": []byte("hello"), "the half": held(t, noise(900, 900), 1)[:9000],
			"too many pixels": encoded(t, image.NewGray(image.Rect(0, 0, 50_001, 1000)), "png")} {
			if err := d.SetPhoto(d.Context(), acme, c.ID, file); !problem.Has(err, "invalid_photo") {
				d.Errorf("%s: %v", name, err)
			}
		}
		d.equal(nil, d.RemovePhoto(d.Context(), acme, c.ID))
		got, err := d.Photo(d.Context(), acme, c.ID)
		d.equal(nil, err)
		d.equal(0, len(got))
		d.equal(nil, d.RemovePhoto(d.Context(), acme, c.ID))
		d.equal(nil, d.SetPhoto(d.Context(), acme, c.ID, encoded(t, noise(9, 9), "png")))
		d.follow()
		var photos int
		d.equal(nil, d.db.QueryRowContext(d.Context(), `SELECT COUNT(*) FROM card_photos`).Scan(&photos))
		d.equal(0, photos)
	})
}

// TestAPhotoIsUpright holds a picture with a red corner as every orientation says, and
// looks for the corner at the top left.
func TestAPhotoIsUpright(t *testing.T) {
	const side = 512
	corner := map[uint16]image.Point{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {0, 1}, 7: {1, 1}, 8: {1, 0}}
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("kari", "Ward"))
		c := d.cards()["kari"]
		for orientation, at := range corner {
			picture := image.NewRGBA(image.Rect(0, 0, side, side))
			for i := range picture.Pix {
				picture.Pix[i] = 0xff
			}
			for y := range side / 4 {
				for x := range side / 4 {
					picture.Set(at.X*3*side/4+x, at.Y*3*side/4+y, color.RGBA{0xff, 0, 0, 0xff})
				}
			}
			d.equal(nil, d.SetPhoto(d.Context(), acme, c.ID, held(t, picture, orientation)))
			photo, err := d.Photo(d.Context(), acme, c.ID)
			d.equal(nil, err)
			got, err := jpeg.Decode(bytes.NewReader(photo))
			d.equal(nil, err)
			if _, green, _, _ := got.At(40, 40).RGBA(); green > 0x4000 {
				d.Errorf("orientation %d is not upright", orientation)
			}
		}
	})
}

func FuzzAPhoto(f *testing.F) {
	f.Add([]byte(strings.Repeat("\xff", 20)))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00\x2a\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if n := cards.Orientation(file); n < 1 || n > 8 {
			t.Errorf("%d", n)
		}
	})
}
