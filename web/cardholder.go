package web

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/visitor"
	"github.com/varsel/varsel/smsqueue"
)

// How the holder proves who they are: a code by SMS. What a proof opens is ofHolder's,
// below, and does not ask which proof it was.

// evenly is how long an answer takes that must not tell whether a code was sent.
const evenly = 400 * time.Millisecond

// provePage asks for a code, or for the code that was sent.
type provePage struct {
	Slug, Digits string // the last two of the number
	Sent         bool
	Error        string
}

func (provePage) template() string { return "cardprove" }

func (w *site) provePage(v visit, s *shelved) (provePage, error) {
	phone, err := w.holdersNumber(v.ctx, s)
	if err != nil {
		return provePage{}, err
	}
	if phone == "" {
		// Digits of nobody's number, which stay the same: that a holder has no number in the
		// address book is not for visitors to learn.
		sum := fnv.New32a()
		io.WriteString(sum, w.Names.Mark("card digits", s.Slug))
		phone = fmt.Sprintf("%02d", sum.Sum32()%100)
	}
	return provePage{Slug: s.Slug, Digits: phone[len(phone)-2:]}, nil
}

// holdersNumber is the holder's in the address book as it is now, or "".
func (w *site) holdersNumber(ctx context.Context, s *shelved) (string, error) {
	holder, err := w.Book.Contact(ctx, s.Account, s.Contact)
	if problem.Has(err, "contact_not_found") {
		return "", nil
	}
	return holder.Phone.E164, err
}

// editCard shows the holder's form to who proved to be the holder, and to others the way
// to prove it.
func (w *site) editCard(c *fiber.Ctx, v visit, s *shelved) error {
	h, err := w.holder(c, v, s)
	if err == nil {
		return w.showEdit(c, v, s, h, "")
	}
	if !problem.Has(err, "card_holder_unknown") {
		return err
	}
	p, err := w.provePage(v, s)
	if err != nil {
		return err
	}
	p.Sent = c.Query("sent") != ""
	return renderCard(c, v, s, p)
}

func (w *site) sendCode(c *fiber.Ctx, v visit, s *shelved) error {
	began := time.Now()
	p, err := w.provePage(v, s)
	if err != nil {
		return err
	}
	if wait := w.coding.pass(began, "address "+visitor.Counted(c.IP())); wait > 0 {
		p.Error = v.say.count("card_wait", waiting(c, wait))
		return renderCard(c.Status(fiber.StatusTooManyRequests), v, s, p)
	}
	code, err := w.Cards.NewCode(v.ctx, s.Account, s.Card.ID, began)
	if refused := problem.As(err); refused != nil {
		p.Error = v.say.problem(refused)
		return renderCard(c.Status(status(err)), v, s, p)
	}
	if err != nil {
		return err
	}
	if err := w.textCode(v, s, code); err != nil {
		return err
	}
	time.Sleep(evenly - time.Since(began))
	return c.Redirect("/c/"+s.Slug+"/edit?sent=1", fiber.StatusSeeOther)
}

func (w *site) textCode(v visit, s *shelved, code string) error {
	phone, err := w.holdersNumber(v.ctx, s)
	if err != nil || phone == "" {
		return err
	}
	_, err = w.Queue.Send(v.ctx, s.Account, smsqueue.Single{To: phone, Lane: smsqueue.Urgent,
		Text: v.say.count("card_code_sms", int(cards.CodeLife.Minutes()), "Code", code)})
	if p := problem.As(err); p != nil {
		slog.Warn("a card's code was not sent", "reason", p.Code)
		return nil
	}
	return err
}

func (w *site) proveCode(c *fiber.Ctx, v visit, s *shelved) error {
	p, err := w.provePage(v, s)
	if err != nil {
		return err
	}
	p.Sent = true
	if wait := w.proving.pass(time.Now(), "address "+visitor.Counted(c.IP())); wait > 0 {
		p.Error = v.say.count("card_wait", waiting(c, wait))
		return renderCard(c.Status(fiber.StatusTooManyRequests), v, s, p)
	}
	code := strings.Join(strings.Fields(c.FormValue("code")), "")
	err = w.Cards.UseCode(v.ctx, s.Account, s.Card.ID, code, time.Now())
	if refused := problem.As(err); refused != nil {
		p.Error = v.say.problem(refused)
		return renderCard(c.Status(fiber.StatusUnauthorized), v, s, p)
	}
	if err != nil {
		return err
	}
	return w.proved(c, v, s, cards.ByCode)
}

// proved lets somebody in who proved to be the holder.
func (w *site) proved(c *fiber.Ctx, v visit, s *shelved, by cards.Proof) error {
	token, until, err := w.Cards.Admit(v.ctx, s.Account, s.Card.ID, by, time.Now())
	if err != nil {
		return err
	}
	w.setHolder(c, s, token, until)
	return c.Redirect("/c/"+s.Slug+"/edit", fiber.StatusSeeOther)
}

// holderCookie is sent with requests for one card alone, and has nothing to do with the
// console's session.
func (w *site) holderCookie() string {
	if w.isHTTPS() {
		return "__Secure-varsel_card"
	}
	return "varsel_card"
}

func (w *site) setHolder(c *fiber.Ctx, s *shelved, token string, ends time.Time) {
	c.Cookie(&fiber.Cookie{Name: w.holderCookie(), Value: token, Path: "/c/" + s.Slug, Expires: ends,
		Secure: w.isHTTPS(), HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode})
}

// holder is who proved to hold the card.
func (w *site) holder(c *fiber.Ctx, v visit, s *shelved) (cards.Proven, error) {
	return w.Cards.Proven(v.ctx, s.Card.ID, c.Cookies(w.holderCookie()), time.Now())
}

