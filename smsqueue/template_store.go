package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
)

// This file writes templates, template_versions and template_texts.

// writeTemplate stores a version, and the template if it is its first. It says
// false when the key was taken.
func (q *Queue) writeTemplate(ctx context.Context, t Template, first bool, once accounts.Once) (free bool, err error) {
	err = q.db.InTx(ctx, func(tx *db.Tx) (err error) {
		if free = true; once.Key != "" {
			if free, err = accounts.TakeKey(ctx, tx, once, t.Created); err != nil || !free {
				return err
			}
		}
		v := t.Version
		if first {
			err = insertTemplate(ctx, tx, t)
		} else {
			err = nextVersion(ctx, tx, t)
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO template_versions (id, template_id, number, language, created_at)
			SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), COALESCE(MAX(number), 0) + 1, $3, CAST($4 AS BIGINT) FROM template_versions WHERE template_id = $2`,
			v.ID, t.ID, v.Language, db.Millis(t.Created)); err != nil {
			return err
		}
		var rows [][]any
		for _, x := range v.Texts {
			rows = append(rows, []any{v.ID, x.Language, x.Text})
		}
		return tx.Bulk(ctx, "template_texts", []string{"version_id", "language", "body"}, rows)
	})
	if db.IsDuplicate(err) {
		err = errSameName
	}
	return free, err
}

func insertTemplate(ctx context.Context, tx *db.Tx, t Template) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO templates (id, account_id, name, version_id, created_at) VALUES ($1, $2, $3, $4, $5)`,
		t.ID, t.Account, t.Name, t.Version.ID, db.Millis(t.Created))
	return err
}

// nextVersion also keeps the template for who changes it, so that the numbers of
// its versions follow each other.
func nextVersion(ctx context.Context, tx *db.Tx, t Template) error {
	done, err := tx.ExecContext(ctx, `UPDATE templates SET name = $1, version_id = $2 WHERE account_id = $3 AND id = $4 AND archived_at = 0`,
		t.Name, t.Version.ID, t.Account, t.ID)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = errArchived
		}
		return err
	}
	return nil
}

func archiveTemplate(ctx context.Context, d *db.DB, account, id int64, now time.Time) error {
	_, err := d.ExecContext(ctx, `UPDATE templates SET archived_at = $1 WHERE account_id = $2 AND id = $3 AND archived_at = 0`,
		db.Millis(now), account, id)
	return err
}

func oneTemplate(ctx context.Context, q db.Querier, where string, args ...any) (Template, error) {
	all, err := selectTemplates(ctx, q, where, args...)
	if err != nil {
		return Template{}, err
	}
	if len(all) == 0 {
		return Template{}, errNoTemplate
	}
	return all[0], nil
}

// selectTemplates reads templates with their latest versions.
func selectTemplates(ctx context.Context, q db.Querier, where string, args ...any) ([]Template, error) {
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (t Template, err error) {
		var created, archived int64
		err = row.Scan(&t.ID, &t.Account, &t.Name, &t.Version.ID, &created, &archived)
		t.Created, t.Archived = db.Time(created), db.Time(archived)
		return t, err
	}, `SELECT t.id, t.account_id, t.name, t.version_id, t.created_at, t.archived_at FROM templates t `+where, args...)
	if err != nil || len(all) == 0 {
		return all, err
	}
	ids := make([]int64, len(all))
	for i, t := range all {
		ids[i] = t.Version.ID
	}
	versions, err := versionsByID(ctx, q, ids)
	for i := range all {
		all[i].Version = versions[all[i].Version.ID]
	}
	return all, err
}

func versionsByID(ctx context.Context, q db.Querier, ids []int64) (map[int64]TemplateVersion, error) {
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	all, err := selectVersions(ctx, q, `WHERE v.id IN (SELECT CAST(key AS BIGINT) FROM json_each($1)) ORDER BY v.id, x.language`, list)
	found := map[int64]TemplateVersion{}
	for _, v := range all {
		found[v.ID] = v
	}
	return found, err
}

func templateVersion(ctx context.Context, q db.Querier, id int64) (TemplateVersion, error) {
	found, err := versionsByID(ctx, q, []int64{id})
	if err != nil {
		return TemplateVersion{}, err
	}
	v, known := found[id]
	if !known {
		return v, errNoTemplate
	}
	return v, nil
}

func numberedVersion(ctx context.Context, q db.Querier, account, template int64, number int) (TemplateVersion, error) {
	all, err := selectVersions(ctx, q, `
		WHERE v.template_id = (SELECT id FROM templates WHERE account_id = $1 AND id = $2) AND v.number = $3 ORDER BY x.language`, account, template, number)
	if err != nil || len(all) == 0 {
		if err == nil {
			err = errNoTemplate
		}
		return TemplateVersion{}, err
	}
	return all[0], nil
}

// selectVersions reads versions v with their texts x; where is to keep those of
// a version together.
func selectVersions(ctx context.Context, q db.Querier, where string, args ...any) (all []TemplateVersion, err error) {
	_, err = db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var v TemplateVersion
		var x TemplateText
		var created int64
		if err := row.Scan(&v.ID, &v.Number, &v.Language, &created, &x.Language, &x.Text); err != nil {
			return struct{}{}, err
		}
		if v.Created = db.Time(created); len(all) == 0 || all[len(all)-1].ID != v.ID {
			all = append(all, v)
		}
		last := &all[len(all)-1]
		last.Texts = append(last.Texts, x)
		return struct{}{}, nil
	}, `
		SELECT v.id, v.number, v.language, v.created_at, x.language, x.body
		FROM template_versions v JOIN template_texts x ON x.version_id = v.id `+where, args...)
	return all, err
}
