package web

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/internal/colour"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	cardTemplatesPath = "/cards/templates"
	cardDesignPath    = "/cards/templates/design"
	cardDesignLimit   = 2 << 20 // bytes, with a logo
)

// designPage is the designer: a form of a whole template as it was filled in, and a card
// that looks like it.
type designPage struct {
	ID, Name string // ID is empty for a new one
	Version  int64
	Body     cards.Body
	Percent  string // of the logo, as it was entered
	LogoName string
	Errors   []fieldError
	Specimen specimen
	say      *tongue
}

func (designPage) template() string { return "carddesign" }

// Error is what is wrong with a field, or empty.
func (p designPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) newCardDesign(c *fiber.Ctx, v visit) error {
	return w.showDesign(c, v, designPage{Name: v.say.text("cards_template_new_name"), Body: cards.Usual()})
}

func (w *site) cardTemplateNamed(c *fiber.Ctx, v visit) (cards.Template, error) {
	id, err := w.Names.ID(secrets.CardTemplate, c.Params("id"))
	if err != nil {
		return cards.Template{}, err
	}
	return w.Cards.Template(v.ctx, v.Account.ID, id)
}

func (w *site) cardDesign(c *fiber.Ctx, v visit) error {
	t, err := w.cardTemplateNamed(c, v)
	if err != nil {
		return err
	}
	return w.showDesign(c, v, designPage{ID: c.Params("id"), Name: t.Name, Version: t.Version, Body: t.Body})
}

func (w *site) showDesign(c *fiber.Ctx, v visit, p designPage) (err error) {
	p.say = v.say
	if p.Percent == "" && p.Body.Code.LogoPercent > 0 {
		p.Percent = strconv.Itoa(p.Body.Code.LogoPercent)
	}
	if p.Body.Looks.Logo != 0 {
		p.LogoName = w.Names.Of(secrets.CardImage, p.Body.Looks.Logo)
	}
	if p.Specimen, err = w.specimen(v, p.Body); err != nil {
		return err
	}
	return render(c, p)
}

// designed saves the form, or changes it and shows it again.
func (w *site) designed(c *fiber.Ctx, v visit) error {
	p, err := w.readDesign(c)
	if err != nil {
		return err
	}
	if err := w.addLogo(c, v, &p.Body); err != nil {
		return w.refuseDesign(c, v, p, under("logo", err))
	}
	do := c.FormValue("do")
	if do != "save" {
		changeDesign(&p.Body, do, cards.Kind(c.FormValue("new"+strings.TrimPrefix(do, "add"))))
		return w.showDesign(c, v, p)
	}
	id := int64(0)
	if p.ID != "" {
		if id, err = w.Names.ID(secrets.CardTemplate, p.ID); err != nil {
			return err
		}
	}
	t, err := w.Cards.SaveTemplateOver(v.ctx, v.Account.ID, id, p.Version, p.Name, p.Body)
	if err != nil {
		return w.refuseDesign(c, v, p, err)
	}
	return c.Redirect(cardTemplatesPath+"/"+w.Names.Of(secrets.CardTemplate, t.ID)+"/saved", fiber.StatusSeeOther)
}

func under(field string, err error) error {
	if p := problem.As(err); p != nil {
		named := *p
		named.Field = field
		return &named
	}
	return err
}

func (w *site) refuseDesign(c *fiber.Ctx, v visit, p designPage, err error) error {
	refused := problem.As(err)
	if refused == nil || refused.Kind == problem.KindNotFound && refused.Field == "" {
		return err
	}
	p.Errors = []fieldError{{designField(refused.Field), v.say.designProblem(refused, p.Body)}}
	return w.showDesign(c.Status(statuses[refused.Kind]), v, p)
}

// designField is the field of the form for a path in the body's JSON:
// sections[0].fields[2].default is default-0-2.
func designField(path string) string {
	path, in := strings.CutPrefix(path, "sections[")
	if !in {
		if of, field, deep := strings.Cut(path, "."); deep {
			return of + "-" + field
		}
		return path
	}
	section, rest, _ := strings.Cut(path, "].")
	if rest, in = strings.CutPrefix(rest, "fields["); !in {
		return rest + "-" + section
	}
	field, rest, _ := strings.Cut(rest, "].")
	return rest + "-" + section + "-" + field
}

// designProblem says what is wrong, with the number where there is one.
func (say *tongue) designProblem(p *problem.Problem, b cards.Body) string {
	if p.Code != "card_contrast" {
		return say.problem(p)
	}
	over, _ := colour.Parse(b.Looks.Ink)
	if p.Field == "looks.primary" {
		over, _ = colour.Parse(b.Looks.Primary)
	}
	ground, _ := colour.Parse(b.Looks.Background)
	// Rounded down, so that 4.49 is not told as 4.5.
	ratio := float64(int(colour.Contrast(over, ground)*100)) / 100
	return say.text("cards_contrast_low", "N", strconv.FormatFloat(ratio, 'f', 2, 64))
}

