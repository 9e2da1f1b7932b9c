package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// CallbacksPath is where SMS providers post receipts and inbound messages. What
// follows it names a carrier and is known to its provider and us alone.
const CallbacksPath = "/v1/callbacks"

// callbacks takes no API key: each address is a secret, and the carrier's type
// looks at the signature.
func (s Services) callbacks(app *fiber.App) {
	app.Get(CallbacksPath+"/:address", s.calledBack)
	app.Post(CallbacksPath+"/:address", s.calledBack)
}

// calledBack answers 200 when all that the provider told is stored. After
// anything else the provider sends it again.
func (s Services) calledBack(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	// As it came, for the signature; Fiber would also unpack it without a limit.
	body := c.Request().Body()
	if len(body) > bodyLimit {
		return send(c, tooLarge())
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), patience)
	defer cancel()
	heard, err := s.Queue.Hear(ctx, c.Params("address"),
		carriers.Callback{Method: c.Method(), URL: s.calledURL(c), Header: http.Header(c.GetReqHeaders()), Body: body})
	if err != nil {
		p := problemOf(ctx, c.Method()+" "+CallbacksPath, err)
		if p.Status == http.StatusForbidden {
			slog.Warn("a callback was refused", "reason", p.Detail)
		}
		return send(c, p)
	}
	if heard.ContentType != "" {
		c.Set(fiber.HeaderContentType, heard.ContentType)
	}
	return c.Status(http.StatusOK).Send(heard.Reply)
}

// calledURL is the URL as the provider has called and signed it, whatever a proxy
// has made of it since.
func (s Services) calledURL(c *fiber.Ctx) string {
	url := cmp.Or(s.PublicURL, c.BaseURL()) + CallbacksPath + "/" + c.Params("address")
	if query := c.Request().URI().QueryString(); len(query) > 0 {
		url += "?" + string(query)
	}
	return url
}
