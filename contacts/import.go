package contacts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/varsel/varsel/internal/problem"
)

// What becomes of a row of an import.
const (
	RowAdded     = "add"
	RowUpdated   = "update"    // the contact kept by hand with that number says what the row says now
	RowUnchanged = "unchanged" // it said that already
	RowSynced    = "synced"    // a directory's contact has that number: it is not changed, and only joins the groups
	RowDuplicate = "duplicate" // an earlier row has that number; only the groups are taken from this one
	RowRefused   = "refused"
)

// RowActions are all there are.
var RowActions = []string{RowAdded, RowUpdated, RowUnchanged, RowSynced, RowDuplicate, RowRefused}

// BadQuotes is why a row is refused that is no row of CSV; others are refused for
// a reason why there is no number, or "invalid_" and the field.
const BadQuotes = "bad_quotes"

// ImportOptions say how to read a list. Region is where a number without a
// country code belongs. Columns names what headings mean that are not known.
type ImportOptions struct {
	Region  string
	Columns map[string]string
}

// ImportRow is what becomes of a row, or became.
type ImportRow struct {
	Row           int // as a spreadsheet counts: the headings are row 1
	Action        string
	Reason        string // why it is refused
	Text          string // the same as a sentence
	Name          string
	Raw, Phone    string
	Groups        []string
	NotFilled     []string // groups that it does not join, as they have members of their own
	FirstRow      int      // of a duplicate
	person        Person
	updates, adds int64 // the contact's id
}

// ImportReport is what becomes of a list, or became.
type ImportReport struct {
	SHA256    string // of the file
	Columns   []Column
	Rows      []ImportRow
	Counts    map[string]int // of rows, by what becomes of them
	NewGroups []string
}

// ImportColumns name what Fields answers.
var ImportColumns = []string{"row", "result", "reason", "name", "phone_raw", "phone", "groups", "groups_not_filled", "same_as_row"}

// Fields are the row's values in the order of ImportColumns.
func (r ImportRow) Fields() []string {
	same := ""
	if r.FirstRow > 0 {
		same = strconv.Itoa(r.FirstRow)
	}
	return []string{strconv.Itoa(r.Row), r.Action, r.Reason, r.Name, r.Raw, r.Phone, strings.Join(r.Groups, "|"), strings.Join(r.NotFilled, "|"), same}
}

// PreviewImport says what Import would do with a list. It writes nothing.
func (b *Book) PreviewImport(ctx context.Context, account int64, file io.Reader, o ImportOptions) (ImportReport, error) {
	raw, text, err := ReadList(file)
	if err != nil {
		return ImportReport{}, err
	}
	p, err := b.plan(ctx, account, text, o)
	p.SHA256 = sum(raw)
	return p.ImportReport, err
}

// Import takes the good rows of a list over as contacts kept by hand, and puts
// them into the groups that it names. The same list again changes nothing. want
// is the SHA-256 of the list that was looked at; with another nothing is done.
// An empty one lets any list pass.
func (b *Book) Import(ctx context.Context, account int64, file io.Reader, o ImportOptions, want string) (ImportReport, error) {
	raw, text, err := ReadList(file)
	if err != nil {
		return ImportReport{}, err
	}
	if want != "" && want != sum(raw) {
		return ImportReport{}, problem.Conflict("file_changed", "this is not the file that was looked at: look at this one first")
	}
	var r ImportReport
	err = b.alone(ctx, account, func(ctx context.Context) error {
		r, err = b.take(ctx, account, text, o)
		return err
	})
	r.SHA256 = sum(raw)
	return r, err
}

