package smsqueue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// kindsHeld are what an account has here and how to count it.
var kindsHeld = map[string]string{
	"campaigns":    `SELECT COUNT(*) FROM campaigns WHERE account_id = $1`,
	"messages":     `SELECT COALESCE(SUM(last_id - first_id + 1), 0) FROM ranges WHERE account_id = $1`,
	"received":     `SELECT COUNT(*) FROM inbound WHERE account_id = $1`,
	"roll_answers": `SELECT COUNT(*) FROM roll_answers WHERE campaign_id IN (SELECT id FROM campaigns WHERE account_id = $1 AND asks <> '')`,
	"suppressions": `SELECT COUNT(*) FROM suppressions WHERE account_id = $1`,
	"templates":    `SELECT COUNT(*) FROM templates WHERE account_id = $1`,
}

// Holdings counts what an account has here, by kind.
func (q *Queue) Holdings(ctx context.Context, account int64) (map[string]int, error) {
	return lots.Count(ctx, q.db, account, kindsHeld)
}

// StillOut says whether an account has messages that are on their way, or that money is
// reserved for: they are to be through before the account's data go, or that money would
// stay reserved for ever. What waits for somebody is not through before CancelAll.
func (q *Queue) StillOut(ctx context.Context, account int64) (out bool, err error) {
	err = q.db.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM ranges WHERE account_id = $1 AND state IN ('dispatched', 'running'))
			OR EXISTS (SELECT 1 FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id AND m.account_id = $1
				WHERE r.account_id = $1 AND m.money = 'reserved')`, account).Scan(&out)
	return out, err
}

// ForgetAccount removes one lot of everything that an account has here. What it was
// charged is in the ledger and stays.
func (q *Queue) ForgetAccount(ctx context.Context, account int64) (lots.Done, error) {
	if done, err := q.forgetMessages(ctx, account); err != nil || done.More {
		return done, err
	}
	const ofAccount = `campaign_id IN (SELECT id FROM campaigns WHERE account_id = $1)`
	return lots.Delete(ctx, q.db, account,
		lots.Table{Name: "roll_answers", Key: "campaign_id, phone", Where: ofAccount},
		lots.Table{Name: "roll_totals", Key: "campaign_id, group_id, answered, choice", Where: ofAccount},
		lots.Table{Name: "inbound_parts", Key: "id", Where: `inbound_id IN (SELECT id FROM inbound WHERE account_id = $1)`},
		lots.Table{Name: "inbound", Key: "id"},
		lots.Table{Name: "campaigns", Key: "id"},
		lots.Table{Name: "template_texts", Key: "version_id, language", Where: `version_id IN (
			SELECT v.id FROM template_versions v JOIN templates t ON t.id = v.template_id WHERE t.account_id = $1)`},
		lots.Table{Name: "template_versions", Key: "id", Where: `template_id IN (SELECT id FROM templates WHERE account_id = $1)`},
		lots.Table{Name: "templates", Key: "id"},
		lots.Table{Name: "suppressions", Key: "id"},
		lots.Table{Name: "opt_out_settings", Key: "account_id"},
		lots.Table{Name: "account_sending", Key: "account_id"},
		lots.Table{Name: "sent_parts", Key: "account_id, period"},
		lots.Table{Name: "events", Key: "id"})
}

// forgetMessages removes the messages of the account's first ranges, and what is
// known of them elsewhere.
func (q *Queue) forgetMessages(ctx context.Context, account int64) (done lots.Done, err error) {
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		done = lots.Done{}
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		some, err := rangesOf(ctx, tx, account)
		if err != nil || len(some) == 0 {
			return err
		}
		ids, campaigns := map[int64]int{}, map[int64]int{}
		for _, r := range some {
			ids[r.id], campaigns[r.campaign] = 1, 1
			done.Rows += r.size
		}
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		if err := carryMessages(ctx, tx, account, string(list)); err != nil {
			return err
		}
		for _, table := range []string{"message_parts", "unconfirmed", "opt_out_replies"} {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %s WHERE message_id IN (%s)`, table, messagesOf), string(list), account); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM messages WHERE id IN (`+messagesOf+`)`, string(list), account); err != nil {
			return err
		}
		if err := deleteKeys(ctx, tx, "campaign_deltas", "campaign_id", campaigns); err != nil {
			return err
		}
		done.More = true
		return deleteKeys(ctx, tx, "ranges", "id", ids)
	})
	return done, err
}

// carryMessages keeps what the messages of ranges cost: the ledger stays, and is held
// against it.
func carryMessages(ctx context.Context, tx *db.Tx, account int64, ranges string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO messages_carried (account_id, campaign_id, money, micro, messages, parts)
		SELECT account_id, campaign_id, money, CAST(SUM(price_micro) AS BIGINT), COUNT(*), CAST(SUM(parts) AS BIGINT)
		FROM messages WHERE id IN (`+messagesOf+`) GROUP BY account_id, campaign_id, money
		ON CONFLICT (account_id, campaign_id, money) DO UPDATE SET micro = messages_carried.micro + EXCLUDED.micro,
			messages = messages_carried.messages + EXCLUDED.messages, parts = messages_carried.parts + EXCLUDED.parts`, ranges, account)
	return err
}

// rangesOf are as many of the account's first ranges as make one lot.
func rangesOf(ctx context.Context, tx *db.Tx, account int64) ([]oldRange, error) {
	all, err := db.Collect(ctx, tx, scanOldRange, `
		SELECT id, campaign_id, first_id, last_id, (last_id - first_id + 1) * max_parts FROM ranges
		WHERE account_id = $1 ORDER BY first_id LIMIT $2`, account, lots.Size)
	return firstLot(all), err
}

func deleteKeys(ctx context.Context, tx *db.Tx, table, column string, keys map[int64]int) error {
	list, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %s WHERE %s IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, table, column), string(list))
	return err
}
