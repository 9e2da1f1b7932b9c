package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// This file writes account_deletions, and reads agreements and accounts.

// selectExits are the accounts whose last agreement was ended with a deadline, and
// whose data were not all deleted before they concluded another; account 0 is all.
// A deletion that has begun goes on whatever is concluded.
func selectExits(ctx context.Context, q db.Querier, account int64) ([]Exit, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (x Exit, err error) {
		var concluded, terminated, deadline, began, done int64
		var counts string
		if err = row.Scan(&x.Account, &x.Agreement, &x.Version, &x.Language, &concluded, &terminated, &x.AtEnd, &deadline, &began, &done, &counts, &x.SHA256); err != nil {
			return x, err
		}
		x.Concluded, x.Terminated, x.Deadline, x.Began, x.Done = db.Time(concluded), db.Time(terminated), db.Time(deadline), db.Time(began), db.Time(done)
		return x, json.Unmarshal([]byte(counts), &x.Counts)
	}, `
		SELECT a.account_id, a.id, a.version, a.language, a.concluded_at, a.terminated_at, a.at_end, a.end_deadline,
			COALESCE(d.began_at, 0), COALESCE(d.done_at, 0), COALESCE(d.counts, '{}'), COALESCE(d.sha256, '')
		FROM agreements a LEFT JOIN account_deletions d ON d.account_id = a.account_id AND d.agreement_id = a.id
		WHERE a.state = 'terminated' AND a.end_deadline > 0 AND (CAST($1 AS BIGINT) = 0 OR a.account_id = $1)
			AND NOT EXISTS (SELECT 1 FROM agreements n WHERE n.account_id = a.account_id AND n.state = 'terminated' AND n.end_deadline > 0
				AND (n.terminated_at > a.terminated_at OR n.terminated_at = a.terminated_at AND n.id > a.id))
			AND (d.began_at > 0 AND d.done_at = 0 OR NOT EXISTS (SELECT 1 FROM agreements c WHERE c.account_id = a.account_id AND c.state = 'concluded'))
		ORDER BY a.account_id`, account)
}

// lockForDeletion says whether an agreement holds; nobody concludes one until the
// transaction ends.
func lockForDeletion(ctx context.Context, tx tx, account int64) (current bool, err error) {
	var id int64
	if err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT id FROM accounts WHERE id = $1`), account).Scan(&id); err != nil {
		return false, err
	}
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM agreements WHERE account_id = $1 AND state = 'concluded')`, account).Scan(&current)
	return current, err
}

func insertDeletion(ctx context.Context, tx tx, x Exit) error {
	counts, err := json.Marshal(x.Counts)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO account_deletions (account_id, agreement_id, began_at, counts) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		x.Account, x.Agreement, db.Millis(x.Began), string(counts))
	return err
}

func finishDeletion(ctx context.Context, tx tx, x Exit, c Certificate, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE account_deletions SET done_at = $3, sha256 = $4, certificate = $5 WHERE account_id = $1 AND agreement_id = $2 AND done_at = 0`,
		x.Account, x.Agreement, db.Millis(now), c.SHA256, c.PDF)
	return err
}

func selectCertificate(ctx context.Context, q db.Querier, account int64) (c Certificate, err error) {
	var at int64
	err = q.QueryRowContext(ctx, `
		SELECT sha256, certificate, done_at FROM account_deletions WHERE account_id = $1 AND done_at > 0 ORDER BY done_at DESC LIMIT 1`, account).
		Scan(&c.SHA256, &c.PDF, &at)
	c.At = db.Time(at)
	return c, err
}

func forgetNumberKey(ctx context.Context, d *db.DB, account int64) error {
	_, err := d.ExecContext(ctx, `DELETE FROM number_keys WHERE account_id = $1`, account)
	return err
}
