package privacy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

// The list of erasures is kept outside of the database: a backup brings back who was
// erased after it was made, and the list erases them again. It names nobody. A line is
// there, on the disk, before the erasure that it is of begins; so whatever ends the
// process in between, the erasure is done at the next start.

// line is one of the list: an erasure, or that one was lifted.
type line struct {
	Seq          int64           `json:"seq"` // from 1
	Installation string          `json:"installation"`
	Account      int64           `json:"account"`
	Erasure      int64           `json:"erasure"`
	At           int64           `json:"at"` // unix ms
	Lifted       bool            `json:"lifted,omitempty"`
	Contacts     []int64         `json:"contacts,omitempty"`
	Marks        []contacts.Mark `json:"marks,omitempty"`
}

// errList says that the list cannot be kept: without it nothing is erased.
func errList(err error) error {
	return fmt.Errorf("%w (%v)", problem.New(problem.KindUnavailable, "erasures_file",
		"the list of erasures cannot be written, so nothing was erased: a restored backup would bring the person back"), err)
}

// appendLine writes a line behind the others and returns when it is on the disk. It
// gives the line its number. What a crash left half written it cuts off: that erasure
// has not begun.
func appendLine(path string, l line) (line, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return l, errList(err)
	}
	defer f.Close()
	about, err := f.Stat()
	if err == nil && !about.Mode().IsRegular() {
		err = errors.New(path + " is not a file")
	}
	if err != nil {
		return l, errList(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil { // until it is closed
		return l, errList(err)
	}
	all, end, err := readLines(f)
	if err != nil {
		return l, errList(err)
	}
	l.Seq = 1
	if n := len(all); n > 0 {
		l.Seq = all[n-1].Seq + 1
	}
	text, err := json.Marshal(l)
	if err != nil {
		return l, err
	}
	if err := writeAt(f, append(text, '\n'), end); err != nil {
		return l, errList(errors.Join(err, f.Truncate(end)))
	}
	return l, syncFolder(path)
}

func writeAt(f *os.File, text []byte, end int64) error {
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt(text, end); err != nil {
		return err
	}
	return f.Sync()
}

// syncFolder keeps the file's name through a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return errList(err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return errList(err)
	}
	return nil
}

// readList reads the list; there is none before the first erasure.
func readList(path string) ([]line, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of erasures: %w", err)
	}
	defer f.Close()
	all, _, err := readLines(f)
	return all, err
}

// readLines reads whole lines, and answers where they end.
func readLines(f *os.File) (all []line, end int64, err error) {
	for r := bufio.NewReader(io.NewSectionReader(f, 0, 1<<62)); ; {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, end, nil
		}
		if err != nil {
			return nil, 0, err
		}
		var l line
		if err := json.Unmarshal(bytes.TrimSpace(text), &l); err != nil {
			return nil, 0, fmt.Errorf("the list of erasures is damaged at its line %d: %w", len(all)+1, err)
		}
		all, end = append(all, l), end+int64(len(text))
	}
}
