// Package events is the outbox: what happened, written in the transaction that
// made it true, for consumers that subscribed to its type.
package events

import (
	"context"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Event is one thing that happened in an account.
type Event struct {
	ID      int64
	Account int64
	Type    string // "campaign.finished", "directory.synced"
	Data    any    // JSON; ids and figures, no personal data beyond what the type needs
	At      time.Time
}

// Record writes the event if a subscription of the account wants its type. id
// comes from db.NewIDs, taken before the transaction.
func Record(ctx context.Context, tx *db.Tx, e Event) error {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO events (id, account_id, type, data, at)
		SELECT $1, $2, $3, $4, $5
		WHERE EXISTS (SELECT 1 FROM event_subscriptions WHERE account_id = $2 AND type = $3)`,
		e.ID, e.Account, e.Type, string(data), db.Millis(e.At))
	return err
}

// RecordAll does it for many events, of whatever types and accounts, at once.
func RecordAll(ctx context.Context, tx *db.Tx, all []Event) error {
	of := make(map[int64][]any, len(all))
	for _, e := range all {
		data, err := json.Marshal(e.Data)
		if err != nil {
			return err
		}
		of[e.ID] = []any{e.Account, e.Type, string(data), db.Millis(e.At)}
	}
	list, err := json.Marshal(of)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO events (id, account_id, type, data, at)
		SELECT CAST(r.key AS BIGINT), CAST(r.value->>0 AS BIGINT), r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT) FROM json_each($1) AS r
		WHERE EXISTS (SELECT 1 FROM event_subscriptions s WHERE s.account_id = CAST(r.value->>0 AS BIGINT) AND s.type = r.value->>1)`, string(list))
	return err
}

// Subscribe makes the account's events of a type be written for a consumer.
func Subscribe(ctx context.Context, q db.Querier, account int64, eventType, consumer string) error {
	_, err := q.ExecContext(ctx, `
		INSERT INTO event_subscriptions (account_id, type, consumer) VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, account, eventType, consumer)
	return err
}

// Subscribers are the accounts that want a type, for what happens to all of them.
func Subscribers(ctx context.Context, q db.Querier, eventType string) ([]int64, error) {
	return db.Column[int64](ctx, q, `SELECT DISTINCT account_id FROM event_subscriptions WHERE type = $1 ORDER BY account_id`, eventType)
}
