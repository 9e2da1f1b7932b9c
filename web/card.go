package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/slug"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/problem"
)

const cardPath = "/c/:slug"

// cardRoutes are the public pages of cards.
func (w *site) cardRoutes() []route {
	const get, post = fiber.MethodGet, fiber.MethodPost
	return []route{
		{get, cardStylePath, anybody, w.cardStyle},
		{get, cardPath, anybody, w.ofCard(w.showCard)},
		{get, cardPath + "/card.vcf", anybody, w.ofCard(w.cardFile)},
		{get, cardPath + "/photo", anybody, w.ofCard(w.cardPhoto)},
		{get, cardPath + "/logo", anybody, w.ofCard(w.cardLogo)},
		{get, cardPath + "/qr.png", anybody, w.ofCard(w.cardCodePNG)},
		{get, cardPath + "/qr.svg", anybody, w.ofCard(w.cardCodeSVG)},
		{get, cardPath + "/qr.pdf", anybody, w.ofCard(w.cardCodePDF)},
		{get, cardPath + "/share", anybody, w.ofCard(w.shareCard)},
		{get, cardPath + "/offline", anybody, w.ofCard(w.offlineCard)},
		{get, cardPath + "/offline.png", anybody, w.ofCard(w.offlinePNG)},
		{get, cardPath + "/text", anybody, w.ofCard(w.textForm)},
		{post, cardPath + "/text", anybody, w.ofCard(w.textCard)},
		{get, cardPath + "/edit", anybody, w.ofCard(w.editCard)},
		{post, cardPath + "/edit", anybody, w.ofHolder(w.saveCard)},
		{post, cardPath + "/edit/code", anybody, w.ofCard(w.sendCode)},
		{post, cardPath + "/edit/proof", anybody, w.ofCard(w.proveCode)},
		{post, cardPath + "/edit/photo", anybody, w.ofHolder(w.setPhoto)},
		{post, cardPath + "/edit/photo/remove", anybody, w.ofHolder(w.removePhoto)},
		{post, cardPath + "/edit/leave", anybody, w.ofHolder(w.leaveCard)},
	}
}

// ofCard finds the card of an address. One that was typed from paper leads to where the
// card is; one whose card is gone answers 410, and one that was never given 404, both
// without a word of whose it was.
func (w *site) ofCard(do func(c *fiber.Ctx, v visit, s *shelved) error) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		name, ok := slug.Parse(c.Params("slug"))
		if !ok {
			return renderGone(c, v, fiber.StatusNotFound)
		}
		s, err := w.card(v.ctx, name)
		switch {
		case problem.Has(err, "card_gone"):
			return renderGone(c, v, fiber.StatusGone)
		case problem.Has(err, "card_not_found"):
			return renderGone(c, v, fiber.StatusNotFound)
		case err != nil:
			return err
		}
		if c.Params("slug") != name && c.Method() != fiber.MethodPost {
			return c.Redirect(strings.Replace(c.OriginalURL(), c.Params("slug"), name, 1), fiber.StatusFound)
		}
		if say := tongueCalled(s.Template.Settings.Language); say != nil {
			v.say = say
		}
		v.ctx = audit.As(v.ctx, audit.Actor{Kind: audit.Person})
		if !s.Template.Settings.Indexed {
			c.Set("X-Robots-Tag", "noindex")
		}
		return do(c, v, s)
	}
}

func tongueCalled(code string) *tongue {
	if i := slices.IndexFunc(tongues, func(say *tongue) bool { return say.Code == code }); i >= 0 {
		return tongues[i]
	}
	return nil
}

// cardFrame is what is around a page of a card.
type cardFrame struct {
	Page   page
	Code   string // of the language
	Style  string
	Looks  cards.Looks
	Hidden bool   // from search engines
	Title  string // of a preview of the link; see showCard
	Script bool
	Whole  bool // it is the card itself
}

func (s *shelved) frame(say *tongue, p page) cardFrame {
	return cardFrame{Page: p, Code: say.Code, Style: cardStyleURL(s.Template.Looks), Looks: s.Template.Looks, Hidden: !s.Template.Settings.Indexed}
}

// renderCard writes a page of a card that is for one visitor.
func renderCard(c *fiber.Ctx, v visit, s *shelved, p page) error {
	text, err := s.frame(v.say, p).render()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(text)
}

