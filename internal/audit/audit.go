// Package audit is who did what, in a chain that shows when an entry was changed,
// removed or put in: each entry's hash covers the one before. Personal data is in
// the chain as a salted commitment only, so it can be erased and the chain still
// verifies.
package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Kinds of actors.
const (
	User    = "user"    // of the console
	Key     = "key"     // of the API
	Command = "command" // somebody at the command line
	System  = "system"  // the product by itself
	Person  = "person"  // somebody without a sign-in: a recipient, a visitor
)

// Actor is who does something. The zero Actor is the product itself.
type Actor struct {
	Kind string
	ID   int64 // of the user or key, else 0
}

// Entry is one thing that was done.
type Entry struct {
	Account   int64 // 0: the installation
	Seq       int64 // from 1, without gaps
	At        time.Time
	Action    string // "agreement.concluded", "api.addContact"
	Actor     Actor
	Subject   string // what it was done to, by the prefix of its name: "con"; or empty
	SubjectID int64
	Facts     any    // JSON without personal data; stays for good
	Detail    any    // JSON with personal data, nil for none; can be erased
	Erased    bool   // Detail was erased
	Hash      string // hex SHA-256
}

type actorKey struct{}

// As says who acts in the context.
func As(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// ActorOf is who acts in the context: the product itself when nobody is said to.
func ActorOf(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{Kind: System}
}

// Record appends an entry to its account's chain, by the actor of the context when
// the entry has none. It is the last thing in a transaction: until the end others
// wait to append.
func Record(ctx context.Context, tx *db.Tx, e Entry) (Entry, error) {
	if e.Actor.Kind == "" {
		e.Actor = ActorOf(ctx)
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	e.At = db.Time(db.Millis(e.At))
	row, err := e.row()
	if err != nil {
		return e, err
	}
	before, err := head(ctx, tx, e.Account)
	if err != nil {
		return e, err
	}
	e.Seq, row.seq = before.seq+1, before.seq+1
	row.hash = row.sum(before.hash)
	e.Hash = row.hash
	return e, row.insert(ctx, tx)
}

func (e Entry) row() (row, error) {
	facts, err := marshal(e.Facts)
	if err != nil {
		return row{}, err
	}
	detail, err := marshal(e.Detail)
	if err != nil {
		return row{}, err
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	r := row{account: e.Account, at: db.Millis(e.At), action: e.Action, actor: e.Actor, subject: e.Subject, subjectID: e.SubjectID,
		facts: facts, detail: detail, salt: hex.EncodeToString(salt)}
	r.commitment = commit(r.salt, r.detail)
	return r, nil
}

func marshal(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}

func commit(salt, detail string) string {
	sum := sha256.Sum256([]byte(salt + detail))
	return hex.EncodeToString(sum[:])
}

// sum is the hash of the entry after one with the hash before. What it covers is
// written as JSON, so no two entries are written alike.
func (r row) sum(before string) string {
	text, _ := json.Marshal([]any{before, r.account, r.seq, r.at, r.action, r.actor.Kind, r.actor.ID, r.subject, r.subjectID, r.facts, r.commitment})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Head is the end of a verified chain. Kept elsewhere, it shows later that nothing
// was cut off.
type Head struct {
	Entries int64
	Hash    string
}

// Verify goes through an account's chain and refuses it at the first entry that is
// not as it was written.
func Verify(ctx context.Context, d *db.DB, account int64) (Head, error) {
	return VerifySince(ctx, d, account, Head{})
}

// VerifySince also refuses a chain that a head, kept earlier and elsewhere, is not in:
// whoever writes a whole chain anew has to change it.
func VerifySince(ctx context.Context, d *db.DB, account int64, kept Head) (Head, error) {
	var h Head
	err := d.Snapshot(ctx, func(tx *db.Tx) error {
		h = Head{}
		for {
			rows, err := selectRows(ctx, tx, account, h.Entries, 1000)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := r.follows(h); err != nil {
					return err
				}
				h = Head{r.seq, r.hash}
				if h.Entries == kept.Entries && h.Hash != kept.Hash {
					return broken(h.Entries, "is another than when the head was kept")
				}
			}
			if len(rows) == 0 && h.Entries < kept.Entries {
				return broken(h.Entries+1, "was cut off since the head was kept")
			}
			if len(rows) == 0 {
				return h.isLast(ctx, tx, account)
			}
		}
	})
	return h, err
}

func (r row) follows(h Head) error {
	switch {
	case r.seq != h.Entries+1:
		return broken(h.Entries+1, "is missing")
	case r.salt != "" && r.commitment != commit(r.salt, r.detail):
		return broken(r.seq, "has another detail than was committed to")
	case r.hash != r.sum(h.Hash):
		return broken(r.seq, "was changed")
	}
	return nil
}

func (h Head) isLast(ctx context.Context, q db.Querier, account int64) error {
	kept, err := selectHead(ctx, q, account)
	if err == nil && (kept.seq != h.Entries || kept.hash != h.Hash) {
		return broken(h.Entries+1, "was cut off")
	}
	return err
}

func broken(seq int64, what string) error {
	return problem.Conflict("audit_broken", "%s", fmt.Sprintf("the entry %d %s", seq, what))
}
