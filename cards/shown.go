package cards

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Shown is a card as its address shows it, with the version of the design that was
// applied to its group.
type Shown struct {
	Card
	Template Template
	Photo    time.Time // when the photo that it shows was uploaded; zero: it shows none
}

// Show is what a slug answers. The codes card_gone (KindGone: it was withdrawn, or
// removed) and card_not_found (it never was) tell nothing of whose it was.
func (c *Cards) Show(ctx context.Context, slug string) (Shown, error) {
	card, t, err := c.Public(ctx, slug)
	if err != nil {
		return Shown{}, err
	}
	s := Shown{Card: card, Template: t}
	if t.Looks.Photo {
		s.Photo, err = c.photoOf(ctx, card.ID)
	}
	return s, err
}

func (c *Cards) photoOf(ctx context.Context, card int64) (time.Time, error) {
	var at int64
	err := c.db.QueryRowContext(ctx, `SELECT uploaded_at FROM card_photos WHERE card_id = $1`, card).Scan(&at)
	if err == sql.ErrNoRows {
		return time.Time{}, nil
	}
	return db.Time(at), err
}

// Stamp says whether what a slug shows is as it was: it is another one with every change.
func (c *Cards) Stamp(ctx context.Context, slug string) (Stamp, error) {
	var s Stamp
	var state State
	err := c.db.QueryRowContext(ctx, `
		SELECT c.state, c.revision, g.template_id, g.template_version, COALESCE(p.uploaded_at, 0)
		FROM cards c JOIN card_groups g ON g.id = c.group_id LEFT JOIN card_photos p ON p.card_id = c.id
		WHERE c.slug = $1`, slug).Scan(&state, &s.revision, &s.template, &s.version, &s.photo)
	if err == sql.ErrNoRows {
		return Stamp{}, c.gone(ctx, slug)
	}
	if err == nil && state != Active {
		err = errCardGone
	}
	return s, err
}

// Stamp is compared, and not read.
type Stamp struct{ revision, template, version, photo int64 }
