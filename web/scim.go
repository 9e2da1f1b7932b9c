package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// scimPage is the form that lets a directory write to us.
type scimPage struct {
	NoAgreement string // then nothing else is offered
	Suspended   string // why the plan refuses it
	Name        string
	Errors      []fieldError
}

func (scimPage) template() string { return "scim" }

// Error is what is wrong with a field, or empty.
func (p scimPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) scimForm(c *fiber.Ctx, v visit) error {
	return w.showSCIM(c, v, scimPage{Name: v.Account.Name})
}

func (w *site) showSCIM(c *fiber.Ctx, v visit, p scimPage) error {
	lacks, err := w.lacksAgreement(v)
	if err != nil {
		return err
	}
	p.NoAgreement = lacks
	if p.Suspended, err = w.suspended(v); err != nil {
		return err
	}
	return render(c, p)
}

func (w *site) scimPost(c *fiber.Ctx, v visit) error {
	p := scimPage{Name: strings.TrimSpace(c.FormValue("name"))}
	one, token, err := w.Directory.ConnectSCIM(v.ctx, v.Account.ID, p.Name)
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.tokenErrors(refused)
		return w.showSCIM(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return w.tokenMade(c, w.Names.Of(secrets.Connection, one.ID), token)
}

func (say *tongue) tokenErrors(refused *problem.Problem) []fieldError {
	if refused.Field == "name" {
		return []fieldError{{"name", say.text("token_name_wrong")}}
	}
	return []fieldError{{refused.Field, say.problem(refused)}}
}

// madeFor is how long a token waits to be shown.
const madeFor = time.Minute

// madeCookie takes a token to the page that shows it, which removes it: to load
// that page again neither shows the token nor makes another.
func (w *site) madeCookie() string {
	if w.isHTTPS() {
		return "__Host-varsel_made"
	}
	return "varsel_made"
}

func (w *site) tokenMade(c *fiber.Ctx, connection, token string) error {
	w.setCookie(c, w.madeCookie(), connection+"."+token, time.Now().Add(madeFor))
	return c.Redirect("/directory/"+connection+"/tokens", fiber.StatusSeeOther)
}

// madeToken is what was just made for this connection, or empty.
func (w *site) madeToken(c *fiber.Ctx, v visit) string {
	kept := c.Cookies(w.madeCookie())
	connection, token, _ := strings.Cut(kept, ".")
	if connection != c.Params("id") || !mayManage(v.Role) {
		return ""
	}
	w.setCookie(c, w.madeCookie(), "", past)
	return token
}

// tokensPage is what Entra needs to write to us.
type tokensPage struct {
	head
	TenantURL string
	Encrypted bool // as Entra wants it
	Made      string
	Tokens    []tokenRow
	Name      string
	Errors    []fieldError
}

func (tokensPage) template() string { return "tokens" }

// Error is what is wrong with a field, or empty.
func (p tokensPage) Error(field string) string { return errorOf(p.Errors, field) }

type tokenRow struct {
	directory.SCIMToken
	ID string
}

func (w *site) tokens(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	if one.Kind != directory.FromSCIM {
		return c.Redirect("/directory/"+c.Params("id")+"/check", fiber.StatusSeeOther)
	}
	return w.showTokens(c, v, one, tokensPage{Made: w.madeToken(c, v)})
}

func (w *site) showTokens(c *fiber.Ctx, v visit, one directory.Connection, p tokensPage) (err error) {
	if p.head, err = w.headOf(v, one, "tokens"); err != nil {
		return err
	}
	p.TenantURL = cmp.Or(strings.TrimRight(w.PublicURL, "/"), c.BaseURL()) + directory.SCIMPath
	p.Encrypted = strings.HasPrefix(p.TenantURL, "https://")
	for _, t := range p.head.tokens {
		p.Tokens = append(p.Tokens, tokenRow{t, w.Names.Of(secrets.Token, t.ID)})
	}
	return render(c, p)
}

func (w *site) addToken(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	p := tokensPage{Name: strings.TrimSpace(c.FormValue("name"))}
	_, token, err := w.Directory.NewSCIMToken(v.ctx, v.Account.ID, one.ID, p.Name)
	if refused := problem.As(err); refused != nil && one.Kind == directory.FromSCIM {
		p.Errors = v.say.tokenErrors(refused)
		return w.showTokens(c.Status(statuses[refused.Kind]), v, one, p)
	}
	if err != nil {
		return err
	}
	return w.tokenMade(c, c.Params("id"), token)
}

// tokenOf is the connection's token that the address names.
func (w *site) tokenOf(c *fiber.Ctx, v visit) (t directory.SCIMToken, err error) {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return t, err
	}
	id, err := w.Names.ID(secrets.Token, c.Params("token"))
	if err != nil {
		return t, err
	}
	all, err := w.Directory.SCIMTokens(v.ctx, v.Account.ID, one.ID)
	if err != nil {
		return t, err
	}
	i := slices.IndexFunc(all, func(t directory.SCIMToken) bool { return t.ID == id })
	if i < 0 {
		return t, problem.NotFound("token", c.Params("token"))
	}
	return all[i], nil
}

func (w *site) confirmRevoke(c *fiber.Ctx, v visit) error {
	t, err := w.tokenOf(c, v)
	if err != nil {
		return err
	}
	back := "/directory/" + c.Params("id") + "/tokens"
	return render(c, confirmPage{Title: v.say.text("revoke_named", "Name", t.Name), Text: v.say.text("revoke_text"), Button: v.say.text("revoke"),
		Path: back + "/" + c.Params("token") + "/revoke", Back: back, Crumb: link{Path: "/directory", Text: v.say.text("nav_integrations")}})
}

func (w *site) revokeToken(c *fiber.Ctx, v visit) error {
	t, err := w.tokenOf(c, v)
	if err != nil {
		return err
	}
	if err := w.Directory.RevokeSCIMToken(v.ctx, v.Account.ID, t.Connection, t.ID); err != nil {
		return err
	}
	return c.Redirect("/directory/"+c.Params("id")+"/tokens", fiber.StatusSeeOther)
}

// lastWritten is when a directory last came with one of its tokens.
func lastWritten(tokens []directory.SCIMToken) (at time.Time) {
	for _, t := range tokens {
		if t.Used.After(at) {
			at = t.Used
		}
	}
	return at
}
