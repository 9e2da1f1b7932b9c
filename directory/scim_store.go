package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// The tables scim_*, and what of connections belongs to SCIM.

// tokenUsedEvery is how exactly it is known when a token was last used.
const tokenUsedEvery = time.Minute

func (d *Directory) saveSCIMConnection(ctx context.Context, account int64, tenant string, t SCIMToken, hash string) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO connections (id, account_id, kind, tenant_id, client_id, secret_sealed, secret_last4, secret_at, state, due_at, every_ms, created_at)
			VALUES ($1, $2, 'scim', $3, '', '', '', 0, 'connected', $4, $5, $4)`,
			t.Connection, account, tenant, db.Millis(t.Created), defaultEvery.Milliseconds())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO scim_connections (connection_id, account_id) VALUES ($1, $2)`, t.Connection, account)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, insertSCIMToken, t.ID, t.Name, hash, db.Millis(t.Created), account, t.Connection)
		return err
	})
}

const insertSCIMToken = `
	INSERT INTO scim_tokens (id, account_id, connection_id, name, token_hash, created_at)
	SELECT $1, account_id, connection_id, $2, $3, $4 FROM scim_connections WHERE account_id = $5 AND connection_id = $6`

func (d *Directory) saveSCIMToken(ctx context.Context, account int64, t SCIMToken, hash string) error {
	done, err := d.db.ExecContext(ctx, insertSCIMToken, t.ID, t.Name, hash, db.Millis(t.Created), account, t.Connection)
	return wrote(done, err, errNotSCIM)
}

// wrote answers otherwise when no row was written.
func wrote(done sql.Result, err, otherwise error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return otherwise
}

// SCIMTokens lists the connection's tokens, the oldest first, revoked ones too.
func (d *Directory) SCIMTokens(ctx context.Context, account, connection int64) ([]SCIMToken, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (t SCIMToken, err error) {
		var created, used, revoked int64
		err = row.Scan(&t.ID, &t.Connection, &t.Name, &created, &used, &revoked)
		t.Created, t.Used, t.Revoked = db.Time(created), db.Time(used), db.Time(revoked)
		return t, err
	}, `
		SELECT id, connection_id, name, created_at, used_at, revoked_at FROM scim_tokens
		WHERE account_id = $1 AND connection_id = $2 ORDER BY id`, account, connection)
}

// RevokeSCIMToken ends a token at once.
func (d *Directory) RevokeSCIMToken(ctx context.Context, account, connection, id int64) error {
	done, err := d.db.ExecContext(ctx, `
		UPDATE scim_tokens SET revoked_at = CASE WHEN revoked_at = 0 THEN $4 ELSE revoked_at END
		WHERE account_id = $1 AND connection_id = $2 AND id = $3`, account, connection, id, db.Millis(time.Now()))
	return wrote(done, err, errNoToken)
}

func (d *Directory) useSCIMToken(ctx context.Context, hash string, now time.Time) (account, connection int64, err error) {
	var id, used int64
	err = d.db.QueryRowContext(ctx, `
		SELECT t.id, t.account_id, t.connection_id, t.used_at FROM scim_tokens t JOIN connections c ON c.id = t.connection_id
		WHERE t.token_hash = $1 AND t.revoked_at = 0 AND c.state <> 'disconnected'`, hash).Scan(&id, &account, &connection, &used)
	if err == nil && now.Sub(db.Time(used)) >= tokenUsedEvery {
		_, err = d.db.ExecContext(ctx, `UPDATE scim_tokens SET used_at = $2 WHERE id = $1`, id, db.Millis(now))
	}
	return account, connection, err
}

// scimWrite is one request's change of a connection's resources.
type scimWrite struct {
	tx                  *db.Tx
	account, connection int64
	change              int64 // its number
	now                 time.Time
	erased              contacts.Erased
}

// settle is how long a sync waits for more changes: a directory writes one
// resource at a time, and every sync looks at all people.
const settle = 5 * time.Second

