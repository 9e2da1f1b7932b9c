package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
)

// sectionRow and fieldRow are a section and a field in the form.
type sectionRow struct {
	At, Title string // At is its number, as in the names of its inputs
	N         int    // from 1
	Fields    []fieldRow
	First     bool
	Last      bool
	// Where the form stands after a button: the numbers of what is then looked at.
	Up, Down, Without, Next string
}

type fieldRow struct {
	cards.Field
	At          string // section and field: "0-2"
	Word        string // what it is
	Mapped      string // the property in braces, or empty
	From, Syncs []choice
	Wrong       string // of its default or label, opens its settings
	WrongIn     string // default or label
	First, Last bool
	// Where the form stands after a button, as in sectionRow.
	Up, Down, Without string
}

// Sections are the rows of the form.
func (p designPage) Sections() (all []sectionRow) {
	for i, s := range p.Body.Sections {
		row := sectionRow{At: strconv.Itoa(i), Title: s.Title, N: i + 1, First: i == 0, Last: i == len(p.Body.Sections)-1,
			Next: fmt.Sprintf("%d-%d", i, len(s.Fields))}
		row.Up, row.Down, row.Without = moves("", i, len(p.Body.Sections))
		for j, f := range s.Fields {
			one := fieldRow{Field: f, At: row.At + "-" + strconv.Itoa(j), Word: p.say.word("card_kind", string(f.Kind)),
				From: p.properties(f.From), Syncs: choicesOf(p.say, "card_sync", f.Sync, []cards.Sync{cards.Always, cards.Once}), First: j == 0, Last: j == len(s.Fields)-1}
			one.Up, one.Down, one.Without = moves(row.At+"-", j, len(s.Fields))
			if f.Label != "" {
				one.Word = f.Label
			}
			if f.From != "" {
				one.Mapped = "{" + f.From + "}"
			}
			for _, e := range p.Errors {
				if in, ok := strings.CutSuffix(e.Field, "-"+one.At); ok {
					one.Wrong, one.WrongIn = e.Text, in
				}
			}
			row.Fields = append(row.Fields, one)
		}
		all = append(all, row)
	}
	return all
}

// moves are the numbers that the i-th of n has when it was moved, and that of what stands
// in its place, or before it, when it was removed; "" for nothing.
func moves(prefix string, i, n int) (up, down, without string) {
	at := func(i int) string { return prefix + strconv.Itoa(i) }
	if n > 1 {
		without = at(min(i, n-2))
	}
	return at(max(i-1, 0)), at(min(i+1, n-1)), without
}

// NextSection is the number of a section that is added.
func (p designPage) NextSection() int { return len(p.Body.Sections) }

func (p designPage) properties(chosen string) []choice {
	all := []choice{{Text: p.say.text("cards_from_nothing"), Chosen: chosen == ""}}
	for _, name := range cards.Properties {
		all = append(all, choice{Value: name, Text: p.say.word("card_from", name) + " {" + name + "}", Chosen: name == chosen})
	}
	return all
}

// choicesOf are values in words.
func choicesOf[T ~string](say *tongue, family string, chosen T, values []T) (all []choice) {
	for _, v := range values {
		all = append(all, choice{Value: string(v), Text: say.word(family, string(v)), Chosen: v == chosen})
	}
	return all
}

// Kinds are what a new field can be: a second full name is none.
func (p designPage) Kinds() []choice {
	kinds := slices.DeleteFunc(slices.Clone(cards.Kinds), func(k cards.Kind) bool { return k == cards.FullName })
	return choicesOf(p.say, "card_kind", "", kinds)
}

// The choices of the form.
func (p designPage) Layouts() []choice {
	return choicesOf(p.say, "card_layout", p.Body.Looks.Layout, cards.Layouts)
}
func (p designPage) Fonts() []choice {
	return choicesOf(p.say, "card_font", p.Body.Looks.Font, cards.Fonts)
}
func (p designPage) Modules() []choice {
	return choicesOf(p.say, "card_modules", p.Body.Code.Modules, qr.ModuleShapes)
}
func (p designPage) Finders() []choice {
	return choicesOf(p.say, "card_finders", p.Body.Code.Finders, qr.FinderShapes)
}
func (p designPage) Levels() []choice {
	return choicesOf(p.say, "card_level", p.Body.Code.Level, qr.Levels)
}
func (p designPage) Frames() []choice {
	return choicesOf(p.say, "card_frame", p.Body.Code.Frame, qr.Frames)
}

// Languages are those that a card can be held in.
func (p designPage) Languages() []choice {
	all := []choice{{Text: p.say.text("cards_language_visitor"), Chosen: p.Body.Settings.Language == ""}}
	for _, say := range tongues {
		if slices.Contains(cards.Languages, say.Code) {
			all = append(all, choice{Value: say.Code, Text: say.text("language_name"), Chosen: say.Code == p.Body.Settings.Language})
		}
	}
	return all
}

// Buttons are what a visitor can do.
func (p designPage) Buttons() []choice {
	all := choicesOf(p.say, "card_button", "", cards.Buttons)
	for i, b := range cards.Buttons {
		all[i].Chosen = slices.Contains(p.Body.Settings.Buttons, b)
	}
	return all
}

// changeDesign does what a button of the form says: up-0-2, down-0-2 and remove-0-2 with
// a field, up-1, down-1 and remove-1 with a section, add-0 with the kind of a new field,
// or section for a new one.
func changeDesign(b *cards.Body, do string, kind cards.Kind) {
	parts := strings.Split(do, "-")
	at := func(n int) int {
		if n >= len(parts) {
			return -1
		}
		i, err := strconv.Atoi(parts[n])
		if err != nil {
			return -1
		}
		return i
	}
	section := at(1)
	switch {
	case do == "section":
		b.Sections = append(b.Sections, cards.Section{})
	case section < 0 || section >= len(b.Sections):
	case parts[0] == "add":
		fields := &b.Sections[section].Fields
		*fields = append(*fields, cards.Field{ID: freshID(*b, kind), Kind: kind, Sync: cards.Never})
	case len(parts) == 2:
		b.Sections = shifted(b.Sections, parts[0], section)
	default:
		fields := &b.Sections[section].Fields
		*fields = shifted(*fields, parts[0], at(2))
	}
}

// freshID is an id that no field has.
func freshID(b cards.Body, kind cards.Kind) string {
	id := string(kind)
	for n := 2; ; n++ {
		if _, taken := b.Field(id); !taken {
			return id
		}
		id = string(kind) + "_" + strconv.Itoa(n)
	}
}

// shifted is the list with one of it a place up or down, or away.
func shifted[T any](all []T, where string, i int) []T {
	if i < 0 || i >= len(all) {
		return all
	}
	all = slices.Clone(all)
	switch {
	case where == "remove":
		return slices.Delete(all, i, i+1)
	case where == "up" && i > 0:
		all[i-1], all[i] = all[i], all[i-1]
	case where == "down" && i < len(all)-1:
		all[i+1], all[i] = all[i], all[i+1]
	}
	return all
}
