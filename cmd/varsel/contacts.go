package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/smsqueue"
)

type contactsQuality struct {
	Account string `required:"" help:"The account."`
	Tenant  string `help:"Only the contacts of this directory."`
	Reason  string `help:"Only those of whom this is true: no_number, extension, letters, too_short, too_long, unknown_country, invalid, shared_number or desk_line."`
}

// Run writes the people as CSV and the sum on standard error; as JSON the first
// line is the sum.
func (q contactsQuality) Run(ctx context.Context, c *commands, t terminal) error {
	if !contacts.IsQualityReason(q.Reason) {
		return fmt.Errorf("there is no reason %q", q.Reason)
	}
	return c.withAccount(ctx, q.Account, func(app *App, acc accounts.Account) error {
		sum, err := app.Book.QualitySummary(ctx, acc.ID, q.Tenant)
		if err != nil {
			return err
		}
		filter := contacts.QualityFilter{Tenant: q.Tenant, Reason: q.Reason}
		if c.JSON {
			if err := c.say(t.out, qualityAnswer(sum), ""); err != nil {
				return err
			}
			return app.Book.EachWarning(ctx, acc.ID, filter, func(one contacts.Checked) error {
				return c.say(t.out, object(contacts.QualityColumns, one.Fields()), "")
			})
		}
		err = writeCSV(t, contacts.QualityColumns, func(row func([]string) error) error {
			return app.Book.EachWarning(ctx, acc.ID, filter, func(one contacts.Checked) error { return row(one.Fields()) })
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(t.err, qualityText(sum))
		return err
	})
}

func qualityAnswer(q contacts.QualitySummary) map[string]any {
	reasons := map[string]int{}
	for _, reason := range contacts.QualityReasons {
		reasons[reason] = q.Count(reason)
	}
	return map[string]any{"contacts": q.Contacts, "with_number": q.WithNumber, "without_number": q.WithoutNumber, "invalid": q.Invalid,
		"integration_advised": q.Advised(), "reasons": reasons}
}

func qualityText(q contacts.QualitySummary) string {
	text := fmt.Sprintf("%d contacts: %d can be texted, %d have no number, %d an invalid one; %d share a number, %d have a desk line\n",
		q.Contacts, q.WithNumber, q.WithoutNumber, q.Invalid, q.Shared, q.DeskLines)
	if !q.Advised() {
		text += "Fewer than 80 % can be texted: an integration is advised against.\n"
	}
	return text
}

type contactsImport struct {
	Account string            `required:"" help:"The account."`
	File    string            `required:"" type:"existingfile" help:"A list as CSV, its first row naming the columns."`
	DryRun  bool              `name:"dry-run" help:"Say what would become of every row, and write nothing."`
	Map     map[string]string `help:"What headings mean that are not known: --map Heading=field."`
	SHA256  string            `name:"sha256" help:"Of the list that was looked at: another one is refused."`
}

// Run writes the report on every row as CSV and the sum on standard error; as
// JSON the first line is the sum.
func (i contactsImport) Run(ctx context.Context, c *commands, t terminal) error {
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error {
		o := contacts.ImportOptions{Region: acc.Region, Columns: i.Map}
		var r contacts.ImportReport
		if i.DryRun {
			r, err = app.Book.PreviewImport(ctx, acc.ID, file, o)
		} else {
			r, err = app.Book.Import(ctx, acc.ID, file, o, i.SHA256)
		}
		if err != nil {
			return err
		}
		if c.JSON {
			return i.sayJSON(c, t, r)
		}
		err = writeCSV(t, contacts.ImportColumns, func(row func([]string) error) error {
			for _, one := range r.Rows {
				if err := row(one.Fields()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(t.err, i.text(r))
		return err
	})
}

func (i contactsImport) sayJSON(c *commands, t terminal, r contacts.ImportReport) error {
	counts := map[string]int{}
	for _, action := range contacts.RowActions {
		counts[action] = r.Counts[action]
	}
	if err := c.say(t.out, map[string]any{"dry_run": i.DryRun, "sha256": r.SHA256, "counts": counts,
		"new_groups": append([]string{}, r.NewGroups...)}, ""); err != nil {
		return err
	}
	for _, one := range r.Rows {
		if err := c.say(t.out, object(contacts.ImportColumns, one.Fields()), ""); err != nil {
			return err
		}
	}
	return nil
}

func (i contactsImport) text(r contacts.ImportReport) string {
	n := r.Counts
	text := fmt.Sprintf("%d rows: %d added, %d updated, %d as they were, %d in the directory, %d duplicates, %d refused\nSHA-256 of the list: %s\n",
		len(r.Rows), n[contacts.RowAdded], n[contacts.RowUpdated], n[contacts.RowUnchanged], n[contacts.RowSynced],
		n[contacts.RowDuplicate], n[contacts.RowRefused], r.SHA256)
	if i.DryRun {
		text += "Nothing was written.\n"
	}
	return text
}

func object(names, values []string) map[string]any {
	all := make(map[string]any, len(names))
	for i, name := range names {
		all[name] = values[i]
	}
	return all
}

func writeCSV(t terminal, columns []string, rows func(row func([]string) error) error) error {
	w := csv.NewWriter(t.out)
	if err := w.Write(columns); err != nil {
		return err
	}
	if err := rows(w.Write); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// uploadsJob forgets lists that were looked at and not imported.
func uploadsJob(b *contacts.Book) smsqueue.Job {
	return smsqueue.Job{Name: "drop-uploads", Every: 5 * time.Minute, Run: b.DropUploads}
}
