package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	importPath = "/contacts/import"
	// importLimit leaves room for what a form puts around a file.
	importLimit = contacts.MaxImportBytes + 64<<10
	// importPatience is for the longest list on a slow disk.
	importPatience = 4 * time.Minute
)

// importPage is the form for a list, or a list that was sent: what would become
// of it, or what became of it.
type importPage struct {
	ID        string
	Imported  bool
	Error     string
	Counts    []tally
	Columns   []columnRow
	NewGroups []string
	Rows      []importRow // those of which something is to be said
	More      int         // and how many others
	Any       bool        // something would be written
}

func (importPage) template() string { return "import" }

type columnRow struct{ Heading, Field string }

type importRow struct {
	Row                   int
	Result, Reason        string
	Name, Number, Remarks string
}

// shownRows is how many rows the page shows; the report has all.
const shownRows = 100

func (w *site) importForm(c *fiber.Ctx, v visit) error { return render(c, importPage{}) }

func (v visit) importOptions() contacts.ImportOptions {
	return contacts.ImportOptions{Region: v.Account.Region}
}

// longer gives a handler of lists the time that they take.
func (v visit) longer() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(v.ctx), importPatience)
}

// lookAt keeps a list and shows what would become of it.
func (w *site) lookAt(c *fiber.Ctx, v visit) error {
	ctx, cancel := v.longer()
	defer cancel()
	part, err := c.FormFile("file")
	if err != nil {
		return render(c.Status(fiber.StatusUnprocessableEntity), importPage{Error: v.say.text("choose_a_file")})
	}
	file, err := part.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	id, _, err := w.Book.Upload(ctx, v.Account.ID, file, v.importOptions())
	if refused := problem.As(err); refused != nil {
		return render(c.Status(statuses[refused.Kind]), importPage{Error: v.say.problem(refused)})
	}
	if err != nil {
		return err
	}
	return c.Redirect(importPath+"/"+w.Names.Of(secrets.Upload, id), fiber.StatusSeeOther)
}

func (w *site) report(c *fiber.Ctx, v visit) (contacts.ImportReport, bool, error) {
	id, err := w.Names.ID(secrets.Upload, c.Params("id"))
	if err != nil {
		return contacts.ImportReport{}, false, err
	}
	ctx, cancel := v.longer()
	defer cancel()
	return w.Book.UploadReport(ctx, v.Account.ID, id, v.importOptions())
}

func (w *site) showImport(c *fiber.Ctx, v visit) error {
	r, imported, err := w.report(c, v)
	if err != nil {
		return err
	}
	return render(c, v.say.importPage(c.Params("id"), r, imported))
}

func (w *site) importNow(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Upload, c.Params("id"))
	if err != nil {
		return err
	}
	ctx, cancel := v.longer()
	defer cancel()
	if _, err := w.Book.ImportUpload(ctx, v.Account.ID, id, v.importOptions()); err != nil {
		return err
	}
	return c.Redirect(importPath+"/"+c.Params("id"), fiber.StatusSeeOther)
}

func (say *tongue) importPage(id string, r contacts.ImportReport, imported bool) importPage {
	p := importPage{ID: id, Imported: imported, NewGroups: r.NewGroups}
	for _, action := range contacts.RowActions {
		if n := r.Counts[action]; n > 0 {
			p.Counts = append(p.Counts, tally{Name: action, Word: say.word("row", action), N: n, Count: say.number(n)})
		}
	}
	p.Any = len(r.Rows) > r.Counts[contacts.RowRefused]
	for _, c := range r.Columns {
		p.Columns = append(p.Columns, columnRow{c.Header, say.column(c.Field)})
	}
	for _, row := range r.Rows {
		if row.Action == contacts.RowAdded && len(row.NotFilled) == 0 {
			continue
		}
		if len(p.Rows) == shownRows {
			p.More++
			continue
		}
		p.Rows = append(p.Rows, say.importRow(row))
	}
	return p
}

func (say *tongue) column(field string) string {
	if field == "" {
		return say.text("column_ignored")
	}
	return say.word("person", field)
}

func (say *tongue) importRow(r contacts.ImportRow) importRow {
	row := importRow{Row: r.Row, Result: say.word("row", r.Action), Name: r.Name, Number: r.Phone, Reason: say.rowReason(r)}
	if row.Number == "" {
		row.Number = r.Raw
	}
	for _, g := range r.NotFilled {
		row.Remarks = say.text("not_filled", "Name", g)
	}
	return row
}

func (say *tongue) rowReason(r contacts.ImportRow) string {
	switch {
	case r.FirstRow > 0:
		return say.text("same_as_row", "Row", say.number(r.FirstRow))
	case r.Reason == "":
		return ""
	case say.has["row_reason_"+r.Reason]:
		return say.word("row_reason", r.Reason)
	}
	return say.quality(r.Reason)
}

func (w *site) importList(c *fiber.Ctx, v visit) error {
	r, _, err := w.report(c, v)
	if err != nil {
		return err
	}
	say := v.say
	out := newCSV(say, say.text("column_row"), say.text("column_result"), say.text("column_reason"), say.text("column_name"), say.text("column_raw"),
		say.text("column_number"), say.text("column_groups"), say.text("column_not_filled"))
	for _, row := range r.Rows {
		f := row.Fields()
		if err := out.row(f[0], say.word("row", row.Action), say.rowReason(row), f[3], f[4], f[5], f[6], f[7]); err != nil {
			return err
		}
	}
	return out.send(c, "import-report.csv")
}
