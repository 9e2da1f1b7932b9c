package directory

import (
	"context"
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db"
)

// Run is one sync of a connection.
type Run struct {
	ID         int64
	Account    int64
	Connection int64
	Kind       string // Sync, Preview or Group
	Group      string // object id, of kind Group
	State      string // Running, Waiting, Done or Failed
	Phase      string // of a run under way: ReadingGroups, ReadingPeople or Applying
	Code       string // why it waits or failed, as a problem's code
	Reason     string // and in words, for an administrator
	Records    int    // people and groups read so far; of a round that goes on where a failed run stopped, those too
	Counts
	// Requests are what was asked of the directory, by method and resource.
	Requests map[string]int
	// AsOf is when what the run applied was true in the directory.
	AsOf           time.Time
	ResumeAt       time.Time // when one that waits goes on
	Started, Ended time.Time
}

// Open says whether the run is still under way.
func (r Run) Open() bool { return r.State == Running || r.State == Waiting }

// Counts are of the address book as a run leaves it, and of what the run did,
// or, of a preview, would do.
type Counts struct {
	People        int            `json:"people"`            // in the directory
	Skipped       map[string]int `json:"skipped,omitempty"` // of them, those out of scope, by why
	Contacts      int            `json:"contacts"`          // of them, those in the address book
	WithoutNumber int            `json:"without_number"`    // of the contacts, those whose fields hold no number
	Invalid       int            `json:"invalid"`           // of the contacts, those whose number we cannot text
	Shared        int            `json:"shared"`            // of the contacts, those who have a number in common
	Added         int            `json:"added"`
	Changed       int            `json:"changed"`
	Removed       int            `json:"removed"`
	NumberLost    int            `json:"number_lost"` // of the changed, those who lost their number
	Held          int            `json:"held"`        // kept by the brake
	Groups        int            `json:"groups"`
	GroupsAdded   int            `json:"groups_added"`
	GroupsRemoved int            `json:"groups_removed"`
	MembersAdded  int            `json:"members_added"`
	MembersGone   int            `json:"members_gone"`
	// Cards are none when nobody has grouped the directory's people for cards.
	Cards cards.Followed `json:"cards,omitzero"`
}

// Kinds of run.
const (
	Sync    = "sync"
	Preview = "preview" // compares, and leaves the address book as it is
	Group   = "group"   // reads one group
)

// States of a run.
const (
	Running = "running"
	Waiting = "waiting" // for the directory, which was busy, or for a process to go on with it
	Done    = "done"
	Failed  = "failed"
)

// Phases of a run under way.
const (
	ReadingGroups = "groups"
	ReadingPeople = "people"
	Applying      = "applying"
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

// Runs lists the connection's runs, the latest first, those before the id given
// (0 for all), at most limit.
func (d *Directory) Runs(ctx context.Context, account, connection, before int64, limit int) ([]Run, error) {
	return d.runs(ctx, `
		WHERE account_id = $1 AND connection_id = $2 AND (id < $3 OR CAST($3 AS BIGINT) = 0) ORDER BY id DESC LIMIT $4`,
		account, connection, before, limit)
}

// LatestDone finds the latest run of a kind that came to its end.
func (d *Directory) LatestDone(ctx context.Context, account, connection int64, kind string) (Run, bool, error) {
	found, err := d.runs(ctx, `WHERE account_id = $1 AND connection_id = $2 AND kind = $3 AND state = 'done' ORDER BY id DESC LIMIT 1`,
		account, connection, kind)
	if err != nil || len(found) == 0 {
		return Run{}, false, err
	}
	return found[0], true, nil
}
