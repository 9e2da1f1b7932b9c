package cards

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
	"github.com/varsel/varsel/internal/problem"
)

// errNoGrouping says that nobody has decided how a directory's people are grouped.
var errNoGrouping = problem.NotFound("card_grouping", "")

// Grouping is how the people of a directory are grouped, or the problem
// card_grouping_not_found.
func (c *Cards) Grouping(ctx context.Context, account int64, tenant string) (Grouping, error) {
	return c.grouping(ctx, c.db, account, tenant, groupingQuery)
}

const groupingQuery = `SELECT method, fields, filters, minors, template_id, template_version, saved_at FROM card_groupings WHERE account_id = $1 AND tenant_id = $2`

func (c *Cards) grouping(ctx context.Context, q db.Querier, account int64, tenant, query string) (Grouping, error) {
	g := Grouping{Tenant: tenant}
	var fields, filters string
	var saved int64
	err := q.QueryRowContext(ctx, query, account, tenant).Scan(&g.Method, &fields, &filters, &g.Minors, &g.Template, &g.Version, &saved)
	if db.IsNone(err) {
		return Grouping{}, errNoGrouping
	}
	g.Saved = db.Time(saved)
	return g, errors.Join(err, json.Unmarshal([]byte(fields), &g.Fields), json.Unmarshal([]byte(filters), &g.Filters))
}

// Regroups is how many cards go when the people of a directory are grouped by a
// method, those that were withdrawn too: all, when it is another than now.
func (c *Cards) Regroups(ctx context.Context, account int64, tenant string, method Method) (int, error) {
	before, err := c.Grouping(ctx, account, tenant)
	if err == errNoGrouping || err == nil && before.Method == method {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return countOf(ctx, c.db, account, tenant)
}

func countOf(ctx context.Context, q db.Querier, account int64, tenant string) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM cards WHERE account_id = $1 AND tenant_id = $2`, account, tenant).Scan(&n)
	return n, err
}

// SaveGrouping decides how a directory's people are grouped, from its next sync on.
// What is changed within a method keeps groups, cards and slugs. Another method deletes
// all groups and cards of the directory, and their addresses answer that they are gone:
// confirm is then the number that Regroups answers, as somebody typed it, and without
// it the problem card_regrouping states the number. The design of new groups
// (Grouping.Template) is not decided here, but when one is applied to all.
func (c *Cards) SaveGrouping(ctx context.Context, account int64, g Grouping, confirm string) (Grouping, error) {
	if err := c.allowed(ctx, account); err != nil {
		return g, err
	}
	g, err := g.checked()
	if err != nil {
		return g, err
	}
	lasting := len(g.lasting())
	first, err := c.db.NewIDs(ctx, lasting*2+1)
	if err != nil {
		return g, err
	}
	w := groupingWriter{account: account, first: first, now: time.Now(), confirm: confirm}
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		w.next = g
		return w.write(ctx, c, tx)
	})
	if err != nil {
		return g, err
	}
	if err := c.dropStrays(ctx, account, g.Tenant); err != nil {
		return g, err
	}
	return c.Grouping(ctx, account, g.Tenant)
}

// groupingWriter saves a grouping in a transaction.
type groupingWriter struct {
	account int64
	next    Grouping
	first   int64 // of ids: those of fresh filters, then those of groups
	now     time.Time
	confirm string
}

func (w *groupingWriter) write(ctx context.Context, c *Cards, tx *db.Tx) error {
	before, err := c.grouping(ctx, tx, w.account, w.next.Tenant, tx.ForUpdate(groupingQuery))
	if err != nil && err != errNoGrouping {
		return err
	}
	entry := audit.Entry{Account: w.account, At: w.now, Action: "cards.grouped", Facts: map[string]any{"tenant": w.next.Tenant, "method": w.next.Method}}
	if err == nil && before.Method != w.next.Method {
		n, err := w.begin(ctx, tx)
		if err != nil {
			return err
		}
		entry.Action = "cards.regrouped"
		entry.Facts = map[string]any{"tenant": w.next.Tenant, "method": w.next.Method, "before": before.Method, "cards": n}
		before = Grouping{}
	}
	if w.next, err = w.next.numbered(before, w.first); err != nil {
		return err
	}
	if err := w.save(ctx, tx); err != nil {
		return err
	}
	_, err = audit.Record(ctx, tx, entry)
	return err
}

// begin takes away the groups of another method, and with them what makes their cards
// answer. The cards themselves go after this, lot by lot: they may be many.
func (w *groupingWriter) begin(ctx context.Context, tx *db.Tx) (cards int, err error) {
	if cards, err = countOf(ctx, tx, w.account, w.next.Tenant); err != nil {
		return 0, err
	}
	if err := confirmed(w.confirm, cards); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM card_groups WHERE account_id = $1 AND tenant_id = $2`, w.account, w.next.Tenant)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM card_groupings WHERE account_id = $1 AND tenant_id = $2`, w.account, w.next.Tenant)
	return cards, err
}

func confirmed(typed string, cards int) error {
	typed = strings.TrimSpace(typed)
	if cards == 0 || typed == strconv.Itoa(cards) {
		return nil
	}
	return problem.Conflict("card_regrouping",
		"another way of grouping deletes all %d cards of this directory for good, with what their holders wrote; their links stop working. Type %d to confirm", cards, cards)
}

func (w *groupingWriter) save(ctx context.Context, tx *db.Tx) error {
	g := w.next
	_, err := tx.ExecContext(ctx, `
		INSERT INTO card_groupings (account_id, tenant_id, method, fields, filters, minors, saved_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account_id, tenant_id) DO UPDATE SET method = EXCLUDED.method, fields = EXCLUDED.fields, filters = EXCLUDED.filters,
			minors = EXCLUDED.minors, saved_at = EXCLUDED.saved_at`,
		w.account, g.Tenant, g.Method, toJSON(g.Fields), toJSON(g.Filters), g.Minors, db.Millis(w.now))
	if err != nil {
		return err
	}
	return putGroups(ctx, tx, w.account, g.Tenant, g.lasting(), w.first+int64(len(g.Filters)), w.now)
}

// putGroups makes groups for places that have none, with the design that new ones
// have, and calls a filter's what the filter is called.
func putGroups(ctx context.Context, tx *db.Tx, account int64, tenant string, places []place, first int64, now time.Time) error {
	rows := map[string]any{}
	for i, p := range places {
		rows[strconv.FormatInt(first+int64(i), 10)] = map[string]string{"place": p.key, "name": p.name}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO card_groups (id, account_id, tenant_id, place, name, template_id, template_version, created_at)
		SELECT CAST(r.key AS BIGINT), $1, $2, r.value->>'place', r.value->>'name', COALESCE(g.template_id, 0), COALESCE(g.template_version, 0), $3
		FROM json_each($4) AS r
		LEFT JOIN card_groupings g ON g.account_id = $1 AND g.tenant_id = $2
		WHERE true
		ON CONFLICT (account_id, tenant_id, place) DO UPDATE SET
			name = CASE WHEN card_groups.place LIKE 'filter %' THEN EXCLUDED.name ELSE card_groups.name END`,
		account, tenant, db.Millis(now), toJSON(rows))
	return err
}

