package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/subject"
)

// notErased leaves out, before anything of it is stored, what a page tells of people
// who were erased.
func (s *syncing) notErased(items []Item) []Item {
	if !s.erased.Any() {
		return items
	}
	return slices.DeleteFunc(slices.Clone(items), func(it Item) bool { return s.erased.Object(s.connection.Tenant, it.ID) })
}

// mirrored is somebody in the mirror, or in what a directory wrote to us.
type mirroredOne struct {
	connection       int64
	tenant, object   string
	fields, document string // of one that was written to us, its document
	skipped          string
	removed          time.Time
}

// eachMirrored goes through the people of an account's directories, those that are
// gone too.
func (d *Directory) eachMirrored(ctx context.Context, account int64, do func(mirroredOne) error) error {
	all, err := d.Connections(ctx, account)
	if err != nil {
		return err
	}
	for _, c := range all {
		for after := ""; ; {
			page, err := db.Collect(ctx, d.db, func(row *sql.Rows) (m mirroredOne, err error) {
				var removed int64
				err = row.Scan(&m.object, &m.fields, &m.skipped, &removed, &m.document)
				m.connection, m.tenant, m.removed = c.ID, c.Tenant, db.Time(removed)
				return m, err
			}, `
				SELECT m.object_id, m.fields, m.skipped, m.removed_at, COALESCE(r.document, '') FROM mirror_people m
				LEFT JOIN scim_resources r ON r.connection_id = m.connection_id AND r.id = m.object_id AND r.kind = 'User'
				WHERE m.connection_id = $1 AND m.object_id > $2 ORDER BY m.object_id LIMIT $3`, c.ID, after, mirrorPage)
			if err != nil {
				return err
			}
			for _, m := range page {
				if err := do(m); err != nil {
					return err
				}
				after = m.object
			}
			if len(page) < mirrorPage {
				break
			}
		}
	}
	return nil
}

// FindPeople finds in the account's directories whom the address book may not have, by
// object id, e-mail address or a part of the name.
func (d *Directory) FindPeople(ctx context.Context, account int64, text string) (found []subject.Person, err error) {
	err = d.eachMirrored(ctx, account, func(m mirroredOne) error {
		f, err := readFields(m.fields)
		if err != nil {
			return err
		}
		name, email := f.string("displayName"), f.string("mail")
		if text != "" && (strings.EqualFold(m.object, text) || strings.EqualFold(email, text) || strings.Contains(strings.ToLower(name), strings.ToLower(text))) {
			found = append(found, subject.Person{Account: account, Objects: []subject.Object{{Tenant: m.tenant, ID: m.object}},
				Names: notEmpty(name), Emails: notEmpty(email)})
		}
		return nil
	})
	return found, err
}

func notEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func isOneOf(p subject.Person, tenant, object string) bool {
	return slices.Contains(p.Objects, subject.Object{Tenant: tenant, ID: object})
}

// Sections are what the mirror of a directory holds about a person.
func (d *Directory) Sections(p subject.Person) []subject.Section {
	return []subject.Section{{Name: "directory", Each: func(ctx context.Context, tell func(subject.Record) error) error {
		return d.eachMirrored(ctx, p.Account, func(m mirroredOne) error {
			if !isOneOf(p, m.tenant, m.object) {
				return nil
			}
			r := subject.Record{{Name: "source", Value: "directory"}, {Name: "tenant", Value: m.tenant}, {Name: "object_id", Value: m.object},
				{Name: "out_of_scope", Value: m.skipped}, {Name: "read", Value: json.RawMessage(m.fields)}}
			if m.document != "" {
				r = append(r, subject.Field{Name: "written", Value: json.RawMessage(m.document)})
			}
			if !m.removed.IsZero() {
				r = append(r, subject.Field{Name: "removed_at", Value: m.removed.UTC()})
			}
			groups, err := d.groupsOf(ctx, m.connection, m.object)
			if len(groups) > 0 {
				r = append(r, subject.Field{Name: "groups", Value: groups})
			}
			if err != nil {
				return err
			}
			return tell(r)
		})
	}}}
}

func (d *Directory) groupsOf(ctx context.Context, connection int64, object string) ([]string, error) {
	return db.Column[string](ctx, d.db, `
		SELECT g.name FROM mirror_groups g JOIN mirror_edges e ON e.connection_id = g.connection_id AND e.group_id = g.object_id
		WHERE g.connection_id = $1 AND e.member_id = $2 AND g.removed_at = 0 ORDER BY g.name`, connection, object)
}

// Traces are what an erasure finds here.
type Traces struct {
	Person  subject.Person
	Aliases []subject.Object // other names under which a directory may write them to us again
	Still   []subject.Object // those who are still in the directory
	found   []mirroredOne
}

// Found is how many rows there are.
func (t Traces) Found() int { return len(t.found) }

