package web

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// connectPage is the form of the three values, with what the check said of
// those that were entered. A secret is never shown again, not even here.
type connectPage struct {
	NoAgreement string // then nothing else is offered
	Suspended   string // why the plan refuses it
	Consent     bool   // the installation has an app of its own to consent to
	Form        connectForm
	Clouds      []choice
	More        bool // what is seldom needed is open
	Findings    []findingRow
	Errors      []fieldError
}

func (connectPage) template() string { return "connect" }

// Permissions are what the app is granted, in Microsoft's words.
func (connectPage) Permissions() []string {
	return []string{"User.Read.All", "Group.Read.All", "GroupMember.Read.All"}
}

type connectForm struct {
	Tenant, Client, Cloud, Expires string
	Preview                        bool
	Known                          string // the connection that gets new values; it keeps what was decided
}

// Error is what is wrong with a field, or empty.
func (p connectPage) Error(field string) string { return errorOf(p.Errors, field) }

func errorOf(all []fieldError, field string) string {
	for _, e := range all {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

// findingRow is one step of a check.
type findingRow struct {
	Step, Outcome string
	said
}

func (say *tongue) findings(r directory.Report) (rows []findingRow) {
	for _, f := range r {
		row := findingRow{Step: f.Step, Outcome: f.Outcome}
		if f.Outcome == directory.Broken {
			row.said = say.finding(f.Code, f.Text)
		}
		rows = append(rows, row)
	}
	return rows
}

// connectForm has the preview chosen: what the directory holds is to be seen
// before the address book follows.
func (w *site) connectForm(c *fiber.Ctx, v visit) error {
	p := connectPage{Consent: w.Directory.OffersConsent(), Form: connectForm{Cloud: directory.GlobalCloud, Preview: true}}
	if name := c.Query("connection"); name != "" {
		id, err := w.Names.ID(secrets.Connection, name)
		if err != nil {
			return err
		}
		one, err := w.Directory.Connection(v.ctx, v.Account.ID, id)
		if err != nil {
			return err
		}
		if one.Kind == directory.FromSCIM {
			return c.Redirect("/directory/"+name+"/tokens", fiber.StatusSeeOther)
		}
		p.Form = connectForm{Tenant: one.Tenant, Client: one.Client, Cloud: one.Cloud, Known: name}
	}
	return w.showConnect(c, v, p)
}

func (w *site) showConnect(c *fiber.Ctx, v visit, p connectPage) error {
	lacks, err := w.lacksAgreement(v)
	if err != nil {
		return err
	}
	p.NoAgreement = lacks
	if p.Suspended, err = w.suspended(v); err != nil {
		return err
	}
	for _, name := range []string{directory.GlobalCloud, directory.USGovCloud, directory.DoDCloud, directory.ChinaCloud} {
		p.Clouds = append(p.Clouds, choice{name, v.say.word("cloud", name), name == p.Form.Cloud})
	}
	for _, field := range []string{"certificate", "cloud", "secret_expires"} {
		p.More = p.More || p.Error(field) != ""
	}
	p.More = p.More || p.Form.Cloud != directory.GlobalCloud || p.Form.Expires != ""
	return render(c, p)
}

// checkPatience is for a page that waits for a directory's answers.
const checkPatience = time.Minute

func (w *site) connectPost(c *fiber.Ctx, v visit) error {
	p := connectPage{Consent: w.Directory.OffersConsent(), Form: connectForm{Tenant: strings.TrimSpace(c.FormValue("tenant")), Client: strings.TrimSpace(c.FormValue("client_id")),
		Cloud: c.FormValue("cloud"), Expires: c.FormValue("secret_expires"), Preview: c.FormValue("preview") != "",
		Known: c.FormValue("connection")}}
	expires, err := dayOf("secret_expires", p.Form.Expires)
	if err != nil {
		return w.connectRefused(c, v, p, problem.As(err))
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), checkPatience)
	defer cancel()
	v.ctx = ctx
	if err := w.choosePreview(v, p.Form); err != nil {
		return err
	}
	_, report, err := w.Directory.Connect(ctx, v.Account.ID, directory.Setup{
		Credentials: directory.Credentials{Tenant: p.Form.Tenant, Client: p.Form.Client, Secret: c.FormValue("secret"), Certificate: c.FormValue("certificate")},
		Cloud:       p.Form.Cloud, SecretExpires: expires, Preview: p.Form.Preview,
	})
	if refused := problem.As(err); refused != nil {
		return w.connectRefused(c, v, p, refused)
	}
	if err != nil {
		return err
	}
	if !report.OK() {
		p.Findings = v.say.findings(report)
		return w.showConnect(c.Status(fiber.StatusUnprocessableEntity), v, p)
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}

// choosePreview keeps the choice for a tenant that was entered before, as its
// connection goes on with what was decided then.
func (w *site) choosePreview(v visit, f connectForm) error {
	all, err := w.Directory.Connections(v.ctx, v.Account.ID)
	if err != nil || f.Known != "" {
		return err
	}
	for _, one := range all {
		if one.Tenant == strings.ToLower(f.Tenant) && one.State == directory.Disconnected && one.Preview != f.Preview {
			return w.Directory.Change(v.ctx, v.Account.ID, one.ID, one.Settings, one.Every, f.Preview)
		}
	}
	return nil
}

func (w *site) connectRefused(c *fiber.Ctx, v visit, p connectPage, refused *problem.Problem) error {
	p.Errors = []fieldError{{refused.Field, v.say.problem(refused)}}
	return w.showConnect(c.Status(statuses[refused.Kind]), v, p)
}

// dayOf reads a date field, as the beginning of the day in UTC. Empty is no day.
func dayOf(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, problem.Invalid(field, "the day is written as 2027-01-31")
	}
	return day, nil
}

// checkPage is what the last check found.
type checkPage struct {
	head
	Disconnected bool
	OK           bool
	Checked      time.Time
	Findings     []findingRow
}

func (checkPage) template() string { return "check" }

func (w *site) checked(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	if one.Kind == directory.FromSCIM {
		return c.Redirect("/directory/"+c.Params("id")+"/tokens", fiber.StatusSeeOther)
	}
	h, err := w.headOf(v, one, "check")
	if err != nil {
		return err
	}
	return render(c, checkPage{head: h, Disconnected: one.State == directory.Disconnected,
		OK: directory.Report(one.Findings).OK(), Checked: one.Checked, Findings: v.say.findings(one.Findings)})
}

// headOf is for pages that do not look at the runs anyway.
func (w *site) headOf(v visit, one directory.Connection, here string) (head, error) {
	state, err := lookAtSync(v.ctx, w.Directory, one)
	if err != nil {
		return head{}, err
	}
	return w.head(v, one, !state.analysed, here)
}

func (w *site) check(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), checkPatience)
	defer cancel()
	if _, _, err := w.Directory.Check(ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect("/directory/"+c.Params("id")+"/check", fiber.StatusSeeOther)
}

type disconnectPage struct {
	head
}

func (disconnectPage) template() string { return "disconnect" }

func (w *site) disconnectForm(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	h, err := w.headOf(v, one, "")
	if err != nil {
		return err
	}
	return render(c, disconnectPage{h})
}

func (w *site) disconnect(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	if err := w.Directory.Disconnect(v.ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}
