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

// Subscribe makes the account's events of a type be written for a consumer.
func Subscribe(ctx context.Context, q db.Querier, account int64, eventType, consumer string) error {
	_, err := q.ExecContext(ctx, `
		INSERT INTO event_subscriptions (account_id, type, consumer) VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, account, eventType, consumer)
	return err
}