// readDesign is the form as it was filled in.
func (w *site) readDesign(c *fiber.Ctx) (designPage, error) {
	p := designPage{ID: c.FormValue("id"), Name: strings.TrimSpace(c.FormValue("name")), Percent: strings.TrimSpace(c.FormValue("code-logo_percent"))}
	p.Version, _ = strconv.ParseInt(c.FormValue("version"), 10, 64)
	p.Body = cards.Body{Sections: readSections(c), Looks: readLooks(c), Code: readCode(c, p.Percent), Settings: readCardSettings(c)}
	if name := c.FormValue("logo"); name != "" && c.FormValue("no_logo") == "" {
		id, err := w.Names.ID(secrets.CardImage, name)
		if err != nil {
			return p, err
		}
		p.Body.Looks.Logo = id
	}
	return p, nil
}

func ticked(c *fiber.Ctx, name string) bool { return c.FormValue(name) != "" }

func readSections(c *fiber.Ctx) (all []cards.Section) {
	for i := range cards.MaxSections + 1 {
		at := "-" + strconv.Itoa(i)
		if !ticked(c, "section"+at) {
			break
		}
		s := cards.Section{Title: strings.TrimSpace(c.FormValue("title" + at))}
		for j := range cards.MaxFields + 1 {
			at := at + "-" + strconv.Itoa(j)
			if !ticked(c, "field"+at) {
				break
			}
			s.Fields = append(s.Fields, readCardField(c, at))
		}
		all = append(all, s)
	}
	return all
}

func readCardField(c *fiber.Ctx, at string) cards.Field {
	f := cards.Field{ID: c.FormValue("field" + at), Kind: cards.Kind(c.FormValue("kind" + at)), Label: strings.TrimSpace(c.FormValue("label" + at)),
		From: c.FormValue("from" + at), Sync: cards.Sync(c.FormValue("sync" + at)), Default: entered(strings.TrimSpace(c.FormValue("default" + at))),
		Editable: ticked(c, "editable"+at), Hidden: ticked(c, "hidden"+at)}
	if f.From == "" {
		f.Sync = cards.Never
	} else if f.Sync == "" || f.Sync == cards.Never {
		f.Sync = cards.Always
	}
	return f
}

func readLooks(c *fiber.Ctx) cards.Looks {
	return cards.Looks{Layout: cards.Layout(c.FormValue("looks-layout")), Font: cards.Font(c.FormValue("looks-font")), Photo: ticked(c, "looks-photo"),
		Primary: c.FormValue("looks-primary"), Background: c.FormValue("looks-background"), Ink: c.FormValue("looks-ink")}
}

func readCode(c *fiber.Ctx, percent string) cards.Code {
	n, err := strconv.Atoi(percent)
	if err != nil && percent != "" {
		n = -1 // is refused, as every number out of range is
	}
	return cards.Code{Foreground: c.FormValue("code-foreground"), Background: c.FormValue("code-background"), FinderColour: c.FormValue("code-finder_colour"),
		Modules: qr.ModuleShape(c.FormValue("code-modules")), Finders: qr.FinderShape(c.FormValue("code-finders")), Level: qr.Level(c.FormValue("code-level")),
		Frame: qr.Frame(c.FormValue("code-frame")), Caption: strings.TrimSpace(c.FormValue("code-caption")), Logo: ticked(c, "code-logo"), LogoPercent: n}
}

func readCardSettings(c *fiber.Ctx) cards.Settings {
	s := cards.Settings{Language: c.FormValue("settings-language"), Indexed: ticked(c, "settings-indexed"), TextMe: ticked(c, "settings-text_me"), TextAbroad: ticked(c, "settings-text_abroad"), Offline: ticked(c, "settings-offline"),
		Buttons: []cards.Button{}}
	for _, b := range cards.Buttons {
		if ticked(c, "button-"+string(b)) {
			s.Buttons = append(s.Buttons, b)
		}
	}
	return s
}

// addLogo keeps a logo that came with the form.
func (w *site) addLogo(c *fiber.Ctx, v visit, b *cards.Body) error {
	file, err := c.FormFile("logo_file")
	if err != nil || file.Size == 0 {
		return nil
	}
	opened, err := file.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	content, err := io.ReadAll(io.LimitReader(opened, cards.MaxImageBytes+1))
	if err != nil {
		return err
	}
	kept, err := w.Cards.AddImage(v.ctx, v.Account.ID, content)
	if err == nil {
		b.Looks.Logo = kept.ID
	}
	return err
}

// previewDesign is the card of a form that is being filled in.
func (w *site) previewDesign(c *fiber.Ctx, v visit) error {
	p, err := w.readDesign(c)
	if err != nil {
		return err
	}
	shown, err := w.specimen(v, p.Body)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := pages[v.say.Code]["carddesign"].ExecuteTemplate(&out, "specimen", shown); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(out.Bytes())
}

func (w *site) cardImage(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.CardImage, c.Params("id"))
	if err != nil {
		return err
	}
	i, err := w.Cards.Image(v.ctx, v.Account.ID, id)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, i.MediaType)
	return c.Send(i.Content)
}
