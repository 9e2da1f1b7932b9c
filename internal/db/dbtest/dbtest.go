// Package dbtest runs a test on every database Varsel supports: SQLite always,
// PostgreSQL where its programs are installed. The server is started by the
// tests in a temporary directory; the machine's own is never touched.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/migrations"
)

var databases atomic.Int64

// Run is TestMain's body for a package that uses this one: it stops what Each
// has started.
func Run(m *testing.M) { RunThen(m, func() {}) }

// RunThen is Run for a package that has something else to end.
func RunThen(m *testing.M, end func()) {
	code := m.Run()
	stopPostgres()
	end()
	os.Exit(code)
}

// Each runs test on a fresh, migrated database of each kind.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL runs test with the URL of a fresh, migrated database of each kind.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// SQLiteURL names a migrated file of its own in the test's directory: a copy, as
// migrating takes longer than most tests.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	empty, err := migratedFile()
	if err != nil {
		t.Fatalf("migrate an empty file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "varsel.db")
	if err := os.WriteFile(path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite://" + path
}

var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "varsel-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "varsel.db")
	if err := migrate("sqlite://" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migrate brings an empty database to the newest schema, and leaves nobody connected.
func migrate(url string) error {
	d, err := db.Open(context.Background(), url)
	if err != nil {
		return err
	}
	_, err = migrations.Up(context.Background(), d)
	return errors.Join(err, d.Close())
}

// PostgresURL makes a migrated database of its own for the test: a copy, too.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := startPostgres(t)
	server.migrated.Do(func() {
		if server.failed = server.create("migrated", ""); server.failed == nil {
			server.failed = migrate(server.url("migrated"))
		}
	})
	if server.failed != nil {
		t.Fatalf("migrate an empty database: %v", server.failed)
	}
	return server.make(t, " TEMPLATE migrated")
}

// EmptyPostgresURL makes a database of its own that is not migrated.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return startPostgres(t).make(t, "")
}

func (s *server) make(t testing.TB, like string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.create(name, like); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return s.url(name)
}

func (s *server) create(name, like string) error {
	admin, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = admin.Exec("CREATE DATABASE " + name + like)
	return errors.Join(err, admin.Close())
}

// Open opens url and migrates it.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if _, err := migrations.Up(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	return d
}
