package privacy

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// TokenMark begins what stands in the place of a number. No number begins so.
const TokenMark = "~"

// tokenBytes of HMAC-SHA256: 80 bits keep a million numbers apart.
const tokenBytes = 10

// tokens makes the tokens of an account's numbers. The key is the account's own, so
// that two accounts have different tokens for a number, and it goes at the account's
// end; without it nobody finds a number's token by trying all numbers.
func (d *Desk) tokens(ctx context.Context, account int64) (func(phone string) string, error) {
	about := fmt.Sprintf("numbers of account %d", account)
	fresh := make([]byte, sha256.Size)
	rand.Read(fresh)
	sealed, err := keepNumberKey(ctx, d.parts.DB, account, d.parts.Keyring.Seal(fresh, about))
	if err != nil {
		return nil, err
	}
	key, err := d.parts.Keyring.Open(sealed, about)
	if err != nil {
		return nil, err
	}
	return func(phone string) string {
		if !strings.HasPrefix(phone, "+") {
			return phone // replaced already, or erased
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(phone))
		return TokenMark + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:tokenBytes]))
	}, nil
}
