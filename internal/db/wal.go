package db

import "context"

// TruncateLog writes what SQLite's log holds into the database and empties it, so that
// what was deleted is in no file any more. PostgreSQL frees deleted rows by itself.
func (d *DB) TruncateLog(ctx context.Context) error {
	if d.dialect == Postgres {
		return nil
	}
	_, err := d.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}
