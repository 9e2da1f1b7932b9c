package directory

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Run is one sync of a connection.
type Run struct {
	ID         int64
	Account    int64
	Connection int64
	State      string // Running, Done or Failed
	Reason     string // why it failed, for an administrator
	Records    int    // changes read so far
	Counts
	Started, Ended time.Time
}

// Counts are of the address book as a run leaves it, and of what the run did.
type Counts struct {
	People        int // in the directory
	Contacts      int // of them, those in the address book
	WithoutNumber int // of the contacts, those whose fields hold no number
	Invalid       int // of the contacts, those whose number we cannot text
	Added         int
	Changed       int
	Removed       int
}

// States of a run.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// RunAfter finds the latest run that started after the request that Request
// answered requestedAt to.
func (d *Directory) RunAfter(ctx context.Context, account, connection int64, requestedAt time.Time) (Run, bool, error) {
	found, err := d.runs(ctx, `WHERE account_id = $1 AND connection_id = $2 AND answers >= $3 ORDER BY id DESC LIMIT 1`,
		account, connection, db.Millis(requestedAt))
	if err != nil || len(found) == 0 {
		return Run{}, false, err
	}
	return found[0], true, nil
}

// Runs lists the connection's runs, the latest first, at most limit.
func (d *Directory) Runs(ctx context.Context, account, connection int64, limit int) ([]Run, error) {
	return d.runs(ctx, `WHERE account_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT $3`, account, connection, limit)
}
