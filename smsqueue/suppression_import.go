package smsqueue

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

const (
	// MaxSuppressionBytes and mostSuppressions bound a list of numbers.
	MaxSuppressionBytes = 32 << 20
	mostSuppressions    = 500_000
	// suppressionLot bounds how long an import holds the one writer of SQLite.
	suppressionLot = 1000
)

// SuppressionImport is what became of a list.
type SuppressionImport struct {
	Added   int
	Known   int // suppressed already, or in the list twice
	Refused []RefusedRow
}

// RefusedRow is a row of a list without a number that can be texted.
type RefusedRow struct {
	Row    int    // as a spreadsheet counts
	Reason string // one of those of contacts.Normalise
}

// ImportSuppressions suppresses the numbers of a list as CSV, UTF-8, its columns
// divided by commas, semicolons or tabs: of each row the first field that holds a
// number. A first row that holds none is taken for headings. It refuses the whole
// list or no more of it than the rows it names.
func (q *Queue) ImportSuppressions(ctx context.Context, account, user int64, list io.Reader) (SuppressionImport, error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return SuppressionImport{}, err
	}
	phones, done, err := readNumbers(list, acc.Region)
	if err != nil {
		return SuppressionImport{}, err
	}
	s := Suppression{Account: account, User: user, Reason: ByImport, Created: time.Now()}
	for lot := range slices.Chunk(phones, suppressionLot) {
		if s.ID, err = q.db.NewIDs(ctx, len(lot)); err != nil {
			return done, err
		}
		added := 0
		err = q.db.InTx(ctx, func(tx *db.Tx) (err error) {
			added, err = suppressAll(ctx, tx, s, lot)
			return err
		})
		if err != nil {
			return done, err
		}
		done.Added, done.Known = done.Added+added, done.Known+len(lot)-added
	}
	return done, nil
}

// readNumbers reads each number of a list once.
func readNumbers(list io.Reader, region string) (phones []string, done SuppressionImport, err error) {
	raw, err := io.ReadAll(io.LimitReader(list, MaxSuppressionBytes+1))
	if err != nil {
		return nil, done, err
	}
	if len(raw) > MaxSuppressionBytes {
		return nil, done, problem.Invalid("file", "the list is larger than %d MiB: divide it", MaxSuppressionBytes>>20)
	}
	rows, seen := numbersReader(string(raw)), map[string]bool{}
	for row := 1; ; row++ {
		fields, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return phones, done, nil
		case err != nil:
			return nil, done, problem.Invalid("file", "row %d of the list cannot be read as CSV: %v", row, err)
		case row > mostSuppressions:
			return nil, done, problem.Invalid("file", "the list has more than %d rows: divide it", mostSuppressions)
		}
		phone, reason := numberIn(fields, region)
		switch {
		case reason == contacts.NoNumber && row == 1: // headings
		case reason != "":
			done.Refused = append(done.Refused, RefusedRow{row, reason})
		case seen[phone]:
			done.Known++
		default:
			seen[phone] = true
			phones = append(phones, phone)
		}
	}
}

// numbersReader finds out what divides the columns.
func numbersReader(text string) *csv.Reader {
	text = strings.TrimPrefix(text, "\ufeff")
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

func numberIn(fields []string, region string) (phone, reason string) {
	reason = contacts.NoNumber
	for _, field := range fields {
		phone, _, why := contacts.Normalise(field, region)
		if why == "" {
			return phone, ""
		}
		if why != contacts.NoNumber {
			reason = why
		}
	}
	return "", reason
}
