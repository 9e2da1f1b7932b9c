package web

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/privacy"
)

const (
	registerPath    = "/account/register"
	allRegisterPath = "/installation/register"
)

// registerPage is the record of processing (Art. 30(2) GDPR).
type registerPage struct {
	Path     string // of its files, without their ending
	Sections []registerSection
}

type registerSection struct {
	Title string
	Rows  []registerRow
}

type registerRow struct{ Name, Value string }

func (registerPage) template() string { return "register" }

// register makes the register that the visitor may see: an owner that of the account,
// an operator, on the installation's pages, that of all.
func (w *site) register(v visit, all bool) (privacy.Register, error) {
	switch {
	case all:
		return w.Privacy.Register(v.ctx, 0)
	case v.Role != "owner":
		return privacy.Register{}, errOwners
	}
	return w.Privacy.Register(v.ctx, v.Account.ID)
}

func (w *site) showRegister(path string) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		r, err := w.register(v, path == allRegisterPath)
		if err != nil {
			return err
		}
		p := registerPage{Path: path}
		for _, s := range r.Sections(v.say.Code) {
			section := registerSection{Title: s.Title}
			for _, row := range s.Rows {
				section.Rows = append(section.Rows, registerRow{row[0], row[1]})
			}
			p.Sections = append(p.Sections, section)
		}
		return render(c, p)
	}
}

func (w *site) registerCSV(path string) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		r, err := w.register(v, path == allRegisterPath)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := r.CSV(&out, v.say.Code); err != nil {
			return err
		}
		c.Attachment("register.csv")
		c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
		return c.Send(out.Bytes())
	}
}

func (w *site) registerPDF(path string) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		r, err := w.register(v, path == allRegisterPath)
		if err != nil {
			return err
		}
		file, err := r.PDF(v.say.Code)
		if err != nil {
			return err
		}
		c.Attachment("register.pdf")
		c.Set(fiber.HeaderContentType, "application/pdf")
		return c.Send(file)
	}
}
