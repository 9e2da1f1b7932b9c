package contacts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// byPhone are the contacts with one of these numbers: the oldest kept by hand,
// else the oldest of a directory. It reads in a transaction only for
// PostgreSQL's plan. CROSS JOIN has SQLite look every number up, where it would
// go through all numbers for every contact.
func (b *Book) byPhone(ctx context.Context, account int64, phones map[string]int) (map[string]Contact, error) {
	all := map[string]Contact{}
	if len(phones) == 0 {
		return all, nil
	}
	var found []Contact
	err := b.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		var err error
		found, err = db.Collect(ctx, tx, scanContact, `
			SELECT `+contactColumns+`
			FROM (SELECT key, CAST($1 AS BIGINT) AS account FROM json_each($2) LIMIT 100000) AS r CROSS JOIN contacts c
			WHERE c.account_id = r.account AND c.phone = r.key AND c.state = 'active' ORDER BY c.source DESC, c.id`,
			account, toJSON(phones))
		return err
	})
	for _, c := range found {
		if _, older := all[c.Phone.E164]; !older {
			all[c.Phone.E164] = c
		}
	}
	return all, err
}

// groupsByName are the groups with one of these names whose members are named
// one by one, the oldest of each, and whether there are others.
func (b *Book) groupsByName(ctx context.Context, account int64, names map[string]int) (listed map[string]int64, others map[string]bool, err error) {
	listed, others = map[string]int64{}, map[string]bool{}
	if len(names) == 0 {
		return listed, others, nil
	}
	rows, err := b.db.QueryContext(ctx, `
		SELECT g.id, g.name, CASE WHEN g.source = 'manual' AND g.rule = '' THEN 1 ELSE 0 END
		FROM json_each($2) AS r CROSS JOIN contact_groups g
		WHERE g.account_id = $1 AND g.name = r.key AND g.state = 'active' ORDER BY g.id DESC`, account, toJSON(names))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name string
		var isListed bool
		if err := rows.Scan(&id, &name, &isListed); err != nil {
			return nil, nil, err
		}
		if isListed {
			listed[name] = id
		} else {
			others[name] = true
		}
	}
	return listed, others, rows.Err()
}

const (
	// uploadKept is how long a list waits for its import.
	uploadKept = time.Hour
	// importLease is how long an import keeps others out when its process dies.
	importLease = 5 * time.Minute
)

var (
	errNoUpload = problem.New(problem.KindNotFound, "upload_not_found", "this list is not kept any more, or it has been imported: send it again")
	errBusy     = problem.Conflict("import_running", "another list is being imported into this account: wait until it is done")
)

// alone does what no other import in the account does at the same time, and
// within the time for which it keeps others out.
func (b *Book) alone(ctx context.Context, account int64, do func(ctx context.Context) error) error {
	now := time.Now()
	until := db.Millis(now.Add(importLease))
	taken, err := b.db.ExecContext(ctx, `
		INSERT INTO contact_imports (account_id, busy_until) VALUES ($1, $2)
		ON CONFLICT (account_id) DO UPDATE SET busy_until = EXCLUDED.busy_until WHERE contact_imports.busy_until < $3`,
		account, until, db.Millis(now))
	if err != nil {
		return err
	}
	if n, _ := taken.RowsAffected(); n == 0 {
		return errBusy
	}
	limited, cancel := context.WithTimeout(ctx, importLease)
	defer cancel()
	err = do(limited)
	// Also when the caller has gone: the next import is not to wait for the lease.
	_, freed := b.db.ExecContext(context.WithoutCancel(ctx), `DELETE FROM contact_imports WHERE account_id = $1 AND busy_until = $2`, account, until)
	return errors.Join(err, freed)
}

func (b *Book) keepUpload(ctx context.Context, account, id int64, hash, text string) error {
	if err := b.DropUploads(ctx); err != nil {
		return err
	}
	_, err := b.db.ExecContext(ctx, `
		INSERT INTO contact_uploads (id, account_id, sha256, content, created_at) VALUES ($1, $2, $3, $4, $5)`,
		id, account, hash, text, db.Millis(time.Now()))
	return err
}

// DropUploads forgets the lists, of all accounts, that nobody imported in time,
// and old reports.
func (b *Book) DropUploads(ctx context.Context) error {
	_, err := b.db.ExecContext(ctx, `DELETE FROM contact_uploads WHERE created_at < $1`, db.Millis(time.Now().Add(-uploadKept)))
	return err
}

// upload is a list as it was sent, or what became of it.
func (b *Book) upload(ctx context.Context, account, id int64) (hash, text string, report *ImportReport, err error) {
	var said string
	err = b.db.QueryRowContext(ctx, `
		SELECT sha256, content, report FROM contact_uploads WHERE account_id = $1 AND id = $2 AND created_at >= $3`,
		account, id, db.Millis(time.Now().Add(-uploadKept))).Scan(&hash, &text, &said)
	switch {
	case db.IsNone(err), err == nil && text == "" && said == "":
		return "", "", nil, errNoUpload
	case err != nil || said == "":
		return hash, text, nil, err
	}
	err = json.Unmarshal([]byte(said), &report)
	return hash, "", report, err
}

// takeUpload takes a list out, so that it is imported once.
func (b *Book) takeUpload(ctx context.Context, account, id int64) (hash, text string, err error) {
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		err := tx.QueryRowContext(ctx, tx.ForUpdate(`
			SELECT sha256, content FROM contact_uploads WHERE account_id = $1 AND id = $2 AND created_at >= $3 AND content <> ''`),
			account, id, db.Millis(time.Now().Add(-uploadKept))).Scan(&hash, &text)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoUpload
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE contact_uploads SET content = '' WHERE id = $1`, id)
		return err
	})
	return hash, text, err
}

func (b *Book) keepReport(ctx context.Context, account, id int64, r ImportReport) error {
	_, err := b.db.ExecContext(ctx, `UPDATE contact_uploads SET report = $3 WHERE account_id = $1 AND id = $2`, account, id, toJSON(r))
	return err
}
