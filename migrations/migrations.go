// Package migrations holds all DDL, one SQL text for both databases: BIGINT
// unix milliseconds for times, BIGINT micro-units for money, TEXT with CHECK
// for states.
package migrations

import (
	"context"
	"embed"
	"fmt"
	"slices"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/varsel/varsel/internal/db"
)

//go:embed *.sql
var files embed.FS

func provider(d *db.DB) (*goose.Provider, error) {
	dialect := database.DialectPostgres
	if d.Dialect() == db.SQLite {
		dialect = database.DialectSQLite3
	}
	return goose.NewProvider(dialect, d.Writer(), files)
}

// Up brings the database to the newest schema and returns how many steps it took.
func Up(ctx context.Context, d *db.DB) (int, error) {
	p, err := provider(d)
	if err != nil {
		return 0, err
	}
	done, err := p.Up(ctx)
	if err == nil {
		err = leaveRoom(ctx, d)
	}
	if err == nil {
		err = makeTriggers(ctx, d)
	}
	if err != nil {
		return len(done), fmt.Errorf("migrate: %w", err)
	}
	return len(done), nil
}

// leaveRoom lets PostgreSQL update a message in its place: its row is written
// once when it is queued, once with the carrier's answer and once with the
// receipt, and none of them changes an index.
func leaveRoom(ctx context.Context, d *db.DB) error {
	if d.Dialect() != db.Postgres {
		return nil
	}
	_, err := d.ExecContext(ctx, `ALTER TABLE messages SET (fillfactor = 35)`)
	return err
}

// makeTriggers makes what the two databases write differently, and so is not among the
// steps: it is made again after each upgrade.
func makeTriggers(ctx context.Context, d *db.DB) error {
	for _, s := range slices.Concat(keepInvoices(d.Dialect()), keepLedger(d.Dialect()), keepPrices(d.Dialect())) {
		if _, err := d.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Pending says whether the schema is older than this program.
func Pending(ctx context.Context, d *db.DB) (bool, error) {
	p, err := provider(d)
	if err != nil {
		return false, err
	}
	return p.HasPending(ctx)
}
