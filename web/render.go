package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
)

//go:embed templates/*.html
var templateFiles embed.FS

// page is what one template shows: a struct of its own for each.
type page interface {
	template() string // its file, without .html
}

// pages are the templates by language and name, parsed at boot: a fault in one
// keeps the program from starting.
var pages = parsePages()

// shared are the files that every page may use.
var shared = []string{"layout", "parts", "icons", "connection", "consent", "control",
	"subprocessorparts", "agreementparts", "budgetparts", "cardlayout"}

func parsePages() map[string]map[string]*template.Template {
	all := map[string]map[string]*template.Template{}
	for _, say := range tongues {
		base := template.New("base").Funcs(say.functions())
		for _, name := range shared {
			base = template.Must(base.ParseFS(templateFiles, "templates/"+name+".html"))
		}
		all[say.Code] = map[string]*template.Template{}
		for _, name := range pageNames() {
			one := template.Must(base.Clone())
			all[say.Code][name] = template.Must(one.ParseFS(templateFiles, "templates/"+name+".html"))
		}
	}
	return all
}

func pageNames() (names []string) {
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(path.Base(file), ".html"))
	}
	return names
}

// functions are what templates say in a language.
func (say *tongue) functions() template.FuncMap {
	return template.FuncMap{
		"t":      say.text,
		"count":  say.count,
		"word":   say.word,
		"n":      say.number,
		"money":  say.money,
		"when":   say.when,
		"clock":  say.clock,
		"day":    say.day,
		"static": staticURL,
	}
}

// frame is what is around a page.
type frame struct {
	Page     page
	Code     string // of the language
	Tongues  []choice
	SignedIn bool
	Session  accounts.Session
	Path     string // where the visitor is
}

// choice is one of several, of which one may be chosen.
type choice struct {
	Value, Text string
	Chosen      bool
}

// render writes a page. It is written whole or not at all.
func render(c *fiber.Ctx, p page) error {
	say := tongueOf(c)
	session, signedIn := sessionOf(c)
	f := frame{Page: p, Code: say.Code, Tongues: tongueChoices(say), SignedIn: signedIn, Session: session, Path: c.OriginalURL()}
	var out bytes.Buffer
	if err := pages[say.Code][p.template()].ExecuteTemplate(&out, "layout", f); err != nil {
		return fmt.Errorf("render %s: %w", p.template(), err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(out.Bytes())
}

func tongueChoices(now *tongue) (all []choice) {
	for _, say := range tongues {
		all = append(all, choice{Value: say.Code, Text: say.text("language_name"), Chosen: say == now})
	}
	return all
}

// Moves says whether the page has our module. Strangers' phones run nothing of ours.
func (f frame) Moves() bool {
	_, still := f.Page.(optOutPage)
	return !still
}

// Here says whether the visitor is in a section of the console: "" is the overview.
func (f frame) Here(sections ...string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(f.Path, "/"), "/")
	first, _, _ = strings.Cut(first, "?")
	return slices.Contains(sections, first)
}
