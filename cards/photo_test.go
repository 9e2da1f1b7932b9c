package cards_test

import (
	"bytes"
	"encoding/binary"
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

func TestAPhotoIsSquareSmallAndTellsNothingElse(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		d.designed()
		d.follow(person("kari", "Ward"))
		c := d.cards()["kari"]
		for name, file := range map[string][]byte{"a wide JPEG": held(t, noise(1400, 600), 1), "a high PNG": encoded(t, noise(300, 900), "png"), "a dot": encoded(t, noise(1, 1), "png")} {
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
		d.equal(c.Revision+3, changed.Revision)
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
