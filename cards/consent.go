package cards

import (
	"context"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// ConsentNotice is the version of what a visitor reads before a card is texted to them.
// Other words are another version.
const ConsentNotice = "2026-11"

const (
	// consentKept is how long a consent can be shown, as the notice says.
	consentKept = 365 * 24 * time.Hour
	// What the pages of cards can be made to text: so many in an hour of one card, and of
	// all cards of an account, so many to one number of the account's cards in a day, and a
	// card to a number once in an hour.
	mostTexts, textsTime           = 30, time.Hour
	mostOfAccount                  = 200
	mostToNumber, toNumberTime     = 3, 24 * time.Hour
	mostOfCardToNumber, ofCardTime = 1, time.Hour
)

var errTooManyTexts = problem.New(problem.KindUnavailable, "card_texts_exhausted", "cards were texted to too many people: try again in an hour")

// Consent keeps that somebody consented to have a card texted to a number (in E.164), and
// answers its id, or 0 when it is not to be done: when the number had too many already,
// which whoever asks is not to know. The number is kept as a mark. The code
// card_texts_exhausted (KindUnavailable) says that the card, or the cards of the account,
// were texted too often; those who ask for different cards at the same moment can be a few
// more.
func (c *Cards) Consent(ctx context.Context, account, card int64, phone, language string, now time.Time) (consent int64, err error) {
	id, err := c.db.NewIDs(ctx, 1)
	if err != nil {
		return 0, err
	}
	mark := c.numberMark(account, phone)
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		// The card's row is locked, so that those who ask at once are counted.
		if err := c.locked(ctx, tx, account, card); err != nil {
			return err
		}
		consent = 0
		var ofCard, ofAccount, toNumber, both int
		since := func(d time.Duration) int64 { return db.Millis(now.Add(-d)) }
		if err := tx.QueryRowContext(ctx, `
			SELECT (SELECT COUNT(*) FROM card_consents WHERE account_id = $1 AND card_id = $2 AND at > $4),
				(SELECT COUNT(*) FROM card_consents WHERE account_id = $1 AND number_mark = $3 AND at > $5),
				(SELECT COUNT(*) FROM card_consents WHERE account_id = $1 AND number_mark = $3 AND at > $6 AND card_id = $2),
				(SELECT COUNT(*) FROM card_consents WHERE account_id = $1 AND at > $4)`,
			account, card, mark, since(textsTime), since(toNumberTime), since(ofCardTime)).Scan(&ofCard, &toNumber, &both, &ofAccount); err != nil {
			return err
		}
		if ofCard >= mostTexts || ofAccount >= mostOfAccount {
			return errTooManyTexts
		}
		if toNumber >= mostToNumber || both >= mostOfCardToNumber {
			return nil
		}
		consent = id
		_, err := tx.ExecContext(ctx, `
			INSERT INTO card_consents (id, account_id, card_id, number_mark, notice, language, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id, account, card, mark, ConsentNotice, language, db.Millis(now))
		return err
	})
	return consent, err
}

// TakeBack forgets a consent to a text that was not sent: it would keep the next one from
// being sent.
func (c *Cards) TakeBack(ctx context.Context, account, consent int64) error {
	_, err := c.db.ExecContext(ctx, `DELETE FROM card_consents WHERE account_id = $1 AND id = $2`, account, consent)
	return err
}

func (c *Cards) locked(ctx context.Context, tx *db.Tx, account, card int64) error {
	done, err := tx.ExecContext(ctx, `UPDATE cards SET state = state WHERE account_id = $1 AND id = $2 AND state = 'active'`, account, card)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return orElse(err, errNoCard)
	}
	return nil
}

func (c *Cards) numberMark(account int64, phone string) string {
	return c.names.Mark("number", strconv.FormatInt(account, 10), phone)
}
