package db

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrWorking says that another process works on this SQLite database.
var ErrWorking = errors.New("another process is working on this database")

// LockForWork takes the right to be the one process that works on an SQLite
// database, as an OS lock on <database>.lock, which the kernel frees even
// after kill -9. On PostgreSQL there is nothing to take.
func (d *DB) LockForWork() (release func(), err error) {
	if d.dialect == Postgres {
		return func() {}, nil
	}
	f, err := os.OpenFile(d.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrWorking
		}
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	return func() { f.Close() }, nil
}
