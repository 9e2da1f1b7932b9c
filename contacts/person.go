package contacts

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/subject"
)

// Kept is a contact as it is kept, whatever became of it.
type Kept struct {
	Contact
	State string // active, hidden or removed
}

// eachKept goes through all contacts of an account, those that were removed too, a
// page at a time.
func (b *Book) eachKept(ctx context.Context, account int64, do func(Kept) error) error {
	for after := int64(0); ; {
		page, err := db.Collect(ctx, b.db, func(row *sql.Rows) (k Kept, err error) {
			var created, updated int64
			err = row.Scan(append(append([]any{&k.ID, &k.Source, &k.Tenant}, k.Person.columns()...), &created, &updated, &k.State)...)
			k.Created, k.Updated = db.Time(created), db.Time(updated)
			return k, err
		}, `
			SELECT `+contactColumns+`, c.state FROM contacts c
			WHERE c.account_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3`, account, after, lot)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, k := range page {
			if err := do(k); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// Wanted finds the contacts that somebody who is looked for may be: by id, by number
// in E.164, by e-mail address, or by a part of the name. Those that were removed have
// only their id left.
type Wanted struct {
	Contact            int64
	Phone, Email, Name string
}

// FindKept lists the contacts that are wanted, and those that are the same person:
// with the same e-mail address, or the same number and name. Of those that are wanted
// it takes at most limit.
func (b *Book) FindKept(ctx context.Context, account int64, w Wanted, limit int) (found []Kept, err error) {
	err = b.eachKept(ctx, account, func(k Kept) error {
		if len(found) == limit {
			return errEnough
		}
		if w.is(k) {
			found = append(found, k)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil || len(found) == 0 {
		return found, err
	}
	var all []Kept
	err = b.eachKept(ctx, account, func(k Kept) error {
		if slices.ContainsFunc(found, func(f Kept) bool { return f.ID == k.ID || f.samePerson(k) }) {
			all = append(all, k)
		}
		return nil
	})
	return all, err
}

func (w Wanted) is(k Kept) bool {
	switch {
	case w.Contact != 0:
		return k.ID == w.Contact
	case w.Phone != "":
		return k.Phone.E164 == w.Phone
	case w.Email != "":
		return strings.EqualFold(k.Email, w.Email)
	}
	return w.Name != "" && strings.Contains(fold(k.Name), fold(w.Name))
}

func (k Kept) samePerson(other Kept) bool {
	return k.Email != "" && strings.EqualFold(k.Email, other.Email) ||
		k.Phone.E164 != "" && k.Phone.E164 == other.Phone.E164 && fold(k.Name) == fold(other.Name)
}

// PersonOf is whom contacts are of. Of their numbers, and those they had, it has those
// that no other contact has: a number that colleagues share stays theirs.
func (b *Book) PersonOf(ctx context.Context, account int64, contacts []Kept, had ...string) (subject.Person, error) {
	p := subject.Person{Account: account, Numbers: had}
	mine := map[int64]bool{}
	for _, k := range contacts {
		mine[k.ID] = true
		p.Contacts = append(p.Contacts, k.ID)
		if k.DirectoryID != "" {
			p.Objects = append(p.Objects, subject.Object{Tenant: k.Tenant, ID: k.DirectoryID})
		}
		p.Names, p.Emails, p.Numbers = with(p.Names, k.Name), with(p.Emails, k.Email), with(p.Numbers, k.Phone.E164)
	}
	err := b.eachKept(ctx, account, func(k Kept) error {
		if !mine[k.ID] {
			p.Numbers = slices.DeleteFunc(p.Numbers, func(n string) bool { return n == k.Phone.E164 })
		}
		return nil
	})
	return p, err
}

func with(all []string, one string) []string {
	if one == "" || slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// Sections are what the address book holds about a person.
func (b *Book) Sections(p subject.Person) []subject.Section {
	return []subject.Section{
		{Name: "contacts", Each: func(ctx context.Context, tell func(subject.Record) error) error { return b.tellContacts(ctx, p, tell) }},
		{Name: "uploads", Each: func(ctx context.Context, tell func(subject.Record) error) error { return b.tellUploads(ctx, p, tell) }},
	}
}

func (b *Book) tellContacts(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	return b.eachKept(ctx, p.Account, func(k Kept) error {
		if !slices.Contains(p.Contacts, k.ID) {
			return nil
		}
		own, err := b.fieldsOf(ctx, k.ID)
		if err != nil {
			return err
		}
		groups, err := b.GroupNames(ctx, p.Account, k.ID)
		if err != nil {
			return err
		}
		return tell(k.record(own, groups))
	})
}

// record says of each value where it comes from: source of all but the fields of the
// contact's own, which are entered here.
func (k Kept) record(own map[string]string, groups []string) subject.Record {
	r := subject.Record{{Name: "state", Value: k.State}, {Name: "source", Value: k.Source}, {Name: "name", Value: k.Name},
		{Name: "email", Value: k.Email}, {Name: "phone", Value: k.Phone.E164}, {Name: "phone_raw", Value: k.Phone.Raw}, {Name: "phone_rule", Value: k.Phone.Rule},
		{Name: "department", Value: k.Department}, {Name: "job_title", Value: k.JobTitle}, {Name: "office", Value: k.Office}, {Name: "language", Value: k.Language},
		{Name: "tenant", Value: k.Tenant}, {Name: "object_id", Value: k.DirectoryID},
		{Name: "created_at", Value: k.Created.UTC()}, {Name: "updated_at", Value: k.Updated.UTC()}}
	if len(own) > 0 {
		r = append(r, subject.Field{Name: "own_fields", Value: own})
	}
	if len(groups) > 0 {
		r = append(r, subject.Field{Name: "groups", Value: groups})
	}
	return r
}

func (b *Book) tellUploads(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	return b.eachUpload(ctx, p, func(_ int64, at time.Time) error {
		return tell(subject.Record{{Name: "source", Value: "import"}, {Name: "created_at", Value: at.UTC()}})
	})
}

// eachUpload are the lists, kept for an hour, that name the person.
func (b *Book) eachUpload(ctx context.Context, p subject.Person, do func(id int64, at time.Time) error) error {
	ids, err := db.Column[int64](ctx, b.db, `SELECT id FROM contact_uploads WHERE account_id = $1 ORDER BY id`, p.Account)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var content, report string
		var at int64
		err := b.db.QueryRowContext(ctx, `SELECT content, report, created_at FROM contact_uploads WHERE account_id = $1 AND id = $2`, p.Account, id).
			Scan(&content, &report, &at)
		if err != nil && !db.IsNone(err) {
			return err
		}
		if err == nil && (p.In(content) || p.In(report)) {
			if err := do(id, db.Time(at)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Recognise finds the contacts of an erasure, and whom they are of.
func (b *Book) Recognise(ctx context.Context, e Erased) (subject.Person, error) {
	p := subject.Person{Account: e.Account}
	err := b.eachKept(ctx, e.Account, func(k Kept) error {
		mine := e.Number(k.Phone.E164)
		if !mine && !e.Is(k.ID) && !e.Object(k.Tenant, k.DirectoryID) {
			return nil
		}
		p.Contacts = append(p.Contacts, k.ID)
		p.Names, p.Emails = with(p.Names, k.Name), with(p.Emails, k.Email)
		if mine {
			p.Numbers = with(p.Numbers, k.Phone.E164)
		}
		return nil
	})
	return p, err
}

// Erase forgets a person: their contacts with all that belongs to them, and lists that
// name them.
func (b *Book) Erase(ctx context.Context, tx *db.Tx, p subject.Person) error {
	var uploads []int64
	if err := b.eachUpload(ctx, p, func(id int64, _ time.Time) error { uploads = append(uploads, id); return nil }); err != nil {
		return err
	}
	for _, one := range []struct {
		statement string
		ids       []int64
	}{
		{`DELETE FROM contact_fields WHERE contact_id IN (SELECT c.id FROM json_each($2) AS r JOIN contacts c ON c.id = CAST(r.key AS BIGINT) WHERE c.account_id = $1)`, p.Contacts},
		{`DELETE FROM group_members WHERE contact_id IN (SELECT c.id FROM json_each($2) AS r JOIN contacts c ON c.id = CAST(r.key AS BIGINT) WHERE c.account_id = $1)`, p.Contacts},
		{`DELETE FROM contacts WHERE account_id = $1 AND id IN (SELECT CAST(r.key AS BIGINT) FROM json_each($2) AS r)`, p.Contacts},
		{`DELETE FROM contact_uploads WHERE account_id = $1 AND id IN (SELECT CAST(r.key AS BIGINT) FROM json_each($2) AS r)`, uploads},
	} {
		if len(one.ids) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, one.statement, p.Account, keys(one.ids)); err != nil {
			return err
		}
	}
	return nil
}

// People sorts contacts into those who are the same person.
func People(all []Kept) (people [][]Kept) {
	for _, k := range all {
		i := slices.IndexFunc(people, func(p []Kept) bool {
			return slices.ContainsFunc(p, func(other Kept) bool { return other.ID == k.ID || other.samePerson(k) })
		})
		if i < 0 {
			people = append(people, []Kept{k})
		} else {
			people[i] = append(people[i], k)
		}
	}
	return people
}
