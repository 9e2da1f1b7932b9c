package accounts

import (
	"context"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
)

// Coverage is a carrier in use and the sub-processor that runs it.
type Coverage struct {
	Carrier      string
	SubProcessor int64 // 0: nobody was named
	Covered      bool  // it is on the list now
}

// Coverage lists the carriers in use in the order they were added. Whoever sends for
// us has numbers and texts, and belongs on the list.
func (a *Accounts) Coverage(ctx context.Context) ([]Coverage, error) {
	all, err := a.carriersNow(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.SubProcessors(ctx)
	for i, c := range all {
		all[i].Covered = hasID(list, c.SubProcessor)
	}
	return all, err
}

// Uncovered are the names of carriers in use that nobody on the list runs.
func (a *Accounts) Uncovered(ctx context.Context) (names []string, err error) {
	all, err := a.Coverage(ctx)
	for _, c := range all {
		if !c.Covered {
			names = append(names, c.Carrier)
		}
	}
	return names, err
}

// farOff is when everything that is announced has taken effect.
var farOff = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func hasID(list []SubProcessor, id int64) bool {
	return slices.ContainsFunc(list, func(p SubProcessor) bool { return p.ID == id })
}

func recordCover(ctx context.Context, tx *db.Tx, carrier string, subProcessor int64) error {
	_, err := audit.Record(ctx, tx, audit.Entry{Action: "subprocessor.carrier_named", Subject: "spr", SubjectID: subProcessor,
		Facts: map[string]string{"carrier": carrier}})
	return err
}