// dropStrays deletes the cards whose group went with another method, lot by lot. It is
// done again before each sync follows, should it not have come to its end.
func (c *Cards) dropStrays(ctx context.Context, account int64, tenant string) error {
	for {
		ids, err := db.Column[int64](ctx, c.db, `
			SELECT c.id FROM cards c LEFT JOIN card_groups g ON g.id = c.group_id
			WHERE c.account_id = $1 AND c.tenant_id = $2 AND g.id IS NULL LIMIT $3`, account, tenant, lots.Size)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := c.remove(ctx, ids); err != nil {
			return err
		}
	}
}

// remove deletes cards. Their slugs stay, and answer that they are gone.
func (c *Cards) remove(ctx context.Context, ids []int64) error {
	return c.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		if err := dropOf(ctx, tx, ids, "card_photos"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM cards WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1) LIMIT 100000)`, keys(ids))
		return err
	})
}

// keys writes ids as the keys of a JSON object, the form in which both databases take
// a list of them.
func keys(ids []int64) string {
	set := make(map[int64]int, len(ids))
	for _, id := range ids {
		set[id] = 0
	}
	return toJSON(set)
}

// Properties are those of people that the cards of a directory need, of grouping as of
// designs: those that groups show, those that are newest, and that of groups to come.
func (c *Cards) Properties(ctx context.Context, q db.Querier, account int64, tenant string) ([]string, error) {
	g, err := c.grouping(ctx, q, account, tenant, groupingQuery)
	if err == errNoGrouping {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	bodies, err := db.Collect(ctx, q, func(row *sql.Rows) (b Body, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return b, err
		}
		return b, json.Unmarshal([]byte(text), &b)
	}, `
		SELECT v.body FROM card_template_versions v JOIN card_templates t ON t.id = v.template_id
		WHERE t.account_id = $1 AND (
			EXISTS (SELECT 1 FROM card_groups g WHERE g.account_id = $1 AND g.tenant_id = $2
				AND g.template_id = t.id AND (g.template_version = v.version OR t.version = v.version))
			OR t.id = $3 AND (v.version = $4 OR v.version = t.version))`, account, tenant, g.Template, g.Version)
	if err != nil {
		return nil, err
	}
	names := g.properties()
	for _, b := range bodies {
		names = append(names, b.mapped()...)
	}
	return sortedOnce(names), nil
}
