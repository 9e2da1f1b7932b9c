package cards

import (
	"bytes"
	"context"
	"database/sql"
	"image"
	"image/jpeg"
	_ "image/png" // is read
	"sync"
	"time"

	"golang.org/x/image/draw"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

const (
	// PhotoType is what photos are kept as.
	PhotoType = "image/jpeg"
	// MaxPhoto is in bytes, of a photo as it is kept: address books of phones take it.
	MaxPhoto = 100_000
	// MaxUpload is in bytes, of a photo as it comes from a phone.
	MaxUpload = 10 << 20
	photoSide = 512
)

// SetPhoto keeps a photo, PNG or JPEG, as a square JPEG of 512 pixels that carries
// nothing of the file but what is seen: cameras write where and when it was taken. It is
// cut at the middle. The code invalid_photo says what is wrong with the file.
func (c *Cards) SetPhoto(ctx context.Context, account, card int64, file []byte) error {
	photo, err := square(file)
	if err != nil {
		return err
	}
	now := db.Millis(time.Now())
	return c.db.InTx(ctx, func(tx *db.Tx) error {
		if err := c.changed(ctx, tx, account, card, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO card_photos (card_id, account_id, media_type, content, uploaded_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (card_id) DO UPDATE SET media_type = EXCLUDED.media_type, content = EXCLUDED.content, uploaded_at = EXCLUDED.uploaded_at`,
			card, account, PhotoType, photo, now)
		return err
	})
}

// RemovePhoto removes it, if there is one.
func (c *Cards) RemovePhoto(ctx context.Context, account, card int64) error {
	return c.db.InTx(ctx, func(tx *db.Tx) error {
		if err := c.changed(ctx, tx, account, card, db.Millis(time.Now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM card_photos WHERE account_id = $1 AND card_id = $2`, account, card)
		return err
	})
}

// changed raises the revision of an active card.
func (c *Cards) changed(ctx context.Context, tx *db.Tx, account, card, now int64) error {
	done, err := tx.ExecContext(ctx, `
		UPDATE cards SET revision = revision + 1, updated_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'active'`, account, card, now)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return orElse(err, errNoCard)
	}
	return nil
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Photo is a card's, a JPEG; nil for none.
func (c *Cards) Photo(ctx context.Context, account, card int64) (photo []byte, err error) {
	err = c.db.QueryRowContext(ctx, `SELECT content FROM card_photos WHERE account_id = $1 AND card_id = $2`, account, card).Scan(&photo)
	if err == sql.ErrNoRows {
		return nil, nil
	}
	return photo, err
}

// reading bounds the memory: one picture is read at a time.
var reading sync.Mutex

// square is the middle of a picture, upright, in at most MaxPhoto bytes.
func square(file []byte) ([]byte, error) {
	reading.Lock()
	defer reading.Unlock()
	size, kind, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil || kind != "png" && kind != "jpeg" {
		return nil, problem.Invalid("photo", "the photo is no PNG or JPEG that can be read")
	}
	if most := readablePixels(file, kind, size.ColorModel); len(file) > MaxUpload || size.Width*size.Height > most {
		return nil, problem.Invalid("photo", "the photo is too large: at most %d MB and, in its format, %d million pixels", MaxUpload>>20, most/1_000_000)
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, problem.Invalid("photo", "the photo is no PNG or JPEG that can be read")
	}
	out := image.NewRGBA(image.Rect(0, 0, photoSide, photoSide))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src) // where a PNG is transparent
	draw.CatmullRom.Scale(out, out.Rect, picture, middle(picture.Bounds()), draw.Over, nil)
	return compressed(upright(out, orientation(file)))
}

func middle(r image.Rectangle) image.Rectangle {
	side := min(r.Dx(), r.Dy())
	corner := r.Min.Add(image.Pt((r.Dx()-side)/2, (r.Dy()-side)/2))
	return image.Rectangle{corner, corner.Add(image.Pt(side, side))}
}

// compressed takes off quality until the photo is small enough; that at 512 pixels a
// side the last step is always so is a matter of JPEG's arithmetic.
func compressed(picture image.Image) ([]byte, error) {
	var out bytes.Buffer
	for quality := 85; ; quality -= 15 {
		out.Reset()
		if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: max(quality, 1)}); err != nil {
			return nil, err
		}
		if out.Len() <= MaxPhoto || quality < 1 {
			return out.Bytes(), nil
		}
	}
}
