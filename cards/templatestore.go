package cards

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// SaveTemplate keeps a design, as the next version of a template, or as the first of a
// new one where id is 0. No card shows it before it is applied. What is as the last
// version was makes no new one. Refusals: those of Body.Checked, qr_unreadable,
// card_template_exists for the name of another.
func (c *Cards) SaveTemplate(ctx context.Context, account, id int64, name string, b Body) (Template, error) {
	return c.SaveTemplateOver(ctx, account, id, 0, name, b)
}

// SaveTemplateOver is SaveTemplate for somebody who began with a version, 0 for any: when
// somebody else has saved another since, it is refused with card_template_changed. also
// is done in the same transaction, and first.
func (c *Cards) SaveTemplateOver(ctx context.Context, account, id, version int64, name string, b Body, also ...func(ctx context.Context, tx *db.Tx, template int64) error) (Template, error) {
	name = oneLine(name)
	if !isName(name, 1) {
		return Template{}, problem.Invalid("name", "a template's name has 1 to %d characters", MaxName)
	}
	b, err := b.Checked()
	if err != nil {
		return Template{}, err
	}
	if err := c.hasLogo(ctx, account, b); err != nil {
		return Template{}, err
	}
	if err := c.readable(ctx, account, b); err != nil {
		return Template{}, err
	}
	fresh, err := c.db.NewIDs(ctx, 1)
	if err != nil {
		return Template{}, err
	}
	t := Template{Account: account, Name: name, Updated: db.Time(db.Millis(time.Now())), Body: b}
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		t.ID, t.Version = id, version
		if id == 0 {
			t.ID, t.Version = fresh, 1
		}
		for _, do := range also {
			if do == nil {
				continue
			}
			if err := do(ctx, tx, t.ID); err != nil {
				return err
			}
		}
		if id == 0 {
			return t.add(ctx, tx)
		}
		return t.replace(ctx, tx)
	})
	if db.IsDuplicate(err) {
		err = problem.Conflict("card_template_exists", "there is a template %q already", name)
	}
	if err != nil {
		return Template{}, err
	}
	return c.Template(ctx, account, t.ID)
}

func (c *Cards) hasLogo(ctx context.Context, account int64, b Body) error {
	if b.Looks.Logo == 0 {
		return nil
	}
	_, err := c.Image(ctx, account, b.Looks.Logo)
	if err == errNoImage {
		return errNoLogo
	}
	return err
}

func (t Template) add(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO card_templates (id, account_id, name, version, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $4)`,
		t.ID, t.Account, t.Name, db.Millis(t.Updated)); err != nil {
		return err
	}
	return t.addVersion(ctx, tx)
}

// replace makes the next version, when the last one is the expected one and says
// something else.
func (t Template) replace(ctx context.Context, tx *db.Tx) error {
	if err := locked(ctx, tx, t.Account, t.ID, new(int64)); err != nil {
		return err
	}
	was, err := lastOf(ctx, tx, t.Account, t.ID)
	if err != nil {
		return err
	}
	if t.Version != 0 && t.Version != was.Version {
		return problem.Conflict("card_template_changed", "somebody saved version %d in the meantime: look at it before you save yours", was.Version)
	}
	same, err := was.Body.same(t.Body)
	if err != nil || same && was.Name == t.Name {
		return err
	}
	if t.Version = was.Version; !same {
		t.Version++
		if err := t.addVersion(ctx, tx); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE card_templates SET name = $3, version = $4, updated_at = $5 WHERE account_id = $1 AND id = $2`,
		t.Account, t.ID, t.Name, t.Version, db.Millis(t.Updated))
	return err
}

func (b Body) same(as Body) (bool, error) {
	one, err := json.Marshal(b)
	if err != nil {
		return false, err
	}
	other, err := json.Marshal(as)
	return string(one) == string(other), err
}

