package smsqueue

import (
	"math/big"
	"strings"
)

// Carriers write the id of one part in several ways: in the answer in hex and
// in the receipt in decimal or the reverse, in another case, with or without
// leading zeros. An id is therefore kept in one form and looked for in three.

// idKey is an id in the form that is compared: small letters, no leading zeros.
func idKey(raw string) string {
	key := strings.TrimLeft(strings.ToLower(strings.TrimSpace(raw)), "0")
	if key == "" && raw != "" {
		return "0"
	}
	return key
}

// idForms are the keys under which an id may be known: as it is, read as hex
// and written in decimal, read as decimal and written in hex.
func idForms(key string) []string {
	forms := []string{key}
	for _, base := range [][2]int{{16, 10}, {10, 16}} {
		// 20 digits hold 64 bits in decimal; longer ids (UUIDs) are no numbers.
		if len(key) > 20 {
			break
		}
		if n, ok := new(big.Int).SetString(key, base[0]); ok {
			if form := n.Text(base[1]); form != key {
				forms = append(forms, form)
			}
		}
	}
	return forms
}

// knownPart is a part whose id is one of a receipt's forms.
type knownPart struct {
	message int64
	part    int
	key     string
	raw     string
	phone   string
}

// choose finds the part that a receipt is for. The id as it came decides
// before its other forms; the handset has to be the same, unless the carrier
// does not say or the id is the same to the letter. Of several messages that
// fit, the newest is meant: carriers use ids again.
func choose(r *receipt, known map[string][]knownPart) (best knownPart, found bool) {
	for i, form := range idForms(r.key) {
		for _, p := range known[form] {
			same := r.Phone == "" || r.Phone == p.phone
			if !same && (i > 0 || p.raw != r.ID) {
				continue
			}
			if !found || p.message > best.message {
				best, found = p, true
			}
		}
		if found {
			return best, true
		}
	}
	return best, false
}
