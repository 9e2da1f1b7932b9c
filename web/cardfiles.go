package web

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/cards/vcard"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

// cardFile is the card for an address book: version 3.0, or 4.0 when it is asked for.
func (w *site) cardFile(c *fiber.Ctx, v visit, s *shelved) error {
	version := vcard.Version(c.Query("version", string(vcard.V3)))
	if version != vcard.V3 && version != vcard.V4 {
		return fiber.ErrBadRequest
	}
	m, err := s.once("vcard "+string(version), func() ([]byte, error) {
		photo, err := w.photoShown(v, s)
		if err != nil {
			return nil, err
		}
		address := ""
		if w.PublicURL != "" {
			address = cards.Address(w.PublicURL, s.Slug)
		}
		return s.Template.VCard(s.Card, photo, address, contacts.Everywhere, version)
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, attachment(s.Template.Called(s.Values), v.say.text("card_title"), ".vcf"))
	return fresh(c, m, vcard.MediaType)
}

// attachment names a file as it is called, for browsers that read RFC 5987 (RFC 6266
// 4.3), and in ASCII for those that do not.
func attachment(name, otherwise, ending string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) }), " ")
	name = or(strings.Trim(name, " ."), otherwise)
	if runes := []rune(name); len(runes) > 80 {
		name = string(runes[:80])
	}
	plain := strings.Map(func(r rune) rune {
		if r > '~' || r == '%' || r == '\'' {
			return '_'
		}
		return r
	}, name)
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, plain+ending, strings.ReplaceAll(url.QueryEscape(name+ending), "+", "%20"))
}

// photoShown is the photo that the template lets the card show, or none.
func (w *site) photoShown(v visit, s *shelved) ([]byte, error) {
	if s.Photo.IsZero() {
		return nil, nil
	}
	return w.Cards.Photo(v.ctx, s.Account, s.Card.ID)
}

func (w *site) cardPhoto(c *fiber.Ctx, v visit, s *shelved) error {
	m, err := s.once("photo", func() ([]byte, error) { return w.photoShown(v, s) })
	if err == nil && len(m.body) == 0 {
		err = fiber.ErrNotFound
	}
	if err != nil {
		return err
	}
	return fresh(c, m, cards.PhotoType)
}

func (w *site) cardLogo(c *fiber.Ctx, v visit, s *shelved) error {
	if s.Template.Looks.Logo == 0 {
		return fiber.ErrNotFound
	}
	id := s.Template.Looks.Logo
	l, err := w.shelf.logo(id, func() (cards.Image, error) { return w.Cards.Image(v.ctx, s.Account, id) })
	if err != nil {
		return err
	}
	return fresh(c, l.made, l.mediaType)
}

// cardCode draws the code of the card's address in the template's style.
func (w *site) cardCode(v visit, s *shelved, form cards.CodeForm) (made, error) {
	return s.once("code "+string(form), func() ([]byte, error) {
		if w.PublicURL == "" {
			return nil, cards.ErrNoPublicURL
		}
		look, err := w.Cards.Look(v.ctx, s.Account, s.Template.Body)
		if err != nil {
			return nil, err
		}
		code, err := look.Code(cards.CodeAddress(w.PublicURL, s.Slug))
		if err != nil {
			return nil, err
		}
		return form.Draw(code, time.Now())
	})
}

func (w *site) cardCodePNG(c *fiber.Ctx, v visit, s *shelved) error {
	m, err := w.cardCode(v, s, cards.PNG)
	if err != nil {
		return err
	}
	return fresh(c, m, cards.PNG.MediaType())
}

func (w *site) cardCodeSVG(c *fiber.Ctx, v visit, s *shelved) error {
	m, err := w.cardCode(v, s, cards.SVG)
	if err != nil {
		return err
	}
	return fresh(c, m, cards.SVG.MediaType())
}

func (w *site) cardCodePDF(c *fiber.Ctx, v visit, s *shelved) error {
	m, err := w.cardCode(v, s, cards.PDF)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, attachment(s.Template.Called(s.Values), v.say.text("card_title"), ".pdf"))
	return fresh(c, m, cards.PDF.MediaType())
}

// sharePage is the card's address to pass on.
type sharePage struct {
	Slug, Name, Address string
	Offline             bool
}

func (sharePage) template() string { return "cardshare" }

func (w *site) shareCard(c *fiber.Ctx, v visit, s *shelved) error {
	if w.PublicURL == "" {
		return cards.ErrNoPublicURL
	}
	return renderCard(c, v, s, sharePage{s.Slug, s.Template.Called(s.Values), cards.Address(w.PublicURL, s.Slug), s.Template.Settings.Offline})
}

// offlinePage is a code that holds the card itself.
type offlinePage struct{ Slug, Name string }

func (offlinePage) template() string { return "cardoffline" }

func (w *site) offlineCard(c *fiber.Ctx, v visit, s *shelved) error {
	if !s.Template.Settings.Offline {
		return fiber.ErrNotFound
	}
	return renderCard(c, v, s, offlinePage{s.Slug, s.Template.Called(s.Values)})
}

// offlinePNG is drawn at the weakest level and without a logo, so that as much as can be
// is in as few modules as can be.
func (w *site) offlinePNG(c *fiber.Ctx, v visit, s *shelved) error {
	if !s.Template.Settings.Offline {
		return fiber.ErrNotFound
	}
	m, err := s.once("offline", func() ([]byte, error) {
		body := s.Template.Body
		body.Code.Level, body.Code.Logo = qr.L, false
		look, err := w.Cards.Look(v.ctx, s.Account, body)
		if err != nil {
			return nil, err
		}
		tries, err := s.Template.Offline(s.Card, contacts.Everywhere)
		if err != nil {
			return nil, err
		}
		return fitting(look, tries)
	})
	if err != nil {
		return err
	}
	return fresh(c, m, "image/png")
}

// fitting draws the first of several contents that a code has room for.
func fitting(look *qr.Look, tries [][]byte) (png []byte, err error) {
	for _, content := range tries {
		code, tooLong := look.Code(string(content))
		if err = tooLong; problem.Has(err, "qr_content_too_long") {
			continue
		}
		if err != nil {
			return nil, err
		}
		return code.PNG(cards.CodeWidth)
	}
	return nil, err
}
