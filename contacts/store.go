package contacts

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// This package writes contacts, contact_fields, contact_groups, group_members,
// contact_uploads, contact_imports and erasure_marks, and reads no others. group_members keeps the rows of a contact that is hidden or removed,
// so whoever reads it asks for contacts.state = 'active'.

const contactColumns = `c.id, c.source, c.tenant_id, c.directory_id, c.name, c.department, c.job_title, c.office, c.email,
	c.language, c.phone_raw, c.phone_rule, c.phone, c.phone_country, c.phone_reason, c.created_at, c.updated_at`

// Contacts lists the account's contacts in the order of their ids, those after
// the id given, at most limit.
func (b *Book) Contacts(ctx context.Context, account, after int64, limit int) ([]Contact, error) {
	return db.Collect(ctx, b.db, scanContact, `
		SELECT `+contactColumns+` FROM contacts c
		WHERE c.account_id = $1 AND c.state = 'active' AND c.id > $2 ORDER BY c.id LIMIT $3`, account, after, limit)
}

// ContactsInGroup lists a group's members like Contacts.
func (b *Book) ContactsInGroup(ctx context.Context, account, group, after int64, limit int) ([]Contact, error) {
	return db.Collect(ctx, b.db, scanContact, `
		SELECT `+contactColumns+` FROM group_members m JOIN contacts c ON c.id = m.contact_id
		WHERE m.group_id = $2 AND c.account_id = $1 AND c.state = 'active' AND m.contact_id > $3
		ORDER BY m.contact_id LIMIT $4`, account, group, after, limit)
}

// Contact finds one contact of the account.
func (b *Book) Contact(ctx context.Context, account, id int64) (Contact, error) {
	found, err := db.Collect(ctx, b.db, scanContact, `
		SELECT `+contactColumns+` FROM contacts c
		WHERE c.account_id = $1 AND c.id = $2 AND c.state = 'active'`, account, id)
	if err != nil || len(found) == 0 {
		return Contact{}, orElse(err, errNoContact)
	}
	return found[0], nil
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func scanContact(row *sql.Rows) (c Contact, err error) {
	var created, updated int64
	err = row.Scan(append(append([]any{&c.ID, &c.Source, &c.Tenant}, c.Person.columns()...), &created, &updated)...)
	c.Created, c.Updated = db.Time(created), db.Time(updated)
	return c, err
}

// columns are a person's in the order of contactColumns.
func (p *Person) columns() []any {
	return []any{&p.DirectoryID, &p.Name, &p.Department, &p.JobTitle, &p.Office, &p.Email,
		&p.Language, &p.Phone.Raw, &p.Phone.Rule, &p.Phone.E164, &p.Phone.Country, &p.Phone.Reason}
}

// insertContacts gives the people contiguous ids from first on, without those of a
// directory who were erased. They are at most a lot.
func (b *Book) insertContacts(ctx context.Context, account int64, source, tenant string, first int64, people []Person) error {
	now := db.Millis(time.Now())
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		people, err := b.unmarked(ctx, tx, account, source, tenant, people)
		if err != nil {
			return err
		}
		rows := make([][]any, len(people))
		for i, p := range people {
			rows[i] = []any{first + int64(i), account, source, tenant, p.DirectoryID, p.Name, p.Department, p.JobTitle, p.Office, p.Email,
				p.Language, p.Phone.Raw, p.Phone.Rule, p.Phone.E164, p.Phone.Country, p.Phone.Reason, stateActive, now, now}
		}
		return tx.Bulk(ctx, "contacts", []string{"id", "account_id", "source", "tenant_id", "directory_id", "name", "department", "job_title", "office", "email",
			"language", "phone_raw", "phone_rule", "phone", "phone_country", "phone_reason", "state", "created_at", "updated_at"}, rows)
	})
}

