package cards

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// A code that is texted is one way to prove to be a card's holder. What comes of a proof,
// whichever it was, is in holder.go.

const (
	// CodeLife is how long a code can be used.
	CodeLife = 10 * time.Minute
	// codeTries is how often a code can be got wrong: with mostCodes an hour, one guess in
	// 40,000 finds a code within it.
	codeTries            = 5
	mostCodes, codesTime = 5, time.Hour
	// Whoever has the link can have codes sent to the holder, so they have an end.
	mostADay, codesDay = 10, 24 * time.Hour
)

// Marking lets cards keep marks of numbers and of codes, with the installation's key.
func (c *Cards) Marking(names *secrets.Names) *Cards {
	c.names = names
	return c
}

var (
	errTooManyCodes = problem.New(problem.KindUnavailable, "card_codes_exhausted", "too many codes were asked for: try again later")
	errWrongCode    = problem.New(problem.KindUnknown, "card_code_refused", "this code is wrong, was used, or is too old: ask for another one")
)

// NewCode makes the code of a card, six digits, for whoever is to prove with it that they
// are its holder. An earlier one is worth nothing from then on. The code
// card_codes_exhausted (KindUnavailable) says that the card had five within an hour, or ten
// within a day; card_gone, that it was withdrawn.
func (c *Cards) NewCode(ctx context.Context, account, card int64, now time.Time) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	code := fmt.Sprintf("%06d", n)
	return code, c.db.InTx(ctx, func(tx *db.Tx) error {
		var again int64
		err := tx.QueryRowContext(ctx, `
			INSERT INTO card_codes (card_id, account_id, hash, tries, sent, counted_at, sent_day, day_at, expires_at)
			SELECT id, account_id, $3, 0, 1, $4, 1, $4, $5 FROM cards WHERE account_id = $1 AND id = $2 AND state = 'active'
			ON CONFLICT (card_id) DO UPDATE SET hash = EXCLUDED.hash, tries = 0, expires_at = EXCLUDED.expires_at,
				sent = CASE WHEN card_codes.counted_at <= $6 THEN 1 ELSE card_codes.sent + 1 END,
				counted_at = CASE WHEN card_codes.counted_at <= $6 THEN EXCLUDED.counted_at ELSE card_codes.counted_at END,
				sent_day = CASE WHEN card_codes.day_at <= $8 THEN 1 ELSE card_codes.sent_day + 1 END,
				day_at = CASE WHEN card_codes.day_at <= $8 THEN EXCLUDED.day_at ELSE card_codes.day_at END
			WHERE (card_codes.counted_at <= $6 OR card_codes.sent < $7) AND (card_codes.day_at <= $8 OR card_codes.sent_day < $9)
			RETURNING sent`,
			account, card, c.codeMark(card, code), db.Millis(now), db.Millis(now.Add(CodeLife)), db.Millis(now.Add(-codesTime)), mostCodes,
			db.Millis(now.Add(-codesDay)), mostADay).Scan(&again)
		if err == sql.ErrNoRows {
			return c.whyNoCode(ctx, tx, account, card)
		}
		return err
	})
}

func (c *Cards) whyNoCode(ctx context.Context, tx *db.Tx, account, card int64) error {
	found, err := one(ctx, tx, `SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.id = $2`, account, card)
	switch {
	case err != nil:
		return err
	case found.State != Active:
		return errCardGone
	}
	return errTooManyCodes
}

// UseCode says whether a code is the card's; then it is used up. The code
// card_code_refused (KindUnknown) does not tell whether the code was wrong, too old, tried
// too often, or never made.
func (c *Cards) UseCode(ctx context.Context, account, card int64, code string, now time.Time) error {
	var hash string
	right := false
	err := c.db.InTx(ctx, func(tx *db.Tx) error {
		right = false
		err := tx.QueryRowContext(ctx, `
			UPDATE card_codes SET tries = tries + 1 WHERE account_id = $1 AND card_id = $2 AND tries < $3 AND expires_at > $4
			RETURNING hash`, account, card, codeTries, db.Millis(now)).Scan(&hash)
		if err == sql.ErrNoRows {
			return nil
		}
		if err != nil || subtle.ConstantTimeCompare([]byte(hash), []byte(c.codeMark(card, code))) == 0 {
			return err
		}
		right = true
		_, err = tx.ExecContext(ctx, `UPDATE card_codes SET expires_at = 0 WHERE account_id = $1 AND card_id = $2`, account, card)
		return err
	})
	if err == nil && !right {
		err = errWrongCode
	}
	return err
}

// codeMark is keyed, as six digits alone are soon tried out.
func (c *Cards) codeMark(card int64, code string) string {
	return c.names.Mark("card code", strconv.FormatInt(card, 10), code)
}