// Recognise finds somebody in the account's directories.
func (d *Directory) Recognise(ctx context.Context, e contacts.Erased) (t Traces, err error) {
	t.Person.Account = e.Account
	err = d.eachMirrored(ctx, e.Account, func(m mirroredOne) error {
		aliases := aliasesOf(m.tenant, m.document)
		if !e.Object(m.tenant, m.object) && !slices.ContainsFunc(aliases, func(a subject.Object) bool { return e.Object(a.Tenant, a.ID) }) {
			return nil
		}
		f, err := readFields(m.fields)
		if err != nil {
			return err
		}
		one := subject.Object{Tenant: m.tenant, ID: m.object}
		t.found, t.Aliases = append(t.found, m), append(t.Aliases, aliases...)
		t.Person.Objects = append(t.Person.Objects, one)
		t.Person.Names = append(t.Person.Names, notEmpty(f.string("displayName"))...)
		t.Person.Emails = append(t.Person.Emails, notEmpty(f.string("mail"))...)
		if m.removed.IsZero() {
			t.Still = append(t.Still, one)
		}
		return nil
	})
	return t, err
}

// aliasesOf are the names, beside its id, of somebody whom a directory wrote to us: it
// would write them again under another id.
func aliasesOf(tenant, document string) (all []subject.Object) {
	var doc scim.Document
	if document == "" || json.Unmarshal([]byte(document), &doc) != nil {
		return nil
	}
	return aliasesIn(tenant, doc)
}

func aliasesIn(tenant string, doc scim.Document) (all []subject.Object) {
	for _, name := range []string{"userName", "externalId"} {
		if value, _ := doc[name].(string); value != "" {
			all = append(all, subject.Object{Tenant: tenant, ID: name + " " + value})
		}
	}
	return all
}

// refuseErased refuses to keep what is written of somebody who was erased.
func (w *scimWrite) refuseErased(ctx context.Context, r scim.Resource) error {
	if r.Kind != scim.User || !w.erased.Any() {
		return nil
	}
	var tenant, region string
	err := w.tx.QueryRowContext(ctx, `
		SELECT c.tenant_id, a.region FROM connections c JOIN accounts a ON a.id = c.account_id WHERE c.account_id = $1 AND c.id = $2`,
		w.account, w.connection).Scan(&tenant, &region)
	if err != nil {
		return err
	}
	f := fields(scim.Fields(r.Document))
	marked := w.erased.Object(tenant, r.ID) || w.erased.Number(f.phone(f.region(region), Settings{}).E164)
	for _, a := range aliasesIn(tenant, r.Document) {
		marked = marked || w.erased.Object(a.Tenant, a.ID)
	}
	if marked {
		return errErasedPerson
	}
	return nil
}

var errErasedPerson = problem.New(problem.KindForbidden, "erased_person",
	"this person was erased from this account and is not taken again: take them out of the scope of provisioning, or have an administrator lift the erasure")

// Erase forgets somebody: what the mirror says of them, and what was written to us. A
// sync that is under way begins anew, because it may have read them already.
func (d *Directory) Erase(ctx context.Context, tx *db.Tx, account int64, t Traces, now time.Time) error {
	if err := d.interrupt(ctx, tx, account, now); err != nil {
		return err
	}
	for _, m := range t.found {
		for _, statement := range []string{
			`DELETE FROM mirror_edges WHERE connection_id = $1 AND member_id = $2`,
			`DELETE FROM mirror_people WHERE connection_id = $1 AND object_id = $2`,
			`DELETE FROM held_people WHERE connection_id = $1 AND object_id = $2`,
			`DELETE FROM preview_people WHERE connection_id = $1 AND object_id = $2`,
		} {
			if _, err := tx.ExecContext(ctx, statement, m.connection, m.object); err != nil {
				return err
			}
		}
		if m.document == "" {
			continue
		}
		w := scimWrite{tx: tx, account: account, connection: m.connection, now: now}
		if err := tx.QueryRowContext(ctx, `
			UPDATE scim_connections SET changed = changed + 1 WHERE account_id = $1 AND connection_id = $2 RETURNING changed`,
			account, m.connection).Scan(&w.change); err != nil {
			return err
		}
		if err := w.remove(ctx, m.object); err != nil {
			return err
		}
	}
	return nil
}

// interrupt lets the runs of an account wait, so that whoever goes on with them knows
// the marks.
func (d *Directory) interrupt(ctx context.Context, tx *db.Tx, account int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE sync_runs SET state = 'waiting', resume_at = $2 WHERE account_id = $1 AND state = 'running'`, account, db.Millis(now))
	return err
}

// ReadAgain has the account's directories read from the beginning: somebody whom they
// told of was left out, and may come now.
func (d *Directory) ReadAgain(ctx context.Context, tx *db.Tx, account int64, now time.Time) error {
	if err := d.interrupt(ctx, tx, account, now); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE delta_links SET hash = '' WHERE connection_id IN (SELECT id FROM connections WHERE account_id = $1)`, account)
	return err
}
