package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/smstext"
	"github.com/varsel/varsel/smsqueue/window"
)

// composePage is the form of a new campaign, with what was entered and what is
// wrong with it.
type composePage struct {
	Form      composeForm
	Groups    []groupChoice
	Templates []choice
	Fields    []string // that a text can have
	Lanes     []laneChoice
	Sender    string // the account's, used when none is entered
	Windows   string // the account's, in which its own are
	Errors    []fieldError
	Count     textCount
	Forecast  *forecast // nil until it is asked for
}

func (composePage) template() string { return "compose" }

// composeForm is what the visitor has entered.
type composeForm struct {
	Once          string // names this form: sent twice, it starts one campaign
	Name          string
	Group         string // its public id
	Template      string // its public id; empty for a text
	Text          string
	Transliterate bool // it is sent in plain characters
	Sender        string
	Lane          string
	Ceiling       string // micro-units; empty for none
	Start         string // a local time in Zone; empty: at once
	Zone          string
	Validity      string // minutes
	Windows       string // its own
	Now           string // what the clocks show in Zone
}

type groupChoice struct {
	choice
	Members, Textable int
}

type laneChoice struct {
	choice
	Help string
}

// fieldError is what is wrong with a field; without a field, with the whole.
type fieldError struct {
	Field, Text string
}

