package web

import (
	"crypto/rand"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// conversationPage is what was texted to and from a number, and the form that goes on.
type conversationPage struct {
	MaySend       bool
	Phone         string
	Contact, Name string // empty when the number is nobody's in the address book
	Lines         []talkLine
	Older, Newest string // addresses of other pages
	Sender        string // what is texted now comes from it
	Once, Text    string
	Error         string
	Path          string
}

func (conversationPage) template() string { return "conversation" }

type talkLine struct {
	Sent                   bool
	Text                   string
	At                     time.Time
	Status, Word           string // of what was sent
	Campaign, CampaignName string
	Action                 string
	ID                     string // of what was received
	Open, Handled          bool
	Incomplete             bool
}

// talkRoute is where conversations are; a number is no part of the path, because
// what a carrier writes may hold anything.
const talkRoute = "/received/conversation"

func talkPath(phone string) string { return talkRoute + "?" + url.Values{"number": {phone}}.Encode() }

func (w *site) conversation(c *fiber.Ctx, v visit) error {
	return w.showTalk(c, v, conversationPage{Phone: c.Query("number"), Once: rand.Text()})
}

func (w *site) showTalk(c *fiber.Ctx, v visit, p conversationPage) error {
	before, err := w.cursor(secrets.Message, c.Query("from"))
	if err != nil {
		return err
	}
	talk, err := w.Queue.Conversation(v.ctx, v.Account.ID, p.Phone, before, pageSize)
	if err != nil {
		return err
	}
	p.MaySend, p.Path, p.Name, p.Sender = maySend(v.Role), talkPath(p.Phone), talk.ContactName, talk.From
	if p.Sender == "" {
		p.Sender = v.Account.Sender
	}
	if talk.Contact != 0 {
		p.Contact = w.Names.Of(secrets.Contact, talk.Contact)
	}
	for _, l := range talk.Lines {
		p.Lines = append(p.Lines, w.talkLine(v.say, l))
	}
	next := ""
	if talk.Older != 0 {
		next = w.Names.Of(secrets.Message, talk.Older)
	}
	pages := turn(talkRoute, url.Values{"number": {p.Phone}}, c.Query("from"), next)
	p.Older, p.Newest = pages.Next, pages.First
	return render(c, p)
}

func (w *site) talkLine(say *tongue, l smsqueue.Line) talkLine {
	line := talkLine{At: l.At, CampaignName: l.CampaignName}
	campaign := int64(0)
	if l.Sent != nil {
		line.Sent, line.Text, campaign = true, l.Sent.Text, l.Sent.Campaign
		line.Status, line.Word = string(l.Sent.Status), say.word("status", string(l.Sent.Status))
	} else {
		line.Text, campaign, line.Incomplete = l.Received.Text, l.Received.Campaign, l.Received.Incomplete()
		line.ID, line.Open, line.Handled = w.Names.Of(secrets.Inbound, l.Received.ID), l.Received.Open(), !l.Received.Handled.IsZero()
		if l.Received.Action != "" {
			line.Action = say.word("action", l.Received.Action)
		}
	}
	if campaign != 0 {
		line.Campaign = w.Names.Of(secrets.Campaign, campaign)
	}
	return line
}

// answer texts the number from the one that it texted last.
func (w *site) answer(c *fiber.Ctx, v visit) error {
	p := conversationPage{Phone: c.Query("number"), Once: c.FormValue("once"), Text: strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n")}
	talk, err := w.Queue.Conversation(v.ctx, v.Account.ID, p.Phone, 0, 1)
	if err != nil {
		return err
	}
	hash := formHash(p.Once, p.Phone, p.Text)
	_, err = w.Queue.Send(v.ctx, v.Account.ID, smsqueue.Single{To: p.Phone, Text: p.Text, Sender: talk.From, Key: "console " + hash, RequestHash: hash})
	if refused := problem.As(err); refused != nil {
		p.Error = v.say.problem(refused)
		return w.showTalk(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(talkPath(p.Phone)+"#latest", fiber.StatusSeeOther)
}