// exec runs one statement in a transaction that finds rows by their keys. The
// plus sign in +account_id keeps the databases from choosing the index of all of
// an account's rows, and walking the whole list for each of them.
func (b *Book) exec(ctx context.Context, query string, args ...any) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// hideOrForget says whether there was such a contact.
func (b *Book) hideOrForget(ctx context.Context, account, contact int64) (found bool, err error) {
	now := db.Millis(time.Now())
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		hidden, err := tx.ExecContext(ctx, `
			UPDATE contacts SET state = 'hidden', updated_at = $3
			WHERE account_id = $1 AND id = $2 AND state = 'active' AND source = 'directory'`, account, contact, now)
		if err != nil {
			return err
		}
		forgotten, err := tx.ExecContext(ctx, `
			UPDATE contacts SET state = 'removed', `+forgetPerson+`, updated_at = $3
			WHERE account_id = $1 AND id = $2 AND state = 'active' AND source = 'manual'`, account, contact, now)
		if err != nil {
			return err
		}
		h, _ := hidden.RowsAffected()
		f, _ := forgotten.RowsAffected()
		found = h+f > 0
		if f == 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM contact_fields WHERE contact_id = $1`, contact)
		return err
	})
	return found, err
}

const forgetPerson = `name = '', department = '', job_title = '', office = '', email = '', language = '',
	phone_raw = '', phone_rule = 'none', phone = '', phone_country = '', phone_reason = '` + Gone + `'`

// Coverage counts an account's contacts by whether they can be texted.
func (b *Book) Coverage(ctx context.Context, account int64) (Coverage, error) {
	c := Coverage{Reasons: map[string]int{}}
	rows, err := b.db.QueryContext(ctx, `
		SELECT phone_reason, COUNT(*) FROM contacts WHERE account_id = $1 AND state = 'active' GROUP BY phone_reason`, account)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var reason string
		var n int
		if err := rows.Scan(&reason, &n); err != nil {
			return c, err
		}
		c.count(reason, n)
	}
	return c, rows.Err()
}

func (c *Coverage) count(reason string, n int) {
	c.Contacts += n
	switch reason {
	case "":
		c.WithNumber += n
		return
	case NoNumber:
		c.WithoutNumber += n
	default:
		c.Invalid += n
	}
	c.Reasons[reason] += n
}

const groupColumns = `g.id, g.source, g.tenant_id, g.directory_id, g.name, g.rule, g.created_at, g.updated_at,
	(SELECT COUNT(*) FROM group_members m JOIN contacts c ON c.id = m.contact_id
	 WHERE m.group_id = g.id AND c.state = 'active'),
	(SELECT COUNT(*) FROM group_members m JOIN contacts c ON c.id = m.contact_id
	 WHERE m.group_id = g.id AND c.state = 'active' AND c.phone <> '')`

// Groups lists the account's groups in the order of their ids, those after the
// id given, at most limit.
func (b *Book) Groups(ctx context.Context, account, after int64, limit int) ([]Group, error) {
	return db.Collect(ctx, b.db, scanGroup, `
		SELECT `+groupColumns+` FROM contact_groups g
		WHERE g.account_id = $1 AND g.state = 'active' AND g.id > $2 ORDER BY g.id LIMIT $3`, account, after, limit)
}

// Group finds one group of the account.
func (b *Book) Group(ctx context.Context, account, id int64) (Group, error) {
	found, err := db.Collect(ctx, b.db, scanGroup, `
		SELECT `+groupColumns+` FROM contact_groups g
		WHERE g.account_id = $1 AND g.id = $2 AND g.state = 'active'`, account, id)
	if err != nil || len(found) == 0 {
		return Group{}, orElse(err, errNoGroup)
	}
	return found[0], nil
}

func scanGroup(row *sql.Rows) (g Group, err error) {
	var created, updated int64
	var rule string
	if err = row.Scan(&g.ID, &g.Source, &g.Tenant, &g.DirectoryID, &g.Name, &rule, &created, &updated, &g.Members, &g.Textable); err != nil {
		return g, err
	}
	g.Created, g.Updated = db.Time(created), db.Time(updated)
	g.Rule, err = parseRule(rule)
	return g, err
}

func (b *Book) groupsNamed(ctx context.Context, account int64, name string) ([]int64, error) {
	return db.Column[int64](ctx, b.db, `
		SELECT id FROM contact_groups WHERE account_id = $1 AND name = $2 AND state = 'active' ORDER BY id`, account, name)
}

// groupNames are the names of the groups of the contacts after one id up to another.
func (b *Book) groupNames(ctx context.Context, account, after, last int64) (map[int64][]string, error) {
	rows, err := b.db.QueryContext(ctx, `
		SELECT m.contact_id, g.name FROM group_members m JOIN contact_groups g ON g.id = m.group_id
		WHERE m.contact_id > $2 AND m.contact_id <= $3 AND g.account_id = $1 AND g.state = 'active'`, account, after, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := map[int64][]string{}
	for rows.Next() {
		var contact int64
		var name string
		if err := rows.Scan(&contact, &name); err != nil {
			return nil, err
		}
		names[contact] = append(names[contact], name)
	}
	return names, rows.Err()
}

// draftGroup stores a group that nobody sees until it is published.
func (b *Book) draftGroup(ctx context.Context, account, id int64, name string) error {
	_, err := b.db.ExecContext(ctx, `
		INSERT INTO contact_groups (id, account_id, source, name, state, created_at, updated_at)
		VALUES ($1, $2, 'manual', $3, 'removed', $4, $4)`, id, account, name, db.Millis(time.Now()))
	return err
}

// enlist adds contacts to a group, if all of them are in the account's address
// book. They are at most a lot, each named once.
func (b *Book) enlist(ctx context.Context, account, group int64, contacts []int64) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			INSERT INTO group_members (group_id, contact_id)
			SELECT $1, c.id FROM json_each($2) AS r JOIN contacts c ON c.id = CAST(r.key AS BIGINT)
			WHERE +c.account_id = $3 AND c.state = 'active'`, group, keys(contacts), account)
		if err != nil {
			return err
		}
		if n, _ := done.RowsAffected(); int(n) != len(contacts) {
			return problem.Invalid("contacts", "%d of the contacts are not in the address book", len(contacts)-int(n))
		}
		return nil
	})
}

