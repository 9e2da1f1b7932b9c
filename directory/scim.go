package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// A connection of kind scim is a directory that is written to us instead of read
// by us. A request changes only SCIM's own tables; the next sync reads them
// through scimSource, as it reads Graph.

// SCIMPath is where it is written to, below the installation's address.
const SCIMPath = "/scim/v2"

// SCIMToken lets a directory's provisioning service write to one connection. The
// token itself is shown once and kept as its SHA-256.
type SCIMToken struct {
	ID         int64
	Connection int64
	Name       string
	Created    time.Time
	Used       time.Time // to the minute
	Revoked    time.Time
}

// scimTenant is what the tenant id of a connection begins with that a directory
// writes to: it does not say which tenant it is.
const scimTenant = "scim-"

// ConnectSCIM opens a connection that a directory writes to, and answers its
// first token, which has the name.
func (d *Directory) ConnectSCIM(ctx context.Context, account int64, name string) (Connection, string, error) {
	if err := d.allowed(ctx, account); err != nil {
		return Connection{}, "", err
	}
	t, token, err := newSCIMToken(name)
	if err != nil {
		return Connection{}, "", err
	}
	first, err := d.db.NewIDs(ctx, 2)
	if err != nil {
		return Connection{}, "", err
	}
	t.ID, t.Connection = first+1, first
	tenant := make([]byte, 16)
	rand.Read(tenant)
	if err := d.saveSCIMConnection(ctx, account, scimTenant+hex.EncodeToString(tenant), t, tokenHash(token)); err != nil {
		return Connection{}, "", fmt.Errorf("save the connection: %w", err)
	}
	c, err := d.Connection(ctx, account, first)
	return c, token, err
}

// NewSCIMToken makes another token of 256 random bits for the connection. Those
// that it has stay valid until they are revoked.
func (d *Directory) NewSCIMToken(ctx context.Context, account, connection int64, name string) (SCIMToken, string, error) {
	if err := d.allowed(ctx, account); err != nil {
		return SCIMToken{}, "", err
	}
	t, token, err := newSCIMToken(name)
	if err != nil {
		return SCIMToken{}, "", err
	}
	if t.ID, err = d.db.NewIDs(ctx, 1); err != nil {
		return SCIMToken{}, "", err
	}
	t.Connection = connection
	return t, token, d.saveSCIMToken(ctx, account, t, tokenHash(token))
}

const longestTokenName = 100

