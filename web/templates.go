package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type templatesPage struct {
	MaySend   bool
	Templates []templateRow
	Pager     pager
}

func (templatesPage) template() string { return "templates" }

type templateRow struct {
	ID, Name, Languages string
	Version             int
	Changed             time.Time
}

func (w *site) templates(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Template, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Queue.Templates(v.ctx, v.Account.ID, before, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	p, next := templatesPage{MaySend: maySend(v.Role)}, ""
	for _, t := range all {
		row := templateRow{ID: w.Names.Of(secrets.Template, t.ID), Name: t.Name, Version: t.Version.Number, Changed: t.Version.Created}
		var languages []string
		for _, text := range t.Version.Texts {
			languages = append(languages, text.Language)
		}
		row.Languages = strings.Join(languages, ", ")
		p.Templates = append(p.Templates, row)
		if more {
			next = row.ID
		}
	}
	p.Pager = turn("/templates", nil, c.Query("from"), next)
	return render(c, p)
}

// templatePage is a template to read, or the form that makes its next version.
type templatePage struct {
	ID, Title string // empty for a new one
	MayEdit   bool
	Archived  time.Time
	Once      string
	Name      string
	Texts     []templateText
	Fields    []string
	Earlier   []smsqueue.TemplateVersion
	Errors    []fieldError
}

func (templatePage) template() string { return "template" }

// templateText is a text in one language, as it is filled in.
type templateText struct {
	N              int // its place in the form
	Language, Text string
	Usual          bool // it is for those whose own language is missing
	Count          textCount
	Wrong          string
}

func (w *site) newTemplate(c *fiber.Ctx, v visit) error {
	return w.showTemplate(c, v, templatePage{MayEdit: true, Once: rand.Text(), Texts: []templateText{{Language: v.say.Code, Usual: true}}})
}

func (w *site) templateNamed(c *fiber.Ctx, v visit) (smsqueue.Template, error) {
	id, err := w.Names.ID(secrets.Template, c.Params("id"))
	if err != nil {
		return smsqueue.Template{}, err
	}
	return w.Queue.Template(v.ctx, v.Account.ID, id)
}

func (w *site) template(c *fiber.Ctx, v visit) error {
	t, err := w.templateNamed(c, v)
	if err != nil {
		return err
	}
	p := templatePage{ID: c.Params("id"), Title: t.Name, Name: t.Name, Archived: t.Archived, Once: rand.Text(),
		MayEdit: maySend(v.Role) && t.Archived.IsZero()}
	for _, text := range t.Version.Texts {
		p.Texts = append(p.Texts, templateText{Language: text.Language, Text: text.Text, Usual: text.Language == t.Version.Language})
	}
	return w.showTemplate(c, v, p)
}

// spareTexts is how many empty texts the form offers beside those there are.
const spareTexts = 1

func (w *site) showTemplate(c *fiber.Ctx, v visit, p templatePage) error {
	options, err := w.Queue.TextOptions(v.ctx)
	if err != nil {
		return err
	}
	if p.MayEdit {
		p.Texts = append(p.Texts, make([]templateText, spareTexts)...)
	}
	for i := range p.Texts {
		t := &p.Texts[i]
		t.N, t.Count = i+1, v.say.textCount(options, t.Text, false, nil)
	}
	p.Fields = fieldExamples()
	if p.ID != "" {
		id, err := w.Names.ID(secrets.Template, p.ID)
		if err != nil {
			return err
		}
		if p.Earlier, err = w.Queue.TemplateVersions(v.ctx, v.Account.ID, id); err != nil {
			return err
		}
		p.Earlier = p.Earlier[min(1, len(p.Earlier)):]
	}
	return render(c, p)
}

// saveTemplate makes a template, or the next version of one.
func (w *site) saveTemplate(c *fiber.Ctx, v visit) error {
	p := templatePage{ID: c.Params("id"), MayEdit: true, Once: c.FormValue("once"), Name: strings.TrimSpace(c.FormValue("name")), Texts: templateTexts(c)}
	p.Title = p.Name
	if p.Errors = v.say.wrongTexts(&p); len(p.Errors) > 0 {
		return w.showTemplate(c.Status(fiber.StatusUnprocessableEntity), v, p)
	}
	saved, err := w.storeTemplate(v, p)
	if refused := problem.As(err); refused != nil {
		field := refused.Field
		if refused.Code == "template_exists" {
			field = "name"
		}
		p.Errors = []fieldError{{field, v.say.problem(refused)}}
		return w.showTemplate(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect("/templates/"+w.Names.Of(secrets.Template, saved.ID), fiber.StatusSeeOther)
}

// templateTexts are the texts of the form, but for empty ones.
func templateTexts(c *fiber.Ctx) (all []templateText) {
	texts := c.Request().PostArgs().PeekMulti("text")
	languages := c.Request().PostArgs().PeekMulti("language")
	for i := range min(len(texts), len(languages)) {
		t := templateText{Language: strings.TrimSpace(string(languages[i])), Text: entered(string(texts[i])),
			Usual: c.FormValue("usual") == strconv.Itoa(i+1)}
		if strings.TrimSpace(t.Text) != "" {
			all = append(all, t)
		}
	}
	return all
}

// wrongTexts is what has to be corrected before anything can be asked of the queue.
func (say *tongue) wrongTexts(p *templatePage) (all []fieldError) {
	if p.Name == "" {
		all = append(all, fieldError{"name", say.text("problem_invalid_name")})
	}
	if len(p.Texts) == 0 {
		p.Texts = []templateText{{Language: say.Code, Usual: true}}
		all = append(all, fieldError{"text-1", say.text("write_a_text")})
	}
	for i := range p.Texts {
		t := &p.Texts[i]
		switch {
		case t.Language == "":
			t.Wrong = say.text("problem_invalid_language")
		default:
			t.Wrong = say.faulty(t.Text)
		}
		if t.Wrong != "" {
			all = append(all, fieldError{"text-" + strconv.Itoa(i+1), t.Wrong})
		}
	}
	return all
}

func (w *site) storeTemplate(v visit, p templatePage) (smsqueue.Template, error) {
	n := smsqueue.NewTemplate{Name: p.Name, RequestHash: p.hash()}
	n.Key = "console " + n.RequestHash
	for _, t := range p.Texts {
		n.Texts = append(n.Texts, smsqueue.TemplateText{Language: t.Language, Text: t.Text})
		if t.Usual {
			n.Language = t.Language
		}
	}
	if p.ID == "" {
		return w.Queue.AddTemplate(v.ctx, v.Account.ID, n)
	}
	id, err := w.Names.ID(secrets.Template, p.ID)
	if err != nil {
		return smsqueue.Template{}, err
	}
	return w.Queue.ChangeTemplate(v.ctx, v.Account.ID, id, n)
}

func (p templatePage) hash() string {
	sum := sha256.New()
	fields := []string{"template", p.ID, p.Once, p.Name}
	for _, t := range p.Texts {
		fields = append(fields, t.Language, t.Text, strconv.FormatBool(t.Usual))
	}
	for _, field := range fields {
		sum.Write([]byte(field))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Error is what is wrong with a field, or empty.
func (p templatePage) Error(field string) string {
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

func (w *site) confirmTemplate(c *fiber.Ctx, v visit) error {
	t, err := w.templateNamed(c, v)
	if err != nil {
		return err
	}
	one := "/templates/" + c.Params("id")
	return render(c, confirmPage{Title: v.say.text("archive_named", "Name", t.Name), Text: v.say.text("archive_text"), Button: v.say.text("archive"),
		Path: one + "/archive", Back: one, Crumb: link{Path: "/templates", Text: v.say.text("templates_title")}})
}

func (w *site) archiveTemplate(c *fiber.Ctx, v visit) error {
	t, err := w.templateNamed(c, v)
	if err != nil {
		return err
	}
	if err := w.Queue.ArchiveTemplate(v.ctx, v.Account.ID, t.ID); err != nil {
		return err
	}
	return c.Redirect("/templates", fiber.StatusSeeOther)
}