func sum(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// Upload looks at a list like PreviewImport, and keeps it for an hour under an
// id, for ImportUpload.
func (b *Book) Upload(ctx context.Context, account int64, file io.Reader, o ImportOptions) (int64, ImportReport, error) {
	raw, text, err := ReadList(file)
	if err != nil {
		return 0, ImportReport{}, err
	}
	p, err := b.plan(ctx, account, text, o)
	if err != nil {
		return 0, ImportReport{}, err
	}
	p.SHA256 = sum(raw)
	id, err := b.db.NewIDs(ctx, 1)
	if err != nil {
		return 0, ImportReport{}, err
	}
	return id, p.ImportReport, b.keepUpload(ctx, account, id, p.SHA256, text)
}

// ImportUpload imports a list that Upload has kept, once.
func (b *Book) ImportUpload(ctx context.Context, account, id int64, o ImportOptions) (r ImportReport, err error) {
	err = b.alone(ctx, account, func(ctx context.Context) error {
		hash, text, err := b.takeUpload(ctx, account, id)
		if err != nil {
			return err
		}
		if r, err = b.take(ctx, account, text, o); err != nil {
			return err
		}
		r.SHA256 = hash
		return b.keepReport(ctx, account, id, r)
	})
	return r, err
}

// UploadReport is what becomes of a list that Upload has kept, and imported says
// whether it has been.
func (b *Book) UploadReport(ctx context.Context, account, id int64, o ImportOptions) (r ImportReport, imported bool, err error) {
	hash, text, report, err := b.upload(ctx, account, id)
	if err != nil {
		return r, false, err
	}
	if report != nil {
		return *report, true, nil
	}
	p, err := b.plan(ctx, account, text, o)
	p.SHA256 = hash
	return p.ImportReport, false, err
}

// plan is what will be done with a list.
type plan struct {
	ImportReport
	groups map[string]int64 // those there are, by name
}

func (b *Book) plan(ctx context.Context, account int64, text string, o ImportOptions) (p plan, err error) {
	s, err := openSheet(text, o.Columns)
	if err != nil {
		return p, err
	}
	p.Columns = s.columns
	byPhone := map[string]int{}
	for {
		record, err := s.next()
		if err == io.EOF {
			break
		}
		if len(p.Rows) == MaxImportRows {
			return p, fileProblem("file_too_long", "the file has more than %d rows: divide it", MaxImportRows)
		}
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		p.Rows = append(p.Rows, readRow(s, record, err, o.Region, byPhone))
	}
	if err := b.match(ctx, account, &p); err != nil {
		return p, err
	}
	if err := b.matchGroups(ctx, account, &p); err != nil {
		return p, err
	}
	p.Counts = map[string]int{}
	for _, r := range p.Rows {
		p.Counts[r.Action]++
	}
	return p, nil
}

// readRow says what a row is by itself and among the rows before it.
func readRow(s *sheet, record []string, bad error, region string, byPhone map[string]int) ImportRow {
	r := ImportRow{Row: s.row, Action: RowAdded}
	if bad != nil {
		r.refuse(BadQuotes, "a quotation mark is not closed, or stands inside a field: what follows it was read as one row")
		return r
	}
	v := s.values(record)
	r.Raw = v[fieldMobile]
	if !HoldsNumber(r.Raw) && v[fieldPhone] != "" {
		r.Raw = v[fieldPhone]
	}
	r.Groups = groupsIn(v[fieldGroups])
	name := v[fieldName]
	if oneLine(name) == "" {
		name = v[fieldFirstName] + " " + v[fieldLastName]
	}
	p, err := byHand(NewContact{Name: name, Phone: r.Raw, Region: region, Department: v[FieldDepartment], JobTitle: v[FieldJobTitle],
		Office: v[FieldOffice], Email: v[fieldEmail], Language: v[FieldLanguage]})
	r.person, r.Name, r.Phone = p, oneLine(name), p.Phone.E164
	if refused := problem.As(err); refused != nil {
		reason := refused.Code
		if refused.Field == "phone" {
			_, _, reason = Normalise(r.Raw, region)
		}
		r.refuse(reason, refused.Text)
		return r
	}
	for _, g := range r.Groups {
		if utf8.RuneCountInString(g) > longestField {
			r.refuse("invalid_groups", "the name of a group is too long")
			return r
		}
	}
	if first, again := byPhone[r.Phone]; again {
		r.Action, r.FirstRow = RowDuplicate, first
		return r
	}
	byPhone[r.Phone] = r.Row
	return r
}

func (r *ImportRow) refuse(reason, text string) {
	r.Action, r.Reason, r.Text = RowRefused, reason, text
}

// groupsIn takes names apart at '|', which our own export writes, at ';' and at
// line breaks, but not at commas: "Oslo, night shift" is one group.
func groupsIn(cell string) (names []string) {
	for one := range strings.FieldsFuncSeq(cell, func(r rune) bool { return strings.ContainsRune("|;\n", r) }) {
		if one = oneLine(one); one != "" && !slices.Contains(names, one) {
			names = append(names, one)
		}
	}
	return names
}

// match finds the contacts that have the numbers of the rows already.
func (b *Book) match(ctx context.Context, account int64, p *plan) error {
	for some := range slices.Chunk(p.Rows, lot) {
		phones := map[string]int{}
		for _, r := range some {
			if r.Action == RowAdded {
				phones[r.Phone] = 0
			}
		}
		if len(phones) > 0 {
			erased, err := b.marks.Marked(ctx, b.db, account)
			if err != nil {
				return err
			}
			refuseErased(some, erased)
		}
		there, err := b.byPhone(ctx, account, phones)
		if err != nil {
			return err
		}
		for i := range some {
			if c, ok := there[some[i].Phone]; ok && some[i].Action == RowAdded {
				some[i].meets(c)
			}
		}
	}
	return nil
}

func refuseErased(rows []ImportRow, erased Erased) {
	for i := range rows {
		if r := &rows[i]; r.Action != RowRefused && erased.Number(r.Phone) {
			r.refuse(ErasedNumber, Explain(ErasedNumber))
		}
	}
}

// meets says what becomes of a row whose number c has. What the row leaves empty
// stays as it is.
func (r *ImportRow) meets(c Contact) {
	r.updates = c.ID
	if c.Source == FromDirectory {
		r.Action = RowSynced
		return
	}
	p := c.Person
	p.Name = r.person.Name
	for _, f := range []struct {
		into *string
		from string
	}{{&p.Department, r.person.Department}, {&p.JobTitle, r.person.JobTitle}, {&p.Office, r.person.Office},
		{&p.Email, r.person.Email}, {&p.Language, r.person.Language}} {
		if f.from != "" {
			*f.into = f.from
		}
	}
	r.Action = RowUpdated
	if p == c.Person {
		r.Action = RowUnchanged
	}
	r.person = p
}

// matchGroups finds which of the groups there are and can be filled.
func (b *Book) matchGroups(ctx context.Context, account int64, p *plan) error {
	names := map[string]int{}
	for _, r := range p.Rows {
		if r.Action == RowRefused {
			continue
		}
		for _, g := range r.Groups {
			names[g] = 0
		}
	}
	listed, others, err := b.groupsByName(ctx, account, names)
	if err != nil {
		return err
	}
	p.groups = listed
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if listed[name] == 0 && !others[name] {
			p.NewGroups = append(p.NewGroups, name)
		}
	}
	if len(p.NewGroups) > maxImportGroups {
		return fileProblem("file_many_groups", "the file names %d new groups, and %d at the most are made: is the right column taken for groups?",
			len(p.NewGroups), maxImportGroups)
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		for _, g := range r.Groups {
			if others[g] && listed[g] == 0 && r.Action != RowRefused {
				r.NotFilled = append(r.NotFilled, g)
			}
		}
	}
	return nil
}

