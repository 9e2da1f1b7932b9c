package web

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	keysPath          = "/keys"
	operatorsKeysPath = "/installation/keys"
)

// keysPage lists API keys: an account's with their scopes and who answers for them, or
// the operators' with what they are for.
type keysPage struct {
	Path      string
	Operators bool
	Rows      []keyRow
	Made      string   // shown this once
	Scopes    []choice // of a new key of the account
	Name      string   // as it was typed: the operators' key's name, or the owner's e-mail address
	Errors    []fieldError
}

func (keysPage) template() string { return "keys" }

// Error is what is wrong with a field, or empty.
func (p keysPage) Error(field string) string { return errorOf(p.Errors, field) }

type keyRow struct {
	ID      string
	For     string // its name or its owner
	Scopes  []string
	Flagged time.Time // when its owner left
	Created time.Time
}

func (w *site) keys(c *fiber.Ctx, v visit) error {
	return w.showKeys(c, v, keysPage{Made: w.shownOnce(c, keysPath)})
}

func (w *site) showKeys(c *fiber.Ctx, v visit, p keysPage) error {
	all, err := w.Accounts.Keys(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.Path = keysPath
	for _, k := range all {
		p.Rows = append(p.Rows, keyRow{ID: w.Names.Of(secrets.Key, k.ID), For: k.Owner, Scopes: v.say.scopes(k.Scopes), Flagged: k.Flagged, Created: k.Created})
	}
	if p.Scopes == nil {
		p.Scopes = v.say.scopeChoices(nil)
	}
	return render(c, p)
}

func (say *tongue) scopes(all []string) (words []string) {
	for _, one := range all {
		words = append(words, say.word("scope", scopeWord(one)))
	}
	return words
}

// scopeWord is a scope as the catalogue's ids write it.
func scopeWord(scope string) string {
	if scope == "*" {
		return "everything"
	}
	return strings.ReplaceAll(scope, ":", "_")
}

func (say *tongue) scopeChoices(chosen []string) (all []choice) {
	for _, one := range accounts.Scopes() {
		all = append(all, choice{Value: one, Text: say.word("scope", scopeWord(one)), Chosen: slices.Contains(chosen, one)})
	}
	return all
}

func (w *site) addKey(c *fiber.Ctx, v visit) error {
	var scopes []string
	for _, one := range c.Request().PostArgs().PeekMulti("scope") {
		scopes = append(scopes, string(one))
	}
	_, secret, err := w.Accounts.CreateKey(v.ctx, v.Account.ID, scopes, v.Email)
	if refused := problem.As(err); refused != nil {
		return w.showKeys(c.Status(statuses[refused.Kind]), v, keysPage{Scopes: v.say.scopeChoices(scopes), Errors: []fieldError{{"scope", v.say.text("key_scopes_wrong")}}})
	}
	return w.keyMade(c, keysPath, secret, err)
}

// keyMade takes a key to the page that shows it once, as tokenMade does.
func (w *site) keyMade(c *fiber.Ctx, path, secret string, err error) error {
	if err != nil {
		return err
	}
	w.setCookie(c, w.madeCookie(), path+" "+secret, time.Now().Add(madeFor))
	return c.Redirect(path, fiber.StatusSeeOther)
}

// shownOnce is what was just made for a page, or empty.
func (w *site) shownOnce(c *fiber.Ctx, path string) string {
	at, secret, _ := strings.Cut(c.Cookies(w.madeCookie()), " ")
	if at != path {
		return ""
	}
	w.setCookie(c, w.madeCookie(), "", past)
	return secret
}

func (w *site) confirmKey(path string) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		if _, err := w.Names.ID(secrets.Key, c.Params("id")); err != nil {
			return err
		}
		return render(c, confirmPage{Title: v.say.text("key_revoke_title"), Text: v.say.text("key_revoke_text", "ID", c.Params("id")), Button: v.say.text("revoke"),
			Path: path + "/" + c.Params("id") + "/revoke", Back: path, Crumb: link{Path: path, Text: v.say.text("keys_title")}})
	}
}

func (w *site) revokeKey(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Key, c.Params("id"))
	if err != nil {
		return err
	}
	if err := w.Accounts.RevokeKey(v.ctx, v.Account.ID, id); err != nil {
		return err
	}
	return c.Redirect(keysPath, fiber.StatusSeeOther)
}

func (w *site) operatorKeys(c *fiber.Ctx, v visit) error {
	return w.showOperatorKeys(c, v, keysPage{Made: w.shownOnce(c, operatorsKeysPath)})
}

func (w *site) showOperatorKeys(c *fiber.Ctx, v visit, p keysPage) error {
	all, err := w.Accounts.OperatorKeys(v.ctx)
	if err != nil {
		return err
	}
	p.Path, p.Operators = operatorsKeysPath, true
	for _, k := range all {
		p.Rows = append(p.Rows, keyRow{ID: w.Names.Of(secrets.Key, k.ID), For: k.Name, Created: k.Created})
	}
	return render(c, p)
}

func (w *site) addOperatorKey(c *fiber.Ctx, v visit) error {
	p := keysPage{Name: strings.TrimSpace(c.FormValue("name"))}
	_, secret, err := w.Accounts.CreateOperatorKey(v.ctx, p.Name)
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{"name", v.say.text("key_name_wrong")}}
		return w.showOperatorKeys(c.Status(statuses[refused.Kind]), v, p)
	}
	return w.keyMade(c, operatorsKeysPath, secret, err)
}

func (w *site) revokeOperatorKey(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Key, c.Params("id"))
	if err != nil {
		return err
	}
	if err := w.Accounts.RevokeOperatorKey(v.ctx, id); err != nil {
		return err
	}
	return c.Redirect(operatorsKeysPath, fiber.StatusSeeOther)
}
