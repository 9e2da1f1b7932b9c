package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
)

const (
	// patience bounds an operation. A client's disconnect does not cancel the
	// context on Fiber, so nothing else would.
	patience = 10 * time.Second
	// bodyLimit is the largest body, in bytes.
	bodyLimit = 1 << 20
)

// guard stands before every operation: it sets the deadline, turns a panic into
// an answer, and refuses requests that huma cannot read.
func guard(ctx huma.Context, next func(huma.Context)) {
	c := humafiber.Unwrap(ctx)
	defer recovered(c, ctx.Operation())
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if p := unreadable(c); p != nil {
		send(c, p)
		return
	}
	limited, cancel := context.WithTimeout(ctx.Context(), patience)
	defer cancel()
	next(huma.WithContext(ctx, limited))
}

func unreadable(c *fiber.Ctx) *Problem {
	// The humafiber adapter relies on this having no error.
	if _, err := url.Parse(string(c.Request().RequestURI())); err != nil {
		return newProblem(http.StatusBadRequest, "bad_request", "the URL is not one")
	}
	// Fiber would unpack a body without a limit.
	if len(c.Request().Header.ContentEncoding()) > 0 {
		return newProblem(http.StatusUnsupportedMediaType, "unsupported_encoding", "send the body without a Content-Encoding")
	}
	return nil
}

func recovered(c *fiber.Ctx, op *huma.Operation) {
	if cause := recover(); cause != nil {
		send(c, unexpected(nameOf(op), fmt.Errorf("panic: %v", cause), "stack", string(debug.Stack())))
	}
}
