package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
)

// NotificationsPath is where directories post to us. What follows it names a
// subscription and is known to the directory and us alone.
const NotificationsPath = "/v1/directory/notifications"

// A notification has to be accepted within three seconds (Microsoft Graph,
// change notifications), or it is sent again and the next ones come later.
const notifiedTimeout = 2500 * time.Millisecond

// notifications takes no API key: each address is a secret, and so is what each
// notification repeats.
func (s Services) notifications(app *fiber.App) {
	app.Post(NotificationsPath+"/:address", s.notified)
	app.Post(NotificationsPath+"/:address/lifecycle", s.notified)
}

func (s Services) notified(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	ctx, cancel := context.WithTimeout(c.UserContext(), notifiedTimeout)
	defer cancel()
	if token := c.Query("validationToken"); token != "" {
		return s.validated(ctx, c, token)
	}
	notices, p := notices(c.Request().Body())
	if p != nil {
		return send(c, p)
	}
	if err := s.Directory.Notified(ctx, c.Params("address"), notices); err != nil {
		return send(c, problemOf(ctx, "POST "+NotificationsPath, err))
	}
	return c.SendStatus(http.StatusAccepted)
}

// validated gives back what the directory sends to find out whether we are here.
// As plain text it is never more than that to a browser.
func (s Services) validated(ctx context.Context, c *fiber.Ctx, token string) error {
	awaited, err := s.Directory.Awaits(ctx, c.Params("address"))
	switch {
	case err != nil:
		return send(c, problemOf(ctx, "POST "+NotificationsPath, err))
	case !awaited:
		return send(c, newProblem(http.StatusNotFound, "subscription_not_found", "no subscription has this address"))
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'")
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(token)
}

// notices reads the body as it came: Fiber would unpack it without a limit.
func notices(body []byte) ([]directory.Notice, *Problem) {
	if len(body) > bodyLimit {
		return nil, tooLarge()
	}
	var delivery struct {
		Value []struct {
			ClientState string `json:"clientState"`
			Lifecycle   string `json:"lifecycleEvent"`
		} `json:"value"`
	}
	if err := json.Unmarshal(body, &delivery); err != nil {
		return nil, newProblem(http.StatusBadRequest, "invalid_json", "the body is not a delivery of notifications")
	}
	all := make([]directory.Notice, len(delivery.Value))
	for i, v := range delivery.Value {
		all[i] = directory.Notice{Secret: v.ClientState, Lifecycle: v.Lifecycle}
	}
	return all, nil
}
