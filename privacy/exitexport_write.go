package privacy

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

// manifest says what is in an export. Whoever reads it can see that nothing was
// changed or left out.
type manifest struct {
	Format  string         `json:"format"`
	Account string         `json:"account"`
	AsOf    string         `json:"as_of"`
	Files   []manifestFile `json:"files"`
}

type manifestFile struct {
	Name    string           `json:"name"`
	Means   string           `json:"means"`
	Rows    int              `json:"rows"`
	Bytes   int64            `json:"bytes"`
	SHA256  string           `json:"sha256"`
	Columns []manifestColumn `json:"columns,omitempty"`
}

type manifestColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

const exportFormat = "varsel-account-export/1"

// zipped is an export that is being written.
type zipped struct {
	zip   *zip.Writer
	names *secrets.Names
	list  manifest
	rows  int
}

// writeExport writes everything of an account as of one moment into a file that is
// there whole or not at all, and returns how many rows it has and its SHA-256. Rows
// are written as they are read, so memory does not grow with them.
func (d *Desk) writeExport(ctx context.Context, account int64, path string) (rows int, bytes int64, sum string, err error) {
	// What a killed writer has left is written over.
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, 0, "", fmt.Errorf("begin an export: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	whole := sha256.New()
	z := &zipped{zip: zip.NewWriter(io.MultiWriter(f, whole)), names: d.parts.Names}
	if err := d.parts.DB.Snapshot(ctx, func(tx *db.Tx) error { return z.fill(ctx, tx, account) }); err != nil {
		return 0, 0, "", err
	}
	if err := errors.Join(z.zip.Close(), f.Sync()); err != nil {
		return 0, 0, "", fmt.Errorf("write an export: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, 0, "", err
	}
	return z.rows, info.Size(), hex.EncodeToString(whole.Sum(nil)), os.Rename(f.Name(), path)
}

func (z *zipped) fill(ctx context.Context, tx *db.Tx, account int64) error {
	z.list = manifest{Format: exportFormat, AsOf: time.Now().UTC().Format(time.RFC3339)}
	if err := tx.QueryRowContext(ctx, `SELECT handle FROM accounts WHERE id = $1`, account).Scan(&z.list.Account); err != nil {
		return err
	}
	for _, e := range exports {
		for _, form := range []func(io.Writer, []column) sheet{newCSV, newLines} {
			if err := z.table(ctx, tx, account, e, form); err != nil {
				return fmt.Errorf("export %s: %w", e.name, err)
			}
		}
	}
	if err := z.documents(ctx, tx, account); err != nil {
		return err
	}
	if err := z.pictures(ctx, tx, account); err != nil {
		return err
	}
	text, err := json.MarshalIndent(z.list, "", "  ")
	if err != nil {
		return err
	}
	return z.file(manifestFile{Name: "manifest.json"}, func(w io.Writer) (int, error) { _, err := w.Write(text); return 0, err })
}

// file writes one, and lists it.
func (z *zipped) file(m manifestFile, write func(w io.Writer) (rows int, err error)) error {
	w, err := z.zip.CreateHeader(&zip.FileHeader{Name: m.Name, Method: zip.Deflate, Modified: time.Now()})
	if err != nil {
		return err
	}
	c := &counted{w: w, sum: sha256.New()}
	if m.Rows, err = write(c); err != nil {
		return err
	}
	m.Bytes, m.SHA256 = c.n, hex.EncodeToString(c.sum.Sum(nil))
	z.list.Files = append(z.list.Files, m)
	return nil
}

type counted struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.sum.Write(b[:n])
	c.n += int64(n)
	return n, err
}

// sheet is one of the forms in which rows are written.
type sheet interface {
	name(table string) string
	write(cells []any) error
	end() error
}

func (z *zipped) table(ctx context.Context, tx *db.Tx, account int64, e exported, form func(io.Writer, []column) sheet) error {
	rows, err := tx.QueryContext(ctx, e.query, account)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := columnsOf(rows)
	if err != nil {
		return err
	}
	m := manifestFile{Name: form(io.Discard, nil).name(e.name), Means: e.means}
	for _, c := range columns {
		m.Columns = append(m.Columns, manifestColumn{c.name, c.means()})
	}
	return z.file(m, func(w io.Writer) (n int, err error) {
		s := form(w, columns)
		for ; rows.Next(); n++ {
			cells, err := z.cells(rows, columns)
			if err != nil {
				return n, err
			}
			if err := s.write(cells); err != nil {
				return n, err
			}
		}
		z.rows += n
		return n, errors.Join(rows.Err(), s.end())
	})
}

type column struct{ name, form string }

func columnsOf(rows *sql.Rows) (all []column, err error) {
	names, err := rows.Columns()
	for _, n := range names {
		name, form, _ := strings.Cut(n, ":")
		all = append(all, column{name, form})
	}
	return all, err
}

// means is how a column is written.
func (c column) means() string {
	switch c.form {
	case "":
		return "text or whole number"
	case "time":
		return "time, RFC 3339 in UTC, empty for none"
	case "bool":
		return "true or false"
	case "digits":
		return "whole number, as text"
	}
	return "name of a " + c.form + ", empty for none"
}

// cells reads a row: texts, whole numbers and bools.
func (z *zipped) cells(rows *sql.Rows, columns []column) ([]any, error) {
	raw, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range raw {
		into[i] = &raw[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i, c := range columns {
		raw[i] = z.cell(raw[i], c.form)
	}
	return raw, nil
}

func (z *zipped) cell(v any, form string) any {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	n, whole := v.(int64)
	switch {
	case form == "bool" && whole:
		return n != 0
	case !whole || form == "":
		return v
	case form == "digits":
		return strconv.FormatInt(n, 10)
	case n == 0:
		return ""
	case form == "time":
		return db.Time(n).Format(time.RFC3339Nano)
	}
	return z.names.Of(form, n)
}

// documents writes the signed documents of agreements as they are kept.
func (z *zipped) documents(ctx context.Context, tx *db.Tx, account int64) error {
	rows, err := tx.QueryContext(ctx, `
		SELECT a.id, f.pdf FROM agreements a JOIN agreement_files f ON f.agreement_id = a.id WHERE a.account_id = $1 ORDER BY a.id`, account)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var pdf []byte
		if err := rows.Scan(&id, &pdf); err != nil {
			return err
		}
		m := manifestFile{Name: fmt.Sprintf("agreements/%d.pdf", id), Means: "A signed agreement."}
		if err := z.file(m, func(w io.Writer) (int, error) { _, err := w.Write(pdf); return 1, err }); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pictures writes the photos and logos of cards as they are kept.
func (z *zipped) pictures(ctx context.Context, tx *db.Tx, account int64) error {
	for _, of := range []struct{ query, folder, prefix, means string }{
		{`SELECT card_id, media_type, content FROM card_photos WHERE account_id = $1 ORDER BY card_id`, "photos", secrets.Card, "The photo on a card."},
		{`SELECT id, media_type, content FROM card_images WHERE account_id = $1 ORDER BY id`, "logos", secrets.CardImage, "A logo of cards."},
	} {
		rows, err := tx.QueryContext(ctx, of.query, account)
		if err != nil {
			return err
		}
		err = z.eachPicture(rows, func(id int64, kind string) manifestFile {
			return manifestFile{Name: of.folder + "/" + z.names.Of(of.prefix, id) + "." + strings.TrimPrefix(kind, "image/"), Means: of.means}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (z *zipped) eachPicture(rows *sql.Rows, named func(id int64, kind string) manifestFile) error {
	defer rows.Close()
	for rows.Next() {
		var id int64
		var kind string
		var content []byte
		if err := rows.Scan(&id, &kind, &content); err != nil {
			return err
		}
		if err := z.file(named(id, kind), func(w io.Writer) (int, error) { _, err := w.Write(content); return 1, err }); err != nil {
			return err
		}
	}
	return rows.Err()
}

type csvSheet struct{ w *csv.Writer }

func newCSV(w io.Writer, columns []column) sheet {
	s := csvSheet{csv.NewWriter(w)}
	head := make([]string, 0, len(columns))
	for _, c := range columns {
		head = append(head, c.name)
	}
	if len(head) > 0 {
		s.w.Write(head)
	}
	return s
}

func (csvSheet) name(table string) string { return table + ".csv" }

func (s csvSheet) write(cells []any) error {
	texts := make([]string, len(cells))
	for i, v := range cells {
		texts[i] = fmt.Sprint(v)
	}
	return s.w.Write(texts)
}

func (s csvSheet) end() error {
	s.w.Flush()
	return s.w.Error()
}

type lineSheet struct {
	out     *json.Encoder
	columns []column
}

func newLines(w io.Writer, columns []column) sheet { return lineSheet{json.NewEncoder(w), columns} }

func (lineSheet) name(table string) string { return table + ".jsonl" }

func (s lineSheet) write(cells []any) error {
	object := make(map[string]any, len(cells))
	for i, c := range s.columns {
		object[c.name] = cells[i]
	}
	return s.out.Encode(object)
}

func (lineSheet) end() error { return nil }
