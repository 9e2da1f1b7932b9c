package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"
)

// linkNumber and linkCheck are how many bits of a link are the number and how many
// are zero: together two halves.
const (
	linkNumber = 50 // a phone number has 15 digits (E.164)
	linkCheck  = 20
	linkHalf   = (linkNumber + linkCheck) / 2
	linkMask   = 1<<linkHalf - 1
	linkRounds = 10 // as in FF1 (NIST SP 800-38G)
	linkLength = 12
)

const linkLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// linkBlock is the key that a ring's key has for links.
func linkBlock(raw []byte) (cipher.Block, error) {
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte("links"))
	return aes.NewCipher(mac.Sum(nil))
}

// Link writes an account's phone number, its digits as a number below 2^50, in 12
// letters and digits. It is a keyed permutation of 70 bits, so that a link tells
// nothing and needs no row. One text in a million opens for an account, as any
// number of 50 bits, of which few are phone numbers.
func (r *Keyring) Link(account int64, number uint64) string {
	left, right := number>>(linkHalf-linkCheck), number<<linkCheck&linkMask
	for round := range linkRounds {
		left, right = right, left^linkRound(r.keys[0].links, round, account, right)
	}
	hi, lo := left>>(64-linkHalf), left<<linkHalf|right
	var text [linkLength]byte
	for i := linkLength - 1; i >= 0; i-- {
		var digit uint64
		hi, lo, digit = divide(hi, lo, uint64(len(linkLetters)))
		text[i] = linkLetters[digit]
	}
	return string(text[:])
}

// Linked is an account and a number that a link can be of.
type Linked struct {
	Account int64
	Number  uint64
}

// Linked opens a link with any of the ring's keys, as one of the accounts given. It
// tries all, whichever it is. Whom the link was made
// for is among what it finds; anything else found is any number below 2^50.
func (r *Keyring) Linked(link string, accounts []int64) (all []Linked) {
	left, right, ok := linkHalves(link)
	for _, k := range r.keys {
		for _, account := range accounts {
			if number, opens := openLink(k.links, account, left, right); opens && ok {
				all = append(all, Linked{account, number})
			}
		}
	}
	return all
}

func openLink(block cipher.Block, account int64, left, right uint64) (number uint64, ok bool) {
	for round := linkRounds - 1; round >= 0; round-- {
		left, right = right^linkRound(block, round, account, left), left
	}
	return left<<(linkHalf-linkCheck) | right>>linkCheck, right&(1<<linkCheck-1) == 0
}

func linkHalves(link string) (left, right uint64, ok bool) {
	if len(link) != linkLength {
		return 0, 0, false
	}
	var hi, lo uint64
	for i := range len(link) {
		digit := strings.IndexByte(linkLetters, link[i])
		if digit < 0 {
			return 0, 0, false
		}
		carry, low := bits.Mul64(lo, uint64(len(linkLetters)))
		var more uint64
		lo, more = bits.Add64(low, uint64(digit), 0)
		hi = hi*uint64(len(linkLetters)) + carry + more
	}
	return hi<<(64-linkHalf) | lo>>linkHalf, lo & linkMask, hi>>(2*linkHalf-64) == 0
}

func linkRound(block cipher.Block, round int, account int64, half uint64) uint64 {
	var in, out [aes.BlockSize]byte
	binary.BigEndian.PutUint64(in[:8], uint64(account))
	binary.BigEndian.PutUint64(in[8:], half) // 35 bits: its first octet is free
	in[8] = byte(round)
	block.Encrypt(out[:], in[:])
	return binary.BigEndian.Uint64(out[:]) & linkMask
}

// divide divides a number of 128 bits.
func divide(hi, lo, by uint64) (quotientHi, quotientLo, rest uint64) {
	quotientHi, rest = hi/by, hi%by
	quotientLo, rest = bits.Div64(rest, lo, by)
	return quotientHi, quotientLo, rest
}
