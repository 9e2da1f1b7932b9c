package web

import (
	"bufio"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const (
	privacyPath = "/privacy"
	personPath  = privacyPath + "/person"
)

// privacyPage is where a person is looked for, and what was erased.
type privacyPage struct {
	Search   string
	Wrong    string // what is wrong with it
	Found    []personRow
	Erasures []erasureRow
	Pager    pager
}

func (privacyPage) template() string { return "privacy" }

type personRow struct {
	Path                string
	Name, Number, Email string
}

type erasureRow struct {
	ID, Reason string
	At, Lifted time.Time
	Stands     bool
	Replayed   bool
}

// personPage is what is held about a person, and what can be done for them.
type personPage struct {
	Ref, Name         string
	Numbers, Emails   []string
	Counts            []heldCount
	JSONPath, Reading string // of the exports
	Word, Reason      string // to be typed; as it was typed
	Errors            []fieldError
}

func (personPage) template() string { return "person" }

// Error is what is wrong with a field.
func (p personPage) Error(field string) string { return errorOf(p.Errors, field) }

type heldCount struct {
	Word string
	N    int
}

// erasedPage is told once.
type erasedPage struct {
	ID    string
	Still []string // object ids
}

func (erasedPage) template() string { return "erased" }

func (w *site) privacy(c *fiber.Ctx, v visit) error {
	p := privacyPage{Search: strings.TrimSpace(c.Query("q"))}
	if p.Search != "" {
		found, err := w.Privacy.Find(v.ctx, v.Account.ID, p.Search, pageSize)
		if refused := problem.As(err); refused != nil {
			p.Wrong, err = v.say.text("privacy_search_wrong"), nil
			c.Status(statuses[refused.Kind])
		}
		if err != nil {
			return err
		}
		for _, m := range found {
			p.Found = append(p.Found, personRow{Path: personAt(personPath, m.Ref), Name: strings.Join(m.Names, ", "), Number: strings.Join(m.Numbers, ", "),
				Email: strings.Join(m.Emails, ", ")})
		}
	}
	before, err := w.cursor(secrets.Erasure, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Privacy.Erasures(v.ctx, v.Account.ID, before, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Erasure, all[len(all)-1].ID)
	}
	for _, e := range all {
		p.Erasures = append(p.Erasures, erasureRow{ID: w.Names.Of(secrets.Erasure, e.ID), Reason: e.Reason, At: e.At, Lifted: e.Lifted, Stands: e.Lifted.IsZero(), Replayed: e.Replayed})
	}
	p.Pager = turn(privacyPath, url.Values{}, c.Query("from"), next)
	return render(c, p)
}

func personAt(path, ref string) string { return path + "?" + url.Values{"ref": {ref}}.Encode() }

func (w *site) person(c *fiber.Ctx, v visit) error {
	return w.showPerson(c, v, c.Query("ref"), personPage{})
}

func (w *site) showPerson(c *fiber.Ctx, v visit, ref string, p personPage) error {
	m, err := w.Privacy.Person(v.ctx, v.Account.ID, ref)
	if err != nil {
		return err
	}
	counts, err := w.Privacy.Counts(v.ctx, m.Person)
	if err != nil {
		return err
	}
	for _, one := range counts {
		p.Counts = append(p.Counts, heldCount{Word: v.say.word("held_section", one.Section), N: one.N})
	}
	p.Ref, p.Name, p.Numbers, p.Emails, p.Word = m.Ref, strings.Join(m.Names, ", "), m.Numbers, m.Emails, v.say.text("erase_word")
	export := personAt(personPath+"/export", m.Ref)
	p.JSONPath, p.Reading = export+"&format=json", export+"&format=html"
	return render(c, p)
}

// exportPatience bounds how long an export is written.
const exportPatience = 10 * time.Minute

// exportPerson is a file: a page of our own may not bring a style along, and one that is
// kept has to.
func (w *site) exportPerson(c *fiber.Ctx, v visit) error {
	m, err := w.Privacy.Person(v.ctx, v.Account.ID, c.Query("ref"))
	if err != nil {
		return err
	}
	format, kind, language := privacy.JSON, fiber.MIMEApplicationJSON, v.say.Code
	if c.Query("format") == privacy.HTML {
		format, kind = privacy.HTML, fiber.MIMETextHTMLCharsetUTF8
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="person.`+format+`"`)
	account, kept := v.Account.ID, context.WithoutCancel(v.ctx)
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		ctx, cancel := context.WithTimeout(kept, exportPatience)
		defer cancel()
		if err := w.Privacy.ExportPerson(ctx, account, m, format, language, out); err != nil {
			slog.Error("an export of a person ended before its end", "error", err)
		}
	})
	return nil
}

func (w *site) erasePerson(c *fiber.Ctx, v visit) error {
	p := personPage{Reason: strings.TrimSpace(c.FormValue("reason"))}
	ref := c.FormValue("ref")
	if !strings.EqualFold(strings.TrimSpace(c.FormValue("word")), v.say.text("erase_word")) {
		p.Errors = []fieldError{{"word", v.say.text("erase_word_wrong", "Word", v.say.text("erase_word"))}}
		return w.showPerson(c.Status(fiber.StatusUnprocessableEntity), v, ref, p)
	}
	e, err := w.Privacy.Erase(v.ctx, v.Account.ID, ref, p.Reason)
	if refused := problem.As(err); refused != nil && refused.Field == "reason" {
		p.Errors = []fieldError{{"reason", v.say.text("erase_reason_wrong")}}
		return w.showPerson(c.Status(statuses[refused.Kind]), v, ref, p)
	}
	if err != nil {
		return err
	}
	done := erasedPage{ID: w.Names.Of(secrets.Erasure, e.ID)}
	for _, o := range e.Still {
		done.Still = append(done.Still, o.ID)
	}
	return render(c, done)
}

func (w *site) confirmErasureLift(c *fiber.Ctx, v visit) error {
	if _, err := w.erasureNamed(c, v); err != nil {
		return err
	}
	return render(c, confirmPage{Title: v.say.text("erasure_lift_title"), Text: v.say.text("erasure_lift_text"), Button: v.say.text("erasure_lift"),
		Path: privacyPath + "/erasures/" + c.Params("id") + "/lift", Back: privacyPath, Crumb: link{Path: privacyPath, Text: v.say.text("privacy_title")}})
}

func (w *site) erasureNamed(c *fiber.Ctx, v visit) (privacy.Erasure, error) {
	id, err := w.Names.ID(secrets.Erasure, c.Params("id"))
	if err != nil {
		return privacy.Erasure{}, err
	}
	return w.Privacy.Erasure(v.ctx, v.Account.ID, id)
}

func (w *site) liftErasure(c *fiber.Ctx, v visit) error {
	e, err := w.erasureNamed(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Privacy.Lift(v.ctx, v.Account.ID, e.ID); err != nil {
		return err
	}
	return c.Redirect(privacyPath, fiber.StatusSeeOther)
}
