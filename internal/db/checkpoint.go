package db

import (
	"context"
	"errors"
)

// ErrReading says that what was deleted may still be read from the files: somebody is
// reading what the database was before.
var ErrReading = errors.New("somebody reads the database as it was before")

// Checkpoint takes what was deleted out of SQLite's files: pages are overwritten as
// they are freed (secure_delete), and here the log of earlier ones is emptied. On
// PostgreSQL there is nothing to do: see docs/privacy.md about VACUUM.
func (d *DB) Checkpoint(ctx context.Context) error {
	if d.dialect == Postgres {
		return nil
	}
	var busy, logged, moved int
	err := d.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &logged, &moved)
	if err == nil && busy != 0 {
		err = ErrReading
	}
	return err
}