// ofHolder is for who proved to be the holder; others are led to where it is proved.
func (w *site) ofHolder(do func(c *fiber.Ctx, v visit, s *shelved, h cards.Proven) error) func(c *fiber.Ctx, v visit) error {
	return w.ofCard(func(c *fiber.Ctx, v visit, s *shelved) error {
		h, err := w.holder(c, v, s)
		if problem.Has(err, "card_holder_unknown") {
			return c.Redirect("/c/"+s.Slug+"/edit", fiber.StatusSeeOther)
		}
		if err != nil {
			return err
		}
		return do(c, v, s, h)
	})
}

// editPage is the holder's form.
type editPage struct {
	Slug, Name string
	Sections   []editSection
	Photo      string // where it is; empty for none
	MayPhoto   bool
	Saved      bool
	Error      string
}

func (editPage) template() string { return "cardedit" }

type editSection struct {
	Title  string
	Fields []editField
}

type editField struct {
	ID, Label, Kind string
	May             bool
	Value           string // what the holder wrote; of a field that they may not write, what the card tells
	Otherwise       string // what the card tells when the holder writes nothing
	Type            string // of the input
}

// Long says whether the field takes several lines.
func (f editField) Long() bool { return f.Kind == string(cards.Note) }

var inputTypes = map[cards.Kind]string{cards.Email: "email", cards.Website: "url", cards.Mobile: "tel", cards.WorkPhone: "tel", cards.Fax: "tel"}

func (w *site) showEdit(c *fiber.Ctx, v visit, s *shelved, h cards.Proven, wrong string) error {
	// The holder is shown what is, and not what was a second ago.
	now, err := w.Cards.Show(v.ctx, s.Slug)
	if err != nil {
		return err
	}
	p := editPage{Slug: s.Slug, Name: now.Template.Called(now.Values), MayPhoto: now.Template.Looks.Photo,
		Saved: wrong == "" && c.Query("saved") != "", Error: wrong}
	if !now.Photo.IsZero() {
		p.Photo = fmt.Sprintf("/c/%s/photo?%d", s.Slug, now.Photo.UnixMilli())
	}
	for _, section := range now.Template.Sections {
		if one := (editSection{section.Title, editFields(v.say, section.Fields, now.Values)}); len(one.Fields) > 0 {
			p.Sections = append(p.Sections, one)
		}
	}
	return renderCard(c, v, s, p)
}

func editFields(say *tongue, fields []cards.Field, said cards.Values) (all []editField) {
	for _, f := range fields {
		if f.Hidden {
			continue
		}
		one := editField{ID: f.ID, Label: or(f.Label, say.word("card_kind", string(f.Kind))), Kind: string(f.Kind), May: f.MayEdit(said),
			Type: or(inputTypes[f.Kind], "text")}
		if one.Value = f.Value(said); one.May {
			one.Value = said.Edits[f.ID]
			one.Otherwise = f.Value(cards.Values{Taken: said.Taken, Once: said.Once})
		}
		all = append(all, one)
	}
	return all
}

// saveCard passes on what is in the form for the fields of the template. Which of them the
// holder may write is Edit's to say.
func (w *site) saveCard(c *fiber.Ctx, v visit, s *shelved, h cards.Proven) error {
	now, err := w.Cards.Show(v.ctx, s.Slug)
	if err != nil {
		return err
	}
	edits := map[string]string{}
	form := c.Request().PostArgs()
	for _, section := range now.Template.Sections {
		for _, f := range section.Fields {
			if !form.Has("field." + f.ID) {
				continue
			}
			text := strings.TrimSpace(strings.ReplaceAll(c.FormValue("field."+f.ID), "\r\n", "\n"))
			if text != now.Edits[f.ID] {
				edits[f.ID] = text
			}
		}
	}
	_, err = w.Cards.Edit(v.ctx, h.Account, h.Card, edits)
	return w.edited(c, v, s, h, err)
}

// edited shows what came of a change.
func (w *site) edited(c *fiber.Ctx, v visit, s *shelved, h cards.Proven, err error) error {
	w.shelf.drop(s.Slug)
	if refused := problem.As(err); refused != nil && refused.Kind != problem.KindNotFound {
		return w.showEdit(c.Status(status(err)), v, s, h, v.say.problem(refused))
	}
	if err != nil {
		return err
	}
	return c.Redirect("/c/"+s.Slug+"/edit?saved=1", fiber.StatusSeeOther)
}

// photoUpload says of a path whether a photo is sent there.
func photoUpload(path string) bool {
	return strings.HasPrefix(path, "/c/") && strings.HasSuffix(path, "/edit/photo") && len(path) < 64
}

func (w *site) setPhoto(c *fiber.Ctx, v visit, s *shelved, h cards.Proven) error {
	file, err := c.FormFile("photo")
	if err != nil {
		return w.edited(c, v, s, h, problem.Invalid("photo", "choose a photo"))
	}
	from, err := file.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	photo, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return w.edited(c, v, s, h, w.Cards.SetPhoto(v.ctx, h.Account, h.Card, photo))
}

func (w *site) removePhoto(c *fiber.Ctx, v visit, s *shelved, h cards.Proven) error {
	return w.edited(c, v, s, h, w.Cards.RemovePhoto(v.ctx, h.Account, h.Card))
}

func (w *site) leaveCard(c *fiber.Ctx, v visit, s *shelved, _ cards.Proven) error {
	if err := w.Cards.Leave(v.ctx, c.Cookies(w.holderCookie())); err != nil {
		return err
	}
	w.setHolder(c, s, "", past)
	return c.Redirect("/c/"+s.Slug, fiber.StatusSeeOther)
}
