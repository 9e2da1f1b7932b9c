// Package dbtest runs a test on every database Varsel supports: SQLite always,
// PostgreSQL where its programs are installed. The server is started by the
// tests in a temporary directory; the machine's own is never touched.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
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

// EachURL runs test with the URL of a fresh, empty database of each kind.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// SQLiteURL names a file of its own in the test's directory.
func SQLiteURL(t testing.TB) string {
	return "sqlite://" + filepath.Join(t.TempDir(), "varsel.db")
}

// PostgresURL makes a database of its own for the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := startPostgres(t)
	admin, err := sql.Open("pgx", server.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	return server.url(name)
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
