package web

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
)

var (
	errSignedOut = problem.New(problem.KindUnknown, "signed_out", "sign in first")
	errReadOnly  = problem.New(problem.KindForbidden, "read_only", "this user may look and not send")
	errNoManager = problem.New(problem.KindForbidden, "managers_only", "owners and administrators decide about this")
	errOperators = problem.New(problem.KindForbidden, "operators_only", "operators of the installation decide about this")
	errNoAccount = problem.New(problem.KindForbidden, "no_account", "this user belongs to no account")
)

// maySend says which roles may start something that texts people.
func maySend(role string) bool { return role == "owner" || role == "admin" || role == "sender" }

// mayManage says which roles may decide what is read of a directory.
func mayManage(role string) bool { return role == "owner" || role == "admin" }

// isHTTPS says that people reach the console over an encrypted connection.
func (w *site) isHTTPS() bool { return w.public.Scheme == "https" }

// sessionCookie has the prefix that makes browsers insist on Secure, the whole
// site and no other host (RFC 6265bis 4.1.3.2), where that can work.
func (w *site) sessionCookie() string {
	if w.isHTTPS() {
		return "__Host-varsel_session"
	}
	return "varsel_session"
}

func (w *site) session(c *fiber.Ctx, ctx context.Context) (accounts.Session, error) {
	token := c.Cookies(w.sessionCookie())
	if token == "" {
		return accounts.Session{}, errSignedOut
	}
	return w.became(c, ctx, token)
}

// became takes the session that a token opens as the request's.
func (w *site) became(c *fiber.Ctx, ctx context.Context, token string) (accounts.Session, error) {
	s, err := w.Accounts.Session(ctx, token)
	if err == nil {
		c.Locals(sessionKey, s)
	}
	return s, err
}

type localKey int

const sessionKey localKey = 0

// sessionOf is the session that was found for this request, if any.
func sessionOf(c *fiber.Ctx) (accounts.Session, bool) {
	s, ok := c.Locals(sessionKey).(accounts.Session)
	return s, ok
}

// When a cookie ends that does not end at a time.
var (
	untilClosed = time.Time{} // with the browser
	past        = time.Unix(1, 0)
)

func (w *site) setCookie(c *fiber.Ctx, name, value string, ends time.Time) {
	c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", Expires: ends,
		Secure: w.isHTTPS(), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode})
}

// localPath is a path of this site that somebody may be sent back to, or "/".
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
