package contacts_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/encoding/charmap"
	encoding "golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// unexported is what a report is worked out with, and does not say.
var unexported = cmpopts.IgnoreUnexported(contacts.ImportRow{})

var norway = contacts.ImportOptions{Region: "NO"}

func (s shelf) preview(file string) contacts.ImportReport {
	s.Helper()
	r, err := s.PreviewImport(s.Context(), acme, strings.NewReader(file), norway)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func (s shelf) take(file string) contacts.ImportReport {
	s.Helper()
	r, err := s.Import(s.Context(), acme, strings.NewReader(file), norway, "")
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// told is a report, row by row.
func told(r contacts.ImportReport) (rows []string) {
	for _, one := range r.Rows {
		text := fmt.Sprintf("%d %s", one.Row, one.Action)
		if one.Reason != "" {
			text += " " + one.Reason
		}
		rows = append(rows, text)
	}
	return rows
}

func (s shelf) membersOf(name string) []string {
	s.Helper()
	g, err := s.FindGroup(s.Context(), acme, name, func(string) (int64, bool) { return 0, false }, nil)
	if err != nil {
		s.Fatal(err)
	}
	return s.members(g.ID)
}

func TestAListIsImportedRowByRow(t *testing.T) {
	eachBook(t, func(s shelf) {
		s.contact("Kari", "90000001")
		s.follow(person("a", "90000002"))
		synced := s.names()[1]
		file := "Name;Mobile;Department;Groups\n" +
			"Kari Nordmann;900 00 001;Ward 3;Night|Oslo, day\n" + // 2: known by hand
			"Somebody Else;90000002;Ward 9;Night\n" + // 3: known by the directory
			"Ola;90000003;;Night\n" + // 4
			"Ola again;+47 90000003;;Oslo, day\n" + // 5
			"Per;ring the desk;;\n" + // 6
			";90000005;;\n" + // 7
			"Pia;90000006;\"one\ntwo\";\n" + // 8, on two lines
			"Siri;22 33;;\n" // 9
		want := []string{"2 update", "3 synced", "4 add", "5 duplicate", "6 refused no_number", "7 refused invalid_name", "8 add", "9 refused too_short"}

		before := s.names()
		looked := s.preview(file)
		s.equal(want, told(looked))
		s.equal([]string{"Night", "Oslo, day"}, looked.NewGroups)
		s.equal(before, s.names())
		groups, err := s.Groups(s.Context(), acme, 0, 10)
		s.equal(nil, err)
		s.equal(0, len(groups))

		done := s.take(file)
		s.equal(want, told(done))
		s.equal(map[string]int{"add": 2, "update": 1, "synced": 1, "duplicate": 1, "refused": 3}, done.Counts)
		s.equal(looked.SHA256, done.SHA256)
		s.equal(4, done.Rows[3].FirstRow)
		s.equal([]string{"Kari Nordmann", synced, "Ola", "Pia"}, s.names()) // the synced one is as it was: Q43, S15
		s.equal([]string{"Kari Nordmann", "Person a", "Ola"}, s.membersOf("Night"))
		s.equal([]string{"Kari Nordmann", "Ola"}, s.membersOf("Oslo, day"))
		list, _ := s.Contacts(s.Context(), acme, 0, 10)
		s.equal([]string{"Ward 3", "", "", "one two"}, []string{list[0].Department, list[1].Department, list[2].Department, list[3].Department})

		again := s.take(file)
		s.equal([]string{"2 unchanged", "3 synced", "4 unchanged", "5 duplicate", "6 refused no_number", "7 refused invalid_name",
			"8 unchanged", "9 refused too_short"}, told(again))
		repeated, _ := s.Contacts(s.Context(), acme, 0, 10)
		s.equal(list, repeated)
	})
}

func TestAListCannotFillGroupsThatHaveTheirOwnMembers(t *testing.T) { // S15
	eachBook(t, func(s shelf) {
		s.follow(person("a", "90000001"))
		s.followGroups([]string{"g", "Synced"}, contacts.Membership{Group: "g", People: []string{"a"}})
		s.ruleGroup("Ruled", contacts.Condition{Field: contacts.FieldDepartment, Op: contacts.Is, Values: []string{"Ward 3"}})
		r := s.take("Name,Phone,Groups,Department\nKari,90000002,Synced|Ruled|Named,\nOla,90000003,,ward 3\n")
		s.equal([]string{"Synced", "Ruled"}, r.Rows[0].NotFilled)
		s.equal([]string{"Named"}, r.NewGroups)
		s.equal([]string{"Person a"}, s.membersOf("Synced"))
		s.equal([]string{"Ola"}, s.membersOf("Ruled")) // its rule is applied
		s.equal([]string{"Kari"}, s.membersOf("Named"))
	})
}

func TestListsAreReadAsSpreadsheetsWriteThem(t *testing.T) {
	const norwegian = "Fornavn;Etternavn;Tlf.;Mobiltlf;Mobil-nr;E-post;Språk\nBjørn;Ås;22 33 44 55;;900 00 001;b@acme.example;nb\n"
	const polish = "Imię i nazwisko\tTelefon komórkowy\tDział\tStanowisko\tGrupa\nŁucja Żak\t+48 512 345 678\tKsięgowość\tKierowniczka\tBiuro\n"
	utf16 := func(order encoding.Endianness, text string) string {
		out, err := encoding.UTF16(order, encoding.UseBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	western, err := charmap.Windows1252.NewEncoder().String(norwegian)
	if err != nil {
		t.Fatal(err)
	}
	bjorn := contacts.Person{Name: "Bjørn Ås", Email: "b@acme.example", Language: "nb",
		Phone: contacts.Choice{Raw: "900 00 001", Rule: contacts.RuleManual, E164: "+4790000001", Country: "NO"}}
	lucja := contacts.Person{Name: "Łucja Żak", Department: "Księgowość", JobTitle: "Kierowniczka",
		Phone: contacts.Choice{Raw: "+48 512 345 678", Rule: contacts.RuleManual, E164: "+48512345678", Country: "PL"}}
	for _, c := range []struct {
		what, file string
		want       contacts.Person
	}{
		{"UTF-8", norwegian, bjorn}, {"UTF-8 with a mark", "\ufeff" + norwegian, bjorn}, {"Windows-1252", western, bjorn},
		{"UTF-16 LE", utf16(encoding.LittleEndian, polish), lucja}, {"UTF-16 BE", utf16(encoding.BigEndian, polish), lucja},
		{"CR LF", strings.ReplaceAll(polish, "\n", "\r\n"), lucja}, {"CR", strings.ReplaceAll(polish, "\n", "\r"), lucja},
		{"commas and quotes", "\"name\",\"phone number\",\"job title\"\n\"Kari\"\"s, \",\"900 00 001\",\"a,b\"\n",
			contacts.Person{Name: `Kari"s,`, JobTitle: "a,b", Phone: bjorn.Phone}},
		{"the desk phone, when the mobile is none", "Name,Mobile,Phone\nKari,n/a,22 33 44 55\n",
			contacts.Person{Name: "Kari", Phone: contacts.Choice{Raw: "22 33 44 55", Rule: contacts.RuleManual, E164: "+4722334455", Country: "NO"}}},
	} {
		t.Run(c.what, func(t *testing.T) {
			eachBook(t, func(s shelf) {
				s.take(c.file)
				s.equal(c.want, s.only().Person)
			})
		})
	}
}

func TestListsThatCannotBeReadAreRefused(t *testing.T) {
	eachBook(t, func(s shelf) {
		for code, file := range map[string]string{
			"file_empty":       "\n\n",
			"file_no_number":   "Name,Shoe size\nKari,44\n",
			"file_no_name":     "Phone,Shoe size\n90000001,44\n",
			"file_no_headings": "Na\"me,Phone\n",
			"file_not_text":    "PK\x03\x04 and so on",
			"file_too_large":   strings.Repeat("a", contacts.MaxImportBytes+1),
			"file_too_long":    "name,phone\n" + strings.Repeat("x,1\n", contacts.MaxImportRows+1),
			"file_many_groups": "name,phone,groups\nKari,90000001,\"" + manyNames(501) + "\"\n",
		} {
			_, err := s.PreviewImport(s.Context(), acme, strings.NewReader(file), norway)
			s.refused(code, err)
			_, err = s.Import(s.Context(), acme, strings.NewReader(file), norway, "")
			s.refused(code, err)
		}
		_, err := s.PreviewImport(s.Context(), acme, strings.NewReader("a,b\n"), contacts.ImportOptions{Columns: map[string]string{"a": "shoe size"}})
		s.refused("invalid_columns", err)
		s.equal([]string(nil), s.names())
	})
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("Group ", i)
	}
	return strings.Join(names, "|")
}

func TestHeadingsThatAreNotKnownCanBeExplained(t *testing.T) {
	eachBook(t, func(s shelf) {
		o := contacts.ImportOptions{Region: "NO", Columns: map[string]string{"Who": "name", "How": "phone"}}
		r, err := s.Import(s.Context(), acme, strings.NewReader("Who,how,Why\nKari,90000001,x\n"), o, "")
		s.equal(nil, err)
		s.equal([]contacts.Column{{"Who", "name"}, {"how", "phone"}, {"Why", ""}}, r.Columns)
		s.equal([]string{"Kari"}, s.names())
	})
}

func TestARowWithABadQuoteIsRefusedAndTheOthersAreNot(t *testing.T) {
	eachBook(t, func(s shelf) {
		r := s.take("name,phone\nKari,90000001\nO\"la,90000002\nPer,90000003\n\"Pia,90000004\nSiri,90000005\n")
		s.equal([]string{"2 add", "3 refused bad_quotes", "4 add", "5 refused bad_quotes"}, told(r))
		s.equal([]string{"Kari", "Per"}, s.names())
	})
}

func TestNothingElseIsImportedThanWasLookedAt(t *testing.T) {
	eachBook(t, func(s shelf) {
		const file = "name,phone\nKari,90000001\n"
		_, err := s.Import(s.Context(), acme, strings.NewReader(file+"Ola,90000002\n"), norway, s.preview(file).SHA256)
		s.refused("file_changed", err)

		id, looked, err := s.Upload(s.Context(), acme, strings.NewReader(file), norway)
		s.equal(nil, err)
		s.equal([]string(nil), s.names())
		_, err = s.ImportUpload(s.Context(), other, id, norway)
		s.refused("upload_not_found", err)
		again, imported, err := s.UploadReport(s.Context(), acme, id, norway)
		s.equal(nil, err)
		s.equal(false, imported)
		s.equal(looked, again, unexported)
		done, err := s.ImportUpload(s.Context(), acme, id, norway)
		s.equal(nil, err)
		s.equal([]string{"Kari"}, s.names())
		_, err = s.ImportUpload(s.Context(), acme, id, norway)
		s.refused("upload_not_found", err)
		kept, imported, err := s.UploadReport(s.Context(), acme, id, norway)
		s.equal(nil, err)
		s.equal(true, imported)
		s.equal(done, kept, unexported)
		var left string
		s.equal(nil, s.db.QueryRowContext(s.Context(), `SELECT content FROM contact_uploads`).Scan(&left))
		s.equal("", left)

		id, _, err = s.Upload(s.Context(), acme, strings.NewReader(file), norway)
		s.equal(nil, err)
		s.exec(`UPDATE contact_uploads SET created_at = created_at - 3600001`)
		_, err = s.ImportUpload(s.Context(), acme, id, norway)
		s.refused("upload_not_found", err)
		s.equal(nil, s.DropUploads(s.Context()))
		var n int
		s.equal(nil, s.db.QueryRowContext(s.Context(), `SELECT COUNT(*) FROM contact_uploads`).Scan(&n))
		s.equal(0, n)
	})
}

func TestOneImportAtATime(t *testing.T) {
	eachBook(t, func(s shelf) {
		s.exec(`INSERT INTO contact_imports (account_id, busy_until) VALUES (1, 99999999999999)`)
		const file = "name,phone\nKari,90000001\n"
		_, err := s.Import(s.Context(), acme, strings.NewReader(file), norway, "")
		s.refused("import_running", err)
		_, err = s.Import(s.Context(), other, strings.NewReader(file), norway, "")
		s.equal(nil, err)
		s.exec(`UPDATE contact_imports SET busy_until = 1`) // its process died
		s.take(file)
		s.take(file)
		s.equal([]string{"Kari"}, s.names())
	})
}

func TestALargeListIsImportedInLots(t *testing.T) {
	eachBook(t, func(s shelf) {
		var file strings.Builder
		file.WriteString("name,phone,groups\n")
		for i := range 10_010 {
			fmt.Fprintf(&file, "Person %d,900%05d,Everybody\n", i, i)
		}
		s.equal(map[string]int{"add": 10_010}, s.take(file.String()).Counts)
		s.equal(map[string]int{"unchanged": 10_010}, s.take(file.String()).Counts)
		s.equal(map[string]int{"update": 10_010}, s.take(strings.ReplaceAll(file.String(), "Person", "Human")).Counts)
		covered, err := s.Coverage(s.Context(), acme)
		s.equal(nil, err)
		s.equal(10_010, covered.WithNumber)
	})
}

// Any bytes are answered with a report or a refusal, and looking writes nothing.
func TestLookingAtAnyBytesWritesNothing(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	book := contacts.New(d)
	piece := rapid.OneOf(rapid.SampledFrom([]string{"name", "Mobil", "groups", ",", ";", "\t", "\n", "\r\n", "\"", "+47 900 00 001", "Kari",
		"\xff\xfe", "\ufeff", "\x00", "|"}), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 6), func(b []byte) string { return string(b) }))
	head := rapid.SampledFrom([]string{"", "name,phone,groups\n", "Navn;Mobil;Grupper\r\n", "\ufeffname\tphone\n", "\xff\xfen\x00a\x00m\x00e\x00,\x00"})
	rapid.Check(t, func(t *rapid.T) {
		file := head.Draw(t, "head") + strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), "")
		r, err := book.PreviewImport(t.Context(), acme, bytes.NewReader([]byte(file)), norway)
		if err == nil {
			again, err := book.PreviewImport(t.Context(), acme, bytes.NewReader([]byte(file)), norway)
			if diff := cmp.Diff(r, again, unexported); err != nil || diff != "" {
				t.Fatal(err, diff)
			}
		}
		for i := 1; i < len(r.Rows); i++ {
			if r.Rows[i].Row <= r.Rows[i-1].Row {
				t.Fatalf("row %d comes after row %d", r.Rows[i].Row, r.Rows[i-1].Row)
			}
		}
		for _, table := range []string{"contacts", "contact_groups", "group_members", "contact_uploads", "contact_imports"} {
			var n int
			if err := d.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil || n != 0 {
				t.Fatalf("%s: %d rows, %v", table, n, err)
			}
		}
	})
}
