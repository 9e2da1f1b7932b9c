package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const sendersPath = "/installation/senders"

// accountsPage lists the accounts, for what is decided of each.
type accountsPage struct {
	Path        string // of this page, and before an account's handle
	Title, Lead string
	Accounts    []accounts.Account
	Pager       pager
}

func (accountsPage) template() string { return "accounts" }

func (w *site) accounts(c *fiber.Ctx, v visit) error {
	return w.listAccounts(c, v, accountsPage{Path: sendersPath, Title: "senders_title", Lead: "senders_lead"})
}

func (w *site) listAccounts(c *fiber.Ctx, v visit, p accountsPage) error {
	after, err := w.cursor(secrets.Account, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Accounts.List(v.ctx, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Account, all[len(all)-1].ID)
	}
	p.Accounts, p.Pager = all, turn(p.Path, nil, c.Query("from"), next)
	return render(c, p)
}

// sendersPage is what an account may send as.
type sendersPage struct {
	Account accounts.Account
	Senders []smsqueue.AllowedSender
	Sender  string // as it was typed
	Errors  []fieldError
}

func (sendersPage) template() string { return "senders" }

// Error is what is wrong with a field, or empty.
func (p sendersPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) senders(c *fiber.Ctx, v visit) error { return w.showSenders(c, v, sendersPage{}) }

func (w *site) showSenders(c *fiber.Ctx, v visit, p sendersPage) (err error) {
	if p.Account, err = w.Accounts.ByHandle(v.ctx, c.Params("account")); err != nil {
		return err
	}
	if p.Senders, err = w.Queue.AllowedSenders(v.ctx, p.Account.ID); err != nil {
		return err
	}
	return render(c, p)
}

func (w *site) allowSender(c *fiber.Ctx, v visit) error {
	acc, err := w.Accounts.ByHandle(v.ctx, c.Params("account"))
	if err != nil {
		return err
	}
	p := sendersPage{Sender: strings.TrimSpace(c.FormValue("sender"))}
	_, err = w.Queue.AllowSender(v.ctx, acc.ID, p.Sender)
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{"sender", v.say.text("sender_wrong")}}
		return w.showSenders(c.Status(statuses[refused.Kind]), v, p)
	}
	return w.sendersChanged(c, acc, err)
}

func (w *site) removeSender(c *fiber.Ctx, v visit) error {
	acc, err := w.Accounts.ByHandle(v.ctx, c.Params("account"))
	if err != nil {
		return err
	}
	return w.sendersChanged(c, acc, w.Queue.DisallowSender(v.ctx, acc.ID, c.FormValue("sender")))
}

func (w *site) sendersChanged(c *fiber.Ctx, acc accounts.Account, err error) error {
	if err != nil {
		return err
	}
	return c.Redirect(sendersPath+"/"+acc.Handle, fiber.StatusSeeOther)
}