func (b *Book) setGroupState(ctx context.Context, account, group int64, state string) error {
	_, err := b.db.ExecContext(ctx, `
		UPDATE contact_groups SET state = $3, updated_at = $4 WHERE account_id = $1 AND id = $2`,
		account, group, state, db.Millis(time.Now()))
	return err
}

// membersIn are the contacts with a row in the group, by id.
func (b *Book) membersIn(ctx context.Context, group int64) ([]int64, error) {
	return db.Column[int64](ctx, b.db, `SELECT contact_id FROM group_members WHERE group_id = $1 ORDER BY contact_id`, group)
}

// addMembers and dropMembers take at most a lot.
func (b *Book) addMembers(ctx context.Context, members []member) error {
	rows := make([][]any, len(members))
	for i, m := range members {
		rows[i] = []any{m.group, m.contact}
	}
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.Bulk(ctx, "group_members", []string{"group_id", "contact_id"}, rows)
	})
}

func (b *Book) dropMembers(ctx context.Context, members []member) error {
	return b.exec(ctx, `
		DELETE FROM group_members WHERE (group_id, contact_id) IN (
			SELECT CAST(r.value->>0 AS BIGINT), CAST(r.value->>1 AS BIGINT) FROM json_each($1) AS r)`, pairs(members))
}

const (
	activeContactIDs = `SELECT directory_id, id FROM contacts
		WHERE account_id = $1 AND tenant_id = $2 AND directory_id <> '' AND state = 'active'`
	activeGroupIDs = `SELECT directory_id, id FROM contact_groups
		WHERE account_id = $1 AND tenant_id = $2 AND directory_id <> '' AND state = 'active'`
)

// InDirectory are the ids of the contacts that are in the address book from a tenant,
// by directory id.
func (b *Book) InDirectory(ctx context.Context, account int64, tenant string) (map[string]int64, error) {
	return b.idsByDirectoryID(ctx, activeContactIDs, account, tenant)
}

func (b *Book) idsByDirectoryID(ctx context.Context, query string, account int64, tenant string) (map[string]int64, error) {
	rows, err := b.db.QueryContext(ctx, query, account, tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ids := map[string]int64{}
	for rows.Next() {
		var directoryID string
		var id int64
		if err := rows.Scan(&directoryID, &id); err != nil {
			return nil, err
		}
		ids[directoryID] = id
	}
	return ids, rows.Err()
}

// peopleTable is a tenant's rows of contacts.
type peopleTable struct {
	book    *Book
	account int64
	tenant  string
}

func (t peopleTable) directoryID(p Person) string { return p.DirectoryID }

func (t peopleTable) tidy(p Person) Person {
	for _, s := range []*string{&p.Name, &p.Department, &p.JobTitle, &p.Office, &p.Email, &p.Language} {
		*s = oneLine(*s)
	}
	p.Phone.Raw = withoutNUL(p.Phone.Raw)
	return p
}

func (t peopleTable) kept(ctx context.Context) (map[string]*kept, error) {
	once := interned{}
	return collectKept(ctx, t.book.db, func(row *sql.Rows) (string, *kept, error) {
		var k kept
		var p Person
		err := row.Scan(append([]any{&k.id, &k.state}, p.columns()...)...)
		k.says, k.phone, k.reason = t.says(p), hashOf(p.Phone.E164), once.of(p.Phone.Reason)
		return p.DirectoryID, &k, err
	}, `
		SELECT id, state, directory_id, name, department, job_title, office, email,
			language, phone_raw, phone_rule, phone, phone_country, phone_reason
		FROM contacts WHERE account_id = $1 AND tenant_id = $2 AND directory_id <> ''`, t.account, t.tenant)
}

func collectKept(ctx context.Context, q db.Querier, scan func(*sql.Rows) (string, *kept, error), query string, args ...any) (map[string]*kept, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]*kept{}
	for rows.Next() {
		directoryID, k, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all[directoryID] = k
	}
	return all, rows.Err()
}

// interned keeps every string once, however often it is read.
type interned map[string]string

func (i interned) of(s string) string {
	have, ok := i[s]
	if !ok {
		i[s], have = s, s
	}
	return have
}

