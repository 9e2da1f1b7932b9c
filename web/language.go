package web

import (
	"embed"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/varsel/varsel/internal/problem"
)

// The catalogue: one file a language, every text of the console in each.
//
//go:embed languages/*.json
var languageFiles embed.FS

// tongue speaks one language: texts, numbers, times and amounts of money.
type tongue struct {
	Code    string // BCP 47
	texts   *i18n.Localizer
	has     map[string]bool // the ids of its texts
	numbers *message.Printer
	months  []string // short names
	comma   string   // between units and decimals
}

// tongues are the languages of the console; the first is for visitors who want
// none of them.
var tongues = loadTongues("en", "nb", "pl")

func loadTongues(codes ...string) []*tongue {
	bundle := i18n.NewBundle(language.English)
	var all []*tongue
	for _, code := range codes {
		name := "languages/" + code + ".json"
		text, err := languageFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		file, err := bundle.ParseMessageFileBytes(text, name)
		if err != nil {
			panic(err)
		}
		all = append(all, newTongue(bundle, code, file.Messages))
	}
	return all
}

func newTongue(bundle *i18n.Bundle, code string, texts []*i18n.Message) *tongue {
	say := &tongue{Code: code, has: map[string]bool{}, numbers: message.NewPrinter(language.MustParse(code)),
		texts: i18n.NewLocalizer(bundle, code)}
	for _, t := range texts {
		say.has[t.ID] = true
	}
	say.months = strings.Fields(say.text("months_short"))
	say.comma = strings.Trim(say.numbers.Sprint(0.5), "05")
	return say
}

var matcher = func() language.Matcher {
	var tags []language.Tag
	for _, say := range tongues {
		tags = append(tags, language.MustParse(say.Code))
	}
	return language.NewMatcher(tags)
}()

const languageCookie = "varsel_language"

// tongueOf is what the visitor has chosen, else what the browser asks for.
func tongueOf(c *fiber.Ctx) *tongue {
	chosen := c.Cookies(languageCookie)
	for _, say := range tongues {
		if say.Code == chosen {
			return say
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(c.Get(fiber.HeaderAcceptLanguage))
	if err != nil || len(wanted) == 0 {
		return tongues[0]
	}
	_, i, _ := matcher.Match(wanted...)
	return tongues[i]
}

const languageKept = 365 * 24 * time.Hour

func (w *site) chooseLanguage(c *fiber.Ctx, _ visit) error {
	for _, say := range tongues {
		if say.Code == c.FormValue("language") {
			w.setCookie(c, languageCookie, say.Code, time.Now().Add(languageKept))
		}
	}
	return c.Redirect(localPath(c.FormValue("back")), fiber.StatusSeeOther)
}

// text is a text of the catalogue. args are pairs of a name in it and a value.
func (say *tongue) text(id string, args ...any) string {
	return say.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: pairs(args)})
}

// count is a text in the form that goes with a number, which it calls N.
func (say *tongue) count(id string, n int, args ...any) string {
	data := pairs(append(args, "N", say.number(n)))
	return say.localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: data, PluralCount: n})
}

func (say *tongue) localize(what *i18n.LocalizeConfig) string {
	text, err := say.texts.Localize(what)
	if err != nil {
		slog.Error("a text is missing", "language", say.Code, "id", what.MessageID, "error", err)
	}
	if text == "" {
		return what.MessageID
	}
	return text
}

func pairs(args []any) map[string]any {
	named := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		named[args[i].(string)] = args[i+1]
	}
	return named
}

// word is the text of one value of a family: word("status", "sent") is the text
// status_sent. A value that the catalogue does not know is shown as it is.
func (say *tongue) word(family, value string) string {
	if id := family + "_" + value; say.has[id] {
		return say.text(id)
	}
	return strings.ReplaceAll(value, "_", " ")
}

// problem is what a refusal says. One that the catalogue does not know says it
// in the words of the room it comes from, which others take as their Detail.
func (say *tongue) problem(p *problem.Problem) string {
	if id := "problem_" + p.Code; say.has[id] {
		return say.text(id, "Detail", p.Text)
	}
	return p.Text
}
