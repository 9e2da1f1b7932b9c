package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// DropAnswers removes one lot of who answered what to an account's roll calls that
// began before a time and are closed. How many gave which answer, in all and by
// group, is counted first and kept.
func (q *Queue) DropAnswers(ctx context.Context, account int64, before time.Time) (done lots.Done, err error) {
	ended, err := db.Column[int64](ctx, q.db, `
		SELECT c.id FROM campaigns c
		WHERE c.account_id = $1 AND c.asks <> '' AND c.started_at > 0 AND c.started_at < $2 AND c.expanded = TRUE
			AND (c.asks_closed_at > 0 OR c.started_at + c.asks_ms < $2)
			AND EXISTS (SELECT 1 FROM roll_answers a WHERE a.campaign_id = c.id)
			AND NOT EXISTS (SELECT 1 FROM campaigns s WHERE s.account_id = $1 AND s.source_id = c.id AND s.expanded = FALSE AND s.state <> 'cancelled')
		ORDER BY c.started_at LIMIT 1`, account, db.Millis(before))
	if err != nil {
		return done, err
	}
	for _, campaign := range ended {
		if err := q.keepTotals(ctx, account, campaign); err != nil {
			return done, err
		}
		n, err := changed(q.db.ExecContext(ctx, `
			DELETE FROM roll_answers WHERE campaign_id = $1 AND phone IN (
				SELECT phone FROM roll_answers WHERE campaign_id = $1 ORDER BY phone LIMIT $2)`, campaign, lots.Size))
		if err != nil {
			return done, err
		}
		done = lots.Done{Rows: int(n), More: true}
	}
	done.Oldest, err = q.oldestAnswers(ctx, account)
	return done, err
}

func (q *Queue) oldestAnswers(ctx context.Context, account int64) (time.Time, error) {
	var at sql.NullInt64
	err := q.db.QueryRowContext(ctx, `
		SELECT MIN(c.started_at) FROM campaigns c WHERE c.account_id = $1 AND c.asks <> '' AND c.started_at > 0
			AND EXISTS (SELECT 1 FROM roll_answers a WHERE a.campaign_id = c.id)`, account).Scan(&at)
	return db.Time(at.Int64), err
}

// keepTotals writes down how a roll call ended, once.
func (q *Queue) keepTotals(ctx context.Context, account, campaign int64) error {
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		kept, err := selectRollTotals(ctx, tx, account, campaign)
		if err != nil || len(kept) > 0 {
			return err
		}
		counts, err := selectRollCount(ctx, tx, account, campaign)
		if err != nil {
			return err
		}
		rows := make([][]any, 0, len(counts))
		for _, r := range counts {
			choice := ""
			if r.said != nil {
				choice = *r.said
			}
			rows = append(rows, []any{campaign, r.group, r.name, r.said != nil, choice, int64(r.n)})
		}
		return tx.Bulk(ctx, "roll_totals", []string{"campaign_id", "group_id", "name", "answered", "choice", "people"}, rows)
	})
}

// selectRollTotals is how a roll call ended whose answers were removed; none while
// they are there.
func selectRollTotals(ctx context.Context, q db.Querier, account, campaign int64) ([]rollCountRow, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (r rollCountRow, err error) {
		var answered bool
		var choice string
		err = row.Scan(&r.group, &r.name, &answered, &choice, &r.n)
		if answered {
			r.said = &choice
		}
		return r, err
	}, `
		SELECT t.group_id, t.name, t.answered, t.choice, t.people FROM roll_totals t JOIN campaigns c ON c.id = t.campaign_id
		WHERE t.campaign_id = $1 AND c.account_id = $2`, campaign, account)
}

// numbersGone says whether the numbers of some of a campaign's messages were replaced.
func numbersGone(ctx context.Context, q db.Querier, account, campaign int64) (gone bool, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM ranges WHERE campaign_id = $1 AND account_id = $2 AND has_numbers = FALSE)`, campaign, account).Scan(&gone)
	return gone, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
