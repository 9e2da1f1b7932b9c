package secrets

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Mark is a keyed hash (HMAC-SHA-256, in hex) of words, by which they are known
// again and cannot be read. Its key is that of the names: it is in every backup of
// the installation and stays when the secret key changes.
func (n *Names) Mark(words ...string) string {
	sum := hmac.New(sha256.New, n.marks)
	for _, w := range words {
		sum.Write([]byte(w))
		sum.Write([]byte{0xff}) // in no UTF-8
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func markKey(raw []byte) []byte {
	sum := hmac.New(sha256.New, raw)
	sum.Write([]byte("erasure marks"))
	return sum.Sum(nil)
}
