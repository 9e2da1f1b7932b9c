// Package secrets seals what must not be read from a copy of the database, and
// turns ids into names that tell nothing about volume.
package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

const keyBytes = 32

// Keyring seals with its first key and opens with any of them, so that a new
// key can be put in front of an old one.
type Keyring struct {
	keys []key
}

type key struct {
	id    string // the first four bytes of its SHA-256, in hex
	aead  cipher.AEAD
	links cipher.Block
}

// Parse reads one or several base64 keys of 32 bytes, separated by commas, the
// newest first.
func Parse(text string) (*Keyring, error) {
	var ring Keyring
	for i, one := range strings.Split(text, ",") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(one))
		if err != nil || len(raw) != keyBytes {
			return nil, fmt.Errorf("secret key %d is not %d bytes in base64", i+1, keyBytes)
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, k)
	}
	return &ring, nil
}

// FromFile reads the key file at path and makes it, readable by its owner
// alone, when there is none.
func FromFile(path string) (*Keyring, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text, err = writeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return Parse(strings.TrimSpace(string(text)))
}

func writeKey(path string) ([]byte, error) {
	raw := make([]byte, keyBytes)
	rand.Read(raw)
	text := []byte(base64.StdEncoding.EncodeToString(raw) + "\n")
	// O_EXCL: of two processes that start at once, one makes the key and the
	// other reads it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return text, errors.Join(f.Sync(), f.Close())
}

func newKey(raw []byte) (key, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, err
	}
	links, err := linkBlock(raw)
	if err != nil {
		return key{}, err
	}
	sum := sha256.Sum256(raw)
	return key{id: hex.EncodeToString(sum[:4]), aead: aead, links: links}, nil
}

// Seal encrypts plain. about is what it belongs to ("carrier main"): a sealed
// text moved to another row does not open there.
func (r *Keyring) Seal(plain []byte, about string) string {
	k := r.keys[0]
	return k.id + ":" + base64.RawStdEncoding.EncodeToString(k.aead.Seal(nil, nil, plain, []byte(about)))
}

// Open decrypts what Seal made for the same about.
func (r *Keyring) Open(sealed, about string) ([]byte, error) {
	id, text, _ := strings.Cut(sealed, ":")
	for _, k := range r.keys {
		if k.id != id {
			continue
		}
		raw, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("open the secret of %s: %w", about, err)
		}
		plain, err := k.aead.Open(nil, nil, raw, []byte(about))
		if err != nil {
			return nil, fmt.Errorf("open the secret of %s: it was changed or belongs elsewhere", about)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("open the secret of %s: it was sealed with key %s, which VARSEL_SECRET_KEY does not hold", about, id)
}
