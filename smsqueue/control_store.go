package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

func changedOne(done sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

func pauseCampaign(ctx context.Context, tx *db.Tx, account, id int64) (bool, error) {
	return changedOne(tx.ExecContext(ctx, `
		UPDATE campaigns SET state = 'paused' WHERE account_id = $1 AND id = $2 AND state IN ('accepted', 'running')`, account, id))
}

// mayResume is the condition of Campaign.MayResume.
const mayResume = `(state = 'paused' OR state = 'held' AND reason <> '` + groupGone + `')`

// resumeCampaign gives its messages their time anew: it does not run while the
// campaign waits for somebody, unless somebody said how long the text is worth sending.
func resumeCampaign(ctx context.Context, tx *db.Tx, account, id, ceiling int64, now time.Time) (bool, error) {
	resumed, err := changedOne(tx.ExecContext(ctx, `
		UPDATE campaigns SET state = CASE started_at WHEN 0 THEN 'accepted' ELSE 'running' END, reason = '',
			ceiling_micro = CASE CAST($3 AS BIGINT) WHEN 0 THEN ceiling_micro ELSE CAST($3 AS BIGINT) END
		WHERE account_id = $1 AND id = $2 AND `+mayResume, account, id, ceiling))
	if err != nil || !resumed {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE ranges SET deadline = $1 WHERE campaign_id = $2 AND state <> 'done' AND deadline < $1
			AND EXISTS (SELECT 1 FROM campaigns c WHERE c.id = $2 AND c.validity_ms = 0)`, db.Millis(now.Add(validity)), id)
	return true, err
}

// setCancelled cancels the campaigns of an account that are not over.
const setCancelled = `
	UPDATE campaigns SET state = 'cancelled', reason = '', clearing = TRUE
	WHERE account_id = $1 AND state IN ('accepted', 'running', 'paused', 'held')`

func cancelCampaign(ctx context.Context, tx *db.Tx, account, id int64) (bool, error) {
	return changedOne(tx.ExecContext(ctx, setCancelled+` AND id = $2`, account, id))
}

func selectOpenRanges(ctx context.Context, q db.Querier, campaign int64) ([]rangeRow, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r rangeRow, err error) {
		return r, row.Scan(&r.id, &r.first, &r.last)
	}, `SELECT id, first_id, last_id FROM ranges WHERE campaign_id = $1 AND state <> 'done' ORDER BY first_id`, campaign)
}

func doneClearing(ctx context.Context, d *db.DB, campaign int64, now time.Time) error {
	_, err := d.ExecContext(ctx, `
		UPDATE campaigns SET clearing = FALSE, finished_at = $1 WHERE id = $2 AND clearing = TRUE
			AND NOT EXISTS (SELECT 1 FROM ranges WHERE campaign_id = $2 AND state <> 'done')`, db.Millis(now), campaign)
	return err
}

// rescheduleCampaign changes a campaign that is as it was read and has not started.
func rescheduleCampaign(ctx context.Context, tx *db.Tx, was, c Campaign) (bool, error) {
	return changedOne(tx.ExecContext(ctx, `
		UPDATE campaigns SET name = $1, start_at = $2, zone = $3, validity_ms = $4
		WHERE account_id = $5 AND id = $6 AND state IN ('accepted', 'paused') AND started_at = 0 AND start_at = $7 AND start_at > $8`,
		c.Name, db.Millis(c.Start), c.Zone, c.Validity.Milliseconds(), c.Account, c.ID, db.Millis(was.Start), db.Millis(time.Now())))
}

func selectOutcomes(ctx context.Context, q db.Querier, account, campaign int64) ([]Outcome, error) {
	statuses, err := keys(Resendable)
	if err != nil {
		return nil, err
	}
	return db.Collect(ctx, q, func(row *sql.Rows) (o Outcome, err error) {
		return o, row.Scan(&o.Status, &o.Reason, &o.Messages)
	}, `
		SELECT m.status, m.reason, COUNT(*) FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id
		WHERE r.account_id = $1 AND r.campaign_id = $2 AND m.status IN (SELECT key FROM json_each($3))
		GROUP BY m.status, m.reason`, account, campaign, statuses)
}

// selectWaits counts what is queued in open ranges. One that was not begun is
// queued as a whole.
func selectWaits(ctx context.Context, q db.Querier, account, campaign int64, now time.Time) ([]waitingPart, error) {
	of, args := `r.campaign_id = $3`, []any{account, db.Millis(now), campaign}
	if campaign == 0 {
		// Not by the index of campaigns, in which all single messages are together.
		of, args = `r.campaign_id + 0 = 0 AND r.carrier_id IN (SELECT id FROM carriers)`, args[:2]
	}
	return db.Collect(ctx, q, func(row *sql.Rows) (w waitingPart, err error) {
		var due int64
		err = row.Scan(&w.route, &w.reason, &w.messages, &due)
		w.due = db.Time(due)
		return w, err
	}, `
		SELECT carrier_id, reason, CAST(SUM(messages) AS BIGINT), MIN(due_at) FROM (
			SELECT r.carrier_id, r.reason, CASE WHEN r.due_at > $2 THEN r.due_at ELSE 0 END AS due_at,
				CASE r.claimed_id WHEN 0 THEN r.last_id - r.first_id + 1 ELSE (
					SELECT COUNT(*) FROM messages m
					WHERE m.id BETWEEN r.first_id AND r.last_id AND m.status = 'queued' AND (m.due_at > 0 OR m.id > r.claimed_id)
				) END AS messages
			FROM ranges r WHERE r.account_id = $1 AND r.state <> 'done' AND `+of+`
		) AS w GROUP BY carrier_id, reason, CASE due_at WHEN 0 THEN 0 ELSE 1 END ORDER BY carrier_id, reason`, args...)
}
