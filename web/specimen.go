package web

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/colour"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// specimen is a card of somebody who shows what a design looks like.
type specimen struct {
	Colours      string // address of its style sheet
	Layout, Font string
	Photo        bool
	Logo         string // its address
	Name, Title  string
	Initial      string
	Sections     []specimenSection
	Buttons      []string
	Code         template.URL // data:
	Wrong        []string     // why it cannot be saved as it is
	Warnings     []string
}

type specimenSection struct {
	Title  string
	Fields []specimenField
}

type specimenField struct{ Label, Value string }

// exampleSlug is nobody's: it has the length of all.
const exampleSlug = "7h2kx09qmz4bd8ra"

// example is somebody who has everything. The numbers are those that Norway keeps for
// fiction.
var example = map[string]string{
	"displayName": "Ingrid Solberg", "givenName": "Ingrid", "surname": "Solberg", "jobTitle": "Shift leader", "department": "Operations",
	"companyName": "Example Ltd", "mobilePhone": "+47 990 00 123", "businessPhones": "+47 22 99 00 00", "faxNumber": "+47 22 99 00 01",
	"mail": "ingrid.solberg@example.no", "streetAddress": "Storgata 1", "city": "Oslo", "state": "Oslo", "postalCode": "0155", "country": "Norway",
	"officeLocation": "2nd floor", "employeeId": "1042", "employeeType": "Employee",
}

func (w *site) specimen(v visit, b cards.Body) (specimen, error) {
	s := specimen{Colours: specimenColours(b.Looks), Layout: string(b.Looks.Layout), Font: string(b.Looks.Font), Photo: b.Looks.Photo}
	if b.Looks.Logo != 0 {
		s.Logo = "/cards/images/" + w.Names.Of(secrets.CardImage, b.Looks.Logo)
	}
	values := cards.Values{Taken: example, Once: map[string]string{}}
	for _, section := range b.Sections {
		for _, f := range section.Fields {
			values.Once[f.ID] = example[f.From]
		}
	}
	s.Name, s.Title = b.First(values, cards.FullName), b.First(values, cards.JobTitle)
	if s.Name != "" {
		s.Initial = string([]rune(s.Name)[:1])
	}
	for _, told := range b.Tell(values) {
		s.Sections = append(s.Sections, v.say.specimenSection(told))
	}
	for _, button := range b.Settings.Buttons {
		s.Buttons = append(s.Buttons, v.say.word("card_button", string(button)))
	}
	return s, w.drawSpecimen(v, b, &s)
}

func (say *tongue) specimenSection(told cards.ToldSection) specimenSection {
	s := specimenSection{Title: told.Title}
	for _, f := range told.Fields {
		if f.Kind == cards.FullName || f.Kind == cards.GivenName || f.Kind == cards.FamilyName || f.Kind == cards.JobTitle {
			continue // at the top, or for the vCard alone
		}
		label := f.Label
		if label == "" {
			label = say.word("card_kind", string(f.Kind))
		}
		s.Fields = append(s.Fields, specimenField{label, f.Value})
	}
	return s
}

// drawSpecimen draws the code, and says what keeps the design from being saved.
func (w *site) drawSpecimen(v visit, b cards.Body, s *specimen) error {
	checked, err := b.Checked()
	if wrong := problem.As(err); wrong != nil {
		s.Wrong = append(s.Wrong, v.say.designProblem(wrong, b))
	}
	look, err := w.Cards.Look(v.ctx, v.Account.ID, checked)
	if refused := problem.As(err); refused != nil {
		return s.say(v.say.problem(refused))
	}
	if err != nil {
		return err
	}
	code, err := look.Code(cards.CodeAddress(w.PublicURL, exampleSlug))
	if err == nil {
		err = code.Verify()
	}
	if refused := problem.As(err); refused != nil {
		return s.say(v.say.problem(refused))
	}
	if err != nil {
		return err
	}
	s.Code = template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(code.SVG()))
	for _, warning := range code.Warnings() {
		s.Warnings = append(s.Warnings, v.say.word("card_code_warning", string(warning)))
	}
	if b.Settings.Offline {
		s.Warnings = append(s.Warnings, v.say.word("card_code_warning", "fixed"))
	}
	return nil
}

func (s *specimen) say(wrong string) error {
	if len(s.Wrong) == 0 {
		s.Wrong = append(s.Wrong, wrong)
	}
	return nil
}

const specimenColoursPath = "/cards/templates/colours/:colours"

// specimenColours is the address of the colours, since a page may have no style of its own.
func specimenColours(l cards.Looks) string {
	return "/cards/templates/colours/" + strings.ReplaceAll(l.Primary+l.Background+l.Ink, "#", "") + ".css"
}

func (w *site) specimenStyle(c *fiber.Ctx, _ visit) error {
	text, ok := strings.CutSuffix(c.Params("colours"), ".css")
	if !ok || len(text) != 18 {
		return fiber.ErrNotFound
	}
	var all [3]colour.RGB
	for i := range all {
		if all[i], ok = colour.Parse("#" + text[6*i:6*i+6]); !ok {
			return fiber.ErrNotFound
		}
	}
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	return c.SendString(fmt.Sprintf(".specimen { --card-primary: %s; --card-ground: %s; --card-ink: %s; }\n", all[0], all[1], all[2]))
}
