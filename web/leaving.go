package web

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const leavePath = "/account/leave"

// leavePage is how an account takes its data along, and what becomes of them.
type leavePage struct {
	Owner    bool
	Exit     privacy.Exit
	DaysLeft int
	Chosen   string // for the end, in words
	Held     bool
	Exports  []exportRow
	Waiting  bool // an export is being made
	Deleted  []deletedRow
}

func (leavePage) template() string { return "leave" }

type exportRow struct {
	privacy.Export
	Name, Word string
	Ready      bool
}

type deletedRow struct {
	Word  string
	Count int
}

func (w *site) leave(c *fiber.Ctx, v visit) error {
	p := leavePage{Owner: v.Role == "owner"}
	var err error
	if p.Exit, err = w.Privacy.Exit(v.ctx, v.Account.ID); err != nil {
		return err
	}
	holds, err := w.Privacy.Holds(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.Held, p.DaysLeft = len(holds) > 0, p.Exit.DaysLeft(time.Now())
	if p.Exit.AtEnd != "" {
		p.Chosen = v.say.word("at_end", p.Exit.AtEnd)
	}
	for kind, n := range p.Exit.Counts {
		p.Deleted = append(p.Deleted, deletedRow{v.say.word("deleted", kind), n})
	}
	slices.SortFunc(p.Deleted, func(a, b deletedRow) int { return b.Count - a.Count })
	all, err := w.Privacy.Exports(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, x := range all {
		p.Exports = append(p.Exports, exportRow{x, w.Names.Of(secrets.ExportOfAll, x.ID), v.say.word("export", x.State), x.State == privacy.ExportReady})
		p.Waiting = p.Waiting || x.State == privacy.ExportAsked || x.State == privacy.ExportRunning
	}
	return render(c, p)
}

func (w *site) askExport(c *fiber.Ctx, v visit) error {
	if v.Role != "owner" {
		return errOwners
	}
	if _, err := w.Privacy.AskExport(v.ctx, v.Account.ID); err != nil {
		return err
	}
	return c.Redirect(leavePath, fiber.StatusSeeOther)
}

// fetchExport sends the file as it is read; the server closes it.
func (w *site) fetchExport(c *fiber.Ctx, v visit) error {
	if v.Role != "owner" {
		return errOwners
	}
	id, err := w.Names.ID(secrets.ExportOfAll, c.Params("id"))
	if err != nil {
		return err
	}
	file, x, err := w.Privacy.FetchExport(v.ctx, v.Account.ID, id)
	if err != nil {
		return err
	}
	c.Attachment(v.Account.Handle + ".zip")
	c.Set(fiber.HeaderContentType, "application/zip")
	return c.SendStream(file, int(x.Bytes))
}

func (w *site) fetchCertificate(c *fiber.Ctx, v visit) error {
	if v.Role != "owner" {
		return errOwners
	}
	cert, err := w.Privacy.Certificate(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	c.Attachment("certificate.pdf")
	c.Set(fiber.HeaderContentType, "application/pdf")
	return c.Send(cert.PDF)
}
