package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
)

// contentPolicy lets a page load nothing but our own style sheet, module and
// images, run nothing inline, and be framed by nobody.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secure(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	// Not "no-referrer": browsers then send 'Origin: null' with our own forms,
	// and sameOrigin could not tell them from others.
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
}

var errForeign = problem.New(problem.KindForbidden, "other_site", "the form was not sent from this site")

// sameOrigin refuses a form that another site sends on the visitor's behalf.
// Browsers say where a request comes from: in Sec-Fetch-Site, and in Origin
// where the connection is not encrypted. One that says neither is refused.
func (w *site) sameOrigin(c *fiber.Ctx) error {
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return nil
	case "":
		if w.isOurs(c.Get(fiber.HeaderOrigin), string(c.Context().Host())) {
			return nil
		}
	}
	return errForeign
}

func (w *site) isOurs(origin, host string) bool {
	from, err := url.Parse(origin)
	if err != nil || from.Host == "" {
		return false
	}
	return from.Host == host || from.Host == w.public.Host
}
