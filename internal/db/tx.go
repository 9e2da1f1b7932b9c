package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Tx is a transaction; but for one of Snapshot, it may write.
type Tx struct {
	*sql.Tx
	conn    *sql.Conn
	dialect Dialect
	indexes bool // PreferIndexes was called
}

// deadlockTries is how often InTx runs a transaction that PostgreSQL chose as
// the victim of a deadlock or of a serialization conflict.
const deadlockTries = 5

// InTx runs do in one transaction and commits when it returns nil. do may run
// more than once, so it keeps its results in variables that it sets anew.
func (d *DB) InTx(ctx context.Context, do func(tx *Tx) error) error {
	for try := 1; ; try++ {
		err := d.once(ctx, do)
		if try < deadlockTries && isDeadlock(err) {
			continue
		}
		return err
	}
}

func (d *DB) once(ctx context.Context, do func(tx *Tx) error) error {
	return d.run(ctx, d.write, nil, do)
}

// Snapshot runs do in a transaction that only reads, keeps no writer waiting, and
// sees the database as it is at one moment, however long it takes.
func (d *DB) Snapshot(ctx context.Context, do func(tx *Tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if d.dialect == Postgres { // SQLite has no other way to read
		options.Isolation = sql.LevelRepeatableRead
	}
	return d.run(ctx, d.read, options, do)
}

func (d *DB) run(ctx context.Context, pool *sql.DB, options *sql.TxOptions, do func(tx *Tx) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(&Tx{Tx: tx, conn: conn, dialect: d.dialect}); err != nil {
		return err
	}
	return tx.Commit()
}

// NeedNotLast lets the transaction commit without waiting for PostgreSQL's disk: when
// the machine fails within the next moments it may not have been. What a later
// transaction commits in the usual way is not kept without it.
func (tx *Tx) NeedNotLast(ctx context.Context) error {
	if tx.dialect == SQLite {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SET LOCAL synchronous_commit = off`)
	return err
}

// ForUpdate is a SELECT whose rows stay as read until the transaction ends.
// SQLite has one writer, so there every transaction has that already.
func (tx *Tx) ForUpdate(query string) string {
	if tx.dialect == SQLite {
		return query
	}
	return query + " FOR UPDATE"
}

// ForShare is ForUpdate for a reader who does not mind other readers.
func (tx *Tx) ForShare(query string) string {
	if tx.dialect == SQLite {
		return query
	}
	return query + " FOR SHARE"
}

// PreferIndexes keeps PostgreSQL from answering a batch of a few hundred ids
// by scanning the whole of a table that its statistics still call small. A
// batch that is also narrowed by an owner (an account, a carrier) carries the
// owner in a subquery with a LIMIT: an equality with an argument would make the
// planner expect a handful of rows and walk all of them.
func (tx *Tx) PreferIndexes(ctx context.Context) error {
	if tx.dialect == SQLite || tx.indexes {
		return nil
	}
	tx.indexes = true
	_, err := tx.ExecContext(ctx, `
		SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
		SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off;
		SET LOCAL plan_cache_mode = force_custom_plan`)
	return err
}

// PreferOrder is PreferIndexes for a statement that takes the first rows of many
// in the order of an index, and is not to sort them all for that.
func (tx *Tx) PreferOrder(ctx context.Context) error {
	if tx.dialect == SQLite {
		return nil
	}
	if err := tx.PreferIndexes(ctx); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `SET LOCAL enable_sort = off; SET LOCAL enable_hashagg = off`)
	return err
}

// Bulk inserts rows: COPY on PostgreSQL, many-row VALUES on SQLite.
func (tx *Tx) Bulk(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.dialect == SQLite {
		return tx.bulkValues(ctx, table, columns, rows)
	}
	return tx.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		return err
	})
}

// bulkArguments is how many arguments a statement of bulkValues has. The driver
// looks every one up by a linear search, so many are slow; and a statement has a
// cost of its own, so few are too.
const bulkArguments = 200

func (tx *Tx) bulkValues(ctx context.Context, table string, columns []string, rows [][]any) error {
	n := min(max(1, bulkArguments/len(columns)), len(rows))
	full := len(rows) / n * n
	if err := tx.insertValues(ctx, table, columns, n, rows[:full]); err != nil {
		return err
	}
	return tx.insertValues(ctx, table, columns, 1, rows[full:])
}

// insertValues inserts n rows, of which there are a multiple, at a time.
func (tx *Tx) insertValues(ctx context.Context, table string, columns []string, n int, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, strings.Join(columns, ","),
		strings.TrimSuffix(strings.Repeat(one+",", n), ",")))
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	defer insert.Close()
	for chunk := range slices.Chunk(rows, n) {
		if _, err := insert.ExecContext(ctx, slices.Concat(chunk...)...); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
	}
	return nil
}

// Collect runs a query and scans every row.
func Collect[T any](ctx context.Context, q Querier, scan func(row *sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// Column scans a query of one column.
func Column[T any](ctx context.Context, q Querier, query string, args ...any) ([]T, error) {
	return Collect(ctx, q, func(row *sql.Rows) (v T, err error) { return v, row.Scan(&v) }, query, args...)
}

// IsNone says that a single row was asked for and there is none.
func IsNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// IsDuplicate says that a unique key was taken.
func IsDuplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

func isDeadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}
