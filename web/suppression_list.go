package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const suppressionListPath = suppressionsPath + "/import"

// suppressionListPage is the form for a list of numbers, or a list that was sent:
// what would become of it, or what became of it.
type suppressionListPage struct {
	ID       string
	Imported bool
	Error    string
	Counts   []tally
	Rows     []listedRow // those of which something is to be said
	More     int         // and how many others
	Any      bool        // a number would be suppressed
}

func (suppressionListPage) template() string { return "suppressionlist" }

type listedRow struct {
	Row                    int
	Number, Result, Reason string
	Typed                  bool // the number is as it was typed
}

func (w *site) suppressionListForm(c *fiber.Ctx, v visit) error {
	return render(c, suppressionListPage{})
}

// keepSuppressionList keeps a list and shows what would become of it.
func (w *site) keepSuppressionList(c *fiber.Ctx, v visit) error {
	ctx, cancel := v.longer()
	defer cancel()
	part, err := c.FormFile("file")
	if err != nil {
		return render(c.Status(fiber.StatusUnprocessableEntity), suppressionListPage{Error: v.say.text("choose_a_file")})
	}
	file, err := part.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	id, err := w.Queue.KeepSuppressionList(ctx, v.Account.ID, file)
	if refused := problem.As(err); refused != nil {
		return render(c.Status(statuses[refused.Kind]), suppressionListPage{Error: v.say.problem(refused)})
	}
	if err != nil {
		return err
	}
	return c.Redirect(suppressionListPath+"/"+w.Names.Of(secrets.Upload, id), fiber.StatusSeeOther)
}

func (w *site) suppressionListOf(c *fiber.Ctx, v visit) (found smsqueue.SuppressionImport, imported bool, err error) {
	id, err := w.Names.ID(secrets.Upload, c.Params("id"))
	if err != nil {
		return found, false, err
	}
	ctx, cancel := v.longer()
	defer cancel()
	return w.Queue.SuppressionList(ctx, v.Account.ID, id)
}

func (w *site) suppressionList(c *fiber.Ctx, v visit) error {
	found, imported, err := w.suppressionListOf(c, v)
	if err != nil {
		return err
	}
	return render(c, v.say.suppressionListPage(c.Params("id"), found, imported))
}

func (say *tongue) suppressionListPage(id string, found smsqueue.SuppressionImport, imported bool) suppressionListPage {
	p := suppressionListPage{ID: id, Imported: imported, Any: found.Count(smsqueue.RowSuppressed) > 0}
	for _, result := range smsqueue.ListedResults {
		if n := found.Count(result); n > 0 {
			p.Counts = append(p.Counts, tally{Name: result, Word: say.word("listed", result), N: n, Count: say.number(n)})
		}
	}
	for _, r := range found.Rows {
		switch {
		case r.Result == smsqueue.RowSuppressed:
		case len(p.Rows) == shownRows:
			p.More++
		default:
			p.Rows = append(p.Rows, listedRow{Row: r.Row, Number: listedNumber(r), Typed: r.Phone == "", Result: say.word("listed", r.Result), Reason: say.listedReason(r)})
		}
	}
	return p
}

// listedNumber is the row's number, else what was typed for one.
func listedNumber(r smsqueue.ListedRow) string {
	if r.Phone != "" {
		return r.Phone
	}
	return r.Field
}

func (say *tongue) listedReason(r smsqueue.ListedRow) string {
	switch {
	case r.FirstRow > 0:
		return say.text("same_as_row", "Row", say.number(r.FirstRow))
	case slices.Contains(phoneReasons, r.Reason):
		return say.word("phone", r.Reason)
	}
	return ""
}

func (w *site) importSuppressionList(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Upload, c.Params("id"))
	if err != nil {
		return err
	}
	ctx, cancel := v.longer()
	defer cancel()
	if err := w.Queue.ImportSuppressionList(ctx, v.Account.ID, v.User, id); err != nil {
		return err
	}
	return c.Redirect(suppressionListPath+"/"+c.Params("id"), fiber.StatusSeeOther)
}

// suppressionReport is what becomes of every row, as a sheet.
func (w *site) suppressionReport(c *fiber.Ctx, v visit) error {
	found, _, err := w.suppressionListOf(c, v)
	if err != nil {
		return err
	}
	say := v.say
	out := newCSV(say, say.text("column_row"), say.text("column_result"), say.text("column_reason"), say.text("column_raw"), say.text("column_number"))
	for _, r := range found.Rows {
		f := r.Fields()
		if err := out.row(f[0], say.word("listed", r.Result), say.listedReason(r), f[3], f[4]); err != nil {
			return err
		}
	}
	return out.send(c, "opt-out-report.csv")
}