// Error is what is wrong with a field, or empty.
func (p composePage) Error(field string) string {
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func (w *site) compose(c *fiber.Ctx, v visit) error {
	text, err := w.inviteText(v, c.Query("invite"))
	if err != nil {
		return err
	}
	return w.showForm(c, v, composePage{Form: composeForm{
		Once: rand.Text(), Group: c.Query("group"), Template: c.Query("template"), Text: text, Lane: string(smsqueue.Bulk)}})
}

func (w *site) composed(c *fiber.Ctx, v visit) error {
	p := composePage{Form: readForm(c)}
	if p.Errors = v.say.wrong(p.Form); len(p.Errors) > 0 {
		return w.showForm(c.Status(fiber.StatusUnprocessableEntity), v, p)
	}
	n, note, err := w.asked(v, p.Form)
	if err != nil {
		return w.refuse(c, v, p, err)
	}
	if c.FormValue("do") == "preview" {
		found, err := w.Queue.Preview(v.ctx, v.Account.ID, n)
		if err != nil {
			return w.refuse(c, v, p, err)
		}
		p.Forecast = v.say.forecast(found)
		return w.showForm(c, v, p)
	}
	started, err := w.Queue.StartCampaign(v.ctx, v.Account.ID, n)
	if err != nil {
		return w.refuse(c, v, p, err)
	}
	return c.Redirect("/campaigns/"+w.Names.Of(secrets.Campaign, started.ID)+noteQuery(note), fiber.StatusSeeOther)
}

// refuse shows the form again with what it is refused for.
func (w *site) refuse(c *fiber.Ctx, v visit, p composePage, err error) error {
	refused := problem.As(err)
	if refused == nil {
		return err
	}
	options, err := w.Queue.TextOptions(v.ctx)
	if err != nil {
		return err
	}
	p.Errors = []fieldError{v.say.fieldError(refused, p.Form, options)}
	return w.showForm(c.Status(statuses[refused.Kind]), v, p)
}

func readForm(c *fiber.Ctx) composeForm {
	return composeForm{
		Once: c.FormValue("once"), Name: strings.TrimSpace(c.FormValue("name")), Group: c.FormValue("group"), Template: c.FormValue("template"),
		Text:          entered(c.FormValue("text")),
		Transliterate: c.FormValue("transliterate") != "",
		Sender:        strings.TrimSpace(c.FormValue("sender")), Lane: c.FormValue("lane"), Ceiling: c.FormValue("ceiling"),
		Start: strings.TrimSpace(c.FormValue("start")), Zone: strings.TrimSpace(c.FormValue("zone")), Validity: strings.TrimSpace(c.FormValue("validity")),
		Windows: strings.TrimSpace(c.FormValue("windows")),
	}
}

// entered is a text as it was meant: a browser sends line ends as CR LF
// (HTML 4.10.21.4), and a handset wants one character.
func entered(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// wrong is what has to be corrected before anything can be asked of the queue.
func (say *tongue) wrong(f composeForm) (all []fieldError) {
	if f.Group == "" {
		all = append(all, fieldError{"group", say.text("choose_a_group")})
	}
	switch blank := strings.TrimSpace(f.Text) == ""; {
	case blank && f.Template == "":
		all = append(all, fieldError{"text", say.text("write_a_text")})
	case !blank && f.Template != "":
		all = append(all, fieldError{"template", say.text("text_or_template")})
	}
	if refused := problem.As(accounts.ValidSender(f.Sender)); refused != nil {
		all = append(all, fieldError{"sender", say.problem(refused)})
	}
	return all
}

// asked is the campaign that the form asks for. The same form with the same
// content is the same wish: a double click, or a reload, starts nothing more.
func (w *site) asked(v visit, f composeForm) (n smsqueue.NewCampaign, note window.Note, err error) {
	hash := f.hash()
	n = smsqueue.NewCampaign{Name: f.Name, Transliterate: f.Transliterate, Sender: f.Sender, Lane: smsqueue.Lane(f.Lane),
		Key: "console " + hash, RequestHash: hash}
	if n.Group, err = w.Names.ID(secrets.Group, f.Group); err != nil {
		return n, note, err
	}
	if f.Ceiling != "" {
		if n.CeilingMicro, err = strconv.ParseInt(f.Ceiling, 10, 64); err != nil {
			return n, note, fiber.ErrBadRequest
		}
	}
	if f.Template == "" {
		n.Text = f.Text
	} else if n.Template, err = w.Names.ID(secrets.Template, f.Template); err != nil {
		return n, note, err
	}
	if n.Validity, err = (planForm{Validity: f.Validity}).minutes(); err != nil {
		return n, note, err
	}
	if n.Windows, err = window.Parse(f.Windows); err != nil {
		return n, note, err
	}
	if f.Start != "" {
		n.Start, n.Zone, note, err = w.Queue.StartTime(v.ctx, v.Account.ID, f.Start, f.Zone)
	}
	return n, note, err
}

// sent is the text as it is sent.
func (f composeForm) sent() string {
	if !f.Transliterate {
		return f.Text
	}
	plain, _ := smstext.Transliterate(f.Text)
	return plain
}

func (f composeForm) hash() string {
	return formHash(f.Once, f.Name, f.Group, f.Template, f.Text, strconv.FormatBool(f.Transliterate), f.Sender, f.Lane, f.Ceiling, f.Start, f.Zone, f.Validity, f.Windows)
}

// formHash tells a form with what was entered from every other.
func formHash(fields ...string) string {
	sum := sha256.New()
	for _, field := range fields {
		sum.Write([]byte(field))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// fieldError puts a refusal beside the field it is about.
func (say *tongue) fieldError(p *problem.Problem, f composeForm, options smstext.Options) fieldError {
	switch {
	case p.Code == "group_not_found":
		return fieldError{"group", say.problem(p)}
	case p.Code == "template_not_found", p.Code == "template_archived":
		return fieldError{"template", say.problem(p)}
	case p.Field == "text" && say.faulty(f.Text) != "":
		return fieldError{"text", say.faulty(f.Text)}
	case p.Field == "text":
		_, parts := options.Count(f.sent())
		return fieldError{"text", say.count("text_too_long", parts)}
	case p.Field == "start_at", p.Field == "zone", p.Field == "validity":
		return say.planError(p)
	case p.Field == "windows":
		return fieldError{"windows", say.windowsError(p, f)}
	case p.Field == "sender", p.Field == "lane":
		return fieldError{p.Field, say.problem(p)}
	}
	return fieldError{"", say.problem(p)}
}

// windowsError says why a campaign cannot have these windows.
func (say *tongue) windowsError(p *problem.Problem, f composeForm) string {
	_, err := window.Parse(f.Windows)
	switch {
	case err != nil:
		return say.problem(p)
	case f.Lane == string(smsqueue.Urgent):
		return say.text("windows_urgent")
	}
	return say.text("windows_outside")
}

// mostGroups is how many groups the form offers; others are reached from the
// list of groups.
const mostGroups = 500

func (w *site) showForm(c *fiber.Ctx, v visit, p composePage) error {
	groups, err := w.Book.Groups(v.ctx, v.Account.ID, 0, mostGroups)
	if err != nil {
		return err
	}
	if groups, err = w.withChosen(v, groups, p.Form.Group); err != nil {
		return err
	}
	p.Groups = w.groupChoices(v.say, groups, p.Form.Group)
	if p.Templates, err = w.templateChoices(v, p.Form.Template); err != nil {
		return err
	}
	p.Fields = fieldExamples()
	p.Lanes = v.say.laneChoices(p.Form.Lane)
	p.Sender = v.Account.Sender
	rules, err := w.Queue.Rules(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.Windows = rules.Windows.String()
	v.say.fillPlan(rules, &p.Form)
	options, err := w.Queue.TextOptions(v.ctx)
	if err != nil {
		return err
	}
	chosen := chosenOf(p.Groups)
	if p.Form.Template != "" {
		chosen = nil // what they get is not in the text
	}
	p.Count = v.say.textCount(options, p.Form.Text, p.Form.Transliterate, chosen)
	return render(c, p)
}

// fillPlan offers the account's zone, and says what the clocks there show.
func (say *tongue) fillPlan(rules smsqueue.Rules, f *composeForm) {
	if f.Zone == "" {
		f.Zone = rules.Zone
	}
	if zone, err := window.Zone(f.Zone); err == nil {
		f.Now = say.local(time.Now(), zone)
	}
}

// withChosen adds the chosen group when it is not among the first.
func (w *site) withChosen(v visit, groups []contacts.Group, chosen string) ([]contacts.Group, error) {
	id, err := w.Names.ID(secrets.Group, chosen)
	if err != nil || len(groups) < mostGroups || id <= groups[len(groups)-1].ID {
		return groups, nil
	}
	g, err := w.Book.Group(v.ctx, v.Account.ID, id)
	if problem.As(err) != nil {
		return groups, nil
	}
	return append(groups, g), err
}

func (w *site) groupChoices(say *tongue, groups []contacts.Group, chosen string) (all []groupChoice) {
	for _, g := range groups {
		name := w.Names.Of(secrets.Group, g.ID)
		all = append(all, groupChoice{choice: choice{Value: name, Chosen: name == chosen,
			Text: say.count("group_choice", g.Textable, "Name", g.Name)}, Members: g.Members, Textable: g.Textable})
	}
	return all
}

// mostTemplates is how many templates the form offers, the newest first.
const mostTemplates = 200

func (w *site) templateChoices(v visit, chosen string) (all []choice, err error) {
	templates, err := w.Queue.Templates(v.ctx, v.Account.ID, 0, mostTemplates)
	for _, t := range templates {
		name := w.Names.Of(secrets.Template, t.ID)
		all = append(all, choice{Value: name, Text: t.Name, Chosen: name == chosen})
	}
	return all, err
}

// fieldExamples are the fields as they are written into a text.
func fieldExamples() (all []string) {
	for _, name := range smsqueue.TextFields {
		all = append(all, "{{"+name+"}}")
	}
	return append(all, "{{custom.…}}")
}

func chosenOf(all []groupChoice) *groupChoice {
	for i := range all {
		if all[i].Chosen {
			return &all[i]
		}
	}
	return nil
}

func (say *tongue) laneChoices(chosen string) (all []laneChoice) {
	for _, l := range []smsqueue.Lane{smsqueue.Bulk, smsqueue.Normal, smsqueue.Urgent} {
		all = append(all, laneChoice{choice{string(l), say.word("lane", string(l)), string(l) == chosen}, say.word("lane_help", string(l))})
	}
	return all
}
