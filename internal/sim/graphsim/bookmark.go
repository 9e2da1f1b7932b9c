package graphsim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// bookmark is what a $skiptoken or $deltatoken holds. It carries the whole round,
// so the server keeps no state between two pages and no link ever wears out
// except by age.
type bookmark struct {
	Kind   string // collection, and list or delta
	Tenant string
	Select []string
	IDs    []string // of $filter
	Since  change   // the round tells what came after
	Until  change   // where the next round begins
	At     place
	Again  *place    // first item of the page before, to be replayed
	Pause  bool      // an empty page is due
	Done   bool      // a delta link, not a next link
	Issued time.Time // when the link was given
}

// place is where a page begins: big groups come in several waves over the groups,
// each with the next slice of their memberships.
type place struct{ Wave, Object int }

// sealer makes tokens that cannot be read, made up or altered outside.
type sealer struct{ aead cipher.AEAD }

func newSealer() sealer {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has a right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return sealer{aead}
}

func (s sealer) seal(b bookmark) string {
	plain, err := json.Marshal(b)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, nil))
}

// open also refuses tokens of an earlier process the way Graph refuses forgotten
// ones, so that a client's answer to both is the same: start over.
func (s sealer) open(token string) (b bookmark, refused *graphError) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return b, badQuery("The token is malformed.")
	}
	plain, err := s.aead.Open(nil, nil, raw, nil)
	if err != nil {
		return b, stateNotFound()
	}
	if err := json.Unmarshal(plain, &b); err != nil {
		panic(err) // we sealed it
	}
	return b, nil
}

func stateNotFound() *graphError {
	return &graphError{status: http.StatusBadRequest, code: "syncStateNotFound",
		message: "The sync state is too old or unknown; start a full synchronization."}
}
