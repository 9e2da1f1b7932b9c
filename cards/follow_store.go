package cards

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// selectKept are the directory's cards by directory id, those that were withdrawn too.
func (f *following) selectKept(ctx context.Context) (map[string]*kept, error) {
	rows, err := f.db.QueryContext(ctx, `
		SELECT directory_id, id, group_id, state, says FROM cards WHERE account_id = $1 AND tenant_id = $2`, f.account, f.grouping.Tenant)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]*kept{}
	for rows.Next() {
		var id string
		var state State
		row := &kept{}
		if err := rows.Scan(&id, &row.id, &row.group, &state, &row.says); err != nil {
			return nil, err
		}
		row.active = state == Active
		all[id] = row
	}
	return all, rows.Err()
}

// selectGroups are the directory's groups by place, with what their designs take.
func (f *following) selectGroups(ctx context.Context) (map[string]*shown, error) {
	type design struct{ template, version int64 }
	bodies := map[design]Body{}
	_, err := db.Collect(ctx, f.db, func(row *sql.Rows) (d design, err error) {
		var text string
		var b Body
		if err := row.Scan(&d.template, &d.version, &text); err != nil {
			return d, err
		}
		err = json.Unmarshal([]byte(text), &b)
		bodies[d] = b
		return d, err
	}, `
		SELECT v.template_id, v.version, v.body FROM card_template_versions v
		WHERE EXISTS (SELECT 1 FROM card_groups g WHERE g.account_id = $1 AND g.tenant_id = $2
			AND g.template_id = v.template_id AND g.template_version = v.version)`, f.account, f.grouping.Tenant)
	if err != nil {
		return nil, err
	}
	groups := map[string]*shown{}
	_, err = db.Collect(ctx, f.db, func(row *sql.Rows) (g *shown, err error) {
		g = &shown{}
		var key string
		err = row.Scan(&key, &g.id, &g.template, &g.version)
		g.always, g.once = bodies[design{g.template, g.version}].takes()
		groups[key] = g
		return g, err
	}, `SELECT place, id, template_id, template_version FROM card_groups WHERE account_id = $1 AND tenant_id = $2`, f.account, f.grouping.Tenant)
	return groups, err
}

func (f *following) insertGroups(ctx context.Context, fresh []place) error {
	first, err := f.db.NewIDs(ctx, len(fresh))
	if err != nil {
		return err
	}
	return f.db.InTx(ctx, func(tx *db.Tx) error {
		return putGroups(ctx, tx, f.account, f.grouping.Tenant, fresh, first, f.now)
	})
}