func (f cardFrame) render() ([]byte, error) {
	var out bytes.Buffer
	err := pages[f.Code][f.Page.template()].ExecuteTemplate(&out, "card-layout", f)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", f.Page.template(), err)
	}
	return out.Bytes(), nil
}

// cardGonePage is for an address that leads nowhere any more, or never did.
type cardGonePage struct {
	Gone   bool
	Invite bool // and was not a card's
}

func (cardGonePage) template() string { return "cardgone" }

// plainLooks are those of a page that is of no template.
var plainLooks = cards.Looks{Layout: cards.Plain, Font: cards.Sans, Primary: "#0b6474", Background: "#ffffff", Ink: "#16202b"}

func renderGone(c *fiber.Ctx, v visit, status int) error {
	return renderNowhere(c, v, status, cardGonePage{Gone: status == fiber.StatusGone})
}

func renderNowhere(c *fiber.Ctx, v visit, status int, p cardGonePage) error {
	f := cardFrame{Page: p, Code: v.say.Code, Style: cardStyleURL(plainLooks), Looks: plainLooks, Hidden: true}
	text, err := f.render()
	if err != nil {
		return err
	}
	c.Set("X-Robots-Tag", "noindex")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(text)
}

// fresh answers what everybody is shown. Browsers may keep it and have to ask each time
// whether it is still so; what is between may not keep it.
func fresh(c *fiber.Ctx, m made, contentType string) error {
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set(fiber.HeaderETag, m.etag)
	if c.Get(fiber.HeaderIfNoneMatch) == m.etag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, contentType)
	return c.Send(m.body)
}

// cardPage is what everybody sees of a card.
type cardPage struct {
	Slug, Name, Role, Place string
	Photo, Logo             string // where they are; empty for none
	Buttons                 []cardButton
	Sections                []cardSection
	TextMe                  bool
	Consent                 textForm
}

func (cardPage) template() string { return "card" }

type cardButton struct {
	Kind  string // one of cards.Buttons
	To    template.URL
	Share string // the card's address, for the visitor's own device
}

type cardSection struct {
	Title string
	Lines []cardLine
}

type cardLine struct {
	Label, Value string
	To           template.URL // empty: it leads nowhere
}

// showCard shows it. A preview of the link, which chats make and keep on machines of their
// own, has the name only where the template lets search engines have the card too.
func (w *site) showCard(c *fiber.Ctx, v visit, s *shelved) error {
	m, err := s.once("page "+v.say.Code, func() ([]byte, error) {
		p, err := w.cardPage(v, s)
		if err != nil {
			return nil, err
		}
		f := s.frame(v.say, p)
		f.Script, f.Whole, f.Title = true, true, v.say.text("card_title")
		if s.Template.Settings.Indexed && p.Name != "" {
			f.Title = p.Name
		}
		return f.render()
	})
	if err != nil {
		return err
	}
	c.Vary(fiber.HeaderAcceptLanguage, fiber.HeaderCookie)
	return fresh(c, m, fiber.MIMETextHTMLCharsetUTF8)
}

func (w *site) cardPage(v visit, s *shelved) (cardPage, error) {
	t, said := s.Template, s.Values
	p := cardPage{Slug: s.Slug, Name: t.Called(said), Role: t.First(said, cards.JobTitle), TextMe: w.textsCard(s)}
	p.Place = joined(" · ", t.First(said, cards.Department), t.First(said, cards.Company))
	if !s.Photo.IsZero() {
		p.Photo = fmt.Sprintf("/c/%s/photo?%d", s.Slug, s.Photo.UnixMilli())
	}
	if t.Looks.Logo != 0 {
		p.Logo = "/c/" + s.Slug + "/logo"
	}
	for _, b := range t.Settings.Buttons {
		if button, ok := w.cardButton(s, b); ok {
			p.Buttons = append(p.Buttons, button)
		}
	}
	for _, section := range t.Tell(said) {
		if one := (cardSection{section.Title, cardLines(v.say, section.Fields)}); len(one.Lines) > 0 {
			p.Sections = append(p.Sections, one)
		}
	}
	var err error
	if p.TextMe {
		p.Consent, err = w.consentForm(v, s)
	}
	return p, err
}

