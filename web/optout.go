package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/smsqueue"
)

// optOutPage is where somebody who has a link stops an account's messages. Looking
// at it changes nothing: phones look at links before people do.
type optOutPage struct {
	Name, Number       string // of the account; the number, most of it hidden
	Path               string
	Texted             string // a number that can be texted
	Stopped, MayResume bool
}

func (optOutPage) template() string { return "optout" }

const optOutPath = smsqueue.OptOutPath + ":token"

func (w *site) optOut(c *fiber.Ctx, v visit) error {
	o, err := w.Queue.OptOut(v.ctx, c.Params("token"))
	if err != nil {
		return err
	}
	c.Set("X-Robots-Tag", "noindex")
	return render(c, optOutPage{Name: o.Name, Number: masked(o.Phone), Texted: o.Texted, Path: smsqueue.OptOutPath + c.Params("token"), Stopped: o.Stopped, MayResume: o.MayResume})
}

func (w *site) stopMessages(c *fiber.Ctx, v visit) error {
	return w.opted(c, w.Queue.StopByLink(v.ctx, c.Params("token")))
}

func (w *site) resumeMessages(c *fiber.Ctx, v visit) error {
	return w.opted(c, w.Queue.ResumeByLink(v.ctx, c.Params("token")))
}

func (w *site) opted(c *fiber.Ctx, err error) error {
	if err != nil {
		return err
	}
	return c.Redirect(smsqueue.OptOutPath+c.Params("token"), fiber.StatusSeeOther)
}

// masked is a number by which only who has it knows it.
func masked(phone string) string {
	const begin, end = 3, 3
	return phone[:begin] + strings.Repeat("•", len(phone)-begin-end) + phone[len(phone)-end:]
}
