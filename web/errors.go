package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
)

type errorPage struct {
	Status  int
	Text    string // empty: what the status says
	Request string // its id, when it is our fault
}

func (errorPage) template() string { return "error" }

// statuses is where a problem's kind becomes a number.
var statuses = map[problem.Kind]int{
	problem.KindInvalid:     fiber.StatusUnprocessableEntity,
	problem.KindNotFound:    fiber.StatusNotFound,
	problem.KindConflict:    fiber.StatusConflict,
	problem.KindGone:        fiber.StatusGone,
	problem.KindForbidden:   fiber.StatusForbidden,
	problem.KindUnknown:     fiber.StatusUnauthorized,
	problem.KindUnavailable: fiber.StatusServiceUnavailable,
}

// ErrorPage answers with a page, in the visitor's language, that says what went
// wrong. What is our fault is logged with the request's id, which the page
// shows; nothing of the request itself is logged but its route.
func ErrorPage(c *fiber.Ctx, err error) error {
	secure(c)
	p := explain(c, err)
	if p.Status == fiber.StatusUnauthorized && c.Method() == fiber.MethodGet && c.Accepts(fiber.MIMETextHTML) != "" {
		return c.Redirect("/sign-in?next="+url.QueryEscape(localPath(c.OriginalURL())), fiber.StatusSeeOther)
	}
	if p.Status >= fiber.StatusInternalServerError {
		p.Request = requestID(c)
		slog.Error("a page failed", "request", p.Request, "method", c.Method(), "route", c.Route().Path, "error", err)
	}
	return render(c.Status(p.Status), p)
}

func explain(c *fiber.Ctx, err error) errorPage {
	var plain *fiber.Error
	switch refused := problem.As(err); {
	case refused != nil:
		return errorPage{Status: statuses[refused.Kind], Text: tongueOf(c).problem(refused)}
	case errors.As(err, &plain):
		return errorPage{Status: plain.Code}
	}
	return errorPage{Status: fiber.StatusInternalServerError}
}

// requestID is the id that the request has been given already, or a new one.
func requestID(c *fiber.Ctx) string {
	if id := c.GetRespHeader(fiber.HeaderXRequestID); id != "" {
		return id
	}
	raw := make([]byte, 8)
	rand.Read(raw)
	id := hex.EncodeToString(raw)
	c.Set(fiber.HeaderXRequestID, id)
	return id
}

// Known says whether there are words for the status.
func (p errorPage) Known() bool {
	switch p.Status {
	case 401, 403, 404, 405, 409, 413, 422, 429, 503:
		return true
	}
	return false
}