// insert makes cards with the ids from first on.
func (f *following) insert(ctx context.Context, first int64, fresh []said) error {
	return f.db.InTx(ctx, func(tx *db.Tx) error {
		slugs, err := takeSlugs(ctx, tx, len(fresh), f.now)
		if err != nil {
			return err
		}
		rows := make(map[string]cardRow, len(fresh))
		for i, s := range fresh {
			r := s.row(taking{}.next(s))
			r.Slug = slugs[i]
			rows[strconv.FormatInt(first+int64(i), 10)] = r
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO cards (id, account_id, tenant_id, directory_id, contact_id, group_id, slug, state, taken, once, once_from, language, says, created_at, updated_at)
			SELECT CAST(r.key AS BIGINT), $1, $2, r.value->>'directory', CAST(r.value->>'contact' AS BIGINT), CAST(r.value->>'group' AS BIGINT),
				r.value->>'slug', 'active', r.value->>'taken', r.value->>'once', r.value->>'once_from', r.value->>'language', CAST(r.value->>'says' AS BIGINT), $3, $3
			FROM json_each($4) AS r WHERE true
			ON CONFLICT (account_id, tenant_id, directory_id) DO NOTHING`, f.account, f.grouping.Tenant, db.Millis(f.now), toJSON(rows))
		return err
	})
}

// takeSlugs gives n slugs that were never given before, and never will be again.
func takeSlugs(ctx context.Context, tx *db.Tx, n int, now time.Time) (taken []string, err error) {
	for tries := 0; len(taken) < n; tries++ {
		if tries == 10 {
			return nil, fmt.Errorf("no free slug was found")
		}
		want := map[string]int{}
		for range n - len(taken) {
			want[newSlug()] = 0
		}
		some, err := db.Column[string](ctx, tx, `
			INSERT INTO card_slugs (slug, created_at) SELECT r.key, $1 FROM json_each($2) AS r WHERE true
			ON CONFLICT (slug) DO NOTHING RETURNING slug`, db.Millis(now), toJSON(want))
		if err != nil {
			return nil, err
		}
		taken = append(taken, some...)
	}
	return taken, nil
}

// cardRow is a card in the statements that write many. says is text, as JSON's numbers
// are not exact.
type cardRow struct {
	Directory string `json:"directory"`
	Contact   string `json:"contact"`
	Group     string `json:"group"`
	Slug      string `json:"slug"`
	Taken     string `json:"taken"`
	Once      string `json:"once"`
	OnceFrom  string `json:"once_from"`
	Language  string `json:"language"`
	Says      string `json:"says"`
}

func (s said) row(t taking) cardRow {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return cardRow{Directory: s.DirectoryID, Contact: number(s.Contact), Group: number(s.group.id), Taken: toJSON(s.taken),
		Once: toJSON(t.once), OnceFrom: toJSON(t.from), Language: s.Language, Says: number(s.says)}
}

// taking is what fields of a card took a single time, and the property that each took.
type taking struct{ once, from map[string]string }

// next keeps what the fields of the design have taken from the property that they are
// mapped to, and takes the rest. What no field shows any more, or was another property's,
// goes.
func (t taking) next(s said) taking {
	n := taking{map[string]string{}, map[string]string{}}
	for _, field := range s.group.once {
		value, from := t.once[field.ID], t.from[field.ID]
		if from != "" && from != field.From {
			value = ""
		}
		if value == "" {
			value = s.once[field.ID]
		}
		if value != "" {
			n.once[field.ID], n.from[field.ID] = value, field.From
		}
	}
	return n
}

// change rewrites cards by id, and makes those active that were withdrawn. What the
// holder wrote is not touched.
func (f *following) change(ctx context.Context, changed map[int64]said) error {
	if len(changed) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(changed))
	for id := range changed {
		ids = append(ids, id)
	}
	return f.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		rows := make(map[string]cardRow, len(changed))
		_, err := db.Collect(ctx, tx, func(row *sql.Rows) (id int64, err error) {
			var once, from string
			var t taking
			if err := row.Scan(&id, &once, &from); err != nil {
				return id, err
			}
			if err := errors.Join(json.Unmarshal([]byte(once), &t.once), json.Unmarshal([]byte(from), &t.from)); err != nil {
				return id, err
			}
			rows[strconv.FormatInt(id, 10)] = changed[id].row(t.next(changed[id]))
			return id, nil
		}, `SELECT c.id, c.once, c.once_from FROM cards c JOIN (SELECT CAST(key AS BIGINT) AS id FROM json_each($1) LIMIT 100000) AS r ON c.id = r.id`, keys(ids))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE cards SET contact_id = CAST(r.value->>'contact' AS BIGINT), group_id = CAST(r.value->>'group' AS BIGINT), state = 'active',
				taken = r.value->>'taken', once = r.value->>'once', once_from = r.value->>'once_from', language = r.value->>'language', says = CAST(r.value->>'says' AS BIGINT),
				revision = revision + 1, updated_at = $1, withdrawn_at = 0
			FROM (SELECT key, value FROM json_each($2) LIMIT 100000) AS r WHERE cards.id = CAST(r.key AS BIGINT)`, db.Millis(f.now), toJSON(rows))
		return err
	})
}

// withdraw empties cards: what is left of them are ids and the slug.
func (f *following) withdraw(ctx context.Context, ids []int64) error {
	return f.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE cards SET state = 'withdrawn', taken = '{}', once = '{}', once_from = '{}', edits = '{}', language = '', says = 0, revision = revision + 1,
				updated_at = $1, withdrawn_at = $1
			WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($2) LIMIT 100000) AND state = 'active'`, db.Millis(f.now), keys(ids))
		if err != nil {
			return err
		}
		return dropOf(ctx, tx, ids, "card_photos", "card_holders")
	})
}

// dropOf deletes what tables have of cards.
func dropOf(ctx context.Context, tx *db.Tx, ids []int64, tables ...string) error {
	for _, table := range tables {
		_, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE card_id IN (SELECT CAST(key AS BIGINT) FROM json_each($1) LIMIT 100000)`, keys(ids))
		if err != nil {
			return err
		}
	}
	return nil
}

// dropEmpty forgets groups that have no cards either, not even withdrawn ones.
func (f *following) dropEmpty(ctx context.Context) error {
	for some := range slices.Chunk(f.emptied(), lot) {
		_, err := f.db.ExecContext(ctx, `
			DELETE FROM card_groups WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))
				AND NOT EXISTS (SELECT 1 FROM cards c WHERE c.group_id = card_groups.id)`, keys(some))
		if err != nil {
			return err
		}
	}
	return nil
}

// keepWithdrawn is for how long somebody who returns has the same card again.
const keepWithdrawn = 30 * 24 * time.Hour

// Purge deletes the cards that were withdrawn 30 days ago, lot by lot.
func (c *Cards) Purge(ctx context.Context, now time.Time) error {
	before := db.Millis(now.Add(-keepWithdrawn))
	for {
		// Whose holder comes back meanwhile is not deleted: that is asked of the row itself.
		gone, err := c.db.ExecContext(ctx, `
			DELETE FROM cards WHERE withdrawn_at > 0 AND withdrawn_at <= $1 AND id IN (
				SELECT id FROM cards WHERE withdrawn_at > 0 AND withdrawn_at <= $1 ORDER BY withdrawn_at LIMIT $2)`, before, lots.Size)
		if err != nil {
			return err
		}
		if n, err := gone.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
}