func (t Template) addVersion(ctx context.Context, tx *db.Tx) error {
	if err := t.useLogo(ctx, tx); err != nil {
		return err
	}
	body, err := json.Marshal(t.Body)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO card_template_versions (account_id, template_id, version, body, created_at) VALUES ($1, $2, $3, $4, $5)`,
		t.Account, t.ID, t.Version, string(body), db.Millis(t.Updated))
	return err
}

// Templates lists the account's, as they were saved last, by name.
func (c *Cards) Templates(ctx context.Context, account int64) ([]Template, error) {
	return db.Collect(ctx, c.db, scanTemplate, `SELECT `+templateColumns+` FROM card_templates t
		JOIN card_template_versions v ON v.template_id = t.id AND v.version = t.version
		WHERE t.account_id = $1 AND t.removed_at = 0 ORDER BY t.name, t.id`, account)
}

// Template is one of the account's, as it was saved last.
func (c *Cards) Template(ctx context.Context, account, id int64) (Template, error) {
	return lastOf(ctx, c.db, account, id)
}

func lastOf(ctx context.Context, q db.Querier, account, id int64) (Template, error) {
	return oneTemplate(db.Collect(ctx, q, scanTemplate, `SELECT `+templateColumns+` FROM card_templates t
		JOIN card_template_versions v ON v.template_id = t.id AND v.version = t.version
		WHERE t.account_id = $1 AND t.id = $2 AND t.removed_at = 0`, account, id))
}

// TemplateVersion is a template as it was saved then.
func (c *Cards) TemplateVersion(ctx context.Context, account, id, version int64) (Template, error) {
	return oneTemplate(db.Collect(ctx, c.db, scanTemplate, versionsOf+` AND v.version = $3`, account, id, version))
}

// TemplateVersions are all of a template, the last first. Their Updated is when they were
// saved.
func (c *Cards) TemplateVersions(ctx context.Context, account, id int64) ([]Template, error) {
	return db.Collect(ctx, c.db, scanTemplate, versionsOf+` ORDER BY v.version DESC`, account, id)
}

const versionsOf = `SELECT t.id, t.account_id, t.name, v.version, v.created_at, v.body FROM card_templates t
	JOIN card_template_versions v ON v.template_id = t.id
	WHERE t.account_id = $1 AND t.id = $2 AND t.removed_at = 0`

func oneTemplate(found []Template, err error) (Template, error) {
	if err != nil {
		return Template{}, err
	}
	if len(found) == 0 {
		return Template{}, errNoTemplate
	}
	return found[0], nil
}

// RemoveTemplate takes a template out of use. One that a group shows, or that new groups
// are to have, is refused with card_template_in_use.
func (c *Cards) RemoveTemplate(ctx context.Context, account, id int64) error {
	return c.db.InTx(ctx, func(tx *db.Tx) error {
		if err := locked(ctx, tx, account, id, new(int64)); err != nil {
			return err
		}
		var used int
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM card_groups WHERE account_id = $1 AND template_id = $2)
			+ (SELECT COUNT(*) FROM card_groupings WHERE account_id = $1 AND template_id = $2)`, account, id).Scan(&used); err != nil {
			return err
		}
		if used > 0 {
			return problem.Conflict("card_template_in_use", "groups of cards show this template, or are to show it: apply another to them first")
		}
		_, err := tx.ExecContext(ctx, `UPDATE card_templates SET removed_at = $3 WHERE account_id = $1 AND id = $2`, account, id, db.Millis(time.Now()))
		return err
	})
}

// locked keeps a template as it is until the transaction ends.
func locked(ctx context.Context, tx *db.Tx, account, id int64, version *int64) error {
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT version FROM card_templates WHERE account_id = $1 AND id = $2 AND removed_at = 0`),
		account, id).Scan(version)
	if db.IsNone(err) {
		return errNoTemplate
	}
	return err
}

// Apply lets groups show a template as it was saved last: those of the ids, or with nil
// all, and then also those that are yet to be. What the
// template takes from the directory that was not taken before comes with the next sync.
func (c *Cards) Apply(ctx context.Context, account, template int64, groups []int64) error {
	return c.db.InTx(ctx, func(tx *db.Tx) error {
		var version int64
		if err := locked(ctx, tx, account, template, &version); err != nil {
			return err
		}
		if groups == nil {
			return applyToAll(ctx, tx, account, template, version)
		}
		return applyTo(ctx, tx, account, template, version, groups)
	})
}

func applyToAll(ctx context.Context, tx *db.Tx, account, template, version int64) error {
	if _, err := tx.ExecContext(ctx, `UPDATE card_groups SET template_id = $2, template_version = $3 WHERE account_id = $1`, account, template, version); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE card_groupings SET template_id = $2, template_version = $3 WHERE account_id = $1`, account, template, version)
	return err
}

func applyTo(ctx context.Context, tx *db.Tx, account, template, version int64, groups []int64) error {
	ids := map[string]bool{}
	for _, id := range groups {
		ids[strconv.FormatInt(id, 10)] = true
	}
	chosen, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `UPDATE card_groups SET template_id = $2, template_version = $3
		WHERE account_id = $1 AND id IN (SELECT CAST(r.key AS BIGINT) FROM json_each($4) AS r)`, account, template, version, string(chosen))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || int(n) == len(ids) {
		return err
	}
	return problem.NotFound("card_group", "")
}