func newSCIMToken(name string) (SCIMToken, string, error) {
	name = strings.TrimSpace(strings.ReplaceAll(name, "\x00", ""))
	if name == "" || len(name) > longestTokenName {
		return SCIMToken{}, "", problem.Invalid("name", "a token needs a name of at most %d bytes, so that it can be told from others", longestTokenName)
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	return SCIMToken{Name: name, Created: time.Now()}, "vscim_" + base64.RawURLEncoding.EncodeToString(raw), nil
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

var (
	errNoToken      = problem.New(problem.KindNotFound, "token_not_found", "the connection has no such token")
	errUnknownToken = problem.New(problem.KindUnknown, "unknown_token", "this token is not known or was revoked")
	errNotSCIM      = problem.Conflict("not_scim", "this is not a connection that a directory writes to")
	errVersion      = problem.Conflict("version_mismatch", "somebody else has changed it meanwhile: read it again")
)

// SCIMConnectionOf answers whose token it is. Nothing is read or written for an
// account before its data processing agreement is concluded.
func (d *Directory) SCIMConnectionOf(ctx context.Context, token string) (account, connection int64, err error) {
	account, connection, err = d.useSCIMToken(ctx, tokenHash(token), time.Now())
	if db.IsNone(err) {
		return 0, 0, errUnknownToken
	}
	if err != nil {
		return 0, 0, err
	}
	return account, connection, d.allowed(ctx, account)
}

// SCIMCreate adds the resource that the body of a POST describes. What the
// methods that write answer has no members.
func (d *Directory) SCIMCreate(ctx context.Context, account, connection int64, kind *scim.Kind, body []byte) (scim.Resource, error) {
	doc, members, err := kind.Read(body)
	if err != nil {
		return scim.Resource{}, err
	}
	id, now := strings.ToLower(rand.Text()), time.Now()
	var made scim.Resource
	err = d.writeSCIM(ctx, account, connection, now, func(w *scimWrite) error {
		made = scim.Resource{Kind: kind, ID: id, Document: doc, Version: w.change, Created: now, Modified: now}
		if _, err := w.changeMembers(ctx, id, members); err != nil {
			return err
		}
		return w.put(ctx, made)
	})
	return made, err
}

// SCIMRead finds a resource; a group has its members when they are asked for.
func (d *Directory) SCIMRead(ctx context.Context, account, connection int64, kind *scim.Kind, id string, members bool) (scim.Resource, error) {
	r, err := readSCIM(ctx, d.db, account, connection, kind, id)
	if err == nil && members && kind == scim.Group {
		r.Members, err = scimMembers(ctx, d.db, connection, id)
	}
	return r, err
}

// SCIMReplace makes the resource what the body of a PUT describes. A user's
// active and a group's members stay as they are when the body does not name
// them: leaving them out must not let a leaver back in, nor empty a group.
func (d *Directory) SCIMReplace(ctx context.Context, account, connection int64, kind *scim.Kind, id, ifMatch string, body []byte) (scim.Resource, error) {
	return d.changeSCIM(ctx, account, connection, kind, id, ifMatch, func(was scim.Document) (scim.Document, []scim.MemberChange, error) {
		doc, members, err := kind.Read(body)
		if err == nil && doc["active"] == nil && was["active"] != nil {
			doc["active"] = was["active"]
		}
		return doc, members, err
	})
}

// SCIMPatch applies the body of a PATCH: all of it or nothing.
func (d *Directory) SCIMPatch(ctx context.Context, account, connection int64, kind *scim.Kind, id, ifMatch string, body []byte) (scim.Resource, error) {
	return d.changeSCIM(ctx, account, connection, kind, id, ifMatch, func(was scim.Document) (scim.Document, []scim.MemberChange, error) {
		return kind.Patch(was, body)
	})
}

// errUnchanged ends a write that changes nothing.
var errUnchanged = errors.New("nothing changes")

// changeSCIM changes a resource, unless ifMatch names other versions of it. When
// nothing changes it keeps its version, and nothing is synced.
func (d *Directory) changeSCIM(ctx context.Context, account, connection int64, kind *scim.Kind, id, ifMatch string,
	change func(scim.Document) (scim.Document, []scim.MemberChange, error)) (scim.Resource, error) {
	var next scim.Resource
	now := time.Now()
	err := d.writeSCIM(ctx, account, connection, now, func(w *scimWrite) error {
		was, err := w.read(ctx, kind, id, ifMatch)
		if err != nil {
			return err
		}
		next = was
		doc, changes, err := change(was.Document)
		if err != nil {
			return err
		}
		changed, err := w.changeMembers(ctx, id, changes)
		if err != nil {
			return err
		}
		if !changed && toJSON(doc) == toJSON(was.Document) {
			return errUnchanged
		}
		next.Document, next.Version, next.Modified = doc, w.change, now
		return w.put(ctx, next)
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return next, err
}

// SCIMDelete removes a resource for good, with all memberships in it and of it.
// Its id and the time stay for a while, so that the next sync tells of it.
func (d *Directory) SCIMDelete(ctx context.Context, account, connection int64, kind *scim.Kind, id, ifMatch string) error {
	return d.writeSCIM(ctx, account, connection, time.Now(), func(w *scimWrite) error {
		if _, err := w.read(ctx, kind, id, ifMatch); err != nil {
			return err
		}
		return w.remove(ctx, id)
	})
}

// read finds the resource before it is changed.
func (w *scimWrite) read(ctx context.Context, kind *scim.Kind, id, ifMatch string) (scim.Resource, error) {
	r, err := readSCIM(ctx, w.tx, w.account, w.connection, kind, id)
	if err == nil && ifMatch != "" && !r.TagIn(ifMatch) {
		return r, errVersion
	}
	return r, err
}

// changeMembers says whether a membership began or ended.
func (w *scimWrite) changeMembers(ctx context.Context, group string, changes []scim.MemberChange) (bool, error) {
	total := int64(0)
	for _, c := range changes {
		gone, err := w.goneBy(ctx, group, c)
		if err != nil {
			return false, err
		}
		for _, step := range []func() (int64, error){
			func() (int64, error) { return w.removeAllBut(ctx, group, c) },
			func() (int64, error) { return w.removeMembers(ctx, group, gone) },
			func() (int64, error) { return w.addMembers(ctx, group, c.Add) },
		} {
			n, err := step()
			if err != nil {
				return false, err
			}
			total += n
		}
	}
	return total > 0, nil
}

// goneBy are the members that a change removes one by one.
func (w *scimWrite) goneBy(ctx context.Context, group string, c scim.MemberChange) ([]string, error) {
	if c.RemoveWhere == nil {
		return c.Remove, nil
	}
	members, err := scimMembers(ctx, w.tx, w.connection, group)
	var gone []string
	for _, m := range members {
		if c.Means(m) {
			gone = append(gone, m.ID)
		}
	}
	return gone, err
}

// largestResource is in bytes; a group's members do not count.
const largestResource = 64 << 10

func checkedSize(doc string) error {
	if len(doc) > largestResource {
		return &scim.Error{Type: scim.InvalidValue, Detail: fmt.Sprintf("a resource has %d bytes at the most", largestResource)}
	}
	return nil
}

// lookupKey is a value as it is looked up. Indexes hold no long ones.
func lookupKey(value string) string {
	const longest = 500
	key := scim.Fold(value)
	if len(key) <= longest {
		return key
	}
	return "sha256 " + tokenHash(key)
}

// SCIMQuery asks for resources: those that the filter means, all without one,
// Count of them from the Start-th, which counts from 1.
type SCIMQuery struct {
	Filter       *scim.Filter
	Start, Count int
	Members      bool // whether groups have theirs
}

// SCIMFound is a page of those that a query means, ordered by id. It may have
// fewer than were asked for.
type SCIMFound struct {
	Total     int
	Resources []scim.Resource
}

// SCIMFind looks for resources.
func (d *Directory) SCIMFind(ctx context.Context, account, connection int64, kind *scim.Kind, q SCIMQuery) (found SCIMFound, err error) {
	if q.Filter == nil {
		found, err = d.listSCIM(ctx, account, connection, kind, q)
	} else {
		found, err = d.filterSCIM(ctx, account, connection, kind, q)
	}
	if err != nil || !q.Members || kind != scim.Group {
		return found, err
	}
	return d.withMembers(ctx, connection, found)
}

// mostMembers bounds a page of groups, in members: a page has fewer groups when
// they are large, which a client has to expect (RFC 7644 3.4.2.4).
const mostMembers = 50_000

func (d *Directory) withMembers(ctx context.Context, connection int64, found SCIMFound) (SCIMFound, error) {
	total := 0
	for i := range found.Resources {
		r := &found.Resources[i]
		var err error
		if r.Members, err = scimMembers(ctx, d.db, connection, r.ID); err != nil {
			return found, err
		}
		if total += len(r.Members); total > mostMembers && i > 0 {
			found.Resources = found.Resources[:i]
			break
		}
	}
	return found, nil
}

func (d *Directory) filterSCIM(ctx context.Context, account, connection int64, kind *scim.Kind, q SCIMQuery) (found SCIMFound, err error) {
	for r, err := range d.candidates(ctx, account, connection, kind, q.Filter) {
		if err == nil && q.Filter.Reads("members") {
			r.Members, err = scimMembers(ctx, d.db, connection, r.ID)
		}
		if err != nil {
			return found, err
		}
		if !q.Filter.Match(r) {
			continue
		}
		found.Total++
		if found.Total >= q.Start && len(found.Resources) < q.Count {
			r.Members = nil
			found.Resources = append(found.Resources, r)
		}
	}
	return found, nil
}
