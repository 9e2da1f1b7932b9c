package smsqueue

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

// RangeStates are the states of a range that is not done: not yet given to
// Redis, given, and under way in a worker.
var RangeStates = []string{"waiting", "dispatched", "running"}

// Backlog is what of a lane is not done at a carrier, in one of RangeStates.
type Backlog struct {
	Carrier string
	Lane    Lane
	State   string
	Ranges  int
	// Messages are those of the ranges, and so the most that can be still to send:
	// a range under way counts whole until it is done.
	Messages int
}

// Backlogs tell what waits in the whole installation, one for each carrier, lane
// and state that has any. Only ranges are read: a count of messages by status would read every
// message of a large campaign. A campaign that has not started has no ranges.
func (q *Queue) Backlogs(ctx context.Context) ([]Backlog, error) {
	return db.Collect(ctx, q.db, func(row *sql.Rows) (b Backlog, err error) {
		return b, row.Scan(&b.Carrier, &b.Lane, &b.State, &b.Ranges, &b.Messages)
	}, `
		SELECT c.name, r.lane, r.state, r.ranges, r.messages FROM (
			SELECT carrier_id, lane, state, COUNT(*) AS ranges, CAST(SUM(last_id - first_id + 1) AS BIGINT) AS messages
			FROM ranges WHERE state <> 'done' GROUP BY carrier_id, state, lane
		) AS r JOIN carriers c ON c.id = r.carrier_id ORDER BY c.id, r.lane, r.state`)
}
