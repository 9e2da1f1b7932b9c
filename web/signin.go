package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/visitor"
)

type signInPage struct {
	Email string
	Next  string // where to go when it worked
	Error string
}

func (signInPage) template() string { return "signin" }

func (w *site) signInForm(c *fiber.Ctx, v visit) error {
	if _, err := w.session(c, v.ctx); err == nil {
		return c.Redirect("/", fiber.StatusSeeOther)
	}
	return render(c, signInPage{Next: localPath(c.Query("next", "/"))})
}

func (w *site) signInPost(c *fiber.Ctx, v visit) error {
	p := signInPage{Email: strings.TrimSpace(c.FormValue("email")), Next: localPath(c.FormValue("next"))}
	keys := []string{"address " + visitor.Counted(c.IP()), "e-mail " + strings.ToLower(p.Email)}
	if wait := w.signIn.pass(time.Now(), keys...); wait > 0 {
		return p.tooMany(c, v, wait)
	}
	token, err := w.Accounts.SignIn(v.ctx, p.Email, c.FormValue("password"))
	if refused := problem.As(err); refused != nil {
		if err := w.refusedSignIn(v.ctx, c, p.Email); err != nil {
			return err
		}
		p.Error = v.say.problem(refused)
		return render(c.Status(fiber.StatusUnauthorized), p)
	}
	if err != nil {
		return err
	}
	w.signIn.giveBack(keys...)
	if _, err := w.became(c, v.ctx, token); err != nil {
		return err
	}
	w.setCookie(c, w.sessionCookie(), token, untilClosed)
	return c.Redirect(p.Next, fiber.StatusSeeOther)
}

func (p signInPage) tooMany(c *fiber.Ctx, v visit, wait time.Duration) error {
	seconds := int(math.Ceil(wait.Seconds()))
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
	p.Error = v.say.count("sign_in_wait", seconds)
	return render(c.Status(fiber.StatusTooManyRequests), p)
}

func (w *site) signOut(c *fiber.Ctx, v visit) error {
	if token := c.Cookies(w.sessionCookie()); token != "" {
		if _, err := w.became(c, v.ctx, token); err != nil && problem.As(err) == nil {
			return err
		}
		if err := w.Accounts.SignOut(v.ctx, token); err != nil {
			return err
		}
	}
	w.setCookie(c, w.sessionCookie(), "", past)
	return c.Redirect("/sign-in", fiber.StatusSeeOther)
}