func joined(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), by)
}

// cardButton is a button, unless the card tells nothing that it needs.
func (w *site) cardButton(s *shelved, kind cards.Button) (cardButton, bool) {
	b, t, said := cardButton{Kind: string(kind)}, s.Template, s.Values
	switch kind {
	case cards.Save:
		b.To = template.URL("/c/" + s.Slug + "/card.vcf")
	case cards.Share:
		if w.PublicURL == "" {
			return b, false
		}
		b.To, b.Share = template.URL("/c/"+s.Slug+"/share"), cards.Address(w.PublicURL, s.Slug)
	case cards.Call:
		b.To = call(or(t.First(said, cards.Mobile), t.First(said, cards.WorkPhone)))
	case cards.SMS:
		b.To = text(t.First(said, cards.Mobile))
	case cards.Mail:
		b.To = mailTo(t.First(said, cards.Email))
	case cards.Web:
		b.To = template.URL(cards.WebAddress(t.First(said, cards.Website)))
		if t.First(said, cards.Website) == "" {
			b.To = ""
		}
	case cards.Map:
		b.To = mapOf(joined(", ", t.First(said, cards.Street), joined(" ", t.First(said, cards.PostalCode), t.First(said, cards.City)), t.First(said, cards.Country)))
	}
	return b, b.To != ""
}

func or(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// call is a link that dials a number (RFC 3966); html/template lets no such scheme pass by
// itself, so that only digits and a plus are put into it.
func call(raw string) template.URL {
	number, extension := contacts.Dialled(raw)
	switch {
	case number == "":
		return ""
	case extension != "":
		return template.URL("tel:" + number + ";ext=" + extension)
	}
	return template.URL("tel:" + number)
}

// text is a link that begins an SMS (RFC 5724).
func text(raw string) template.URL {
	number, _ := contacts.Dialled(raw)
	if number == "" {
		return ""
	}
	return template.URL("sms:" + number)
}

func mailTo(address string) template.URL {
	if address == "" {
		return ""
	}
	return template.URL((&url.URL{Scheme: "mailto", Opaque: url.PathEscape(address)}).String())
}

// mapOf looks for a postal address where no account is needed; nobody is asked until the
// visitor does.
func mapOf(address string) template.URL {
	if address == "" {
		return ""
	}
	return template.URL("https://www.openstreetmap.org/search?query=" + url.QueryEscape(address))
}

// inHead are the kinds that stand above the sections.
var inHead = []cards.Kind{cards.FullName, cards.GivenName, cards.FamilyName, cards.JobTitle, cards.Department, cards.Company}

// ofAddress are the kinds that make up one line of a section.
var ofAddress = []cards.Kind{cards.Street, cards.PostalCode, cards.City, cards.Region, cards.Country}

func cardLines(say *tongue, fields []cards.Told) (all []cardLine) {
	address, before := -1, cards.Kind("")
	for _, f := range fields {
		line := cardLine{Label: or(f.Label, say.word("card_kind", string(f.Kind))), Value: f.Value}
		switch {
		case slices.Contains(inHead, f.Kind):
			continue
		case slices.Contains(ofAddress, f.Kind) && address >= 0:
			between := "\n"
			if before == cards.PostalCode && f.Kind == cards.City {
				between = " "
			}
			all[address].Value += between + f.Value
			before = f.Kind
			continue
		case slices.Contains(ofAddress, f.Kind):
			address, before, line.Label = len(all), f.Kind, say.text("card_address")
		case f.Kind == cards.Mobile || f.Kind == cards.WorkPhone:
			line.Value, line.To = contacts.Readable(f.Value), call(f.Value)
		case f.Kind == cards.Fax:
			line.Value = contacts.Readable(f.Value)
		case f.Kind == cards.Email:
			line.To = mailTo(f.Value)
		case f.Kind == cards.Website:
			line.To = template.URL(cards.WebAddress(f.Value))
		}
		all = append(all, line)
	}
	return all
}

// status is that of a refusal that a form of a card shows; 0 for what is no refusal.
func status(err error) int {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return 0
	}
	if strings.HasSuffix(p.Code, "_exhausted") {
		return fiber.StatusTooManyRequests
	}
	return statuses[p.Kind]
}
