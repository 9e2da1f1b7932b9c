package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/trail"
)

// record puts what a visitor changed into the audit trail, after it succeeded and
// before they are told. A request that changed something leads to another page: one
// that only looked something up, or was refused, shows its own.
func (w *site) record(c *fiber.Ctx, v visit, r route) {
	session, signedIn := sessionOf(c)
	if status := c.Response().StatusCode(); r.method == fiber.MethodGet || !signedIn || status < 300 || status >= 400 {
		return
	}
	step := trail.Step{Account: session.Account.ID, Action: "console." + r.method + " " + r.path, Status: c.Response().StatusCode(), Given: c.AllParams(), From: fromOf(c)}
	if r.access == operator {
		step.Account = 0
	}
	w.Trail.Done(audit.As(v.ctx, audit.Actor{Kind: audit.User, ID: session.User}), step)
}

func fromOf(c *fiber.Ctx) trail.From {
	return trail.From{IP: c.IP(), UserAgent: c.Get(fiber.HeaderUserAgent)}
}

// refuseRole records that somebody who is signed in tried to change what they may not.
func (w *site) refuseRole(c *fiber.Ctx, v visit, r route, err error) error {
	if r.method != fiber.MethodGet {
		w.Trail.Refused(v.ctx, trail.Refusal{Account: v.Account.ID, Action: "console.refused", Asked: r.method + " " + r.path, From: fromOf(c)})
	}
	return err
}

// refusedSignIn records a wrong password where the user is known. Looking takes as
// long where they are not.
func (w *site) refusedSignIn(ctx context.Context, c *fiber.Ctx, email string) error {
	user, account, err := w.Accounts.Known(ctx, email)
	if err == nil && user != 0 {
		w.Trail.Refused(audit.As(ctx, audit.Actor{Kind: audit.Person}), trail.Refusal{Account: account, Action: "console.sign_in_refused",
			Subject: secrets.User, SubjectID: user, From: fromOf(c)})
	}
	return err
}
