package cards

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
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
	mostImages    = 200
	// imageUnused is for how long an upload waits for a design to be saved that shows it.
	imageUnused = 24 * time.Hour
)

var (
	errNoImage = problem.NotFound("card_image", "")
	errNoLogo  = refusedAt("looks.logo", "card_image_not_found", "there is no such image")
)

// AddImage keeps a logo. It is made anew from what was uploaded, so that nothing else
// that the file held is passed on. The same picture is kept once. The code
// too_many_card_images says that the account has 200. One that no design shows goes after
// a day.
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
	sum := sha256.Sum256(i.Content)
	hash := hex.EncodeToString(sum[:])
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		same, err := db.Column[int64](ctx, tx, `UPDATE card_images SET created_at = $3 WHERE account_id = $1 AND hash = $2 RETURNING id`,
			account, hash, db.Millis(i.Created))
		if err != nil {
			return err
		}
		if len(same) > 0 {
			i.ID = same[0]
			return nil
		}
		i.ID = fresh
		return i.add(ctx, tx, account, hash)
	})
	return i, err
}

func (i Image) add(ctx context.Context, tx *db.Tx, account int64, hash string) error {
	var there int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM card_images WHERE account_id = $1`, account).Scan(&there); err != nil {
		return err
	}
	if there >= mostImages {
		return problem.Conflict("too_many_card_images", "an account has %d logos at the most; one that no design shows goes after a day", mostImages)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO card_images (id, account_id, media_type, content, hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		i.ID, account, i.MediaType, i.Content, hash, db.Millis(i.Created))
	return err
}

// useLogo keeps the logo of a version of a design from now on.
func (t Template) useLogo(ctx context.Context, tx *db.Tx) error {
	if t.Looks.Logo == 0 {
		return nil
	}
	done, err := tx.ExecContext(ctx, `UPDATE card_images SET used_at = $3 WHERE account_id = $1 AND id = $2`, t.Account, t.Looks.Logo, db.Millis(t.Updated))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return orElse(err, errNoLogo)
	}
	return nil
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
	reading.Lock()
	defer reading.Unlock()
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
