package dbtest

import (
	"database/sql"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a PostgreSQL: one for all tests of a package, or one of a test's
// own.
type server struct {
	bin   string
	dir   string
	owner *syscall.SysProcAttr
	port  int
	cmd   *exec.Cmd

	migrated sync.Once // the database that tests get copies of
	failed   error
}

var (
	once    sync.Once
	running *server
	failure error
)

func (s *server) url(database string) string {
	return fmt.Sprintf("postgres://varsel@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func startPostgres(t testing.TB) *server {
	t.Helper()
	bin := postgresPrograms()
	if bin == "" {
		t.Skip("PostgreSQL's programs are not installed")
	}
	once.Do(func() { running, failure = launch(bin) })
	if failure != nil {
		t.Fatalf("start PostgreSQL: %v", failure)
	}
	return running
}

// postgresPrograms is the folder of initdb and postgres: on PATH, or where
// Debian puts them.
func postgresPrograms() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

func launch(bin string) (*server, error) {
	dir, err := os.MkdirTemp("", "varsel-postgres-")
	if err != nil {
		return nil, err
	}
	s := &server{bin: bin, dir: dir}
	if s.owner, err = unprivileged(dir); err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "varsel", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, s.owner
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	return s, s.run()
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) run() error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300", "-c", "log_min_messages=fatal",
		"-c", "fsync="+fsync(), "-c", "full_page_writes="+fsync())
	s.cmd.Dir, s.cmd.SysProcAttr = s.dir, s.owner
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.ready()
}

// fsync says whether the disk is waited for. A test asks what is kept when a process
// dies, not when the power fails; a benchmark pays for both.
func fsync() string {
	if f := flag.Lookup("test.bench"); f != nil && f.Value.String() != "" {
		return "on"
	}
	return "off"
}

// kill ends the server without a checkpoint: it has to recover when it runs
// again.
func (s *server) kill() {
	s.cmd.Process.Signal(syscall.SIGQUIT)
	s.cmd.Wait()
}

// Postgres is a server of one test's own, to be killed.
type Postgres struct {
	t testing.TB
	s *server
}

// StartPostgres runs a PostgreSQL until the test ends.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	bin := postgresPrograms()
	if bin == "" {
		t.Skip("PostgreSQL's programs are not installed")
	}
	s, err := launch(bin)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(s.stop)
	return &Postgres{t, s}
}

// URL names its one database.
func (p *Postgres) URL() string { return p.s.url("postgres") }

// Kill ends it as a crash would; what was committed is kept.
func (p *Postgres) Kill() { p.s.kill() }

// Run starts it again after Kill.
func (p *Postgres) Run() error { return p.s.run() }

// unprivileged gives the server to an ordinary user when the tests run as
// root, which PostgreSQL refuses, and ends it with the process that started it.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := dieWithParent()
	if os.Getuid() != 0 {
		return attr, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) ready() error {
	admin, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if err = admin.Ping(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("it does not answer: %w", err)
}

func stopPostgres() {
	if running != nil && running.cmd != nil && running.cmd.Process != nil {
		running.stop()
	}
}

func (s *server) stop() {
	s.kill()
	os.RemoveAll(s.dir)
}
