package smsqueue

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

const (
	// mostSuppressions bounds the rows of a list of numbers.
	mostSuppressions = 500_000
	// suppressionLot bounds how long an import holds the one writer of SQLite.
	suppressionLot = 1000
)

// What becomes of a row of a list of numbers.
const (
	RowSuppressed = "suppressed" // or, before it was imported, is going to be
	RowKnown      = "known"      // suppressed already
	RowRepeated   = "repeated"   // an earlier row has the number
	RowRefused    = "refused"    // it holds no number that can be texted
)

// ListedResults are all of them.
var ListedResults = []string{RowSuppressed, RowKnown, RowRepeated, RowRefused}

// ListedRow is a row of a list of numbers, and what becomes of it.
type ListedRow struct {
	Row      int    // as a spreadsheet counts
	Field    string // what was read as a number, as it was typed
	Phone    string // E.164
	Result   string
	Reason   string // of one that is refused: one of those of contacts.Normalise
	FirstRow int    // of one that is repeated: the row that has the number first
}

// ListedColumns name what Fields answers.
var ListedColumns = []string{"row", "result", "reason", "phone_raw", "phone", "same_as_row"}

// Fields are the row's values in the order of ListedColumns.
func (r ListedRow) Fields() []string {
	same := ""
	if r.FirstRow > 0 {
		same = strconv.Itoa(r.FirstRow)
	}
	return []string{strconv.Itoa(r.Row), r.Result, r.Reason, r.Field, r.Phone, same}
}

// SuppressionImport is what becomes of a list, row by row.
type SuppressionImport struct{ Rows []ListedRow }

// Count is how many rows end so.
func (s SuppressionImport) Count(result string) (n int) {
	for _, r := range s.Rows {
		if r.Result == result {
			n++
		}
	}
	return n
}

// Refused are the rows without a number that can be texted.
func (s SuppressionImport) Refused() (all []ListedRow) {
	for _, r := range s.Rows {
		if r.Result == RowRefused {
			all = append(all, r)
		}
	}
	return all
}

// ImportSuppressions suppresses the numbers of a list as CSV, its columns divided by
// commas, semicolons or tabs: of each row the first field that holds a number. A first
// row that holds none is taken for headings. It refuses the whole list or no more of
// it than the rows it names.
func (q *Queue) ImportSuppressions(ctx context.Context, account, user int64, list io.Reader) (SuppressionImport, error) {
	_, text, err := contacts.ReadList(list)
	if err != nil {
		return SuppressionImport{}, err
	}
	return q.suppressList(ctx, account, user, text)
}

func (q *Queue) suppressList(ctx context.Context, account, user int64, text string) (SuppressionImport, error) {
	done, err := q.listed(ctx, account, text)
	if err != nil {
		return done, err
	}
	s := Suppression{Account: account, User: user, Reason: ByImport, Created: time.Now()}
	for lot := range slices.Chunk(done.numbers(), suppressionLot) {
		if s.ID, err = q.db.NewIDs(ctx, 2*len(lot)); err != nil {
			return done, err
		}
		var added map[string]bool
		err = q.db.InTx(ctx, func(tx *db.Tx) (err error) {
			added, err = suppressAll(ctx, tx, s, listedPhones(lot))
			return err
		})
		if err != nil {
			return done, err
		}
		for _, r := range lot {
			if r.Result = RowKnown; added[r.Phone] {
				r.Result = RowSuppressed
			}
		}
	}
	return done, nil
}

// lookAtList says what suppressList would do with a list.
func (q *Queue) lookAtList(ctx context.Context, account int64, text string) (SuppressionImport, error) {
	found, err := q.listed(ctx, account, text)
	if err != nil {
		return found, err
	}
	for lot := range slices.Chunk(found.numbers(), suppressionLot) {
		stand, err := standingAmong(ctx, q.db, account, listedPhones(lot))
		if err != nil {
			return found, err
		}
		for _, r := range lot {
			if stand[r.Phone] {
				r.Result = RowKnown
			}
		}
	}
	return found, nil
}

// numbers are the rows that have a number first.
func (s SuppressionImport) numbers() (all []*ListedRow) {
	for i := range s.Rows {
		if s.Rows[i].Result == RowSuppressed {
			all = append(all, &s.Rows[i])
		}
	}
	return all
}

func listedPhones(rows []*ListedRow) (all []string) {
	for _, r := range rows {
		all = append(all, r.Phone)
	}
	return all
}

// listed reads a list as if none of its numbers were suppressed.
func (q *Queue) listed(ctx context.Context, account int64, text string) (s SuppressionImport, err error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return s, err
	}
	rows, first := numbersReader(text), map[string]int{}
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		row, _ := rows.FieldPos(0)
		switch {
		case err != nil:
			return s, problem.Invalid("file", "row %d of the list cannot be read as CSV: %v", row, err)
		case len(s.Rows) == mostSuppressions:
			return s, problem.Invalid("file", "the list has more than %d rows: divide it", mostSuppressions)
		}
		read := numberIn(fields, acc.Region)
		if read.Reason == contacts.NoNumber && row == 1 {
			continue // headings
		}
		read.Row = row
		switch {
		case read.Reason != "":
			read.Result = RowRefused
		case first[read.Phone] > 0:
			read.Result, read.FirstRow = RowRepeated, first[read.Phone]
		default:
			read.Result, first[read.Phone] = RowSuppressed, row
		}
		s.Rows = append(s.Rows, read)
	}
}

// numbersReader finds out what divides the columns.
func numbersReader(text string) *csv.Reader {
	line, _, _ := strings.Cut(text, "\n")
	rows := csv.NewReader(strings.NewReader(text))
	rows.FieldsPerRecord, rows.LazyQuotes, rows.TrimLeadingSpace = -1, true, true
	for _, comma := range ";\t" {
		if strings.ContainsRune(line, comma) {
			rows.Comma = comma
		}
	}
	return rows
}

// numberIn is the first field with a number, or else why the last one that looks like
// one has none.
func numberIn(fields []string, region string) ListedRow {
	found := ListedRow{Reason: contacts.NoNumber}
	for _, field := range fields {
		phone, _, why := contacts.Normalise(field, region)
		if why == "" {
			return ListedRow{Field: field, Phone: phone}
		}
		if why != contacts.NoNumber {
			found = ListedRow{Field: field, Reason: why}
		}
	}
	return found
}