func (t peopleTable) insert(ctx context.Context, first int64, some []Person) error {
	return t.book.insertContacts(ctx, t.account, FromDirectory, t.tenant, first, some)
}

func (t peopleTable) update(ctx context.Context, rows map[int64]Person) error {
	return t.rewrite(ctx, `,
			phone_raw = r.value->'Phone'->>'Raw', phone_rule = r.value->'Phone'->>'Rule', phone = r.value->'Phone'->>'E164',
			phone_country = r.value->'Phone'->>'Country', phone_reason = r.value->'Phone'->>'Reason'`, rows)
}

func (t peopleTable) updateKeepingNumber(ctx context.Context, rows map[int64]Person) error {
	return t.rewrite(ctx, "", rows)
}

func (t peopleTable) rewrite(ctx context.Context, number string, rows map[int64]Person) error {
	return t.book.exec(ctx, `
		UPDATE contacts SET state = 'active', updated_at = $2,
			name = r.value->>'Name', department = r.value->>'Department', job_title = r.value->>'JobTitle',
			office = r.value->>'Office', email = r.value->>'Email', language = r.value->>'Language'`+number+`
		FROM json_each($1) AS r WHERE contacts.id = CAST(r.key AS BIGINT) AND +contacts.account_id = $3`,
		toJSON(rows), db.Millis(time.Now()), t.account)
}

func (t peopleTable) leavers(ctx context.Context, ids []int64) (some []Leaver, err error) {
	err = t.book.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		some, err = db.Collect(ctx, tx, func(row *sql.Rows) (l Leaver, err error) {
			return l, row.Scan(&l.DirectoryID, &l.Email)
		}, `
			SELECT c.directory_id, c.email FROM json_each($2) AS r JOIN contacts c ON c.id = CAST(r.key AS BIGINT)
			WHERE +c.account_id = $1`, t.account, keys(ids))
		return err
	})
	return some, err
}

func (t peopleTable) remove(ctx context.Context, ids []int64) error {
	return t.book.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE contacts SET state = 'removed', `+forgetPerson+`, updated_at = $3
			WHERE +account_id = $1 AND id IN (SELECT CAST(r.key AS BIGINT) FROM json_each($2) AS r)`,
			t.account, keys(ids), db.Millis(time.Now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			DELETE FROM contact_fields WHERE contact_id IN (SELECT CAST(r.key AS BIGINT) FROM json_each($1) AS r)`, keys(ids))
		return err
	})
}

// unitTable is a tenant's rows of contact_groups.
type unitTable struct {
	book    *Book
	account int64
	tenant  string
}

func (t unitTable) directoryID(u Unit) string { return u.DirectoryID }

func (t unitTable) tidy(u Unit) Unit {
	u.Name = oneLine(u.Name)
	return u
}

func (t unitTable) kept(ctx context.Context) (map[string]*kept, error) {
	return collectKept(ctx, t.book.db, func(row *sql.Rows) (string, *kept, error) {
		var k kept
		var u Unit
		err := row.Scan(&k.id, &k.state, &u.DirectoryID, &u.Name)
		k.says = t.says(u)
		return u.DirectoryID, &k, err
	}, `
		SELECT id, state, directory_id, name
		FROM contact_groups WHERE account_id = $1 AND tenant_id = $2 AND directory_id <> ''`, t.account, t.tenant)
}

func (t unitTable) insert(ctx context.Context, first int64, some []Unit) error {
	now := db.Millis(time.Now())
	rows := make([][]any, len(some))
	for i, u := range some {
		rows[i] = []any{first + int64(i), t.account, FromDirectory, t.tenant, u.DirectoryID, u.Name, stateActive, now, now}
	}
	return t.book.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.Bulk(ctx, "contact_groups", []string{"id", "account_id", "source", "tenant_id", "directory_id", "name",
			"state", "created_at", "updated_at"}, rows)
	})
}

func (t unitTable) update(ctx context.Context, rows map[int64]Unit) error {
	return t.book.exec(ctx, `
		UPDATE contact_groups SET state = 'active', updated_at = $2, name = r.value->>'Name'
		FROM json_each($1) AS r WHERE contact_groups.id = CAST(r.key AS BIGINT) AND +contact_groups.account_id = $3`,
		toJSON(rows), db.Millis(time.Now()), t.account)
}

func (t unitTable) remove(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		if err := t.book.dissolve(ctx, t.account, id); err != nil {
			return err
		}
	}
	return nil
}

// keys writes ids as the keys of a JSON object, the form in which both databases
// take a list of them.
func keys(ids []int64) string {
	set := make(map[int64]int, len(ids))
	for _, id := range ids {
		set[id] = 0
	}
	return toJSON(set)
}

// toJSON writes maps of strings and numbers, which cannot fail.
func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
