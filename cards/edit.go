package cards

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Edit writes fields of a card as its holder may, by the ids of the fields; "" takes
// back what was written. Nothing is written when one of them is refused, as
// card_field_not_found, card_field_locked or as Kind.Read does, each with the field's id;
// or the card was withdrawn (card_gone). Fields that are not named stay as they are, also when somebody
// else writes them at the same time.
func (c *Cards) Edit(ctx context.Context, account, id int64, edits map[string]string) (Card, error) {
	now := time.Now()
	err := c.db.InTx(ctx, func(tx *db.Tx) error {
		card, err := one(ctx, tx, tx.ForUpdate(`SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.id = $2`), account, id)
		if err != nil {
			return err
		}
		if card.State != Active {
			return errCardGone
		}
		design, err := applied(ctx, tx, account, card.Group)
		if err == errNoTemplate {
			return errCardGone
		}
		if err != nil {
			return err
		}
		next, err := design.edited(card.Values, edits)
		if err != nil || maps.Equal(next, card.Edits) {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE cards SET edits = $3, revision = revision + 1, updated_at = $4 WHERE account_id = $1 AND id = $2`,
			account, id, toJSON(next), db.Millis(now))
		if err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: account, At: now, Action: "card.edited", Subject: secrets.Card, SubjectID: id,
			Facts: map[string]any{"fields": slices.Sorted(maps.Keys(edits))}})
		return err
	})
	if err != nil {
		return Card{}, err
	}
	return c.Card(ctx, account, id)
}

// edited is what the holder wrote, with edits.
func (b Body) edited(v Values, edits map[string]string) (map[string]string, error) {
	next := maps.Clone(v.Edits)
	if next == nil {
		next = map[string]string{}
	}
	for _, id := range slices.Sorted(maps.Keys(edits)) {
		f, ok := b.Field(id)
		if !ok || f.Hidden {
			return nil, under(id, problem.New(problem.KindNotFound, "card_field_not_found", "the card has no field %q", id))
		}
		if !f.MayEdit(v) {
			return nil, under(id, problem.New(problem.KindForbidden, "card_field_locked", "the field %q is not the holder's to write", id))
		}
		value, err := f.Kind.written(edits[id])
		if err != nil {
			return nil, under(id, err)
		}
		if next[id] = value; value == "" {
			delete(next, id)
		}
	}
	return next, nil
}

// written is what a holder wrote, without what cannot be seen.
func (k Kind) written(text string) (string, error) {
	if k == Note {
		return k.Read(tidiedLines(text))
	}
	return k.Read(k.clean(tidied(text)))
}
