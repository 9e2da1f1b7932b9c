package web

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/merge"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// textCount is what a text makes of itself on its way, in the visitor's words.
type textCount struct {
	Characters string `json:"characters"`
	Encoding   string `json:"encoding"`
	Parts      string `json:"parts"`
	Left       string `json:"left"`    // what still fits in the last part
	Because    string `json:"because"` // why it needs the larger alphabet
	Fields     string `json:"fields"`  // what is to be known of its fields, or wrong with them
	Saves      string `json:"saves"`   // what transliterating it would save; empty: it is not offered
	Plain      string `json:"plain"`   // what it would become then
	Reach      string `json:"reach"`   // who gets it
	Sent       string `json:"sent"`    // what they get
}

// longestText, in bytes, is far beyond what can be sent. A longer one is not
// counted while it is written.
const longestText = 64 << 10

var errTooLong = problem.Invalid("text", "the text is far too long")

func (w *site) countText(c *fiber.Ctx, v visit) error {
	text := entered(c.FormValue("text"))
	if len(text) > longestText {
		return errTooLong
	}
	group, err := w.countedGroup(v, c.FormValue("group"))
	if err != nil {
		return err
	}
	if c.FormValue("template") != "" {
		group = nil // what they get is not in the text
	}
	options, err := w.Queue.TextOptions(v.ctx)
	if err != nil {
		return err
	}
	return c.JSON(v.say.textCount(options, text, c.FormValue("transliterate") != "", group))
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

func (say *tongue) textCount(options smstext.Options, text string, transliterate bool, group *groupChoice) textCount {
	plain, _ := smstext.Transliterate(text)
	n := say.offer(options, text, plain, transliterate)
	if n.Sent = text; transliterate {
		n.Sent = plain
	}
	a := options.Analyse(n.Sent)
	n.Characters = say.count("characters", utf8.RuneCountInString(n.Sent))
	n.Encoding = say.word("encoding", string(a.Encoding))
	n.Parts = say.count("parts", len(a.Parts))
	n.Left = say.count("left_in_part", a.Left)
	if len(a.Forcing) > 0 {
		n.Because = say.text("needs_unicode", "Characters", say.forcing(a.Forcing))
	}
	n.Fields = say.fieldsIn(text)
	if group != nil && n.Fields == "" {
		n.Reach = say.reach(*group, len(a.Parts))
	}
	return n
}

// fieldsIn says that a text has fields, or what is wrong with them.
func (say *tongue) fieldsIn(text string) string {
	if wrong := say.faulty(text); wrong != "" {
		return wrong
	}
	if parsed, err := smsqueue.ParseText(text); err == nil && !parsed.Plain() {
		return say.text("fields_are_filled")
	}
	return ""
}

// faulty says what is wrong with the fields of a text, or nothing.
func (say *tongue) faulty(text string) string {
	_, err := smsqueue.ParseText(text)
	var fault *merge.Error
	switch {
	case !errors.As(err, &fault):
		return ""
	case fault.Fault == merge.Unclosed:
		return say.text("field_unclosed", "At", say.number(fault.At+1))
	}
	return say.text("field_unknown", "Name", "{{"+fault.Name+"}}", "At", say.number(fault.At+1))
}

// offer shows what becomes of a text that is cheaper in plain characters. What
// was chosen stays in sight, whatever has been written since.
func (say *tongue) offer(options smstext.Options, text, plain string, chosen bool) (n textCount) {
	_, before := options.Count(text)
	_, after := options.Count(plain)
	switch {
	case after < before:
		n.Saves = say.count("plain_saves", after, "Before", say.number(before))
	case chosen:
		n.Saves = say.text("plain_saves_nothing")
	default:
		return n
	}
	n.Plain = plain
	return n
}

// Of many characters that force the larger alphabet, and of many places where
// one of them stands, the first are enough to go on.
const (
	mostForcing = 5
	mostPlaces  = 3
)

// forcing names characters with their places in the text, the first being 1.
func (say *tongue) forcing(all []smstext.Character) string {
	var named []string
	for _, c := range all[:min(len(all), mostForcing)] {
		named = append(named, say.text("character_at", "Character", say.character(c.Text), "Places", say.places(c.Positions)))
	}
	list := strings.Join(named, ", ")
	if others := len(all) - len(named); others > 0 {
		return say.count("and_others", others, "List", list)
	}
	return list
}

func (say *tongue) places(positions []int) string {
	var all []string
	for _, at := range positions[:min(len(positions), mostPlaces)] {
		all = append(all, say.number(at+1))
	}
	if len(positions) > mostPlaces {
		all = append(all, "…")
	}
	return strings.Join(all, ", ")
}

// character is a character, or words for one that cannot be seen.
func (say *tongue) character(c string) string {
	r, _ := utf8.DecodeRuneInString(c)
	switch {
	case r == '\t':
		return say.text("character_tab")
	case unicode.Is(unicode.Z, r):
		return say.text("character_space", "Code", fmt.Sprintf("%U", r))
	case !unicode.IsGraphic(r):
		return say.text("character_unseen", "Code", fmt.Sprintf("%U", r))
	}
	return c
}

func (say *tongue) reach(g groupChoice, parts int) string {
	reach := say.count("reach", g.Textable, "Parts", say.count("parts_in_all", g.Textable*parts))
	if without := g.Members - g.Textable; without > 0 {
		reach += " " + say.count("reach_without", without)
	}
	return reach
}
