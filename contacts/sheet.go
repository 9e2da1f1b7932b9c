package contacts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	encoding "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"github.com/varsel/varsel/internal/problem"
)

// How much an import takes.
const (
	MaxImportBytes  = 32 << 20
	MaxImportRows   = 200_000
	maxImportGroups = 500 // new ones: more is a column that was taken for groups
)

// fileProblem is about the whole file.
func fileProblem(code, format string, args ...any) error {
	return &problem.Problem{Kind: problem.KindInvalid, Code: code, Field: "file", Text: fmt.Sprintf(format, args...)}
}

// ReadList reads a file of text, of MaxImportBytes at the most, in any of the
// encodings that spreadsheets write, and answers it as it is and as UTF-8.
func ReadList(file io.Reader) (raw []byte, text string, err error) {
	raw, err = io.ReadAll(io.LimitReader(file, MaxImportBytes+1))
	if err != nil {
		return nil, "", err
	}
	if len(raw) > MaxImportBytes {
		return nil, "", fileProblem("file_too_large", "the file is larger than %d MiB: divide it", MaxImportBytes>>20)
	}
	text, err = decode(raw)
	return raw, text, err
}

func decode(raw []byte) (string, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")), bytes.HasPrefix(raw, []byte("\xd0\xcf\x11\xe0")):
		return "", fileProblem("file_not_text", "this is a workbook: save it as CSV in the spreadsheet and send that")
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")):
		decoded, err := encoding.UTF16(encoding.LittleEndian, encoding.ExpectBOM).NewDecoder().Bytes(raw)
		if err != nil {
			return "", fileProblem("file_not_text", "the file is not the UTF-16 that it claims to be")
		}
		raw = decoded
	case !utf8.Valid(raw):
		// What Excel writes in Western Europe; every byte is some character in it.
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(raw)
		if err != nil {
			return "", err
		}
		raw = decoded
	}
	text := strings.TrimLeft(withoutNUL(string(raw)), "\ufeff")
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	return text, nil
}

// sheet is a file with a row of headings, read row by row.
type sheet struct {
	columns []Column
	rows    *csv.Reader
	row     int // of the last record, as a spreadsheet counts: the headings are 1
	folded  int // line breaks inside fields so far
}

// Column is a heading and what it was understood as; Field is empty when the
// column is passed over.
type Column struct {
	Header, Field string
}

// What columns are understood as, besides FieldDepartment, FieldJobTitle,
// FieldOffice and FieldLanguage.
const (
	fieldName      = "name"
	fieldFirstName = "first_name"
	fieldLastName  = "last_name"
	fieldMobile    = "mobile" // used when it holds a number, else phone
	fieldPhone     = "phone"
	fieldEmail     = "email"
	fieldGroups    = "groups"
)

var importFields = []string{fieldName, fieldFirstName, fieldLastName, fieldMobile, fieldPhone, FieldDepartment, FieldJobTitle,
	FieldOffice, fieldEmail, FieldLanguage, fieldGroups}

// headings are the words of English, Norwegian and Polish lists, in small
// letters, without spaces and signs.
var headings = readHeadings(`
name name fullname displayname contact navn fulltnavn visningsnavn kontakt imięinazwisko imieinazwisko nazwa
first_name firstname givenname forename fornavn imię imie
last_name lastname surname familyname etternavn nazwisko
mobile mobile mobilephone mobilenumber mobileno cell cellphone mobil mobiltelefon mobilnummer mobilnr komórka komorka telefonkomórkowy telefonkomorkowy
phone phone phonenumber telephone telephonenumber number msisdn telefon telefonnummer telefonnr tlf nummer numer numertelefonu nrtelefonu
department department avdeling dział dzial oddział oddzial
job_title title jobtitle position tittel stilling stillingstittel stanowisko tytuł tytul
office office officelocation location kontor arbeidssted sted biuro lokalizacja
email email emailaddress mail epost epostadresse adresemail
language language locale språk sprak język jezyk
groups group groups gruppe grupper grupa grupy`)

func readHeadings(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		words := strings.Fields(line)
		for _, word := range words[1:] {
			all[word] = words[0]
		}
	}
	return all
}

func heading(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFC.String(s))
}

// openSheet reads the headings. said is what the caller knows better: headings,
// and the field that each is.
func openSheet(text string, said map[string]string) (*sheet, error) {
	s := &sheet{rows: csv.NewReader(strings.NewReader(text))}
	s.rows.Comma = separator(text)
	s.rows.FieldsPerRecord = -1
	first, err := s.next()
	if err == io.EOF {
		return nil, fileProblem("file_empty", "the file is empty")
	}
	if err != nil {
		return nil, fileProblem("file_no_headings", "the first row, which names the columns, cannot be read: %v", err)
	}
	return s, s.understand(first, said)
}

// separator is the one of , ; and tab that the first line has most of.
func separator(text string) rune {
	counts, quoted := map[rune]int{}, false
	for _, r := range strings.TrimLeft(text, "\r\n") {
		if r == '"' {
			quoted = !quoted
		}
		if r == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[r]++
		}
	}
	best := ','
	for _, r := range []rune{';', '\t'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}

func (s *sheet) understand(first []string, said map[string]string) error {
	known := map[string]string{}
	for header, field := range said {
		if !slices.Contains(importFields, field) {
			return problem.Invalid("columns", "a column cannot be %q; it can be %s", field, strings.Join(importFields, ", "))
		}
		known[heading(header)] = field
	}
	taken := map[string]bool{}
	for _, header := range first {
		c := Column{Header: oneLine(header), Field: known[heading(header)]}
		if c.Field == "" {
			c.Field = headings[heading(header)]
		}
		if taken[c.Field] {
			c.Field = "" // the first of two counts
		}
		taken[c.Field] = true
		s.columns = append(s.columns, c)
	}
	if !taken[fieldPhone] && !taken[fieldMobile] {
		return fileProblem("file_no_number", "no column of the first row is a phone number; name one \"Mobile\" or \"Phone\"")
	}
	if !taken[fieldName] && !taken[fieldFirstName] && !taken[fieldLastName] {
		return fileProblem("file_no_name", "no column of the first row is a name; name one \"Name\"")
	}
	return nil
}

// next is a record; it also counts the rows. The rows of a spreadsheet differ
// from the lines of the file by the line breaks inside fields.
func (s *sheet) next() ([]string, error) {
	record, err := s.rows.Read()
	if err == io.EOF {
		return nil, err
	}
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		s.row = bad.StartLine - s.folded
		s.folded += bad.Line - bad.StartLine
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	line, _ := s.rows.FieldPos(0)
	s.row = line - s.folded
	for _, field := range record {
		s.folded += strings.Count(field, "\n")
	}
	return record, nil
}

// values are a record's, by field, without spaces around them.
func (s *sheet) values(record []string) map[string]string {
	all := map[string]string{}
	for i, v := range record {
		if i < len(s.columns) && s.columns[i].Field != "" {
			all[s.columns[i].Field] = strings.TrimSpace(v)
		}
	}
	return all
}
