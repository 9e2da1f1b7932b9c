// Package db opens the database, SQLite or PostgreSQL, and carries what the
// stores share: transactions, ids, bulk loading and the kinds of errors. The
// stores write one SQL text for both, with $1 for arguments.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // driver "sqlite"
)

// Dialect names the database behind a DB.
type Dialect string

const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is one database. SQLite has one writer, so there writing has a pool of a
// single connection and reading another; on PostgreSQL both are the same pool.
type DB struct {
	write, read *sql.DB
	dialect     Dialect
	path        string // SQLite's file
	ids         idBlock
}

// Querier is what both a DB and a Tx can do. On a DB it reads; what a DB
// changes goes through ExecContext or InTx.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Open opens the database that url names: sqlite:///abs/path, sqlite://rel.db
// or postgres://user@host/name. It does not migrate.
func Open(ctx context.Context, url string) (*DB, error) {
	var d *DB
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite://"):
		d, err = openSQLite(strings.TrimPrefix(url, "sqlite://"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		d, err = openPostgres(url)
	default:
		return nil, fmt.Errorf("database URL must begin with sqlite:// or postgres://")
	}
	if err != nil {
		return nil, err
	}
	if err := d.Ping(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return d, nil
}

func openSQLite(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", sqliteDSN(path, "immediate"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", sqliteDSN(path, "deferred")+"&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	return &DB{write: write, read: read, dialect: SQLite, path: path}, nil
}

// sqliteDSN asks for durability before speed: synchronous=FULL keeps what was
// committed through a power cut, secure_delete overwrites what was deleted.
func sqliteDSN(path, lock string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(FULL)",
		"secure_delete(1)", "foreign_keys(1)", "cache_size(-32000)", "temp_store(MEMORY)",
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func openPostgres(url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(noJIT))
	pool.SetMaxOpenConns(24)
	pool.SetMaxIdleConns(24)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return &DB{write: pool, read: pool, dialect: Postgres}, nil
}

// noJIT keeps PostgreSQL from compiling statements. What our batches cost is
// estimated by the size of the tables, and read by the key: from 300,000 messages on
// every batch would be compiled, which takes several times as long as it runs. It is
// said on the connection, because poolers refuse what they do not know at its start.
func noJIT(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SET jit = off")
	return err
}

// Ping asks the database for an answer.
func (d *DB) Ping(ctx context.Context) error {
	return d.write.PingContext(ctx)
}

// Close closes the pools.
func (d *DB) Close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Dialect names the database.
func (d *DB) Dialect() Dialect { return d.dialect }

// Path is SQLite's file, empty on PostgreSQL.
func (d *DB) Path() string { return d.path }

// Writer is the pool that may change the schema; it is there for migrations.
func (d *DB) Writer() *sql.DB { return d.write }

// ExecContext runs one statement in a transaction of its own.
func (d *DB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.write.ExecContext(ctx, query, args...)
}

// QueryContext reads.
func (d *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.read.QueryContext(ctx, query, args...)
}

// QueryRowContext reads one row.
func (d *DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return d.read.QueryRowContext(ctx, query, args...)
}
