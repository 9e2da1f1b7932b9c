package cards

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// Tidy removes codes and proofs that are over, consents after a year, mails 90 days after
// they were settled, and logos that nothing shows; lot by lot.
func (c *Cards) Tidy(ctx context.Context, now time.Time) error {
	for _, one := range []struct {
		statement string
		before    time.Time
	}{
		{`DELETE FROM card_codes WHERE card_id IN (SELECT card_id FROM card_codes WHERE day_at < $1 LIMIT $2)`, now.Add(-codesDay)},
		{`DELETE FROM card_holders WHERE hash IN (SELECT hash FROM card_holders WHERE expires_at < $1 LIMIT $2)`, now},
		{`DELETE FROM card_consents WHERE id IN (SELECT id FROM card_consents WHERE at < $1 LIMIT $2)`, now.Add(-consentKept)},
		{`DELETE FROM card_mails WHERE (notice, card_id) IN (SELECT notice, card_id FROM card_mails WHERE at > 0 AND at < $1 LIMIT $2)`, now.Add(-mailKept)},
		{`DELETE FROM card_images WHERE used_at = 0 AND created_at < $1 AND id IN (SELECT id FROM card_images WHERE used_at = 0 AND created_at < $1 LIMIT $2)`, now.Add(-imageUnused)},
	} {
		if err := c.tidy(ctx, one.statement, one.before); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cards) tidy(ctx context.Context, statement string, before time.Time) error {
	for {
		gone, err := c.db.ExecContext(ctx, statement, db.Millis(before), lots.Size)
		if err != nil {
			return err
		}
		if n, err := gone.RowsAffected(); err != nil || n < lots.Size {
			return err
		}
	}
}