// writeSCIM runs do under the connection's next change number and asks for a
// sync. Writes of a connection wait for each other, so two PATCHes of the same
// resource both take effect. requested_at rises, so that a sync that is running
// already does not count as the one that was asked for.
func (d *Directory) writeSCIM(ctx context.Context, account, connection int64, now time.Time, do func(*scimWrite) error) error {
	return d.db.InTx(ctx, func(tx *db.Tx) error {
		w := scimWrite{tx: tx, account: account, connection: connection, now: now}
		err := tx.QueryRowContext(ctx, `
			UPDATE scim_connections SET changed = changed + 1 WHERE account_id = $1 AND connection_id = $2 RETURNING changed`,
			account, connection).Scan(&w.change)
		if db.IsNone(err) {
			return errNoConnection
		}
		if err != nil {
			return err
		}
		if w.erased, err = d.marks.Marked(ctx, tx, account); err != nil {
			return err
		}
		if err := do(&w); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE connections SET due_at = CASE WHEN due_at > $3 THEN $3 ELSE due_at END,
				requested_at = CASE WHEN requested_at >= $4 THEN requested_at + 1 ELSE $4 END
			WHERE account_id = $1 AND id = $2`, account, connection, db.Millis(now.Add(settle)), db.Millis(now))
		return err
	})
}

const scimColumns = `id, document, changed, created_at, modified_at`

func scanSCIM(row interface{ Scan(...any) error }, kind *scim.Kind) (scim.Resource, error) {
	r := scim.Resource{Kind: kind}
	var text string
	var created, modified int64
	if err := row.Scan(&r.ID, &text, &r.Version, &created, &modified); err != nil {
		return r, err
	}
	r.Created, r.Modified = db.Time(created), db.Time(modified)
	return r, json.Unmarshal([]byte(text), &r.Document)
}

// readSCIM, like others here, has a plus sign that keeps PostgreSQL to the primary
// key: a partial index looks smaller to it, and does not begin with the id.
func readSCIM(ctx context.Context, q db.Querier, account, connection int64, kind *scim.Kind, id string) (scim.Resource, error) {
	r, err := scanSCIM(q.QueryRowContext(ctx, `
		SELECT `+scimColumns+` FROM scim_resources
		WHERE account_id = $1 AND connection_id = $2 AND kind = $3 AND id = $4 AND +removed_at = 0`,
		account, connection, kind.Name, id), kind)
	if db.IsNone(err) {
		return r, problem.New(problem.KindNotFound, "resource_not_found", "there is no %s with this id", kind.Name)
	}
	return r, err
}

// scimMembers are a group's members, ordered by id.
func scimMembers(ctx context.Context, q db.Querier, connection int64, group string) ([]scim.Member, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (m scim.Member, err error) {
		return m, row.Scan(&m.ID, &m.Kind)
	}, `
		SELECT m.member_id, COALESCE(r.kind, '') FROM scim_members m
		LEFT JOIN scim_resources r ON r.connection_id = m.connection_id AND r.id = m.member_id AND +r.removed_at = 0
		WHERE m.connection_id = $1 AND m.group_id = $2 AND m.removed_at = 0 ORDER BY m.member_id`, connection, group)
}

// put writes a resource and the keys it is looked up by.
func (w *scimWrite) put(ctx context.Context, r scim.Resource) error {
	if err := w.refuseErased(ctx, r); err != nil {
		return err
	}
	text := toJSON(r.Document)
	if err := checkedSize(text); err != nil {
		return err
	}
	name, keys := "", map[int][2]string{}
	for i, key := range r.Kind.Keys(r.Document) {
		if key.By == scim.ByName {
			name = lookupKey(key.Value)
			continue
		}
		keys[i] = [2]string{key.By, lookupKey(key.Value)}
	}
	_, err := w.tx.ExecContext(ctx, `
		INSERT INTO scim_resources (connection_id, id, account_id, kind, name_key, document, changed, created_at, modified_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (connection_id, id) DO UPDATE SET name_key = EXCLUDED.name_key, document = EXCLUDED.document,
			changed = EXCLUDED.changed, modified_at = EXCLUDED.modified_at`,
		w.connection, r.ID, w.account, r.Kind.Name, name, text, w.change, db.Millis(r.Created), db.Millis(r.Modified))
	if db.IsDuplicate(err) {
		return &scim.Error{Type: scim.Uniqueness, Detail: "another " + r.Kind.Name + " has this name already"}
	}
	if err != nil {
		return err
	}
	if err := w.forgetKeys(ctx, r.ID); err != nil {
		return err
	}
	_, err = w.tx.ExecContext(ctx, `
		INSERT INTO scim_keys (connection_id, attribute, value_key, resource_id)
		SELECT $1, r.value->>0, r.value->>1, $2 FROM json_each($3) AS r WHERE true
		ON CONFLICT (connection_id, attribute, value_key, resource_id) DO NOTHING`, w.connection, r.ID, toJSON(keys))
	return err
}

func (w *scimWrite) forgetKeys(ctx context.Context, id string) error {
	_, err := w.tx.ExecContext(ctx, `DELETE FROM scim_keys WHERE connection_id = $1 AND resource_id = $2`, w.connection, id)
	return err
}

// remove leaves of a resource its id and the change number. Groups that it was
// in change with it. The memberships of a group that is gone are cleared away by
// PurgeSCIM: it may have any number.
func (w *scimWrite) remove(ctx context.Context, id string) error {
	for _, statement := range []string{`
		UPDATE scim_resources SET changed = $3, modified_at = $4 WHERE +removed_at = 0 AND (connection_id, id) IN (
			SELECT connection_id, group_id FROM scim_members WHERE connection_id = $1 AND member_id = $2 AND removed_at = 0 LIMIT 100000)`, `
		UPDATE scim_members SET changed = $3, removed_at = $4 WHERE connection_id = $1 AND member_id = $2 AND removed_at = 0`, `
		UPDATE scim_resources SET changed = $3, removed_at = $4, modified_at = $4, document = '{}', name_key = ''
		WHERE connection_id = $1 AND id = $2`,
	} {
		if _, err := w.tx.ExecContext(ctx, statement, w.connection, id, w.change, db.Millis(w.now)); err != nil {
			return err
		}
	}
	return w.forgetKeys(ctx, id)
}

// removeAllBut ends the memberships of all but those that are added at once, so
// that sending a group's members again changes nothing.
func (w *scimWrite) removeAllBut(ctx context.Context, group string, c scim.MemberChange) (int64, error) {
	if !c.RemoveAll {
		return 0, nil
	}
	return affected(w.tx.ExecContext(ctx, `
		UPDATE scim_members SET changed = $3, removed_at = $4
		WHERE connection_id = $1 AND group_id = $2 AND removed_at = 0 AND member_id NOT IN (SELECT key FROM json_each($5))`,
		w.connection, group, w.change, db.Millis(w.now), named(c.Add)))
}

func (w *scimWrite) removeMembers(ctx context.Context, group string, members []string) (int64, error) {
	if len(members) == 0 {
		return 0, nil
	}
	if err := w.tx.PreferIndexes(ctx); err != nil {
		return 0, err
	}
	return affected(w.tx.ExecContext(ctx, `
		UPDATE scim_members SET changed = $3, removed_at = $4 WHERE removed_at = 0 AND (connection_id, group_id, member_id) IN (
			SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), key FROM json_each($5) LIMIT 100000)`,
		w.connection, group, w.change, db.Millis(w.now), named(members)))
}

// addMembers writes only those who are not members already.
func (w *scimWrite) addMembers(ctx context.Context, group string, members []string) (int64, error) {
	if len(members) == 0 {
		return 0, nil
	}
	return affected(w.tx.ExecContext(ctx, `
		INSERT INTO scim_members (connection_id, group_id, member_id, changed)
		SELECT $1, $2, r.key, $3 FROM json_each($4) AS r WHERE true
		ON CONFLICT (connection_id, group_id, member_id) DO UPDATE SET changed = EXCLUDED.changed, removed_at = 0
			WHERE scim_members.removed_at <> 0`, w.connection, group, w.change, named(members)))
}

// named is a set of ids as a JSON object.
func named(ids []string) string {
	set := make(map[string]int, len(ids))
	for _, id := range ids {
		set[id] = 0
	}
	return toJSON(set)
}

func affected(done sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (d *Directory) listSCIM(ctx context.Context, account, connection int64, kind *scim.Kind, q SCIMQuery) (found SCIMFound, err error) {
	const live = ` FROM scim_resources WHERE account_id = $1 AND connection_id = $2 AND kind = $3 AND removed_at = 0`
	err = d.db.QueryRowContext(ctx, `SELECT COUNT(*)`+live, account, connection, kind.Name).Scan(&found.Total)
	if err != nil || q.Count == 0 {
		return found, err
	}
	found.Resources, err = d.someSCIM(ctx, kind, `SELECT `+scimColumns+live+` ORDER BY id LIMIT $4 OFFSET $5`,
		account, connection, kind.Name, q.Count, max(q.Start-1, 0))
	return found, err
}

func (d *Directory) someSCIM(ctx context.Context, kind *scim.Kind, query string, args ...any) ([]scim.Resource, error) {
	return db.Collect(ctx, d.db, func(row *sql.Rows) (scim.Resource, error) { return scanSCIM(row, kind) }, query, args...)
}

// keyed are the statements that look up a key by index.
var keyed = map[string]string{
	scim.ByID: `
		SELECT id FROM scim_resources WHERE connection_id = $1 AND kind = $2 AND id = $3`,
	scim.ByName: `
		SELECT id FROM scim_resources WHERE connection_id = $1 AND kind = $2 AND name_key = $3 AND removed_at = 0`,
	scim.ByMember: `
		SELECT group_id FROM scim_members WHERE connection_id = $1 AND CAST($2 AS TEXT) <> '' AND member_id = $3 AND removed_at = 0 ORDER BY group_id`,
}

// candidates are the resources that a filter may mean, ordered by id: those that
// an index finds, else all.
func (d *Directory) candidates(ctx context.Context, account, connection int64, kind *scim.Kind, f *scim.Filter) iter.Seq2[scim.Resource, error] {
	if key, ok := f.Key(kind); ok {
		return d.withKey(ctx, account, connection, kind, key)
	}
	return func(yield func(scim.Resource, error) bool) {
		for after := ""; ; {
			page, err := d.someSCIM(ctx, kind, `
				SELECT `+scimColumns+` FROM scim_resources
				WHERE account_id = $1 AND connection_id = $2 AND kind = $3 AND removed_at = 0 AND id > $4
				ORDER BY id LIMIT $5`, account, connection, kind.Name, after, mirrorPage)
			if err != nil {
				yield(scim.Resource{}, err)
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
				after = r.ID
			}
			if len(page) < mirrorPage {
				return
			}
		}
	}
}

// withKey are the resources that have a key. They are read one by one: there are
// few, and no database is tempted to look through all instead.
func (d *Directory) withKey(ctx context.Context, account, connection int64, kind *scim.Kind, key scim.Key) iter.Seq2[scim.Resource, error] {
	return func(yield func(scim.Resource, error) bool) {
		ids, err := d.idsWithKey(ctx, connection, kind, key)
		if err != nil {
			yield(scim.Resource{}, err)
			return
		}
		for _, id := range ids {
			r, err := readSCIM(ctx, d.db, account, connection, kind, id)
			if problem.Has(err, "resource_not_found") {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (d *Directory) idsWithKey(ctx context.Context, connection int64, kind *scim.Kind, key scim.Key) ([]string, error) {
	switch key.By {
	case scim.ByID, scim.ByMember:
		return db.Column[string](ctx, d.db, keyed[key.By], connection, kind.Name, key.Value)
	case scim.ByName:
		return db.Column[string](ctx, d.db, keyed[key.By], connection, kind.Name, lookupKey(key.Value))
	}
	return db.Column[string](ctx, d.db, `
		SELECT resource_id FROM scim_keys WHERE connection_id = $1 AND attribute = $2 AND value_key = $3 ORDER BY resource_id`,
		connection, key.By, lookupKey(key.Value))
}

func (s scimSource) log(ctx context.Context) (log scimLog, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT changed, forgotten FROM scim_connections WHERE account_id = $1 AND connection_id = $2`,
		s.account, s.connection).Scan(&log.last, &log.forgotten)
	if db.IsNone(err) {
		return log, errNoConnection
	}
	return log, err
}

type changedResource struct {
	scim.Resource
	removed bool
}

// changed are the resources behind a place, removed ones too.
func (s scimSource) changed(ctx context.Context, kind *scim.Kind, after place) ([]changedResource, error) {
	return db.Collect(ctx, s.db, func(row *sql.Rows) (r changedResource, err error) {
		var text string
		var removed int64
		if err := row.Scan(&r.ID, &text, &r.Version, &removed); err != nil {
			return r, err
		}
		r.removed = removed != 0
		return r, json.Unmarshal([]byte(text), &r.Document)
	}, `
		SELECT id, document, changed, removed_at FROM scim_resources
		WHERE account_id = $1 AND connection_id = $2 AND kind = $3 AND (changed, id) > ($4, $5)
		ORDER BY changed, id LIMIT $6`, s.account, s.connection, kind.Name, after.Change, after.ID, scimPage)
}

type changedMember struct {
	at      place
	group   scim.Document
	removed bool
}

// changedMembers are the memberships behind a place, those that ended too. group
// is nil in those of a group that is gone.
func (s scimSource) changedMembers(ctx context.Context, after place) ([]changedMember, error) {
	return db.Collect(ctx, s.db, func(row *sql.Rows) (m changedMember, err error) {
		var text string
		var removed int64
		if err := row.Scan(&m.at.ID, &m.at.Member, &m.at.Change, &removed, &text); err != nil {
			return m, err
		}
		m.removed = removed != 0
		return m, json.Unmarshal([]byte(text), &m.group)
	}, `
		SELECT m.group_id, m.member_id, m.changed, m.removed_at, COALESCE(r.document, 'null') FROM (
			SELECT connection_id, group_id, member_id, changed, removed_at FROM scim_members
			WHERE connection_id = $2 AND (changed, group_id, member_id) > ($3, $4, $5)
			ORDER BY changed, group_id, member_id LIMIT $6) AS m
		LEFT JOIN scim_resources r ON r.connection_id = m.connection_id AND r.id = m.group_id AND +r.removed_at = 0 AND r.account_id = $1
		ORDER BY m.changed, m.group_id, m.member_id`,
		s.account, s.connection, after.Change, after.ID, after.Member, scimPage)
}

// forgotten is a row that was purged. change is 0 for one that nobody is told of.
type forgotten struct{ connection, change int64 }

func forget(ctx context.Context, tx *db.Tx, query string, args ...any) ([]forgotten, error) {
	return db.Collect(ctx, tx, func(row *sql.Rows) (f forgotten, err error) {
		return f, row.Scan(&f.connection, &f.change)
	}, query, args...)
}

func membersOfNoGroup(ctx context.Context, tx *db.Tx) ([]forgotten, error) {
	return forget(ctx, tx, `
		DELETE FROM scim_members WHERE (connection_id, group_id, member_id) IN (
			SELECT m.connection_id, m.group_id, m.member_id FROM scim_resources r
			JOIN scim_members m ON m.connection_id = r.connection_id AND m.group_id = r.id
			WHERE r.removed_at <> 0 AND r.kind = 'Group' LIMIT $1)
		RETURNING connection_id, 0`, lot)
}

func oldMembers(ctx context.Context, tx *db.Tx, before int64) ([]forgotten, error) {
	return forget(ctx, tx, `
		DELETE FROM scim_members WHERE removed_at <> 0 AND removed_at < $1 AND (connection_id, group_id, member_id) IN (
			SELECT connection_id, group_id, member_id FROM scim_members WHERE removed_at <> 0 AND removed_at < $1 LIMIT $2)
		RETURNING connection_id, changed`, before, lot)
}

func oldResources(ctx context.Context, tx *db.Tx, before int64) ([]forgotten, error) {
	return forget(ctx, tx, `
		DELETE FROM scim_resources WHERE (connection_id, id) IN (
			SELECT connection_id, id FROM scim_resources WHERE removed_at <> 0 AND removed_at < $1 LIMIT $2)
		RETURNING connection_id, changed`, before, lot)
}

func noteForgotten(ctx context.Context, tx *db.Tx, gone []forgotten) error {
	last := map[int64][1]int64{}
	for _, f := range gone {
		last[f.connection] = [1]int64{max(last[f.connection][0], f.change)}
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE scim_connections SET forgotten = CAST(r.value->>0 AS BIGINT) FROM json_each($1) AS r
		WHERE connection_id = CAST(r.key AS BIGINT) AND forgotten < CAST(r.value->>0 AS BIGINT)`, toJSON(last))
	return err
}
