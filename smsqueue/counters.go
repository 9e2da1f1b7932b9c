package smsqueue

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
)

// A campaign's counters are what live pages read. A batch that moves messages
// adds a row of differences, because many batches at once want the same
// campaign; the rows are folded into the campaign a few times a second, and who
// reads adds what is not folded yet.

// foldEvery is how often differences are folded.
const foldEvery = 200 * time.Millisecond

func countMoves(ctx context.Context, tx *db.Tx, moves []move) error {
	deltas := map[int64]Counts{}
	for _, m := range moves {
		if m.campaign == 0 {
			continue
		}
		if deltas[m.campaign] == nil {
			deltas[m.campaign] = Counts{}
		}
		deltas[m.campaign][m.status]--
		deltas[m.campaign][m.to]++
	}
	for campaign, delta := range deltas {
		if err := addDelta(ctx, tx, campaign, delta); err != nil {
			return err
		}
	}
	return nil
}

// The columns that count messages, one a status, each as %s of a format.
func countColumns(format, separator string) string {
	var all []string
	for i, s := range Statuses {
		all = append(all, strings.NewReplacer("%s", string(s), "%d", fmt.Sprint(i+2)).Replace(format))
	}
	return strings.Join(all, separator)
}

var (
	addStatement = `INSERT INTO campaign_deltas (campaign_id, ` + countColumns("%s", ", ") + `) VALUES ($1, ` + countColumns("$%d", ", ") + `)`
	// countStatement says whether nothing is left to send.
	countStatement = `UPDATE campaigns SET ` + countColumns("%s = %s + $%d", ", ") + ` WHERE id = $1
		RETURNING CASE WHEN expanded = TRUE AND queued + sending = 0 THEN 1 ELSE 0 END`
	takeStatement = `DELETE FROM campaign_deltas WHERE campaign_id = $1 RETURNING ` + countColumns("%s", ", ")
)

func (c Counts) arguments(campaign int64) []any {
	args := []any{campaign}
	for _, s := range Statuses {
		args = append(args, c[s])
	}
	return args
}

func addDelta(ctx context.Context, tx *db.Tx, campaign int64, delta Counts) error {
	_, err := tx.ExecContext(ctx, addStatement, delta.arguments(campaign)...)
	return err
}

// foldAll folds the differences of every campaign that has any.
func (w *Worker) foldAll(ctx context.Context) error {
	campaigns, err := db.Column[int64](ctx, w.db, `SELECT DISTINCT campaign_id FROM campaign_deltas`)
	if err != nil {
		return err
	}
	for _, campaign := range campaigns {
		if err := fold(ctx, w.db, campaign); err != nil {
			return err
		}
	}
	return nil
}

func fold(ctx context.Context, d *db.DB, campaign int64) error {
	ids, err := poolFor(ctx, d, 1, 0)
	if err != nil {
		return err
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		spare := ids
		sum := Counts{}
		_, err := db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
			return struct{}{}, sum.add(row)
		}, takeStatement, campaign)
		if err != nil {
			return err
		}
		var ready bool
		if err := tx.QueryRowContext(ctx, countStatement, sum.arguments(campaign)...).Scan(&ready); err != nil || !ready {
			return err
		}
		return closeCampaign(ctx, tx, campaign, &spare, time.Now())
	})
}

func (c Counts) add(row *sql.Rows) error {
	values := make([]int, len(Statuses))
	into := make([]any, len(Statuses))
	for i := range values {
		into[i] = &values[i]
	}
	if err := row.Scan(into...); err != nil {
		return err
	}
	for i, s := range Statuses {
		c[s] += values[i]
	}
	return nil
}

func (w *Worker) foldLoop(ctx context.Context) {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	for {
		if err := w.foldAll(ctx); err != nil && ctx.Err() == nil {
			slog.Error("counters could not be folded", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// closeCampaign moves a campaign on when nothing is left to send, or nothing
// is left to hear.
func closeCampaign(ctx context.Context, tx *db.Tx, id int64, ids *idPool, now time.Time) error {
	var account int64
	err := tx.QueryRowContext(ctx, `
		UPDATE campaigns SET
			state = CASE WHEN sent + unconfirmed = 0 THEN 'finished' ELSE 'sent' END,
			finished_at = CASE WHEN sent + unconfirmed = 0 THEN CAST($2 AS BIGINT) ELSE 0 END
		WHERE id = $1 AND expanded = TRUE AND queued + sending = 0
			AND (state = 'running' OR state = 'sent' AND sent + unconfirmed = 0)
		RETURNING CASE state WHEN 'finished' THEN account_id ELSE 0 END`, id, db.Millis(now)).Scan(&account)
	if db.IsNone(err) || err == nil && account == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return events.Record(ctx, tx, events.Event{ID: ids.take(), Account: account, Type: "campaign.finished", Data: map[string]int64{"campaign": id}, At: now})
}
