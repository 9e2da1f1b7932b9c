package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

// consentBack is where Microsoft sends administrators back to.
const consentBack = "/directory/consent/callback"

// consentPatience also covers the time that a fresh consent takes to show.
const consentPatience = 90 * time.Second

// refusedPage says why a directory is not connected after all.
type refusedPage struct {
	Reason string
	Plain  bool // in the words of the directory
	Again  bool // it may be worth trying again
}

func (refusedPage) template() string { return "refused" }

// consent sends an administrator to Microsoft. It is a link, because browsers
// let no form of ours lead to another site; other sites may not lead here.
func (w *site) consent(c *fiber.Ctx, v visit) error {
	if err := w.sameOrigin(c); err != nil {
		return err
	}
	to, err := w.Directory.BeginConsent(v.ctx, v.Account.ID, v.User, w.consentURL())
	if err != nil {
		return err
	}
	return c.Redirect(to, fiber.StatusSeeOther)
}

func (w *site) consentURL() string { return w.public.JoinPath(consentBack).String() }

// consented takes an administrator who comes back to the next page, or to the
// end. Nothing of the address is shown.
func (w *site) consented(c *fiber.Ctx, v visit) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), consentPatience)
	defer cancel()
	step, err := w.Directory.FollowConsent(ctx, v.Account.ID, v.User, w.consentURL(), directory.Return{
		State: c.Query("state"), Code: c.Query("code"), Tenant: c.Query("tenant"), Consented: c.Query("admin_consent") == "True", Error: c.Query("error"),
	})
	if refused := problem.As(err); refused != nil {
		return render(c.Status(statuses[refused.Kind]), refusedPage{Reason: v.say.problem(refused), Plain: !v.say.has["problem_"+refused.Code], Again: true})
	}
	switch {
	case err != nil:
		return err
	case step.Next != "":
		return c.Redirect(step.Next, fiber.StatusSeeOther)
	case !step.Report.OK():
		return render(c.Status(fiber.StatusConflict), refusedPage{Reason: step.Report.Failed(), Plain: true})
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}
