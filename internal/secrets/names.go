package secrets

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Names are ids as the outside sees them: a typed prefix and one AES block of
// prefix and id. A name is a keyed permutation, so it tells nothing of how many
// there are, and a made-up one does not parse.
type Names struct {
	block cipher.Block
	marks []byte // key of Mark
}

// Typed prefixes of the names.
const (
	Message    = "msg"
	Campaign   = "cmp"
	Contact    = "con"
	Group      = "grp"
	Connection = "dir"
	Run        = "run"
	Upload     = "upl"
	User       = "usr"
	Key        = "key"
	Token      = "tok"
	Inbound    = "inb"
	Suppress   = "sup"
	Template   = "tpl"
	Budget     = "bud"
	Team       = "tem"
	RouteRule  = "rul"

	Hold         = "hld"
	RetentionRun = "rtr"
	ExportOfAll  = "xpt"
	Agreement    = "agr"
	Erasure      = "era"
	SubProcessor = "spr"
	Notice       = "ntc"
	Objection    = "obj"
	Feed         = "fed" // of an account: who has the name reads what is public
	Invoice      = "inv"
	PriceVersion = "prv"
	Entry        = "ent" // of the ledger

	Reconciliation = "rec"
	Card           = "crd"
	CardGroup      = "cgr"
	CardTemplate   = "ctp"
	CardImage      = "cim"
	Invite         = "ivt"
)

var nameEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// namesKey is the row of table installation that keeps the key of the names. It
// is a key of its own because the names must survive a change of the secret key.
const namesKey = "names_key"

// OpenNames loads the installation's key for names, or makes it.
func OpenNames(ctx context.Context, d *db.DB, ring *Keyring) (*Names, error) {
	fresh := make([]byte, keyBytes)
	rand.Read(fresh)
	if _, err := d.ExecContext(ctx, `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		namesKey, ring.Seal(fresh, namesKey)); err != nil {
		return nil, fmt.Errorf("keep the key of the names: %w", err)
	}
	var sealed string
	if err := d.QueryRowContext(ctx, `SELECT value FROM installation WHERE name = $1`, namesKey).Scan(&sealed); err != nil {
		return nil, fmt.Errorf("read the key of the names: %w", err)
	}
	raw, err := ring.Open(sealed, namesKey)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(raw)
	return &Names{block: block, marks: markKey(raw)}, err
}

// Of is the name of an id: "msg_" and 26 letters and digits.
func (n *Names) Of(prefix string, id int64) string {
	var b [aes.BlockSize]byte
	copy(b[:8], prefix)
	binary.BigEndian.PutUint64(b[8:], uint64(id))
	n.block.Encrypt(b[:], b[:])
	return prefix + "_" + nameEncoding.EncodeToString(b[:])
}

// ID is the id of a name; a name that was not made here is a not-found problem.
func (n *Names) ID(prefix, name string) (int64, error) {
	if id, ok := n.parse(prefix, name); ok {
		return id, nil
	}
	return 0, problem.NotFound(prefixWords[prefix], name)
}

// Typed prefixes of what is named in lists alone.
const (
	Account    = "acc"
	AuditEntry = "aud"
)

// Read is what a name of any kind stands for.
func (n *Names) Read(name string) (prefix string, id int64, ok bool) {
	prefix, _, _ = strings.Cut(name, "_")
	id, ok = n.parse(prefix, name)
	return prefix, id, ok
}

var prefixWords = map[string]string{
	Message: "message", Campaign: "campaign", Contact: "contact", Group: "group", Suppress: "suppression", Invoice: "invoice", Entry: "entry",
	Connection: "connection", Run: "run", Upload: "upload", User: "user", Key: "key", Token: "token", Inbound: "inbound", Template: "template",
	RouteRule: "rule", Budget: "budget", Team: "team",
	Hold: "hold", RetentionRun: "run", ExportOfAll: "export",
	Agreement: "agreement",
	Erasure:   "erasure",

	PriceVersion: "price_version",

	SubProcessor: "subprocessor", Reconciliation: "reconciliation", Notice: "notice", Objection: "objection", Feed: "feed",
	Card: "card", CardGroup: "card_group", CardTemplate: "card_template", CardImage: "card_image", Invite: "invite",
}

func (n *Names) parse(prefix, name string) (int64, bool) {
	text, ok := strings.CutPrefix(name, prefix+"_")
	if !ok {
		return 0, false
	}
	raw, err := nameEncoding.DecodeString(text)
	if err != nil || len(raw) != aes.BlockSize {
		return 0, false
	}
	var b, want [aes.BlockSize]byte
	n.block.Decrypt(b[:], raw)
	copy(want[:8], prefix)
	if [8]byte(b[:8]) != [8]byte(want[:8]) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b[8:])), true
}
