package web

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/visitor"
	"github.com/varsel/varsel/smsqueue"
)

// textForm is where a visitor has the card texted to their own phone.
type textForm struct {
	Slug, Organisation string // who sends, and is responsible for the number
	Abroad             bool   // numbers of other countries are taken too
	Number             string
	Errors             map[string]string // by field
	Sent               bool
}

func (textForm) template() string { return "cardtext" }

func (f textForm) Error(field string) string { return f.Errors[field] }

// Notice is the version of what the form says of the number.
func (textForm) Notice() string { return cards.ConsentNotice }

func (w *site) consentForm(v visit, s *shelved) (textForm, error) {
	acc, err := w.Accounts.ByID(v.ctx, s.Account)
	return textForm{Slug: s.Slug, Organisation: acc.Name, Abroad: s.Template.Settings.TextAbroad, Errors: map[string]string{}}, err
}

// textsCard says whether visitors may have the card texted to them: a message needs an
// address that leads to it.
func (w *site) textsCard(s *shelved) bool { return s.Template.Settings.TextMe && w.PublicURL != "" }

func (w *site) textForm(c *fiber.Ctx, v visit, s *shelved) error {
	if !w.textsCard(s) {
		return fiber.ErrNotFound
	}
	f, err := w.consentForm(v, s)
	if err != nil {
		return err
	}
	f.Sent = c.Query("sent") != ""
	return renderCard(c, v, s, f)
}

// textCard texts the card, once, to somebody who agreed to it. Whether the number wants no
// messages, or was texted before, is nobody's to learn: the answer is the same.
func (w *site) textCard(c *fiber.Ctx, v visit, s *shelved) error {
	if !w.textsCard(s) {
		return fiber.ErrNotFound
	}
	f, err := w.consentForm(v, s)
	if err != nil {
		return err
	}
	acc, err := w.Accounts.ByID(v.ctx, s.Account)
	if err != nil {
		return err
	}
	f.Number = strings.TrimSpace(c.FormValue("number"))
	phone, country, reason := contacts.Normalise(f.Number, acc.Region)
	switch {
	case reason != "":
		f.Errors["number"] = v.say.text("card_text_number_wrong")
	case country != acc.Region && !s.Template.Settings.TextAbroad:
		f.Errors["number"] = v.say.text("card_text_number_abroad")
	}
	if c.FormValue("agree") != "yes" || c.FormValue("notice") != cards.ConsentNotice {
		f.Errors["agree"] = v.say.text("card_text_agree_wrong")
	}
	if len(f.Errors) > 0 {
		return renderCard(c.Status(fiber.StatusUnprocessableEntity), v, s, f)
	}
	if wait := w.texting.pass(time.Now(), "address "+visitor.Counted(c.IP())); wait > 0 {
		return f.refused(c, v, s, wait)
	}
	consent, err := w.Cards.Consent(v.ctx, s.Account, s.Card.ID, phone, v.say.Code, time.Now())
	if problem.Has(err, "card_texts_exhausted") {
		return f.refused(c, v, s, time.Hour)
	}
	if err != nil {
		return err
	}
	if consent != 0 {
		if err := w.textTo(v, s, phone, consent); err != nil {
			return err
		}
	}
	return c.Redirect("/c/"+s.Slug+"/text?sent=1", fiber.StatusSeeOther)
}

// textTo takes the consent back where nothing is sent, so that the visitor can try again.
func (w *site) textTo(v visit, s *shelved, phone string, consent int64) error {
	text := v.say.text("card_text_sms", "Name", s.Template.Called(s.Values), "Address", cards.Address(w.PublicURL, s.Slug))
	_, err := w.Queue.Send(v.ctx, s.Account, smsqueue.Single{To: phone, Text: text, Lane: smsqueue.Normal})
	if err == nil {
		return nil
	}
	back := w.Cards.TakeBack(context.WithoutCancel(v.ctx), s.Account, consent)
	if p := problem.As(err); p != nil {
		slog.Warn("a card was not texted", "reason", p.Code)
		return back
	}
	return errors.Join(err, back)
}

func (f textForm) refused(c *fiber.Ctx, v visit, s *shelved, wait time.Duration) error {
	f.Errors["number"] = v.say.count("card_wait", waiting(c, wait))
	return renderCard(c.Status(fiber.StatusTooManyRequests), v, s, f)
}

// waiting says in a header how long to wait, and how many minutes that is.
func waiting(c *fiber.Ctx, wait time.Duration) (minutes int) {
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return int(math.Ceil(wait.Minutes()))
}
