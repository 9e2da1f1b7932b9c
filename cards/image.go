package cards

import (
	"bytes"
	"context"
	"database/sql"
	"image"
	"image/jpeg"
	"image/png"
	"time"

	"golang.org/x/image/draw"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Image is a logo of an account. It never changes.
type Image struct {
	ID        int64
	MediaType string // "image/png" or "image/jpeg"
	Content   []byte
	Created   time.Time
}

const (
	// MaxImageBytes is what may be uploaded.
	MaxImageBytes = 1 << 20
	maxImageSide  = 2048 // pixels, so that a small file cannot fill the memory
	imagePixels   = 512  // kept of the longer side
	imageQuality  = 88   // of a JPEG
)

var errNoImage = problem.NotFound("card_image", "")

// AddImage keeps a logo. It is made anew from what was uploaded, so that nothing else
// that the file held is passed on. The same picture is kept once.
func (c *Cards) AddImage(ctx context.Context, account int64, upload []byte) (Image, error) {
	i, err := readImage(upload)
	if err != nil {
		return i, err
	}
	fresh, err := c.db.NewIDs(ctx, 1)
	if err != nil {
		return i, err
	}
	i.Created = db.Time(db.Millis(time.Now()))
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		i.ID = fresh
		same, err := db.Column[int64](ctx, tx, `SELECT id FROM card_images WHERE account_id = $1 AND content = $2`, account, i.Content)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			i.ID = same[0]
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO card_images (id, account_id, media_type, content, created_at) VALUES ($1, $2, $3, $4, $5)`,
			i.ID, account, i.MediaType, i.Content, db.Millis(i.Created))
		return err
	})
	return i, err
}

// Image finds one of the account's.
func (c *Cards) Image(ctx context.Context, account, id int64) (Image, error) {
	found, err := db.Collect(ctx, c.db, func(row *sql.Rows) (i Image, err error) {
		var created int64
		err = row.Scan(&i.ID, &i.MediaType, &i.Content, &created)
		i.Created = db.Time(created)
		return i, err
	}, `SELECT id, media_type, content, created_at FROM card_images WHERE account_id = $1 AND id = $2`, account, id)
	if err != nil {
		return Image{}, err
	}
	if len(found) == 0 {
		return Image{}, errNoImage
	}
	return found[0], nil
}

func readImage(upload []byte) (Image, error) {
	if len(upload) > MaxImageBytes {
		return Image{}, problem.Invalid("image", "a logo has %d kB at most", MaxImageBytes>>10)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(upload))
	if err != nil || format != "png" && format != "jpeg" {
		return Image{}, problem.Invalid("image", "a logo is a PNG or JPEG picture")
	}
	if least, most := min(config.Width, config.Height), max(config.Width, config.Height); least < 1 || most > maxImageSide {
		return Image{}, problem.Invalid("image", "a logo has %d pixels a side at most", maxImageSide)
	}
	full, _, err := image.Decode(bytes.NewReader(upload))
	if err != nil {
		return Image{}, problem.Invalid("image", "the picture is broken")
	}
	var out bytes.Buffer
	if format == "jpeg" {
		err = jpeg.Encode(&out, shrunk(full), &jpeg.Options{Quality: imageQuality})
	} else {
		err = png.Encode(&out, shrunk(full))
	}
	return Image{MediaType: "image/" + format, Content: out.Bytes()}, err
}

// shrunk has at most imagePixels on its longer side.
func shrunk(full image.Image) image.Image {
	width, height := full.Bounds().Dx(), full.Bounds().Dy()
	if longer := max(width, height); longer > imagePixels {
		width, height = max(width*imagePixels/longer, 1), max(height*imagePixels/longer, 1)
	}
	small := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(small, small.Bounds(), full, full.Bounds(), draw.Src, nil)
	return small
}
