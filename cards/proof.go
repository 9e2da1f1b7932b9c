package cards

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// HolderLife is how long a proof lasts.
const HolderLife = 30 * time.Minute

// Proof is how somebody proved to be a card's holder.
type Proof string

// ByCode is a code that was texted to the holder's number in the address book.
const ByCode Proof = "code"

// Proven is somebody who proved to hold a card. What they may do does not depend on how
// they proved it: Edit, SetPhoto and RemovePhoto, of this card alone.
type Proven struct {
	Account, Card int64
	Proof         Proof
	Until         time.Time
}

var errNoHolder = problem.New(problem.KindUnknown, "card_holder_unknown", "prove first that the card is yours")

// Admit begins what a proof opens, and answers the token that the holder's browser keeps.
func (c *Cards) Admit(ctx context.Context, account, card int64, by Proof, now time.Time) (token string, until time.Time, err error) {
	raw := make([]byte, 32)
	rand.Read(raw)
	token, until = base64.RawURLEncoding.EncodeToString(raw), now.Add(HolderLife)
	_, err = c.db.ExecContext(ctx, `INSERT INTO card_holders (hash, card_id, account_id, proof, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		tokenHash(token), card, account, by, db.Millis(until))
	return token, until, err
}

// Proven is whom a token stands for. The code card_holder_unknown (KindUnknown) says that
// it stands for nobody, or for the holder of another card, or of one that is gone.
func (c *Cards) Proven(ctx context.Context, card int64, token string, now time.Time) (Proven, error) {
	h := Proven{Card: card}
	var until int64
	err := c.db.QueryRowContext(ctx, `
		SELECT h.account_id, h.proof, h.expires_at FROM card_holders h JOIN cards c ON c.id = h.card_id
		WHERE h.hash = $1 AND h.card_id = $2 AND h.expires_at > $3 AND c.state = 'active'`, tokenHash(token), card, db.Millis(now)).Scan(&h.Account, &h.Proof, &until)
	if err == sql.ErrNoRows {
		return Proven{}, errNoHolder
	}
	h.Until = db.Time(until)
	return h, err
}

// Leave ends what a token opens.
func (c *Cards) Leave(ctx context.Context, token string) error {
	_, err := c.db.ExecContext(ctx, `DELETE FROM card_holders WHERE hash = $1`, tokenHash(token))
	return err
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
