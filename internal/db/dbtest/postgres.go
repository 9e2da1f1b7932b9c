package dbtest

import (
	"database/sql"
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

// server is one PostgreSQL for all tests of a package.
type server struct {
	dir  string
	port int
	cmd  *exec.Cmd
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
	s := &server{dir: dir}
	owner, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "varsel", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, owner
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(s.port), "-k", dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300", "-c", "log_min_messages=fatal")
	s.cmd.Dir, s.cmd.SysProcAttr = dir, owner
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.ready()
}

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
	for try := 0; try < 300; try++ {
		if err = admin.Ping(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("it does not answer: %w", err)
}

func stopPostgres() {
	if running == nil || running.cmd == nil || running.cmd.Process == nil {
		return
	}
	running.cmd.Process.Signal(syscall.SIGQUIT)
	running.cmd.Wait()
	os.RemoveAll(running.dir)
}