// take does what the plan says.
func (b *Book) take(ctx context.Context, account int64, text string, o ImportOptions) (ImportReport, error) {
	p, err := b.plan(ctx, account, text, o)
	if err != nil {
		return p.ImportReport, err
	}
	if err := b.takeContacts(ctx, account, p.Rows); err != nil {
		return p.ImportReport, err
	}
	if err := b.takeGroups(ctx, account, &p); err != nil {
		return p.ImportReport, err
	}
	_, err = b.ApplyRules(ctx, account)
	return p.ImportReport, err
}

func (b *Book) takeContacts(ctx context.Context, account int64, rows []ImportRow) error {
	next, err := b.db.NewIDs(ctx, len(rows)+1)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(rows, lot) {
		var fresh []Person
		changed := map[int64]Person{}
		for i := range some {
			switch r := &some[i]; r.Action {
			case RowAdded:
				r.adds = next + int64(len(fresh))
				fresh = append(fresh, r.person)
			case RowUpdated:
				changed[r.updates] = r.person
			}
		}
		if err := b.insertContacts(ctx, account, ByHand, "", next, fresh); err != nil {
			return err
		}
		next += int64(len(fresh))
		if len(changed) > 0 {
			if _, err := b.rewrite(ctx, account, changed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Book) takeGroups(ctx context.Context, account int64, p *plan) error {
	for _, name := range p.NewGroups {
		g, err := b.AddGroup(ctx, account, name, nil)
		if err != nil {
			return err
		}
		p.groups[name] = g.ID
	}
	ids := map[string]int64{} // of contacts, by number
	var members []member
	for _, r := range p.Rows {
		switch r.Action {
		case RowRefused:
			continue
		case RowDuplicate:
		default:
			ids[r.Phone] = max(r.updates, r.adds)
		}
		for _, name := range r.Groups {
			if group := p.groups[name]; group != 0 {
				members = append(members, member{group, ids[r.Phone]})
			}
		}
	}
	return b.join(ctx, account, members)
}
