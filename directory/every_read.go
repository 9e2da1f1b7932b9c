package directory

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

// Standing is how a connection stands.
type Standing struct {
	Connection
	Held int // people whom the brake keeps and nobody has approved
	// Last is the latest run over everybody that came to its end or failed, not one
	// that read a single group; without an id when there is none. Of it are known
	// Kind, State, Records, Started and Ended.
	Last Run
}

// EveryConnection lists the connections of all accounts, those that are not
// connected too, the oldest first. It is for the operators of an installation,
// and no answer to an account: that is Connections.
func (d *Directory) EveryConnection(ctx context.Context) ([]Standing, error) {
	return db.Collect(ctx, d.db, scanStanding, `
		SELECT `+connectionColumns+`,
			(SELECT COUNT(*) FROM held_people h WHERE h.connection_id = c.id AND h.approved_at = 0),
			COALESCE(r.id, 0), COALESCE(r.kind, ''), COALESCE(r.state, ''), COALESCE(r.records, 0), COALESCE(r.started_at, 0), COALESCE(r.ended_at, 0)
		FROM connections c LEFT JOIN sync_runs r ON r.id = (
			SELECT l.id FROM sync_runs l WHERE l.connection_id = c.id AND l.kind <> 'group' AND l.state IN ('done', 'failed')
			ORDER BY l.id DESC LIMIT 1)
		ORDER BY c.id`)
}

func scanStanding(row *sql.Rows) (s Standing, err error) {
	var started, ended int64
	err = s.scan(row, &s.Held, &s.Last.ID, &s.Last.Kind, &s.Last.State, &s.Last.Records, &started, &ended)
	s.Last.Account, s.Last.Connection = s.Account, s.ID
	s.Last.Started, s.Last.Ended = db.Time(started), db.Time(ended)
	return s, err
}
