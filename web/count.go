package web

import (
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// textCount is what a text makes of itself on its way, in the visitor's words.
type textCount struct {
	Characters string `json:"characters"`
	Encoding   string `json:"encoding"`
	Parts      string `json:"parts"`
	Because    string `json:"because"` // why it needs the larger alphabet
	Reach      string `json:"reach"`   // who gets it
}

// longestText, in bytes, is far beyond what can be sent. A longer one is not
// counted while it is written.
const longestText = 64 << 10

var errTooLong = problem.Invalid("text", "the text is far too long")

func (w *site) countText(c *fiber.Ctx, v visit) error {
	text := strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n")
	if len(text) > longestText {
		return errTooLong
	}
	group, err := w.countedGroup(v, c.FormValue("group"))
	if err != nil {
		return err
	}
	return c.JSON(v.say.textCount(text, group))
}

func (w *site) countedGroup(v visit, name string) (*groupChoice, error) {
	if name == "" {
		return nil, nil
	}
	id, err := w.Names.ID(secrets.Group, name)
	if err != nil {
		return nil, err
	}
	g, err := w.Book.Group(v.ctx, v.Account.ID, id)
	return &groupChoice{Members: g.Members, Textable: g.Textable}, err
}

func (say *tongue) textCount(text string, group *groupChoice) textCount {
	encoding, parts := smstext.Count(text)
	n := textCount{
		Characters: say.count("characters", utf8.RuneCountInString(text)),
		Encoding:   say.word("encoding", string(encoding)),
		Parts:      say.count("parts", parts),
	}
	if encoding != smstext.GSM7 {
		n.Because = say.text("needs_unicode", "Character", beyondGSM(text))
	}
	if group != nil {
		n.Reach = say.reach(*group, parts)
	}
	return n
}

// beyondGSM is the first character that the GSM alphabet lacks.
func beyondGSM(text string) string {
	for _, r := range text {
		if encoding, _ := smstext.Count(string(r)); encoding != smstext.GSM7 {
			return string(r)
		}
	}
	return ""
}

func (say *tongue) reach(g groupChoice, parts int) string {
	reach := say.count("reach", g.Textable, "Parts", say.count("parts_in_all", g.Textable*parts))
	if without := g.Members - g.Textable; without > 0 {
		reach += " " + say.count("reach_without", without)
	}
	return reach
}
